"""Commands as processes of their own that are ended, and what they leave behind."""

import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from genie_assets_tests.e2e.deployment import wait_for


class Started:
    """A command that runs, its output in a file; `terminal` is the other end of its terminal, if it has one."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, terminal: int | None) -> None:
        self.process = process
        self._output = output
        self._terminal = terminal

    @property
    def shown(self) -> str:
        """What it has printed."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def says(self, text: str, seconds: float = 300) -> None:
        """Wait for a text."""
        wait_for(text, lambda: text in self.shown or self.process.poll() is not None, seconds=seconds)
        assert text in self.shown, self.shown

    def close_terminal(self) -> None:
        """As by the window's button."""
        assert self._terminal is not None
        os.close(self._terminal)
        self._terminal = None

    def ends(self, seconds: float = 20) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(seconds)

    def family(self) -> set[int]:
        """All processes that it started, and that these started."""
        listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        parents = {int(pid): int(parent) for pid, parent in map(str.split, listed.splitlines())}
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {self.process.pid}


@contextmanager
def started(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], *, in_terminal: bool = False
) -> Iterator[Started]:
    """Start a command in a session of its own; what is left of its group at the end is killed."""
    output = folder / f"output-{time.monotonic_ns()}.txt"
    terminal = screen = None
    if in_terminal:
        terminal, screen = pty.openpty()
    with output.open("wb") as sink:
        process = subprocess.Popen(
            # A session's first terminal becomes the one that it ends with.
            ["sh", "-c", 'exec "$@" <"$0"', os.ttyname(screen), *command] if screen is not None else command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        yield Started(process, output, terminal)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for each in filter(None, (screen,)):
            os.close(each)


def gone(pids: set[int], seconds: float = 20) -> bool:
    """Whether none of these processes runs any more, after some time at most."""
    latest = time.monotonic() + seconds
    while any(map(_runs, pids)) and time.monotonic() < latest:
        time.sleep(0.1)
    return not any(map(_runs, pids))


def _runs(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip()[:1] not in ("", "Z")
