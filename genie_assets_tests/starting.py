"""How tests start a process that must find something set about itself: a limit, a signal that is ignored.

Not by `preexec_fn`, which runs our code between fork and exec. What else the test's own process holds then,
such as the threads of gRPC, breaks the child now and then.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

# Inherited by whatever the process becomes.
IGNORING_INTERRUPTS = "from signal import *; signal(SIGINT, SIG_IGN); signal(SIGHUP, SIG_IGN)"
# At the terminal that is its standard input: Ctrl-C and the terminal's end are for it, whoever started all this;
# `nohup` and a shell's `&` have their children ignore them.
AT_THE_TERMINAL = """
import fcntl, termios
from signal import *
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
for number in (SIGINT, SIGQUIT, SIGHUP):
    signal(number, SIG_DFL)
"""
# What Python ignores from its start on, whatever it becomes would ignore, too.
_BECOME = """
import os, sys
from signal import *
for number in (SIGPIPE, SIGXFSZ):
    signal(number, SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def files_no_larger_than(size: int) -> str:
    """The text after which files end at a size (bytes), as on a full disk, and for root, too."""
    return f"from resource import *; setrlimit(RLIMIT_FSIZE, ({size}, {size}))"


def started_after(text: str, command: Sequence[str | Path]) -> list[str]:
    """A command that executes a text of Python and then becomes another command, in the same process.

    Args:
        text: Statements.
        command: What it becomes, and its arguments.
    """
    return [sys.executable, "-S", "-c", text + _BECOME, *map(str, command)]
