"""What may be printed: text from outside made harmless, and output that no terminal, pipe or locale breaks.

Whatever did not grow in this repository (ids, names, addresses, answers, texts of exceptions) goes through
`readable` before it is printed. A terminal obeys some characters: they move the cursor, hide or invent a line.
"""

import codecs
import errno
import io
import json
import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

# The longest sentence of ours, with a long address in it, is shorter.
LONGEST_TEXT = 1_000
# Lines that are longer than this are hard to read, however broad a window is.
_BROADEST = 120
_CUT = " ..."
# Marks pile up on one letter, over the lines above it; no language needs more of them on one.
_MOST_MARKS = 4
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_ENCODING_ERRORS = "genie_assets.terminal"
_IN_ASCII = {
    "–": "-",
    "—": "-",
    "…": "...",
    "→": "->",
    "✓": "ok",
    "✗": "x",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
}


def readable(text: object, *, longest: int = LONGEST_TEXT) -> str:
    """A text from outside as one line that shows what is there and makes a terminal do nothing.

    Blanks and ends of lines become one space. What has no shape of its own (controls, ESC among them, invisible
    and direction-changing characters, lone surrogates) is spelled as Python does, with a backslash.

    Args:
        text: Anything; its `str` is meant.
        longest: Characters that are shown at most. What is cut ends in dots.
    """
    whole = str(text)
    shown = "".join(_harmless(" ".join(whole[: longest + 1].split())))
    if len(whole) <= longest and len(shown) <= longest:
        return shown
    return shown[: longest - len(_CUT)].rstrip() + _CUT


def paragraph(text: str, *, first: str = "", others: str = "", piped: int | None = None) -> str:
    """A readable text in as many lines as a terminal needs: broken between words, and in no id or address.

    Args:
        text: What is said.
        first: What stands before the first line.
        others: What stands before the others.
        piped: How broad lines are where no terminal is; by default it is one line, for programs to read.
    """
    width = min(shutil.get_terminal_size().columns, _BROADEST) if sys.stdout.isatty() else piped
    if width is None:
        return f"{first}{text}"
    broken = textwrap.TextWrapper(
        max(width, 40),
        initial_indent=first,
        subsequent_indent=others,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return broken.fill(text)


def json_line(value: object) -> str:
    """A value as one line of JSON that does nothing to a terminal: a reader gets each text back as it was.

    Letters of all languages stay readable; what `readable` spells with a backslash JSON spells with one, too.
    """
    return _NOT_ASCII.sub(lambda found: _in_json(found[0]), json.dumps(value, ensure_ascii=False))


def _in_json(character: str) -> str:
    return json.dumps(character)[1:-1] if _has_no_shape(character) else character


def shown_place(uri: str) -> str:
    """Where a lakehouse is, readable: a path in full, so that the wrong working directory shows."""
    return readable(uri if "://" in uri else Path(uri).expanduser().absolute())


def _harmless(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if _has_no_shape(character):
            yield _spelled(character)
        elif marks <= _MOST_MARKS:
            yield character


def _has_no_shape(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "C" or category in ("Zl", "Zp")


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_IN_ASCII.get(character) or _spelled(character) for character in missing), error.end


def _told_of_full(problem: OSError) -> int:
    """Say where there is room that what was to be printed has none; the exit code."""
    # What is left of it would fail again as the process ends.
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with suppress(OSError):
        click.echo(f"Error: Not everything could be written: {problem.strerror}.", err=True)
    return 1


class Commands(click.Group):
    """A group of commands that print on any terminal: one that knows few characters, or that wants no colours."""

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run a command; see `click.Command.main`."""
        codecs.register_error(_ENCODING_ERRORS, _in_ascii)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors=_ENCODING_ERRORS)
        if os.environ.get("NO_COLOR"):
            settings.setdefault("color", False)
        try:
            return super().main(*args, **settings)
        except OSError as problem:
            if problem.errno not in _FULL:
                raise
            raise SystemExit(_told_of_full(problem)) from None
