"""The rings of tests: what a test uses decides when it runs. What a test promises is not decided here.

quick   no server, no process, no socket, nothing dear: `make quick`, in seconds
middle  the rest of `make test`: marked `servers` (it starts or calls something) or `slow` (real tables, real runs)
long    a newcomer's hour, kills, deployments, whole demos, every fault of the API, object stores, benchmarks:
        marked `long`, `make long`; but for those marked `months`, too (two months, a day of killed processes and
        five minutes of load by a moved clock), `make landing`, which CI runs
rare    races, mutations, what is done a hundred times: marked `rare`, `make rare`, for releases

Rare by a mark of their own are tests of which others, that CI runs, promise nearly the same for much less: the
second demo (`e2e/test_truth` loads all days twice, too, and no message is asked for and no row changed), a second
account in that file, a writer that is stopped a hundred times at each point instead of twenty, and a load that
signals meet at two dozen moments instead of six.

Marks are given here, by folder, by fixture and by what a test itself says; few tests carry one by hand. A test
that lacks its mark is found out: whatever has none is guarded, wherever it runs.
"""

import inspect
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
# Folders and files that belong to a ring as they are.
_PLACES: Mapping[str, tuple[str, ...]] = {
    "rare": (
        "e2e/test_two_processes.py",
        "views/test_mutations.py",
    ),
    "months": (*(f"e2e/test_{name}.py" for name in ("day_by_the_clock", "month_of_losses", "simulated_month")),),
    "long": (
        "commands/test_ended_loads.py",
        *(
            f"e2e/test_{name}.py"
            for name in (
                "alert_daemon",
                "crash_safety",
                "daemon",
                "demo",
                "demo_on_unity",
                "effects_of_changes",
                "fault_matrix",
                "quiet_day",
                "reconciliation",
                "secrets",
                "spaces_on_unity",
                "visible_runs",
            )
        ),
        *(f"gateways/lakehouse/delta/test_{name}.py" for name in ("concurrency", "object_stores")),
        "sandbox/test_sql_for_days.py",
        *(f"test_{name}.py" for name in ("benchmarks", "old_runs")),
    ),
    "servers": (
        *(
            f"commands/test_{name}.py"
            for name in (
                "doctor",
                "doctor_account",
                "doctor_contract",
                "guarded",
                "interrupts",
                "preflight",
                "processes",
            )
        ),
        "e2e/",
        *(f"gateways/databricks/test_{name}.py" for name in ("bounds", "connection_errors")),
        *(
            f"sandbox/test_{name}.py"
            for name in (
                "grants",
                "server",
                "sql",
                "sql_conflicts",
                "sql_files",
                "sql_for_days",
                "sql_results",
                "sql_tables",
            )
        ),
        *("test_alerts.py", "test_sql_alert.py"),
        "test_second_try.py",
    ),
    "slow": (
        *(f"commands/test_{name}.py" for name in ("errors", "instances", "run_events", "turns")),
        "gateways/databricks/test_pacing.py",
        "gateways/lakehouse/",
        "pipeline/",
        "report/",
        "views/",
        *(f"sandbox/test_{name}.py" for name in ("generator", "generator_cases", "truth")),
        *(
            f"test_{name}.py"
            for name in (
                *("check_sentences", "day_runs", "definitions", "host_project", "jobs", "loading", "pool"),
                *("schedules", "sensors"),
            )
        ),
    ),
}
# A fixture of one of these names gives a server or a process, or stands on one that does.
_SERVER_FIXTURES = frozenset({"dead", "installed", "sandbox", "server", "session", "stub", "wheel"})
# A test that says one of these words itself needs no mark either.
_SERVER_WORDS = frozenset({"RawServer", "SandboxProcess", "StubServer", "UnityServer", "subprocess"})

_CALLS = frozenset({"socket.connect", "socket.bind"})
_STARTS = frozenset(
    {"subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn"}
)


def is_left_out(path: Path, expression: str) -> bool:
    """Whether a `-m` of the form "not a and not b" leaves out a whole file, so that it need not be imported."""
    unwanted = [term.removeprefix("not ") for term in expression.split(" and ")]
    if any(f"not {each}" not in expression or " " in each for each in unwanted):
        return False
    place = path.relative_to(_HERE).as_posix()
    return any(place.startswith(_PLACES.get(each, ())) for each in unwanted if each in _PLACES)


def marks_of(item: pytest.Item) -> set[str]:
    """The rings' marks that a test gets for where it is and what it uses."""
    place = item.path.relative_to(_HERE).as_posix()
    marks = {mark for mark, places in _PLACES.items() if place.startswith(places)}
    code = getattr(inspect.unwrap(getattr(item, "obj", marks_of)), "__code__", None)
    used = {*getattr(item, "fixturenames", ())} & _SERVER_FIXTURES
    if used or _SERVER_WORDS & {*getattr(code, "co_names", ())}:
        marks.add("servers")
    return marks


def is_quick(item: pytest.Item) -> bool:
    """Whether the test has none of the marks: it may use neither sockets nor processes."""
    return not any(item.get_closest_marker(mark) for mark in _PLACES)


class OutsideRingError(BaseException):
    """A quick test started or called something. No `Exception`, so that no code under test swallows it."""


class _Guard:
    """The test that may use neither sockets nor processes now. An audit hook cannot be removed: there is one."""

    test: str | None = None
    is_installed = False

    @classmethod
    def look(cls, event: str, args: tuple[object, ...]) -> None:
        if cls.test is None or event not in _CALLS | _STARTS:
            return
        if event in _CALLS and getattr(args[0], "family", None) == socket.AF_UNIX:
            return
        does = "opens a socket" if event in _CALLS else "starts a process"
        raise OutsideRingError(f"{cls.test} {does} and is not marked `servers`: see genie_assets_tests/rings.py.")


@contextmanager
def guarded(test: str) -> Iterator[None]:
    """Let nothing in the block, which is this test's, open a socket or start a process.

    Raises:
        OutsideRingError: in the block, where it would be.
    """
    if not _Guard.is_installed:
        sys.addaudithook(_Guard.look)
        _Guard.is_installed = True
    before, _Guard.test = _Guard.test, test
    try:
        yield
    finally:
        _Guard.test = before
