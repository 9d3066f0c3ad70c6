"""Applies that are killed, or whose answers get lost: the next one does what is left, and nothing twice."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from genie_assets.domain.space_plans import creation_plan
from genie_assets.domain.tables import GENIE_SPACE_APPLIES
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.space_access import Patience
from genie_assets.pipeline.space_apply import Apply
from genie_assets.pipeline.space_plans import restore_plan
from genie_assets.settings import load_settings
from genie_assets.wiring import open_live_spaces
from genie_assets_tests.e2e.desk import BAD, DESK, GOOD, Desk, body, promote
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.mortal import KilledError, Mortal
from genie_assets_tests.pipeline.world import NOON
from genie_assets_tests.sandbox.accounts import FIRST, SECOND
from genie_assets_tests.sandbox.wire import genie_path


def test_a_new_space_whose_answer_got_lost_is_found_and_not_made_twice(desk: Desk) -> None:
    promote(desk)
    desk.sandbox.faults({"effect": "cut", "keep": 0, "route": "create_space", "times": 1})
    desk.sandbox.faults({"effect": "stale", "route": "list_spaces", "every": 2, "times": 1})
    assert "APPLIED: The answer got lost, but it was done" in desk.apply(patience=3).output
    assert len(desk.titled("Refund desk", SECOND)) == 1


def test_an_apply_that_is_killed_while_it_makes_a_space_makes_no_second_one(desk: Desk) -> None:
    promote(desk)
    desk.sandbox.faults({"effect": "slow_drip", "seconds": 60, "route": "create_space", "times": 1})
    command = [sys.executable, "-m", "genie_assets", "spaces", "apply", "plan.json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        deadline = time.monotonic() + 60
        while not desk.titled("Refund desk", SECOND) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(killed.pid, signal.SIGKILL)
    assert desk.notes() == [("promote", "BEGUN")]
    desk.sandbox.faults({"effect": "stale", "route": "list_spaces", "times": 1})
    assert "ALREADY: The space is there already" in desk.apply(patience=3).output
    assert len(desk.titled("Refund desk", SECOND)) == 1


@pytest.fixture(scope="module")
def unity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.mark.parametrize("action", ["update", "create"])
@pytest.mark.parametrize("place", ["files", "unity"])
def test_an_apply_that_is_killed_after_any_step_is_done_once_by_the_next(
    request: pytest.FixtureRequest, desk: Desk, place: str, action: str
) -> None:
    lake = request.getfixturevalue("unity").new_lake() if place == "unity" else desk.world.lake
    settings = load_settings()
    live = open_live_spaces(settings, settings.writing(), desk.sandbox.urls.get)
    ended: list[str] = []
    for last in itertools.count(1):
        title = f"New desk {last}"
        if action == "update":
            desk.change(serialized_space=json.dumps(BAD))
            change = restore_plan({"workspace_id": FIRST, "space_id": DESK, **body(GOOD)}, live)
        else:
            change = creation_plan("promote", "a test", SECOND, body(GOOD, title=title))
        mortal, patience = Mortal(last), Patience(1, lambda: None)
        run = Run(NOON.date(), f"a{last}", desk.world.clock)
        try:
            Apply(change, mortal(live), mortal(lake), run, patience).carry_out("ann")
        except KilledError:
            pass
        else:
            break
        next_run = Run(NOON.date(), f"b{last}", desk.world.clock)
        ended.append(Apply(change, live, lake, next_run, patience).carry_out("ann").result)
        if action == "create":
            (made,) = desk.titled(title, SECOND)
            assert desk.read(made, SECOND)["serialized_space"] == json.dumps(GOOD)
            desk.send(SECOND, genie_path(made), None, "DELETE")
        assert action == "create" or desk.read()["serialized_space"] == json.dumps(GOOD)
        noted = {row["apply_id"]: row["result"] for row in lake.records(GENIE_SPACE_APPLIES)}
        assert noted[f"b{last}"] == ended[-1]
        assert noted.get(f"a{last}", "BEGUN") in ("BEGUN", "APPLIED")
    for space_id in desk.titled(title, SECOND):
        desk.send(SECOND, genie_path(space_id), None, "DELETE")
    # Looked at, noted, sent, read back, noted: done anew until it was sent, and never twice.
    sent = ended.index("ALREADY")
    assert (ended[:sent], set(ended[sent:])) == (["APPLIED"] * sent, {"ALREADY"})
    assert 1 < sent < len(ended)
