"""The rings mean what they say, and none of them leaves out a test."""

import os
import re
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from genie_assets_tests.rings import OutsideRingError, guarded, is_left_out, is_quick
from genie_assets_tests.workers import SECONDS, dearest_first, made_once

CHECKOUT = Path(__file__).resolve().parents[1]
TARGETS = (CHECKOUT / "Makefile").read_text(encoding="utf-8")


# The words that these tests say would let them pass for tests of servers.
def call() -> None:
    socket.create_connection(("127.0.0.1", 9), timeout=1)


def listen() -> None:
    socket.create_server(("127.0.0.1", 0))


def run() -> None:
    subprocess.run(["true"], check=True)


def shell() -> None:
    os.system("true")


@pytest.mark.parametrize("use", [call, listen, run, shell])
def test_a_quick_test_opens_no_socket_and_starts_no_process(request, use):
    """No fixture was asked for: the guard is on."""
    assert is_quick(request.node)
    name = r"test_rings\.py::test_a_quick_test_opens_no_socket"
    with pytest.raises(OutsideRingError, match=rf"{name}.* is not marked `servers`"):
        use()


def test_what_is_caught_for_safetys_sake_is_still_told():
    with guarded("a test"), pytest.raises(OutsideRingError, match="a test starts a process"):
        _cautiously(run)


def _cautiously(use: Callable[[], None]) -> None:
    with suppress(Exception):
        use()


@pytest.mark.servers
def test_whoever_is_marked_may():
    run()
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_only_files_of_which_nothing_is_left_are_not_imported():
    e2e, here = Path(__file__).parent / "e2e/test_wheel.py", Path(__file__)
    assert is_left_out(e2e, "not servers and not slow and not long")
    assert not is_left_out(here, "not servers and not slow and not long")
    assert not any(is_left_out(e2e, each) for each in ("", "not long", "servers", "not slow or not servers"))


def recipe(target: str) -> str:
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", TARGETS, re.MULTILINE)
    assert found, target
    return found[1]


def test_the_rings_are_all_tests_and_ci_runs_none_twice():
    variables = dict(re.findall(r'^([A-Z_]+) := "(.*)"$', TARGETS, re.MULTILINE))
    assert variables == {
        "QUICK": "not servers and not slow and not long and not rare",
        "NOT_LONG": "not long and not rare",
        "LONG": "long and not rare",
        "LANDING": "long and not rare and not months",
    }
    for target, ring in (("quick", "QUICK"), ("test", "NOT_LONG"), ("long", "LONG"), ("landing", "LANDING")):
        assert f"-m $({ring})" in recipe(target)
    steps = re.findall(r"^step (.*)$", (CHECKOUT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert steps == ["make --jobs=2 --output-sync=target static demo", "make test", "make landing"]
    assert "-m rare" in recipe("rare")
    assert "pytest" not in "".join(map(recipe, ("format", "lint", "types", "definitions", "schema")))


def test_every_python_that_the_workflow_names_runs_the_same_command():
    text = (CHECKOUT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert re.findall(r"- run: (.*)", text) == [".ci/run"]
    assert re.findall(r"python: (.*)", text) == ['["3.11", "3.12", "3.13"]']


def test_the_dearest_files_come_first_and_each_keeps_its_order():
    dear, *_, less_dear = sorted(SECONDS, key=SECONDS.__getitem__, reverse=True)
    here = Path(__file__).parent
    assert [file for file in SECONDS if not (here / file).is_file()] == []
    items = [Placed(here / file, name) for file in ("test_rings.py", less_dear, dear) for name in "ba"]
    dearest_first(items)
    assert items == [Placed(here / file, name) for file in (dear, less_dear, "test_rings.py") for name in "ba"]
    for target in ("test", "long", "rare"):
        assert "$(SPREAD)" in recipe(target) or "--no-loadscope-reorder" in recipe(target)


class Placed(NamedTuple):
    """What is looked at of a test."""

    path: Path
    name: str


def test_what_all_workers_want_is_made_by_the_first_and_anew_if_that_failed(monkeypatch, tmp_path):
    class Factory(NamedTuple):
        """A worker's."""

        worker: str

        def getbasetemp(self) -> Path:
            return tmp_path / self.worker

    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    tries = []

    def make(folder: Path) -> None:
        folder.mkdir()
        tries.append(folder)
        if len(tries) == 1:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        made_once(Factory("gw0"), "dear", make)
    assert made_once(Factory("gw1"), "dear", make) == made_once(Factory("gw2"), "dear", make) == tmp_path / "dear"
    assert len(tries) == 2
