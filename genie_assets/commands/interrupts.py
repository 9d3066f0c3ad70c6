"""How a command ends when it is told to: Ctrl-C, SIGTERM and SIGHUP end it within seconds, wherever it is.

The first signal raises `Interrupted` in the main thread, so that everything that was opened is closed; nothing
catches it but `ending_on_signals`, which says one sentence and ends the process. Where the main thread cannot be
reached (a look-up of a name, a database that is locked), a watching thread ends the process a few seconds later. A
signal that whoever started us has us ignore (`nohup`, a shell's `&`) stays ignored.

Knows no Dagster: it is there before anything else is imported.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Generic, NoReturn, TypeVar

T = TypeVar("T")

_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
if hasattr(signal, "SIGHUP"):
    _NAMES[signal.SIGHUP] = "SIGHUP"
# Closing what is open takes less, the sandbox's process included.
SECONDS_TO_END = 10.0
# A wrapper may pass on the Ctrl-C that the terminal has sent us already: that is no second one.
_SAME_KEY_PRESS = 0.5
_SHORTLY = 0.2
# No signal has this number.
_AGAIN_PLEASE = b"\0"
_AGAIN = "Run the same command again: what was stored stays, and it goes on from there."


# What is being done, the innermost last.
_under_way: list[str] = []


class CommandEnded(BaseException):
    """The command has to end, at once and all of it. No `Exception`, so that nothing takes it for a failure.

    Args:
        sentence: What a person is told.
        code: The exit code.
    """

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence, code)
        self.sentence = sentence
        self.code = code


class Interrupted(CommandEnded):
    """A signal told the command to end."""

    def __init__(self, number: int) -> None:
        self.number = number
        name = _NAMES[signal.Signals(number)]
        during = f" during {_under_way[-1]}. {_AGAIN}" if _under_way else "."
        super().__init__(f"Interrupted by {name}{during}", 128 + number)


@contextmanager
def under_way(what: str) -> Iterator[None]:
    """Name what the block does, such as "genie_daily of 2026-01-31". It can be done again if it is interrupted."""
    _under_way.append(what)
    try:
        yield
    finally:
        _under_way.pop()


@contextmanager
def ending_on_signals(seconds_to_end: float = SECONDS_TO_END) -> Iterator[None]:
    """Let the block be ended by a signal, with one sentence and exit code 128 plus the signal's number.

    Does nothing inside another such block, or in a thread that is not the main one: it gets no signals.

    Args:
        seconds_to_end: How long what is open may take to close before the process ends all the same.
    """
    if threading.current_thread() is not threading.main_thread() or _Ending.now is not None:
        yield
        return
    ending = _Ending(seconds_to_end)
    try:
        try:
            ending.begin()
            yield
        finally:
            ending.is_over = True
    except BaseException as error:
        # What is interrupted in the wrong place fails over that: a lock that was not taken cannot be released.
        ended = error if isinstance(error, CommandEnded) else ending.interrupted
        if ended is None:
            raise
        ending.say(ended)
        _flush()
        # Threads may be in a request for minutes, and Python would wait for them.
        os._exit(ended.code)
    finally:
        ending.leave()


class Work(Generic[T]):
    """Something that is done in a thread of its own: the main thread stays free to be interrupted.

    Python raises what a signal's handler raises in the main thread only, and not before the call returns that the
    thread is in; a request or a write of a table may take minutes. Nor can all code be left in its middle.
    """

    def __init__(self, work: Callable[[threading.Event], T]) -> None:
        """Start it.

        Args:
            work: Is handed the event that tells it to stop; it looks when it can.
        """
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._result: T
        self._error: BaseException | None = None
        threading.Thread(target=self._run, args=(work,), daemon=True, name="genie-assets work").start()

    def _run(self, work: Callable[[threading.Event], T]) -> None:
        try:
            self._result = work(self._stop)
        except BaseException as error:  # noqa: BLE001 - raised again where the result is wanted
            self._error = error
        finally:
            self._ended.set()

    def has_ended(self, seconds: float | None = None) -> bool:
        """Wait until it has ended, but no longer than this."""
        return self._ended.wait(seconds)

    def result(self) -> T:
        """What it gives, or raise what it raises. Waits until it has ended."""
        self._ended.wait()
        if self._error is not None:
            raise self._error
        return self._result

    def stop(self, seconds: float) -> None:
        """Tell it to stop, and wait for this long."""
        self._stop.set()
        self._ended.wait(seconds)


def apart(work: Callable[[], T]) -> T:
    """What the work gives, done in a thread of its own."""
    return Work(lambda _: work()).result()


class _Ending:
    """The signal handlers of this process, and the thread that sees to it that they have an effect."""

    now: "_Ending | None" = None

    def __init__(self, seconds_to_end: float) -> None:
        self.is_over = False
        self._seconds_to_end = seconds_to_end
        self.interrupted: Interrupted | None = None
        self._raised = False
        self._is_said = False
        self._handlers: dict[int, Any] = {}
        self._reader, self._writer = -1, -1
        self._former_writer = -1
        self._former_hook = sys.unraisablehook
        self._main = threading.get_ident()

    def begin(self) -> None:
        type(self).now = self
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        # Python writes the number of every signal there at once, even while the main thread is in a call.
        self._former_writer = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        sys.unraisablehook = self._on_unraisable
        threading.Thread(target=self._watch, daemon=True, name="genie-assets signals").start()
        for number in _NAMES:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._handlers[number] = signal.signal(number, self._on_signal)

    def leave(self) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, handler)
        if self._writer >= 0:
            signal.set_wakeup_fd(self._former_writer)
            os.close(self._writer)
        sys.unraisablehook = self._former_hook
        type(self).now = None

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if not (self._raised or self.is_over):
            self._raised = True
            self.interrupted = Interrupted(number)
            raise self.interrupted

    def _on_unraisable(self, lost: "sys.UnraisableHookArgs") -> None:
        """Python drops what is raised in a destructor or a callback of its own: the signal is sent once more."""
        if isinstance(lost.exc_value, Interrupted):
            self._raised = False
            os.write(self._writer, _AGAIN_PLEASE)
        else:
            self._former_hook(lost)

    def _watch(self) -> None:
        first: int | None = None
        since, sent_again = 0.0, 0
        while True:
            left = None if first is None else max(0.0, since + self._seconds_to_end - time.monotonic())
            if first is not None and not select.select([self._reader], [], [], left)[0]:
                self._end_now(first)
            numbers = os.read(self._reader, 64)
            if not numbers:  # the other end was closed
                os.close(self._reader)
                return
            # Others may have taken over a signal, as `dev` does: it is theirs then.
            for number in (each for each in numbers if each and signal.getsignal(each) == self._on_signal):
                if first is None:
                    first, since = (None if self.is_over else number), time.monotonic()
                elif sent_again and number == first:
                    sent_again -= 1
                elif number == signal.SIGINT and time.monotonic() - since > _SAME_KEY_PRESS:
                    os._exit(128 + number)
            if first is not None and _AGAIN_PLEASE in numbers:
                # Not while it is still where it was dropped.
                time.sleep(_SHORTLY)
                sent_again += 1
                signal.pthread_kill(self._main, first)

    def _end_now(self, number: int) -> NoReturn:
        # Whoever reads what we print may read no more.
        Work(lambda _: self.say(Interrupted(number))).has_ended(1)
        os._exit(128 + number)

    def say(self, ended: CommandEnded) -> None:
        if not self._is_said:
            self._is_said = True
            # A terminal shows "^C" on the line where the cursor was.
            start = "\n" if _is_terminal() else ""
            # The terminal may be gone.
            with suppress(OSError, ValueError, AttributeError):
                print(f"{start}{ended.sentence}", file=sys.stderr, flush=True)  # noqa: T201


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()


def _is_terminal() -> bool:
    with suppress(OSError, ValueError, AttributeError):
        return sys.stderr.isatty()
    return False
