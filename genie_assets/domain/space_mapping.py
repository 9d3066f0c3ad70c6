"""A configuration for another workspace: other names of tables and functions, in the order that the API demands.

Only names that the configuration itself declares are replaced in SQL; what still looks like an old one is told.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.configurations import kept_text, parsed

_PART = r"(?:`[^`]+`|[^\s`.()\[\]{},;:=<>!+*/|&^%'\"-]+)"
_QUALIFIED = re.compile(rf"{_PART}(?:\s*\.\s*{_PART})+")
_ORDERED_BY = ("id", "identifier", "column_name")


@dataclass(frozen=True)
class Mapped:
    """A configuration with other names.

    Attributes:
        text: The configuration; to the byte what it was, if nothing had to be changed.
        renamed: Old and new names of all that was renamed.
        left_over: Names that stand somewhere and still begin as an old one does.
    """

    text: str
    renamed: Mapping[str, str]
    left_over: tuple[str, ...]


def mapped(text: str, renames: Mapping[str, str]) -> Mapped:
    """The configuration with names replaced, and sorted as the API demands it.

    Args:
        text: The configuration.
        renames: New beginnings of names by old ones: `dev` or `dev.sales` or `dev.sales.orders`.

    Raises:
        ValueError: the configuration cannot be read without loss.
    """
    try:
        value = parsed(text)
    except (ArithmeticError, RecursionError) as problem:
        raise ValueError(str(problem)) from None
    rules = {tuple(parts_of(old)): tuple(parts_of(new)) for old, new in renames.items()}
    declared = {name: new for _, name in identifiers(value) if (new := _renamed(name, rules)) != name}
    by_parts = {tuple(parts_of(old)): new for old, new in declared.items()}
    new_value = _in_order(_replaced(value, declared, by_parts))
    left = {name for line in _texts(new_value) for name in _names_in(line) if _renamed(name, rules) != name}
    left -= set(declared.values())  # a rule may lead to where it begins
    same = json.dumps(new_value) == json.dumps(value)
    return Mapped(text if same else _spelled_like(text, value, new_value), declared, tuple(sorted(left)))


def references(text: str) -> list[str]:
    """The tables, views and functions that a configuration names.

    Raises:
        ValueError: the configuration cannot be read without loss.
    """
    return sorted({name for _, name in identifiers(parsed(text))})


def identifiers(value: Any, within: str = "") -> Iterator[tuple[str, str]]:
    """Every name that a configuration declares, each with the key of the list or part in which it stands.

    Args:
        value: The configuration, or a part of it.
        within: The key under which that part stands.
    """
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "identifier" and isinstance(part, str):
                yield within, part
            yield from identifiers(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from identifiers(part, within)


def parts_of(name: str) -> list[str]:
    """Catalog, schema and name, without the quotes around them."""
    return [part.strip().strip("`") for part in name.split(".")]


def _renamed(name: str, rules: Mapping[tuple[str, ...], tuple[str, ...]]) -> str:
    """The name with the longest old beginning of it replaced."""
    parts = tuple(parts_of(name))
    for length in range(len(parts), 0, -1):
        new = rules.get(parts[:length])
        if new is not None:
            return ".".join((*new, *parts[length:]))
    return name


def _replaced(value: Any, declared: Mapping[str, str], by_parts: Mapping[tuple[str, ...], str]) -> Any:
    if isinstance(value, dict):
        return {
            key: declared.get(part, part)
            if key == "identifier" and isinstance(part, str)
            else _replaced(part, declared, by_parts)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_replaced(part, declared, by_parts) for part in value]
    return _in_sql(value, by_parts) if isinstance(value, str) and by_parts else value


def _in_sql(text: str, by_parts: Mapping[tuple[str, ...], str]) -> str:
    """The text with declared names replaced where they stand whole, columns behind them included."""

    def new(found: re.Match[str]) -> str:
        written = re.findall(_PART, found[0])
        parts = tuple(part.strip("`") for part in written)
        for length in range(len(parts), 1, -1):
            name = by_parts.get(parts[:length])
            if name is not None:
                is_quoted = written[0].startswith("`")
                shown = [f"`{part}`" for part in name.split(".")] if is_quoted else name.split(".")
                return ".".join((*shown, *written[length:]))
        return found[0]

    return _QUALIFIED.sub(new, text)


def _names_in(text: str) -> Iterator[str]:
    for found in _QUALIFIED.finditer(text):
        parts = [part.strip("`") for part in re.findall(_PART, found[0])]
        if len(parts) > 2:  # an alias and its column are two
            yield ".".join(parts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _in_order(value: Any) -> Any:
    """The same with its named objects sorted by their names."""
    if isinstance(value, dict):
        return {key: _in_order(part) for key, part in value.items()}
    if not isinstance(value, list):
        return value
    parts = [_in_order(part) for part in value]
    for name in _ORDERED_BY:
        if parts and all(isinstance(part, dict) and isinstance(part.get(name), str) for part in parts):
            return sorted(parts, key=lambda part: str(part[name]))
    return parts


def _spelled_like(text: str, value: Any, new_value: Any) -> str:
    """The new value in the spelling of the old text, as far as that is a usual one."""
    for options in ({"separators": (",", ":"), "ensure_ascii": False}, {"ensure_ascii": False}, {}):
        if kept_text(json.dumps(value, **options))[0] == text:
            return kept_text(json.dumps(new_value, **options))[0]
    return kept_text(json.dumps(new_value, ensure_ascii=False))[0]
