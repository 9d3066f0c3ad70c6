"""`genie-assets`, and `python -m genie_assets`: a command line that signals end from its first import on."""

import os
import signal
import sys
from types import FrameType

_SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


def main() -> None:
    """Run the command line."""
    _open_what_is_closed()
    # Until a command sees to it (`ending_on_signals`), nothing is open that would have to be closed.
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    from genie_assets.commands.cli import main as run

    run(prog_name="genie-assets")


def _open_what_is_closed() -> None:
    """Open the streams on nothing that whoever started us has closed.

    Without them Python has none to print to, and the next file that is opened takes the number of one: what a
    library or another process prints would end up in it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(nothing, True)
            setattr(sys, name, os.fdopen(nothing, mode))


def _end(number: int, _frame: FrameType | None) -> None:
    os.write(2, f"Interrupted by {_SIGNALS[signal.Signals(number)]}.\n".encode())
    os._exit(128 + number)


if __name__ == "__main__":
    main()
