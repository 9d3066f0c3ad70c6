"""Texts from outside on a terminal, and terminals that can do little."""

import io
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.commands.cli import main
from genie_assets.commands.terminal import paragraph, readable

PROGRAM = Path(sys.executable).parent / "genie-assets"

# What a terminal obeys, and plain text around it.
_controls = ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\r", "\n", "\x00", "\x85", "\u202e", "\u2066", "\u200b"]
_others = ["\ufeff", "\u2028", "\ud800", "\u0301" * 40, "\U000e0041", "\u00ad", "\ue000", "e", " ", "é", "語"]
_hostile = st.sampled_from(_controls + _others)
_texts = st.lists(_hostile | st.text(max_size=5), max_size=60).map("".join)


@given(_texts, st.integers(20, 200))
def test_a_text_from_outside_is_one_bounded_line_of_visible_characters(text: str, longest: int) -> None:
    shown = readable(text, longest=longest)
    assert len(shown) <= longest
    assert [c for c in shown if unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp")] == []
    assert "\u0301" * 5 not in shown
    assert readable(shown, longest=longest) == shown


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_paragraph_is_as_broad_as_the_terminal_and_breaks_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    host = "https://dbc-01234567-89ab.cloud.databricks.com/a-path-that-is-longer-than-the-terminal"
    text = f"warehouse at {host} answers, " + "and so do all the others " * 9
    assert paragraph(text, first="ok  ", others="    ") == f"ok  {text}"  # a pipe: one line, for programs
    monkeypatch.setattr(sys, "stdout", _Terminal())
    for columns, broadest in (("60", 60), ("100", 100), ("200", 120)):
        monkeypatch.setenv("COLUMNS", columns)
        first, *others = paragraph(text, first="ok  ", others="    ").splitlines()
        assert first.startswith("ok  warehouse at")
        assert any(host in line for line in (first, *others))
        lines = [line for line in others if host not in line]
        assert all(len(line) <= broadest and line.startswith("    ") for line in lines)
        assert max(map(len, lines)) > broadest - 10


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=40))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert readable(text) == text


def test_a_control_is_spelled_and_a_cut_is_shown() -> None:
    assert readable("a\x1b[31mred\nFAIL \u202egnp") == r"a\x1b[31mred FAIL \u202egnp"
    assert readable("x" * 30, longest=10) == "xxxxxx ..."
    assert readable(ValueError("two\nlines")) == "two lines"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_page_of_help_can_be_printed_on_every_terminal(encoding: str) -> None:
    """A terminal that lacks one dash ended a command in a traceback."""
    pages: list[list[str]] = [[], *([name] for name in main.commands)]
    # What the poorest one can show, the others can.
    for command in pages if encoding == "ascii" else pages[:1]:
        done = subprocess.run(
            [PROGRAM, *command, "-h"],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode(encoding).startswith("Usage: genie-assets")


def test_what_a_terminal_lacks_is_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(sys, "stderr", output)
    with pytest.raises(SystemExit):
        main.main(["--version"])
    output.write("é – … → ✓ 語")
    output.flush()
    assert output.buffer.getvalue().endswith("é - ... -> ok \\u8a9e".encode("latin-1"))


def test_no_command_shows_help_and_an_unknown_one_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, []).output.startswith("Usage:")
    unknown = CliRunner().invoke(main, ["laod"])
    assert (unknown.exit_code, "No such command 'laod'" in unknown.output) == (2, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_where_there_is_no_room_for_what_is_printed_one_sentence_says_so() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run([PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "Error: Not everything could be written: No space left on device.\n",
    )


def test_what_is_printed_to_a_stream_that_is_closed_goes_nowhere_and_into_no_file(tmp_path: Path) -> None:
    """As `genie-assets check >&-` has it: the command ended in a traceback."""
    script = (
        "import os, sys; os.close(1); sys.stdout = None\n"
        "import genie_assets.__main__ as it; it._open_what_is_closed()\n"
        "file = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)\n"
        "print('more', flush=True); os.system('echo more'); assert not sys.stdout.isatty()\n"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path / "file"], check=True)
    assert (tmp_path / "file").read_bytes() == b""
