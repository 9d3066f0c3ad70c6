"""Commands of Dagster's own, as they work when they are copied from here, and what its workspace file says."""

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from genie_assets.commands.places import dagster_home
from genie_assets.commands.shipped import WORKSPACE

_OF_A_LOCATION = ("dagster schedule ", "dagster sensor ")
_OURS = "genie_assets.definitions"


def for_our_home(command: str) -> str:
    """A command for the instance that is looked at; Dagster itself knows it by DAGSTER_HOME alone."""
    return (
        command if os.environ.get("DAGSTER_HOME") else f"DAGSTER_HOME={shlex.quote(str(dagster_home()))} {command}"
    )


def on_the_workspace(command: str) -> tuple[str, ...]:
    """The lines for a command that loads the code location; one that is not named by a file yet is named first."""
    line = for_our_home(f"{command} -w {WORKSPACE}{_location(command)}")
    return (line,) if Path(WORKSPACE).is_file() else ("genie-assets init", line)


def _location(command: str) -> str:
    """Among several code locations these commands want to be told which one; ours may be in a module of theirs."""
    entries = _entries() or []
    if len(entries) < 2 or not command.startswith(_OF_A_LOCATION):
        return ""
    ours = [name for each in entries if _OURS in str(each) for name in _names(each) if name]
    return f" -l {shlex.quote(ours[0]) if len(ours) == 1 else 'CODE_LOCATION'}"


def location_names() -> frozenset[str] | None:
    """The code locations that the workspace file here names; None if there is none, or it does not say."""
    entries = _entries()
    names = [name for each in entries for name in _names(each)] if entries is not None else [None]
    return None if None in names or not names else frozenset(str(name) for name in names)


def _entries() -> list[Any] | None:
    """What the workspace file here loads; None if there is none, or it does not say."""
    try:
        told = yaml.safe_load(Path(WORKSPACE).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    entries = told.get("load_from") if isinstance(told, dict) else None
    return entries if isinstance(entries, list) else None


def _names(entry: Any) -> Iterator[str | None]:
    for what in entry.values() if isinstance(entry, Mapping) else (None,):
        named = what if isinstance(what, Mapping) else {"module_name": what}
        yield next(
            (named[key] for key in ("location_name", "module_name", "package_name") if named.get(key)), None
        )
