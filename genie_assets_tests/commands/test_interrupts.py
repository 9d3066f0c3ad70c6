"""Signals end a command wherever it is: small programs of their own, with nothing to wait for but the signal."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from genie_assets.commands.interrupts import ending_on_signals
from genie_assets_tests.starting import IGNORING_INTERRUPTS, started_after

SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
START = """
import sys, time
from genie_assets.commands.interrupts import ending_on_signals, under_way
def ready():
    print("ready", flush=True)
"""
# None of these would end within the test by itself.
WAITING = """
with ending_on_signals(1.0), under_way("the work"):
    ready()
    time.sleep(600)
"""
CLOSING = """
from contextlib import contextmanager
@contextmanager
def opened():
    try:
        yield
    finally:
        print("closed", flush=True)
with ending_on_signals(1.0), opened():
    ready()
    time.sleep(600)
"""
# Python's own code does not run meanwhile, so that nothing can be raised.
IN_A_CALL = """
import hashlib, threading
with ending_on_signals(1.0), under_way("the work"):
    threading.Timer(0.5, ready).start()
    hashlib.pbkdf2_hmac("sha512", b"x", b"y", 2_000_000_000)
"""
SLOW_TO_CLOSE = """
with ending_on_signals(600):
    try:
        ready()
        time.sleep(600)
    finally:
        print("closing", flush=True)
        time.sleep(600)
"""
# Python drops what is raised in a destructor.
IN_A_DESTRUCTOR = """
class Slow:
    def __del__(self):
        ready()
        time.sleep(2)
with ending_on_signals(1.0):
    Slow()
    time.sleep(600)
"""
# As in a step whose requests are not answered: Python would wait for these threads before it ends.
WITH_THREADS = """
from concurrent.futures import ThreadPoolExecutor
with ending_on_signals(1.0):
    pool = ThreadPoolExecutor(16)
    asked = [pool.submit(time.sleep, 600) for _ in range(64)]
    ready()
    asked[0].result()
"""
IN_A_LOOP_THAT_CATCHES_ALL = """
with ending_on_signals(1.0):
    ready()
    while True:
        try:
            time.sleep(600)
        except Exception:
            pass
"""

# As in `threading.Condition`, whose lock is let go of a moment before it would be taken again.
IN_THE_WRONG_PLACE = """
with ending_on_signals(1.0):
    try:
        ready()
        time.sleep(600)
    finally:
        raise RuntimeError("cannot release un-acquired lock")
"""
# The first import of the command line takes its time.
IMPORTING = """
import genie_assets.__main__
class Slow:
    def find_spec(self, name, path, target=None):
        if name == "genie_assets.commands.cli":
            ready()
            time.sleep(600)
sys.meta_path.insert(0, Slow())
genie_assets.__main__.main()
"""


@contextmanager
def program(text: str, after: str = "") -> Iterator[subprocess.Popen[str]]:
    """The program, once it is ready."""
    process = subprocess.Popen(
        started_after(after, [sys.executable, "-c", START + text]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_a_command_with_one_sentence_and_its_own_exit_code(number):
    with program(WAITING) as process:
        process.send_signal(number)
        code, out, err = ended(process)
    assert (code, out) == (128 + number, "")
    assert err == (
        f"Interrupted by {SIGNALS[number]} during the work. Run the same command again: what was stored stays, "
        "and it goes on from there.\n"
    )


def test_what_was_opened_is_closed():
    with program(CLOSING) as process:
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (143, "closed\n", "Interrupted by SIGTERM.\n")


@pytest.mark.parametrize(
    "text", [IN_A_CALL, IN_A_DESTRUCTOR, WITH_THREADS, IN_A_LOOP_THAT_CATCHES_ALL, IN_THE_WRONG_PLACE]
)
def test_a_command_ends_wherever_the_signal_meets_it(text):
    with program(text) as process:
        process.send_signal(signal.SIGINT)
        code, out, err = ended(process)
    assert (code, out) == (130, "")
    assert err.startswith("Interrupted by Ctrl-C")
    assert err.count("\n") == 1


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_command_that_is_only_being_imported_ends_without_a_traceback(number):
    with program(IMPORTING) as process:
        process.send_signal(number)
        assert ended(process) == (128 + number, "", f"Interrupted by {SIGNALS[number]}.\n")


def test_the_command_line_is_a_module_too():
    done = subprocess.run(
        [sys.executable, "-m", "genie_assets", "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Usage: genie-assets ")


def test_a_second_ctrl_c_ends_a_command_that_is_still_closing():
    with program(SLOW_TO_CLOSE) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "closing\n"
        time.sleep(0.6)
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 130


def test_a_ctrl_c_that_a_wrapper_passes_on_once_more_is_no_second_one():
    with program(CLOSING) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert ended(process) == (130, "closed\n", "Interrupted by Ctrl-C.\n")


def test_what_was_ignored_stays_ignored():
    with program(WAITING, after=IGNORING_INTERRUPTS) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        time.sleep(2)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == 143


def test_a_terminal_that_is_gone_costs_the_sentence_only(tmp_path):
    with program(WAITING) as process:
        process.stderr.close()
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 129


def test_afterwards_signals_do_what_they_did_before():
    before = [signal.getsignal(number) for number in SIGNALS]
    hook = sys.unraisablehook
    with ending_on_signals():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert sys.unraisablehook is hook
    assert signal.set_wakeup_fd(-1) == -1


def test_no_heavy_module_is_needed_to_be_interrupted():
    """Handlers are there before the imports that take seconds."""
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import genie_assets.commands.interrupts"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    ).stderr
    assert "genie_assets.commands.interrupts" in shown
    assert not [name for name in ("dagster", "pandas", "click", "databricks") if f" {name}\n" in shown]
