"""Runs a command that never outlives whoever wanted it: `python -m genie_assets.commands.guarded COMMAND ...`.

It ends, with all that it started, when our standard input does: the other end is closed however that process
ends, by `kill -9` and with its terminal, too. We lead a process group of our own, out of a terminal's reach.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

# Long enough for Dagster to mark its runs as failed; whoever wanted it waits a little longer.
SECONDS_TO_END = 6.0
_LOOK_SECONDS = 0.2
# What Dagster says and nobody can do anything about; and what whoever wanted the command has said already.
_NOISE = (
    b"No cursor for event type",
    b"SupersessionWarning",
    b"return callback(*args, **kwargs)",
    b"is no setting of genie-assets, and is not read",
)
_COLOURS = re.compile(rb"\x1b\[[0-9;]*m")


def main(command: Sequence[str]) -> int:
    """Run the command until it ends or our standard input does; its exit code."""
    if os.getpgrp() != os.getpid():
        os.setsid()  # the whole group will be ended: it must be ours
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A handler, unlike "ignore", is not inherited: the command must hear what we send to the whole group.
        signal.signal(number, lambda *_: None)
    child = subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    shown = threading.Thread(target=_show, args=(child.stdout,), daemon=True)
    shown.start()
    left = threading.Event()
    threading.Thread(target=_wait_for_end_of_input, args=(left,), daemon=True).start()
    while child.poll() is None and not left.wait(_LOOK_SECONDS):
        pass
    if child.poll() is not None and not left.is_set():
        shown.join(1)
        return child.returncode
    _end_group(shown)
    return 0


def _wait_for_end_of_input(left: threading.Event) -> None:
    with suppress(OSError):
        while os.read(sys.stdin.fileno(), 64):
            pass
    left.set()


def _end_group(shown: threading.Thread) -> None:
    """As Ctrl-C does it; whoever has not ended in time is killed, we among them."""
    os.killpg(0, signal.SIGINT)
    # All that write to the pipe are gone when it ends, the command's children included.
    shown.join(SECONDS_TO_END)
    os.killpg(0, signal.SIGKILL)


def _show(lines: IO[bytes] | None) -> None:
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for line in lines or ():
        if any(noise in line for noise in _NOISE):
            continue
        # The terminal may be gone; the command must not wait for it.
        with suppress(OSError, ValueError):
            sys.stdout.buffer.write(line if colours else _COLOURS.sub(b"", line))
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
