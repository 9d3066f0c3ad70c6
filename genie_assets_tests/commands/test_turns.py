"""Whose turn it is, on a real instance: dead runs are ended, others are waited for by name."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from genie_assets.commands.instances import open_home
from genie_assets.commands.processes import Process, this_process
from genie_assets.commands.turns import end_dead, give_up, help_along, is_first, wait_for_turn

POOL, STEP, DAY = "genie_api", "ask", "2026-01-31"
STARTED, CANCELED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.FAILURE
ELSEWHERE = Process("build-7/0123456789abcdef", 77, "then")


@dg.op(pool=POOL)
def ask() -> None:
    """Takes the pool."""


@dg.job
def asking() -> None:
    ask()


@pytest.fixture(scope="module")
def dead() -> Process:
    """A process that has ended."""
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1, check=True)
    return replace(this_process(), pid=int(done.stdout), started="before")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home, made once: that takes longer than all else."""
    home = tmp_path_factory.mktemp("empty") / "home"
    open_home(home).dispose()
    return home


@pytest.fixture
def instance(empty: Path, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_home(shutil.copytree(empty, tmp_path / "home")) as instance:
        instance.event_log_storage.initialize_concurrency_limit_to_default(POOL)
        yield instance


class Heard(list[str]):
    """What was said; waits a few times, then has had enough."""

    def __init__(self, looks: int = 2, meanwhile: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.looks = looks
        self.meanwhile = meanwhile

    def pause(self, _seconds: float) -> bool:
        self.looks -= 1
        self.meanwhile()
        return self.looks == 0


def run_of(
    instance: dg.DagsterInstance,
    process: Process | None,
    status: dg.DagsterRunStatus = STARTED,
    *,
    claims: bool = True,
) -> str:
    """A run in the middle of its step, as a process leaves it that is killed there; the result is its id."""
    tags = {"dagster/partition": DAY, **(process.tags if process else {})}
    run = instance.create_run_for_job(asking, tags=tags)
    if status != dg.DagsterRunStatus.NOT_STARTED:
        instance.report_dagster_event(
            dg.DagsterEvent(event_type_value="PIPELINE_START", job_name="asking"), run_id=run.run_id
        )
    if claims:
        assert instance.event_log_storage.claim_concurrency_slot(POOL, run.run_id, STEP).is_claimed
    return run.run_id


def claimants(instance: dg.DagsterInstance) -> list[str]:
    return [slot.run_id for slot in instance.event_log_storage.get_concurrency_info(POOL).claimed_slots]


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    return instance.get_run_by_id(run_id).status


def waits(instance: dg.DagsterInstance, heard: Heard) -> bool:
    """Whether it had to wait to the end of patience."""
    wait_for_turn(instance, [POOL], heard.append, heard.pause)
    return heard.looks == 0


@pytest.mark.parametrize("status", [STARTED, dg.DagsterRunStatus.NOT_STARTED])
def test_a_run_whose_process_is_gone_is_marked_as_failed_and_holds_nothing(instance, dead, status):
    run_id = run_of(instance, dead, status)
    heard: list[str] = []
    end_dead(instance, heard.append)
    assert status_of(instance, run_id) == FAILURE
    assert claimants(instance) == []
    (event,) = instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert f"process {dead.pid} on this machine that executed this run is gone" in event.dagster_event.message
    (line,) = heard
    assert line.startswith(f"run {run_id[:8]} (asking of {DAY}) was cut short, its process {dead.pid}")
    # Once is enough.
    end_dead(instance, heard.append)
    assert len(heard) == 1


@pytest.mark.parametrize("process", [this_process(), ELSEWHERE, None], ids=["alive", "elsewhere", "of the daemon"])
def test_a_run_that_may_live_is_not_touched_and_waited_for_by_name(instance, process):
    run_id = run_of(instance, process)
    heard = Heard()
    assert waits(instance, heard)
    assert status_of(instance, run_id) == STARTED
    assert claimants(instance) == [run_id]
    (line,) = heard
    assert f"for run {run_id[:8]} (asking of {DAY}) " in line
    if process is None:
        assert "started by Dagster, under way since" in line
    else:
        assert f"in {process}, under way since" in line
    # Who cannot know says so, and what to do.
    assert ("end it in Dagster's UI" in line) == (process != this_process())


def test_a_run_that_will_take_the_pool_is_waited_for_before_it_does(instance):
    """Otherwise the two would meet in the middle, where one waits busily."""
    run_of(instance, None, claims=False)
    assert waits(instance, Heard())


def test_a_run_of_others_that_never_takes_the_pool_is_none_of_our_business(instance):
    @dg.op
    def quiet() -> None:
        """Takes nothing."""

    @dg.job
    def other() -> None:
        quiet()

    run = instance.create_run_for_job(other)
    instance.report_dagster_event(
        dg.DagsterEvent(event_type_value="PIPELINE_START", job_name="other"), run_id=run.run_id
    )
    assert not waits(instance, Heard())
    wait_for_turn(instance, [], print, Heard().pause)


def test_the_wait_ends_when_the_other_run_does(instance):
    run_id = run_of(instance, this_process())
    heard = Heard(looks=9, meanwhile=lambda: give_up(instance, run_id, "", canceled=True))
    assert not waits(instance, heard)
    assert heard.looks == 8
    assert len(heard) == 1


@pytest.mark.parametrize("how", ["deleted", "ended by its dead process", "ended long ago"])
def test_what_an_ended_run_still_holds_is_free(instance, dead, how, monkeypatch):
    run_id = run_of(instance, dead if how == "ended by its dead process" else None)
    instance.report_run_canceled(instance.get_run_by_id(run_id))
    assert claimants(instance) == [run_id]
    if how == "deleted":
        # Dagster frees what a deleted run holds; not if it is stopped between the two.
        instance.run_storage.delete_run(run_id)
    elif how == "ended long ago":
        later = time.time() + 120
        monkeypatch.setattr(time, "time", lambda: later)
    heard = Heard()
    assert not waits(instance, heard)
    assert heard == []
    assert claimants(instance) == []


def test_a_run_that_was_ended_by_force_a_moment_ago_may_still_ask(instance):
    run_id = run_of(instance, None)
    instance.report_run_canceled(instance.get_run_by_id(run_id))
    heard = Heard()
    assert waits(instance, heard)
    assert f"run {run_id[:8]}, which was ended a moment ago" in heard[0]
    assert claimants(instance) == [run_id]


def test_of_two_runs_that_are_created_at_once_the_earlier_one_starts(instance):
    first, second = (run_of(instance, this_process(), dg.DagsterRunStatus.NOT_STARTED, claims=False) for _ in "ab")
    assert is_first(instance, first, [POOL])
    assert not is_first(instance, second, [POOL])


def test_a_run_steps_back_from_one_that_has_started_meanwhile(instance):
    first = run_of(instance, this_process(), dg.DagsterRunStatus.NOT_STARTED, claims=False)
    run_of(instance, None, claims=False)
    assert not is_first(instance, first, [POOL])


def test_a_pool_with_room_for_two_lets_two_in(instance):
    instance.event_log_storage.set_concurrency_slots(POOL, 2)
    run_of(instance, None)
    assert not waits(instance, Heard())
    second = run_of(instance, this_process(), dg.DagsterRunStatus.NOT_STARTED, claims=False)
    assert is_first(instance, second, [POOL])


def test_a_pool_that_lets_nobody_in_is_named(instance):
    instance.event_log_storage.set_concurrency_slots(POOL, 0)
    heard = Heard()
    assert waits(instance, heard)
    assert "its limit is 0" in heard[0]


def test_a_step_that_dagster_forgot_at_the_free_pool_is_woken(instance):
    storage = instance.event_log_storage
    holder = run_of(instance, None)
    waiting = run_of(instance, this_process(), claims=False)
    assert not storage.claim_concurrency_slot(POOL, waiting, STEP).is_claimed
    assert help_along(instance, waiting, [POOL]).startswith(f"run {holder[:8]}")
    # The slot becomes free, and nobody is told.
    storage._free_concurrency_slots(run_id=holder)
    storage._remove_pending_steps(run_id=holder)
    assert not storage.claim_concurrency_slot(POOL, waiting, STEP).is_claimed
    help_along(instance, waiting, [POOL])
    assert storage.claim_concurrency_slot(POOL, waiting, STEP).is_claimed
    assert help_along(instance, waiting, [POOL]) is None


def test_texts_of_others_are_shown_harmlessly(instance):
    run = instance.create_run_for_job(asking, tags={"dagster/partition": "\x1b[2J\nx"})
    instance.report_dagster_event(
        dg.DagsterEvent(event_type_value="PIPELINE_START", job_name="asking"), run_id=run.run_id
    )
    heard = Heard()
    assert waits(instance, heard)
    assert "\x1b" not in heard[0]
    assert "\n" not in heard[0]


def test_a_run_that_is_given_up_keeps_the_end_that_it_had(instance):
    run_id = run_of(instance, this_process())
    give_up(instance, run_id, "Interrupted by Ctrl-C.", canceled=True)
    assert status_of(instance, run_id) == CANCELED
    give_up(instance, run_id, "later", canceled=False)
    assert status_of(instance, run_id) == CANCELED
    give_up(instance, "00000000-0000-4000-8000-000000000000", "never made", canceled=True)
    assert claimants(instance) == []
    assert os.getpid() == this_process().pid
