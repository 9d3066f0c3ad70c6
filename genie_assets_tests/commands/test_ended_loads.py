"""A load that is killed, interrupted, paused, or started twice: it ends, says so, and leaves the day healthy."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

from genie_assets.commands.processes import PID_TAG
from genie_assets_tests.commands.loads import SCRIPT, Place, an_account, wait_for
from genie_assets_tests.starting import IGNORING_INTERRUPTS
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
# Generous: the machine may do a lot besides. A wait for the hanging requests would take ten minutes.
SECONDS = 30


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Account, SandboxProcess]]:
    with an_account(tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture
def place(served: tuple[Account, SandboxProcess], tmp_path: Path) -> Iterator[Place]:
    account, sandbox = served
    place = Place(account, sandbox, tmp_path)
    try:
        yield place
    finally:
        place.kill_all()
        sandbox.clear_faults()


def assert_ended_well(place: Place, shown: str, name: str) -> None:
    """One sentence, no traceback, and nothing in flight or held."""
    assert "Traceback" not in shown, shown
    assert shown.count(f"Interrupted by {name}") == 1, shown
    unended = [run for run in place.runs() if not run.is_finished]
    assert not unended
    assert not place.runs() or not place.claims()


def test_the_day_of_a_killed_load_is_loaded_at_once_by_the_next_one(place):
    place.hang("list_messages")
    killed = place.load()
    place.wait_for_hanging()
    killed.process.kill()
    killed.process.wait()
    (dead,) = place.runs()
    assert dead.status == dg.DagsterRunStatus.STARTED
    assert place.claims() == [dead.run_id]
    place.sandbox.clear_faults()
    place.sandbox.reset_requests()

    again = place.load()
    assert again.ends() == 0, again.shown
    # Days read new spaces for their titles; what they have read is not exported again at the end.
    looks = [each for each in place.sandbox.requests(latest=1000)["latest"] if each["route"] == "get_space"]
    paths = [each["path"] for each in looks if each["status"] == 200]
    spaces = len({message.space_id for message in place.account.messages})
    assert len(paths) == len(set(paths)) >= spaces
    assert f"spaces      {spaces}, readable {spaces}\n" in again.out.read_text()
    assert f"run {dead.run_id[:8]} (genie_daily of {place.days[0]}) was cut short" in again.err.read_text()
    assert place.holds_every_message()
    with place.instance() as instance:
        assert instance.get_run_by_id(dead.run_id).status == dg.DagsterRunStatus.FAILURE
        (event,) = instance.all_logs(dead.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        assert "was killed" in event.dagster_event.message
    assert not place.claims()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_a_load_in_a_request_and_the_next_one_starts_at_once(place, number):
    place.hang("list_messages")
    load = place.load()
    place.wait_for_hanging()
    load.send(number)
    assert load.ends(SECONDS) == 128 + number
    assert load.out.read_text() == ""
    assert_ended_well(place, load.shown, SIGNALS[number])
    (run,) = place.runs()
    assert run.status == dg.DagsterRunStatus.CANCELED
    place.sandbox.clear_faults()

    again = place.load()
    assert again.ends() == 0, again.shown
    assert again.err.read_text() == ""
    assert place.holds_every_message()


@pytest.mark.parametrize("moments", [6, pytest.param(24, marks=pytest.mark.rare)])
def test_signals_at_many_moments_end_a_load_without_a_traceback(place, moments):
    """Importing, opening the home, in the steps, between the days, at the end: wherever they meet it."""
    for _ in "ab":  # the second one, and all that follow, have nothing new to load
        began = time.monotonic()
        whole = place.load()
        assert whole.ends() == 0, whole.shown
        length = time.monotonic() - began
    numbers = list(SIGNALS)
    met = 0
    for moment in range(moments):
        load = place.load()
        try:
            # It may be faster than that one, and over before.
            load.process.wait(0.2 + length * moment / moments)
        except subprocess.TimeoutExpired:
            number = numbers[moment % len(numbers)]
            load.send(number)
            code = load.ends(SECONDS)
            if code == 0:  # it had just ended
                continue
            # Before our own code runs, it ends as any program does; Python itself may say that it had not started.
            if "Fatal Python error: init_import_site" in load.shown:
                continue
            assert code in (128 + number, -number), load.shown
            if code > 0:
                met += 1
                assert_ended_well(place, load.shown, SIGNALS[number])
    assert met > moments / 4
    after = place.load()
    assert after.ends() == 0, after.shown
    assert after.err.read_text() == ""
    assert place.holds_every_message()


def test_a_signal_ends_a_load_that_waits_in_the_lakehouses_own_code(place):
    """An object store that accepts and never answers: no Python runs there, so that nothing can be raised."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = {
            "GENIE_LAKEHOUSE": "s3://bucket/tables",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "planted",
            "AWS_SECRET_ACCESS_KEY": "planted-secret",
            "AWS_REGION": "us-east-1",
        }
        load = place.start([SCRIPT, "load", "--from", place.days[-1]], settings)
        silent.settimeout(240)
        connection, _ = silent.accept()
        with connection:
            load.send(signal.SIGTERM)
            assert load.ends(SECONDS) == 128 + signal.SIGTERM
    assert_ended_well(place, load.shown, "SIGTERM")


def test_a_second_ctrl_c_ends_at_once_and_the_next_load_sets_it_right(place):
    place.hang("list_messages")
    load = place.load()
    place.wait_for_hanging()
    load.send(signal.SIGINT)
    time.sleep(0.7)  # a second key press, not the same one passed on
    load.send(signal.SIGINT)
    assert load.ends(SECONDS) == 130
    assert "Traceback" not in load.shown
    place.sandbox.clear_faults()
    again = place.load()
    assert again.ends() == 0, again.shown
    assert place.holds_every_message()


def test_what_whoever_started_us_ignores_stays_ignored(place):
    """`nohup`, and a script's `&`."""
    place.hang("list_messages")
    load = place.load(after=IGNORING_INTERRUPTS)
    place.wait_for_hanging()
    load.send(signal.SIGINT)
    load.send(signal.SIGHUP)
    time.sleep(3)
    assert load.process.poll() is None
    load.send(signal.SIGTERM)
    assert load.ends(SECONDS) == 128 + signal.SIGTERM


def test_two_loads_take_turns_and_the_second_says_for_whom_it_waits(place):
    """They are started together on a home that is still to be made."""
    place.hang("list_messages", seconds=8)
    both = [place.load(), place.load()]
    assert [load.ends() for load in both] == [0, 0], [load.shown for load in both]
    waited = [load for load in both if "Waiting since" in load.err.read_text()]
    assert waited
    other = next(load for load in both if load is not waited[0])
    shown = waited[0].err.read_text()
    assert re.search(
        rf"Waiting since \d\d:\d\d UTC for run [0-9a-f]{{8}} \(genie_daily of [\d-]+\) in process "
        rf"{other.process.pid} on this machine, under way since [\d-]+ [\d:]+ UTC\.",
        shown,
    ), shown
    assert place.holds_every_message()
    assert {run.status for run in place.runs()} == {dg.DagsterRunStatus.SUCCESS}
    # One caller of the API at a time.
    with place.instance() as instance:
        times = sorted(
            (stats.start_time, stats.end_time)
            for run in instance.get_runs()
            if run.job_name != "genie_standing_checks"
            for stats in [instance.get_run_stats(run.run_id)]
        )
    assert all(end <= start for (_, end), (start, _) in pairwise(times))


def test_a_load_that_is_stopped_and_continued_is_not_taken_for_dead(place):
    place.hang("list_messages", seconds=4)
    paused = place.load()
    place.wait_for_hanging()
    paused.send(signal.SIGSTOP)
    waiting = place.load()
    wait_for("the second to wait", lambda: "Waiting since" in waiting.err.read_text())
    assert f"process {paused.process.pid} on this machine" in waiting.err.read_text()
    assert waiting.process.poll() is None
    paused.send(signal.SIGCONT)
    assert [paused.ends(), waiting.ends()] == [0, 0], paused.shown + waiting.shown
    assert place.holds_every_message()


def test_a_load_that_waits_takes_no_processor_and_ends_on_ctrl_c(place):
    place.hang("list_messages")
    holder = place.load()
    place.wait_for_hanging()
    waiting = place.load()
    wait_for("the second to wait", lambda: "Waiting since" in waiting.err.read_text())
    before = seconds_of(waiting.process.pid)
    time.sleep(10)
    assert seconds_of(waiting.process.pid) - before < 3
    waiting.send(signal.SIGINT)
    assert waiting.ends(SECONDS) == 130
    assert "Traceback" not in waiting.shown
    # The other one is none the worse for it.
    assert holder.process.poll() is None
    (run,) = [run for run in place.runs() if not run.is_finished]
    assert run.tags[PID_TAG] == str(holder.process.pid)


def test_a_load_that_waits_goes_on_when_the_one_it_waits_for_is_killed(place):
    place.hang("list_messages")
    holder = place.load()
    place.wait_for_hanging()
    waiting = place.load()
    wait_for("the second to wait", lambda: "Waiting since" in waiting.err.read_text())
    place.sandbox.clear_faults()
    holder.process.kill()  # and nobody takes note of its end: it stays a zombie
    assert waiting.ends() == 0, waiting.shown
    assert place.holds_every_message()


def test_a_run_that_is_ended_in_the_ui_ends_the_load(place):
    place.hang("list_messages")
    load = place.load()
    place.wait_for_hanging()
    with place.instance() as instance:
        instance.report_run_canceling(instance.get_runs()[0])
    assert load.ends(60) == 1
    assert "was ended in Dagster" in load.err.read_text()
    assert "Traceback" not in load.shown
    (run,) = place.runs()
    assert run.status == dg.DagsterRunStatus.CANCELED


def seconds_of(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
