"""The newcomer's hour; what they would complain about, and that none of what was printed escapes them."""

import signal
import sys
from pathlib import Path

import pytest

from genie_assets_tests.e2e.newcomers_hour import REPEATED, spend
from genie_assets_tests.e2e.terminal_session import ExpectationError, Session, complaints

FINE = [
    "2026-11-20  wanted 4, stored 4, failed 0",
    "2026-11-21  wanted 4, stored 4, failed 0",
    "",
    "",
    "╭──────────────╮",
    "╰──────────────╯",
    "Error: Not everything could be loaded: 2026-11-21.",
]


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_after_an_hour_there_is_nothing_to_complain_about(tmp_path: Path):
    """By hand: `python -m genie_assets_tests.e2e.newcomers_hour`. The transcript stays in the test's folder."""
    assert spend(tmp_path) == []


def test_there_is_nothing_to_complain_about_in_plain_lines():
    assert complaints("genie-assets load", FINE) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("Traceback (most recent call last):", "traceback"),
        ("HTTPSConnectionPool(host='x', port=443): Max retries exceeded", "library"),
        ("(Background on this error at: https://sqlalche.me/e/20/e3q8)", "library"),
        ("\x1b[31mred\x1b[0m", "escape"),
        ("going up\x9b1A", "escape"),
        ("overwritten\rby this", "escape"),
        ("/x/y.py:3: DeprecationWarning: old", "Python's"),
        ("Error: The same cause, told again.", "more than one error"),
        ("2026-11-20  wanted 4, stored 4, failed 0", "2 times"),
    ],
)
def test_a_reader_complains(line: str, what: str):
    found = complaints("genie-assets load", [*FINE, line])
    assert len(found) == 1
    assert what in found[0]


def test_the_demo_may_look_at_a_day_twice():
    twice = ["  2026-11-23     0 messages,    0 requests"] * 2
    assert complaints("genie-assets demo", twice, repeated=REPEATED) == []
    assert complaints("genie-assets demo", ["  tables made"] * 2, repeated=REPEATED)


@pytest.fixture
def session(tmp_path: Path):
    environment = {"PATH": str(Path(sys.executable).parent)}
    with Session(tmp_path, environment, tmp_path / "transcript.txt") as running:
        yield running


def test_every_line_of_both_streams_is_kept_and_the_transcript_names_the_command(session, tmp_path):
    code = "import sys; print('out', sys.stdout.isatty()); print('err', file=sys.stderr); print('half', end='')"
    command = session.run("python", "-c", code)
    assert sorted(command.lines) == ["err", "half", "out True"]
    transcript = (tmp_path / "transcript.txt").read_text()
    assert "$ python -c" in transcript
    assert all(line in transcript for line in command.lines)
    session.run("python", "-c", r"print('\x1b[31mred')")
    assert r"\x1b[31mred" in (tmp_path / "transcript.txt").read_text()


def test_ctrl_c_reaches_the_command_and_what_it_started(session):
    # As in the background of a script, whose children ignore it.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        press_ctrl_c(session)
    finally:
        signal.signal(signal.SIGINT, before)


def press_ctrl_c(session):
    child = "import time\ntry: time.sleep(60)\nexcept KeyboardInterrupt: print('child heard it', flush=True)"
    code = (
        f"import subprocess, sys, time\nchild = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "time.sleep(1); print('ready', flush=True)\n"
        "try: time.sleep(60)\nexcept KeyboardInterrupt: child.wait(); print('heard it'); sys.exit(3)"
    )
    with session.running("python", "-c", code) as command:
        command.says("ready")
        command.press_ctrl_c()
        command.ends(3, seconds=30)
    assert command.lines[-2:] == ["child heard it", "heard it"]


def test_another_end_than_expected_is_told(session):
    with pytest.raises(ExpectationError, match="ended with 1, not with 0"):
        session.run("python", "-c", "raise SystemExit(1)")
    with (
        pytest.raises(ExpectationError, match="never said 'hello'"),
        session.running("python", "-c", "") as command,
    ):
        command.says("hello")
    with pytest.raises(ExpectationError, match="did not end within"):
        session.run("python", "-c", "import time; time.sleep(60)", seconds=1)
