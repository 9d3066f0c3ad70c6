"""A space as a folder of files that people read and git keeps: what is in them, and what they say again.

A configuration that is spelled as JSON usually is stands indented in its file, and the folder remembers how it
was spelled; any other one stands there as it came. So every text comes back to the byte. Reading and writing files
does not belong here.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from genie_assets.domain.configuration_changes import FIELDS
from genie_assets.domain.configurations import kept_text, parsed
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.space_access import Levels, entries_of, levels_of

SPACE_FILE = "space.json"
CONFIGURATION_FILE = "configuration.json"
ORIGINAL_FILE = "configuration.txt"
PERMISSIONS_FILE = "permissions.json"

_SPELLINGS: Mapping[str, Mapping[str, Any]] = {
    "compact": {"separators": (",", ":"), "ensure_ascii": False},
    "spaced": {"ensure_ascii": False},
    "compact ascii": {"separators": (",", ":")},
    "spaced ascii": {},
    "indented": {"indent": 2, "ensure_ascii": False},
}
_AS_IT_CAME = "as it came"
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 40


class SpaceFolderError(RuntimeError):
    """Files that are no space. The message says which, and what to do."""


def key_of(key: SpaceKey, title: str | None) -> str:
    """A name for a space that is safe as a file and as a key of a bundle, readable, and nobody else's."""
    words = _NOT_IN_A_NAME.sub("_", (title or "").lower()).strip("_")[:_LONGEST_NAME].strip("_")
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:8]
    return f"{words if words[:1].isalpha() else f'space_{words}'.rstrip('_')}_{digest}"


def files_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a space's files by name. No time stands in them: the same space is the same text.

    Args:
        row: A row of `genie_space_details` or `genie_space_versions`, with a configuration.
    """
    text = kept_text(row["serialized_space"])[0]
    spelling = _spelling_of(text)
    facts = {
        **{name: row.get(name) for name in ("workspace_id", "space_id", *FIELDS)},
        "configuration": {"spelling": spelling},
    }
    if spelling == _AS_IT_CAME:
        return {SPACE_FILE: _indented(facts), ORIGINAL_FILE: text}
    return {SPACE_FILE: _indented(facts), CONFIGURATION_FILE: _indented(parsed(text))}


def space_of(files: Mapping[str, str]) -> Row:
    """The space that the files say: its ids, its fields, and `serialized_space` to the byte.

    Raises:
        SpaceFolderError: they say none.
    """
    facts = _object(files, SPACE_FILE)
    row: Row = {name: facts.get(name) for name in ("workspace_id", "space_id", *FIELDS)}
    wrong = [name for name, value in row.items() if value is not None and not isinstance(value, str)]
    if wrong:
        raise SpaceFolderError(f"{SPACE_FILE}: {', '.join(wrong)} must be text.")
    told = facts.get("configuration")
    spelling = told.get("spelling") if isinstance(told, dict) else None
    if spelling == _AS_IT_CAME:
        return {**row, "serialized_space": _text(files, ORIGINAL_FILE)}
    if not isinstance(spelling, str) or spelling not in _SPELLINGS:
        known = ", ".join((*_SPELLINGS, _AS_IT_CAME))
        raise SpaceFolderError(f"{SPACE_FILE}: the spelling of the configuration must be one of: {known}.")
    return {**row, "serialized_space": _spelled(_json(files, CONFIGURATION_FILE), spelling)}


def permissions_text(levels: Levels) -> str:
    """The file that says whom a space grants what."""
    return _indented(entries_of(levels))


def levels_in(files: Mapping[str, str]) -> Levels | None:
    """Whom the space shall grant what, by its files; None if they do not tell.

    Raises:
        SpaceFolderError: they tell something else.
    """
    if PERMISSIONS_FILE not in files:
        return None
    try:
        return levels_of(_json(files, PERMISSIONS_FILE))
    except ValueError as problem:
        raise SpaceFolderError(f"{PERMISSIONS_FILE}: {problem}") from None


def ids_of(files: Mapping[str, str]) -> SpaceKey:
    """The space that the files are of.

    Raises:
        SpaceFolderError: they do not say it.
    """
    facts = _object(files, SPACE_FILE)
    ids = [facts.get(name) for name in SpaceKey._fields]
    if not all(isinstance(each, str) for each in ids):
        raise SpaceFolderError(f"{SPACE_FILE} must name its {' and '.join(SpaceKey._fields)}.")
    return SpaceKey(*map(str, ids))


def readable_configuration(text: str) -> str:
    """A configuration as a file that people read: indented, if nothing of it is lost so."""
    try:
        return _indented(parsed(text))
    except (ValueError, ArithmeticError, RecursionError):
        return text


def _spelling_of(text: str) -> str:
    try:
        value = parsed(text)
        return next((name for name in _SPELLINGS if _spelled(value, name) == text), _AS_IT_CAME)
    except (ValueError, ArithmeticError, RecursionError):
        return _AS_IT_CAME


def _spelled(value: Any, spelling: str) -> str:
    return kept_text(json.dumps(value, **_SPELLINGS[spelling]))[0]


def _indented(value: Any) -> str:
    return kept_text(json.dumps(value, indent=2, ensure_ascii=False))[0] + "\n"


def _object(files: Mapping[str, str], name: str) -> dict[str, Any]:
    value = _json(files, name)
    if not isinstance(value, dict):
        raise SpaceFolderError(f"{name} must hold a JSON object.")
    return value


def _json(files: Mapping[str, str], name: str) -> Any:
    try:
        return parsed(_text(files, name))
    except (ValueError, ArithmeticError, RecursionError) as problem:
        raise SpaceFolderError(f"{name} is no JSON that can be kept: {problem}.") from None


def _text(files: Mapping[str, str], name: str) -> str:
    if name not in files:
        raise SpaceFolderError(f"{name} is missing: a folder of `genie-assets spaces export` has it.")
    return files[name]
