"""A month on the sandbox's clock, with the schedules and sensors as they are shipped, and no command typed."""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path

import pytest

from genie_assets.definitions import build_defs
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, MESSAGE_DETAILS, TABLES
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.settings import load_settings
from genie_assets.wiring import open_workspaces
from genie_assets_tests.e2e.daemon_days import Daemon, JumpingClock, dagster_at, kept_instance
from genie_assets_tests.e2e.pipelines import Pipeline, doubled_keys, metadata_of, point_at
from genie_assets_tests.gateways.stub_server import Reply, StubServer, always
from genie_sandbox.account import Account, save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.scenarios import SCENARIOS, vote_after_a_read, with_scenarios
from genie_sandbox.made_up.uniform import generate_uniform
from genie_sandbox.server.refused_tokens import BODIES
from genie_sandbox.truth.comparison import differences
from genie_sandbox.truth.tables import truth

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

AHEAD = dt.timedelta(minutes=5)  # our clock, of Databricks'
HISTORY, DAYS = 30, 25  # days before the first start, and from it on
# When the daemon is awake: mornings on which something is new, oftener while much happens, and not for ten days.
USUAL = ("06:20",)
AWAKE: Mapping[int, tuple[str, ...]] = {
    0: ("09:20",),
    # A vote of 17:02 follows a look that our clock saw at 17:04.
    1: ("06:20", "10:45", "16:59", "18:20"),
    **dict.fromkeys((2, 3, 4, 5, 7, 8), USUAL),
    **dict.fromkeys((19, 20, 22, 24), USUAL),
}
# The month's incidents. Late rows, tokens that end, a clock ahead and a message of the year 9999 are none.
INCIDENTS = [
    # Nobody but Genie writes this audit log, and nobody asks it anything for days.
    ("WARNING", "audit_is_fresh"),
    # The space that is private from the fourth day on, and the one that can never be exported.
    ("WARNING", "PERMISSION"),
    ("WARNING", "spaces_are_backed_up"),
    ("FINE AGAIN", "PERMISSION"),
    ("WORSE", "audit_is_fresh"),
]
TOKENS_END_ON = {2, 3, 5, 20}


def first_day() -> dt.datetime:
    """The month lies in the past as a whole, so that its days are partitions by any clock."""
    return dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=DAYS + 1)


def made_up(begins: dt.datetime) -> Account:
    """Few messages, the first of them on the first day, and everything that was once missed or forgotten.

    Every run takes seconds, whatever it finds.
    """
    plain = generate_uniform(
        seed=11,
        anchor=begins + dt.timedelta(days=DAYS),
        conversations=(HISTORY + DAYS) // 3,
        messages_per_conversation=2,
        days=HISTORY + DAYS,
        workspaces=2,
    )
    at = ms(begins + dt.timedelta(days=1, hours=10))
    others = [each for each in SCENARIOS if each is not vote_after_a_read]
    return vote_after_a_read(with_scenarios(plain, at, others), at + 5 * 3_600_000)


def ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)


def moments(begins: dt.datetime) -> Iterator[tuple[int, dt.datetime]]:
    for day, times in AWAKE.items():
        for text in times:
            hour, minute = map(int, text.split(":"))
            yield day, begins + dt.timedelta(days=day, hours=hour, minutes=minute)


def test_a_month_loads_itself_and_every_table_is_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins, bodies = first_day(), cycle(BODIES)
    account = made_up(begins)
    save(account, tmp_path / "account")
    start = begins + dt.timedelta(hours=9)
    clock = JumpingClock(start + AHEAD)
    with (
        SandboxProcess(tmp_path / "account", clock_ms=ms(start)) as sandbox,
        kept_instance(tmp_path) as instance,
        dagster_at(clock),
        StubServer(always(Reply())).running() as receiver,
    ):
        point_at(sandbox, tmp_path / "lake", monkeypatch)
        monkeypatch.setenv("GENIE_ALERT_CHANNELS", f"json://127.0.0.1:{receiver.port}/hook")
        sandbox.tell_time(of="sandbox")
        settings = load_settings()
        workspaces = open_workspaces(settings, settings.databricks())
        genie = GenieApi(workspaces, pacer_of=lambda _workspace_id: Pacer(1000.0), now=clock.now)
        daemon = Daemon(build_defs(clock=clock, genie=genie), instance, clock)
        for day, at in moments(begins):
            sandbox.set_clock(ms(at))
            clock.jump_to(at + AHEAD)
            if day in TOKENS_END_ON:
                sandbox.expire_tokens(refused_as=next(bodies))
            for _ in daemon.catch_up():
                clock.jump_to(clock.now() + dt.timedelta(minutes=1))
        assert problems(account, sandbox, Pipeline(), clock) == [], daemon.runs
        assert [each for each, succeeded in daemon.runs if not succeeded] == []
        told = metadata_of(daemon.latest["genie_daily"], "genie_api_messages")["clock"]
        assert told_of(receiver) == INCIDENTS
        assert re.match(r"Our clock is \d[\d.]* minutes ahead of Databricks'", told)


def told_of(receiver: StubServer) -> list[tuple[str, str]]:
    """What the channel was told but for reminders, one after the other: why, and of what."""
    texts = [json.loads(each.body)["message"] for each in receiver.requests]
    found = [re.findall(r"^(BROKEN|WARNING|WORSE|FINE AGAIN): (\w+)", text, re.MULTILINE) for text in texts]
    return [each for told in found for each in told]


def problems(account: Account, sandbox: SandboxProcess, pipeline: Pipeline, clock: JumpingClock) -> list[str]:
    """How the tables differ from the truth, and which keys they hold twice."""
    expected = truth(account, at=sandbox.now_ms(), now=ms(clock.now()), urls=sandbox.urls, saw_all=True)
    # What was read before it was deleted stays, and is marked; the truth does not speak of it.
    gone = {
        (each.workspace_id, each.message_id)
        for each in account.messages
        if each.deleted_at and not each.returns_at
    }
    kept = [row for row in pipeline.rows(MESSAGE_DETAILS) if (row["workspace_id"], row["message_id"]) in gone]
    found = [] if kept and all(row["is_deleted"] for row in kept) else [f"deleted messages are not marked: {kept}"]
    for table in TABLES:
        rows = pipeline.rows(table)
        if table.name in expected:
            spoken_of = [
                row
                for row in rows
                if table is GENIE_MESSAGES_TO_FETCH or (row["workspace_id"], row.get("message_id")) not in gone
            ]
            found += differences(table, expected[table.name], spoken_of)
        found += doubled_keys(table, rows)
    return found
