"""`genie-assets`, and `python -m genie_assets`: a command line that signals end from its first import on."""

import os
import signal
from types import FrameType

_SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


def main() -> None:
    """Run the command line."""
    # Until a command sees to it (`ending_on_signals`), nothing is open that would have to be closed.
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    from genie_assets.commands.cli import main as run

    run(prog_name="genie-assets")


def _end(number: int, _frame: FrameType | None) -> None:
    os.write(2, f"Interrupted by {_SIGNALS[signal.Signals(number)]}.\n".encode())
    os._exit(128 + number)


if __name__ == "__main__":
    main()
