"""Two processes without a common pool load the same days, and each stands still again and again on its way."""

import datetime as dt
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from deltalake import DeltaTable

from genie_assets.domain.tables import GENIE_SPACE_VERSIONS, TABLES
from genie_assets_tests.e2e.pipelines import (
    Pipeline,
    days_of,
    differences_from_truth,
    point_at,
    recent_anchor,
    sandbox_of,
    without_notes,
)
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate
from genie_sandbox.sql.holds import POINTS

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

# A process of its own, with runs of its own: nothing but the tables is shared. It loads the days of each line.
LOADER = """
import datetime as dt, sys
from genie_assets_tests.e2e.pipelines import Pipeline
pipeline = Pipeline()
print("ready", flush=True)
for line in sys.stdin:
    for day in line.split():
        pipeline.run("genie_daily", dt.date.fromisoformat(day))
    pipeline.run("genie_spaces")
    print("done", flush=True)
"""


class Loader:
    """The process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOADER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._is_stopped = False

    def __enter__(self) -> "Loader":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def load(self, days: Sequence[dt.date]) -> None:
        assert self._process.stdin
        self._process.stdin.write(" ".join(map(str, days)) + "\n")
        self._process.stdin.flush()

    def said(self) -> str:
        """The next word; empty if the process has failed."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def has_said(self) -> bool:
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def stop(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(seed=9, anchor=recent_anchor(), days=2, messages=40)


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.mark.parametrize("kind", ["files", "unity"])
def test_two_processes_at_once_leave_what_one_would(
    account: Account, sandbox: SandboxProcess, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakehouse = tmp_path / "lake" if kind == "files" else f"uc://main.two_{os.getpid()}"
    point_at(sandbox, lakehouse, monkeypatch)  # type: ignore[arg-type]
    chance, days = random.Random(kind), days_of(account)
    with Loader() as one, Loader() as other:
        loaders = (one, other)
        assert [loader.said() for loader in loaders] == ["ready", "ready"]
        # Days that overlap, coming from both ends; then the same ones side by side.
        for orders in ((days, days[::-1]), (days[-1:], days[-1:])):
            for loader, order in zip(loaders, orders, strict=True):
                loader.load(order)
            while not all(loader.has_said() for loader in loaders):
                stumble(chance.choice(loaders), chance, sandbox, tmp_path / "lake")
            sandbox.release()
            assert [loader.said() for loader in loaders] == ["done", "done"]
    pipeline = Pipeline()
    assert differences_from_truth(account, sandbox, pipeline) == []
    assert twice(pipeline) == []
    assert_at_rest(sandbox, pipeline, days)


def assert_at_rest(sandbox: SandboxProcess, pipeline: Pipeline, days: Sequence[dt.date]) -> None:
    """Another load asks for no message and changes nothing.

    But for what was noted: if the slower process noted last, its fold had seen less, and the day is folded again.
    """
    before = without_notes(pipeline.tables())
    sandbox.reset_requests()
    for day in days:
        pipeline.run("genie_daily", day)
    asked = sandbox.requests()["by_route"]
    assert not asked.get("get_message")
    assert not asked.get("list_messages")
    assert without_notes(pipeline.tables()) == before


def stumble(loader: Loader, chance: random.Random, sandbox: SandboxProcess, lake: Path) -> None:
    """Stop a process wherever it is, for what is minutes by the logs of the tables; or hold one of its writes."""
    time.sleep(chance.uniform(0.1, 0.5))
    if chance.random() < 0.5:
        sandbox.hold(point=chance.choice(POINTS), seconds=chance.uniform(0.3, 1.5))
    loader.stop()
    time.sleep(chance.uniform(0.1, 1.0))
    for log in lake.glob("genie_analytics/*/_delta_log"):
        shorten(log)
    loader.go_on()


def shorten(log: Path) -> None:
    """Let minutes pass for the log of a table, which then ends at its last checkpoint."""
    then = time.time() - 600
    for entry in log.iterdir():
        os.utime(entry, (then, then))
    table = DeltaTable(log.parent.as_uri())
    table.create_checkpoint()
    table.cleanup_metadata()


def twice(pipeline: Pipeline) -> list[str]:
    """What the tables hold twice: keys, and versions of a space in force."""
    found = []
    for table in TABLES:
        keys = Counter(tuple(row[name] for name in table.key) for row in pipeline.rows(table))
        found += [f"{table.name} {key}" for key, count in keys.items() if count > 1]
    in_force = Counter(
        (row["workspace_id"], row["space_id"])
        for row in pipeline.rows(GENIE_SPACE_VERSIONS)
        if row["valid_to"] is None
    )
    return found + [f"version in force of {space}" for space, count in in_force.items() if count > 1]
