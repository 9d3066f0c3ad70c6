"""`.env` in the working directory: what stands there goes into the environment, which wins over it.

What cannot be read there is told by its line, and never shown: it may be a secret.
"""

import io
from pathlib import Path

from genie_assets.commands.terminal import readable
from genie_assets.domain.numbers import form

# In the working directory, as for Dagster's own commands; by default it would be sought beside this file.
SETTINGS_FILE = Path(".env")


def load_file() -> list[str]:
    """Put what the file sets into the environment; one sentence if lines of it set nothing, or none.

    Raises:
        SettingsError: the file cannot be read.
    """
    from dotenv import load_dotenv

    good, bad = _parted(_text())
    load_dotenv(stream=io.StringIO(good))
    if not bad:
        return []
    lines = f"{form(len(bad), 'Line', 'Lines')} {', '.join(map(str, bad))}"
    return [
        f"{lines} of {readable(SETTINGS_FILE.absolute())} {form(len(bad), 'is', 'are')} not read: a setting is "
        "NAME=value, and a quote that is opened must be closed. Correct or remove what stands there."
    ]


def _parted(text: str) -> tuple[str, list[int]]:
    """What can be read, and the numbers of the lines at which something begins that cannot."""
    from dotenv.parser import parse_stream

    good, bad = list[str](), list[int]()
    for each in parse_stream(io.StringIO(text)):
        said = each.original.string
        is_name_alone = each.key is not None and each.value is None
        if not each.error and not is_name_alone:
            good.append(said)
        # A name alone sets nothing, and would take away what was set above: to export that is a habit of shells.
        elif each.error or not said.lstrip().startswith("export"):
            blank = said[: len(said) - len(said.lstrip())]
            bad.append(each.original.line + len(blank.splitlines()))
    return "".join(good), bad


def _text() -> str:
    from genie_assets.settings import SettingsError

    try:
        # An editor may have begun the file with a byte order mark, which is no part of the first name.
        text = SETTINGS_FILE.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise SettingsError(
            f"{SETTINGS_FILE.absolute()} is not UTF-8 text (line {line}): save it with that encoding."
        ) from None
    except OSError as problem:
        told = problem.strerror or type(problem).__name__
        raise SettingsError(
            f"{SETTINGS_FILE.absolute()} cannot be read: {told}. Make it a readable file, or remove it."
        ) from None
    if "\0" in text:
        raise SettingsError(f"{SETTINGS_FILE.absolute()} holds NUL characters: save it as UTF-8 text.")
    return text
