"""Spaces as files on disk: exported, with the form that Databricks' bundles take, and read again.

What the files say stands in `domain.space_folders`. Nothing is written outside the chosen folder, and nothing is
ever removed.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import yaml  # type: ignore[import-untyped]

from genie_assets.commands.places import naming_files, text_of
from genie_assets.commands.terminal import readable
from genie_assets.domain.configuration_changes import FIELDS
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.space_access import Levels, entries_of
from genie_assets.domain.space_folders import (
    PERMISSIONS_FILE,
    SPACE_FILE,
    SpaceFolderError,
    files_of,
    ids_of,
    key_of,
    levels_in,
    permissions_text,
    readable_configuration,
    space_of,
)

_SPACES, _RESOURCES, _SOURCES = "spaces", "resources", "src"
_MOST_BYTES = 64 * 2**20


def is_space_folder(text: str) -> bool:
    """Whether this names a folder with a space in it, not a space."""
    return (Path(text) / SPACE_FILE).is_file()


def read_folder(folder: Path) -> Row:
    """The space that a folder holds; `permissions` is whom it shall grant what, None if that is not told.

    Raises:
        click.ClickException: it holds none, or cannot be read.
    """
    with naming_files(folder):
        files = {path.name: _text_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    try:
        return {**space_of(files), "permissions": levels_in(files)}
    except SpaceFolderError as problem:
        raise click.ClickException(f"{readable(folder)}: {readable(problem)}") from None


class SpaceFiles:
    """A folder to which spaces are exported, for git and for a bundle.

    A space that is there keeps its name, whatever its title is now. All of it raises `click.ClickException` where
    something cannot be written.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        with naming_files(out):
            self._names = dict(self._known())

    def tells_permissions(self, key: SpaceKey) -> bool:
        """Whether the files of a space that is there tell who may use it."""
        return key in self._names and (self._out / _SPACES / self._names[key] / PERMISSIONS_FILE).is_file()

    def write(self, row: Mapping[str, Any], levels: Levels | None = None) -> str:
        """Write a space, and whom it grants what, if that is to be told; the name that it has there.

        Where that is not known, what was told before stays: a bundle without it would take access away.
        """
        key = SpaceKey.of(row)
        before = self._told_before(key) if levels is None and self.tells_permissions(key) else {}
        name = self._names.setdefault(key, key_of(key, row.get("title")))
        told = {} if levels is None else {PERMISSIONS_FILE: permissions_text(levels)}
        with naming_files(self._out):
            for file, text in (files_of(row) | told).items():
                _write(self._out, Path(_SPACES, name, file), text)
            _write(self._out, Path(_RESOURCES, f"{name}.genie_space.yml"), _resource(row, name, levels or before))
            source = readable_configuration(row["serialized_space"])
            _write(self._out, Path(_SOURCES, f"{name}.geniespace.json"), source)
        return name

    def _told_before(self, key: SpaceKey) -> Levels:
        path = self._out / _SPACES / self._names[key] / PERMISSIONS_FILE
        try:
            return levels_in({PERMISSIONS_FILE: _text_of(path)}) or {}
        except SpaceFolderError as problem:
            raise click.ClickException(f"{readable(path.parent)}: {readable(problem)}") from None

    def _known(self) -> Iterator[tuple[SpaceKey, str]]:
        """The spaces that were exported there before."""
        for path in sorted((self._out / _SPACES).glob(f"*/{SPACE_FILE}")):
            try:
                yield ids_of({SPACE_FILE: _text_of(path)}), path.parent.name
            except (SpaceFolderError, click.ClickException):
                continue  # somebody's own: the space gets another name


def _resource(row: Mapping[str, Any], name: str, levels: Levels) -> str:
    facts = {field: row[field] for field in FIELDS if row.get(field)}
    space = {**facts, "file_path": f"../{_SOURCES}/{name}.geniespace.json"}
    if levels:
        space["permissions"] = [{"level": entry.pop("permission_level"), **entry} for entry in entries_of(levels)]
    document = {"resources": {"genie_spaces": {name: space}}}
    return str(yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=10_000))


def _text_of(path: Path) -> str:
    return text_of(path, most_bytes=_MOST_BYTES, what="space")


def _write(out: Path, name: Path, text: str) -> None:
    """Write one file, whole or not at all; one that says so already keeps its time."""
    path, data = out / name, text.encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    # A link in the way could lead anywhere.
    if not path.parent.resolve().is_relative_to(out.resolve()) or path.is_symlink():
        raise click.ClickException(f"{readable(path)} leads out of {readable(out)}: remove the link.")
    if path.is_file() and path.read_bytes() == data:
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(path)
