"""A person at a terminal: types commands, reads what they print, presses Ctrl-C; every line is kept.

The terminal is a plain one (TERM=dumb, NO_COLOR), so that what is kept can be read: an escape sequence in it is a
mistake.
"""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from genie_assets_tests.starting import AT_THE_TERMINAL, started_after

ROWS, COLUMNS = 40, 110
CTRL_C = b"\x03"
# Until something is given up: the machine may do a lot besides.
LONG = 900.0
_TRACEBACK = {"a traceback": re.compile(r"Traceback \(most recent call last\)")}
_UNWANTED = {
    **_TRACEBACK,
    "a library's words": re.compile(r"HTTPS?ConnectionPool|urllib3|sqlalche\.me|DagsterExecution|grpc\._channel"),
    "an escape sequence or another control character": re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x9b]"),
    "a warning of Python's": re.compile(r"\w+Warning: |warnings\.warn\("),
}
_ERROR = re.compile(r"^Error: |^Usage: ")


class ExpectationError(AssertionError):
    """Something did not go as a newcomer may expect."""


class Command:
    """A command in a terminal of its own."""

    def __init__(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], hear: Callable[[str], None]
    ) -> None:
        self.title = " ".join(words)
        self.lines: list[str] = []
        self._hear = hear
        self._news = threading.Condition()
        self._keyboard, screen = pty.openpty()
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            started_after(AT_THE_TERMINAL, words),
            cwd=folder,
            env=dict(environment),
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
        )
        os.close(screen)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def says(self, pattern: str, *, seconds: float = LONG) -> str:
        """Wait for a line in which the pattern is found, also one of before.

        Raises:
            ExpectationError: the command ends without it, or it does not come in time.
        """
        latest = time.monotonic() + seconds
        with self._news:
            while True:
                found = next((line for line in self.lines if re.search(pattern, line)), None)
                if found is not None:
                    return found
                if not self._reader.is_alive() or time.monotonic() > latest:
                    raise ExpectationError(f"`{self.title}` never said {pattern!r}")
                self._news.wait(0.2)

    def press_ctrl_c(self) -> None:
        os.write(self._keyboard, CTRL_C)

    def kill(self) -> None:
        """kill -9, of the command alone: what it started has to notice."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def ends(self, code: int, *, seconds: float) -> None:
        try:
            ended = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ExpectationError(f"`{self.title}` did not end within {seconds:g} seconds") from None
        self._reader.join(5)
        if ended != code:
            raise ExpectationError(f"`{self.title}` ended with {ended}, not with {code}")

    def _read(self) -> None:
        rest = b""
        with suppress(OSError):  # the terminal is gone when the last process has left it
            while piece := os.read(self._keyboard, 1 << 16):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    self._take(line)
        if rest:
            self._take(rest)

    def _take(self, raw: bytes) -> None:
        # A terminal ends lines with both, and shows Ctrl-C where the cursor was.
        line = raw.decode("utf-8", "replace").removesuffix("\r").removeprefix("^C")
        self._hear(line)
        with self._news:
            self.lines.append(line)
            self._news.notify_all()


class Session:
    """Commands one after the other, or side by side, in one folder; their lines go to the transcript as they come.

    Args:
        folder: The working folder.
        environment: What is set for every command.
        transcript: The file.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], transcript: Path) -> None:
        self._folder = folder
        self._environment = {**environment, "TERM": "dumb", "NO_COLOR": "1"}
        self._file = transcript.open("w", encoding="utf-8")
        self._lock = threading.Lock()
        self._began_at = time.monotonic()
        self.commands: list[Command] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for command in self.commands:
            command.kill()
        self._file.close()

    @contextmanager
    def running(self, *words: str) -> Iterator[Command]:
        """A command that runs until the block is left; it is killed if it still does then."""
        command = Command(words, self._folder, self._environment, lambda line: self.note(line, "    "))
        self.note(" ".join(words), "$ ")
        self.commands.append(command)
        try:
            yield command
        finally:
            command.kill()

    def run(self, *words: str, code: int = 0, seconds: float = LONG) -> Command:
        """Run a command to its end.

        Raises:
            ExpectationError: it takes longer, or ends with another code.
        """
        with self.running(*words) as command:
            command.ends(code, seconds=seconds)
        return command

    def note(self, text: str, mark: str = "# ") -> None:
        """Write a line into the transcript, with its time; what would steer a terminal can be read there."""
        harmless = "".join(char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in text)
        with self._lock:
            self._file.write(f"{time.monotonic() - self._began_at:7.1f}  {mark}{harmless}\n")
            self._file.flush()


def complaints(title: str, lines: Iterable[str], *, repeated: str = "(?!)") -> list[str]:
    """What a reader of these lines of a command has to complain about, one sentence each.

    Args:
        title: The command. What Dagster's own commands print is Dagster's, unless it is a traceback.
        lines: What it printed.
        repeated: What may be there more than once: a pattern of whole lines.
    """
    lines = [line.rstrip() for line in lines]
    is_ours = title.startswith("genie-assets")
    found = [
        f"`{title}` printed {what}: {line!r}"
        for line in lines
        for what, pattern in (_UNWANTED if is_ours else _TRACEBACK).items()
        if pattern.search(line)
    ]
    if not is_ours:
        return found
    if sum(bool(_ERROR.search(line)) for line in lines) > 1:
        found.append(f"`{title}` printed more than one error")
    whole = _whole(line for line in lines if re.search(r"\w", line) and not re.fullmatch(repeated, line))
    counted = Counter(map(str.strip, whole))
    found += [f"`{title}` printed {count} times: {line!r}" for line, count in counted.items() if count > 1]
    return found


def _whole(lines: Iterable[str]) -> list[str]:
    """The lines as they were before they were broken at the terminal's width: what goes on is far to the right."""
    whole: list[str] = []
    for line in lines:
        if whole and line.startswith(" " * 6):
            whole[-1] += f" {line.strip()}"
        else:
            whole.append(line)
    return whole
