"""What a guarded command started is gone when whoever wanted it is, however that ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# Starts a child of its own, and neither ends before the other.
PARENT_AND_CHILD = """
import signal, subprocess, sys, time
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("No cursor for event type DagsterEventType.RUN_FAILURE", flush=True)
print("\\x1b[32mstarted\\x1b[0m", child.pid, flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    child.wait()
"""
# Wants it, as `genie-assets dev` does, and is ended itself.
WANTS_IT = """
import subprocess, sys
guard = [sys.executable, "-m", "genie_assets.commands.guarded", *sys.argv[1:]]
process = subprocess.Popen(guard, stdin=subprocess.PIPE, start_new_session=True)
print(process.pid, flush=True)
sys.exit(process.wait())
"""


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output.txt"


@pytest.fixture
def started(output: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", PARENT_AND_CHILD, request.param]
    with output.open("wb") as sink:
        process = subprocess.Popen([sys.executable, "-c", WANTS_IT, *command], stdout=sink, stderr=sink)
        yield process
        process.kill()


def wait_for(output: Path, text: str) -> str:
    latest = time.monotonic() + 60
    while text not in output.read_text(encoding="utf-8"):
        assert time.monotonic() < latest, output.read_text(encoding="utf-8")
        time.sleep(0.05)
    return output.read_text(encoding="utf-8")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] in "ZX")


def all_end(*pids: int) -> bool:
    latest = time.monotonic() + 60
    while any(map(is_alive, pids)) and time.monotonic() < latest:
        time.sleep(0.05)
    return not any(map(is_alive, pids))


@pytest.mark.parametrize("started", ["obedient", "stubborn"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_whoever_wanted_it_ends_and_nothing_stays(
    started: subprocess.Popen[bytes], output: Path, number: signal.Signals
) -> None:
    shown = wait_for(output, "started")
    guard = int(shown.split()[0])
    child = int(shown.split()[-1])
    started.send_signal(number)
    assert all_end(started.pid, guard, child)


@pytest.mark.parametrize("started", ["obedient"], indirect=True)
def test_it_shows_what_is_worth_reading_without_colours_in_a_file(
    started: subprocess.Popen[bytes], output: Path
) -> None:
    lines = wait_for(output, "started").splitlines()
    assert lines[1].startswith("started ")
    assert len(lines) == 2


def test_the_end_of_the_command_and_its_exit_code_are_passed_on() -> None:
    command = [sys.executable, "-c", "print('last words'); raise SystemExit(7)"]
    guarded = [sys.executable, "-m", "genie_assets.commands.guarded", *command]
    with subprocess.Popen(guarded, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.wait(60) == 7
        assert process.stdout
        assert process.stdout.read() == "last words\n"
