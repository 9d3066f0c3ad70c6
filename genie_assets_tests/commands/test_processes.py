"""Whether the process of a run is gone: only what is proven counts."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from genie_assets.commands.processes import (
    HOST_TAG,
    PID_TAG,
    STARTED_TAG,
    Process,
    process_of,
    this_process,
)

WHO = (
    "from genie_assets.commands.processes import this_process; p = this_process(); "
    "print(p.host, p.pid, p.started, sep='|', flush=True)"
)


def told_by(*prefix: str) -> Process:
    """What a process says about itself; it has ended then."""
    done = subprocess.run([*prefix, sys.executable, "-c", WHO], capture_output=True, text=True, check=True)
    host, pid, started = done.stdout.strip().split("|")
    return Process(host, int(pid), started)


def test_a_process_that_lives_is_not_gone():
    assert not this_process().is_gone
    assert this_process().is_here


def test_one_that_has_ended_is_gone():
    assert told_by().is_gone


def test_one_that_ended_and_of_whose_end_nobody_took_note_is_gone():
    with subprocess.Popen([sys.executable, "-c", WHO + "; input()"], stdin=-1, stdout=-1, text=True) as child:
        host, pid, started = child.stdout.readline().strip().split("|")
        process = Process(host, int(pid), started)
        assert not process.is_gone
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process.is_gone


def test_one_whose_number_another_process_has_now_is_gone():
    assert replace(told_by(), pid=os.getpid()).is_gone


def test_one_that_ran_elsewhere_may_live_whatever_runs_here():
    ended = told_by()
    name, _, _ = ended.host.partition("/")
    elsewhere = replace(ended, host=f"{name}/0123456789abcdef")
    assert not elsewhere.is_gone
    assert f"on host {name}" in str(elsewhere)


def test_one_of_another_container_on_this_very_machine_may_live():
    """It has the same host name, kernel and machine id, and may have any number, such as 1."""
    try:
        inside = told_by("unshare", "--user", "--map-root-user", "--pid", "--fork")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no containers here: {error}")
    assert inside.pid < 10
    assert not inside.is_here
    assert not inside.is_gone


def test_the_tags_of_a_run_name_its_process():
    process = this_process()
    assert process.tags.keys() == {HOST_TAG, PID_TAG, STARTED_TAG}
    assert process_of(process.tags) == process


@pytest.mark.parametrize("change", [{HOST_TAG: None}, {PID_TAG: "x"}, {PID_TAG: "0"}, {PID_TAG: "-1"}])
def test_tags_that_name_no_process_say_nothing(change):
    tags = {name: value for name, value in (this_process().tags | change).items() if value is not None}
    assert process_of(tags) is None
