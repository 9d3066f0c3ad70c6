"""Commands of Dagster's own, as they work when they are copied from here, and what its workspace file says."""

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from genie_assets.commands.places import dagster_home
from genie_assets.commands.shipped import WORKSPACE


def for_our_home(command: str) -> str:
    """A command for the instance that is looked at; Dagster itself knows it by DAGSTER_HOME alone."""
    return (
        command if os.environ.get("DAGSTER_HOME") else f"DAGSTER_HOME={shlex.quote(str(dagster_home()))} {command}"
    )


def on_the_workspace(command: str) -> tuple[str, ...]:
    """The lines for a command that loads the code location; one that is not named by a file yet is named first."""
    line = for_our_home(f"{command} -w {WORKSPACE}")
    return (line,) if Path(WORKSPACE).is_file() else ("genie-assets init", line)


def location_names() -> frozenset[str] | None:
    """The code locations that the workspace file here names; None if there is none, or it does not say."""
    try:
        told = yaml.safe_load(Path(WORKSPACE).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    entries = told.get("load_from") if isinstance(told, dict) else None
    names = [name for each in entries for name in _names(each)] if isinstance(entries, list) else [None]
    return None if None in names or not names else frozenset(str(name) for name in names)


def _names(entry: Any) -> Iterator[str | None]:
    for what in entry.values() if isinstance(entry, Mapping) else (None,):
        named = what if isinstance(what, Mapping) else {"module_name": what}
        yield next(
            (named[key] for key in ("location_name", "module_name", "package_name") if named.get(key)), None
        )
