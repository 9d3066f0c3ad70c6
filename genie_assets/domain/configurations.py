"""What a space's configuration says, in either of the forms that Databricks gives it: what counts, and its parts.

The text itself is kept as it came. Here is only what it says: without what is empty, and with its named objects in
one order, whatever the order in which they were written. What two of them differ in, `configuration_changes` says.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

Said = Any
"""What a configuration says, as JSON; one that cannot be read as JSON is its own text."""

# Lists of objects that are named by one of these have no order: the API sorts them, tools that deploy do not.
NAMES = ("id", "identifier", "column_name", "column")

SECTIONS = (
    *("instructions", "tables", "joins", "example_sql", "functions", "snippets"),
    *("sample_questions", "benchmarks", "other"),
)
"""The parts of a configuration, in the order in which they are shown."""

# By key, wherever it stands: both forms use these words, and not all of what stands around them is known.
_SECTION_OF: Mapping[str, str] = {
    "text_instructions": "instructions",
    "tables": "tables",
    "metric_views": "tables",
    "volumes": "tables",
    "mcp_connections": "tables",
    "join_specs": "joins",
    "example_question_sqls": "example_sql",
    "sql_functions": "functions",
    "sql_snippets": "snippets",
    "sample_questions": "sample_questions",
    "benchmarks": "benchmarks",
}
_CONTAINERS: Mapping[str, str] = {"config": "other", "data_sources": "tables", "instructions": "instructions"}
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
_DIGITS_OF_A_SECTION = 16


def kept_text(text: str) -> tuple[str, bool]:
    """The text as tables can keep it, and whether that is spelled otherwise than it came.

    UTF-8 cannot hold half a character. It stands escaped then, which says the same in JSON.
    """
    kept = _HALF_A_CHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return kept, kept != text


def is_configuration(text: str) -> bool:
    """Whether a text is a JSON object, whatever it says: nothing that was cut off, or of another kind, is."""
    try:
        return isinstance(json.loads(text, parse_int=str), dict)
    except RecursionError:
        return True
    except ValueError:
        return False


def said(text: str) -> Said:
    """What a configuration says; the text itself where that would say something else.

    So it is where the text is no JSON, names a key twice, or holds a number that no float keeps (1e400 would
    become Infinity, which no reader of JSON knows).
    """
    try:
        return _said(parsed(text))
    except (ValueError, ArithmeticError, RecursionError):
        return kept_text(text)[0]


def parsed(text: str) -> Any:
    """The configuration as JSON, if no part of it is lost.

    Raises:
        ValueError, ArithmeticError, RecursionError: it cannot be read, or could not be written again.
    """
    return json.loads(
        text,
        parse_constant=_cannot_be_kept,
        parse_float=_kept_number,
        object_pairs_hook=_object_of_distinct_keys,
    )


def config_hash(text: str) -> str:
    """SHA-256 of what a configuration says, as 64 hex digits.

    Configurations that differ only in the order of named objects, or in what is empty, say the same. Lines of text
    keep their order, and empty ones stay.
    """
    value = said(text)
    # What is no JSON is hashed as it is: in quotes it would be another configuration's.
    return _hash(value if isinstance(value, str) and value == kept_text(text)[0] else as_json(value))


def section_hashes(text: str) -> dict[str, str]:
    """A short hash of each section that is there; equal ones say the same."""
    return {name: _hash(as_json(part))[:_DIGITS_OF_A_SECTION] for name, part in sections(said(text)).items()}


def sections(value: Said) -> dict[str, Any]:
    """What a configuration says, by section: the parts of each with the keys that lead there."""
    found: dict[str, list[tuple[list[str], Any]]] = {}
    _sort_out(value, [], "other", found)
    return {name: found[name] for name in SECTIONS if name in found}


def section_of(keys: list[str]) -> str:
    """The section of the part that these keys lead to."""
    section = "other"
    for key in keys:
        if key in _SECTION_OF:
            return _SECTION_OF[key]
        if key not in _CONTAINERS:
            return section
        section = _CONTAINERS[key]
    return section


def is_named(value: Any) -> bool:
    """Whether this is a list of objects that have names, whose order means nothing."""
    return isinstance(value, list) and all(isinstance(item, dict) and name_key(item) for item in value)


def name_key(item: Mapping[str, Any]) -> str | None:
    """The key under which an object has its name; None if it has none."""
    return next((key for key in NAMES if key in item), None)


def as_json(value: Any) -> str:
    """JSON in one spelling: equal texts say the same. True is not 1 there, and 1 is not 1.0."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def in_order(items: list[Any]) -> list[Any]:
    """Named objects in the order that does not depend on how they were written."""
    return sorted(items, key=as_json)


def _said(value: Any) -> Any:
    """A part of a configuration without what is empty, and its named objects in one order."""
    if isinstance(value, dict):
        parts = {name: _said(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part not in (None, "", [], {})}
    if not isinstance(value, list):
        return value
    items = [_said(item) for item in value]
    return in_order(items) if is_named(value) else items


def _sort_out(value: Any, keys: list[str], section: str, found: dict[str, list[tuple[list[str], Any]]]) -> None:
    is_container = isinstance(value, dict) and (not keys or keys[-1] in _CONTAINERS)
    if not is_container:
        found.setdefault(section, []).append((keys, value))
        return
    for key in sorted(value):
        _sort_out(value[key], [*keys, key], section_of([*keys, key]), found)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _kept_number(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) and Decimal(repr(number)) == Decimal(text) else _cannot_be_kept(text)


def _object_of_distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _cannot_be_kept("a key that stands twice")


def _cannot_be_kept(what: str) -> NoReturn:
    raise ValueError(what)
