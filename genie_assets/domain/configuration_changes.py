"""What two configurations differ in: which part was added, removed, changed, or moved.

It speaks of what configurations say (`configurations.said`): the order of named objects is no difference, and so
is what is empty. How changes are shown does not belong here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from genie_assets.domain.configurations import (
    SECTIONS,
    Said,
    as_json,
    in_order,
    is_named,
    name_key,
    said,
    section_of,
)

FIELDS: Mapping[str, str] = {
    "title": "title",
    "description": "description",
    "warehouse_id": "warehouse",
    "parent_path": "folder",
}
"""What users see of a space besides its configuration: the column of each, and the section that it makes."""


class Kind(StrEnum):
    """What became of a part."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"  # the same items in another order, where order means something


@dataclass(frozen=True)
class Named:
    """An object of a list without order, by its name: a step on the way to a part.

    `number` tells objects of the same name apart. `label` is for people.
    """

    name: str
    number: int = 0
    label: str = field(default="", compare=False)


Step = str | Named


@dataclass(frozen=True)
class Change:
    """One difference: the way to the part, and the part before and after; None where it is not there."""

    kind: Kind
    path: tuple[Step, ...]
    before: Any
    after: Any

    @property
    def section(self) -> str:
        """The section of the configuration, or the field of the space, that it is about."""
        keys = [step for step in self.path if isinstance(step, str)]
        return FIELDS[keys[1]] if keys[:1] == ["space"] and len(keys) > 1 else section_of(keys)


def changes(before: Said, after: Said) -> tuple[Change, ...]:
    """How to come from one configuration to another; none if they say the same."""
    return tuple(_changes(before, after, ()))


def space_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The changes from one state of a space to another, by section.

    Args:
        before: Columns of `genie_space_details` or `genie_space_versions`: those of `FIELDS`, and
        after: `serialized_space`.
    """
    found = [*_changes(_fields(before), _fields(after), ("space",)), *_changes(_said(before), _said(after), ())]
    order = [*FIELDS.values(), *SECTIONS]
    return tuple(sorted(found, key=lambda change: order.index(change.section)))


def changed_sections(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The sections and fields that two states of a space differ in, in the order in which they are shown."""
    return list(dict.fromkeys(change.section for change in space_changes(before, after)))


def as_values(found: Iterable[Change]) -> list[dict[str, Any]]:
    """The changes as JSON values; a name on the way is an object with its label."""
    return [
        {
            "section": change.section,
            "kind": str(change.kind),
            "path": [
                each if isinstance(each, str) else {"name": each.name, "label": each.label} for each in change.path
            ],
            "before": change.before,
            "after": change.after,
        }
        for change in found
    ]


def applied(found: Iterable[Change], before: Said) -> Said:
    """The configuration after these changes."""
    return _applied([(change, change.path) for change in found], before)


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in FIELDS if row.get(name)}


def _said(row: Mapping[str, Any]) -> Said:
    text = row.get("serialized_space")
    return said(text) if text else {}


def _changes(before: Any, after: Any, path: tuple[Step, ...]) -> list[Change]:
    if as_json(before) == as_json(after):
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return _of_parts(before, after, path)
    if before and after and is_named(before) and is_named(after):
        return _of_parts(_by_name(before), _by_name(after), path)
    is_moved = isinstance(before, list) and isinstance(after, list) and in_order(before) == in_order(after)
    return [Change(Kind.MOVED if is_moved else Kind.CHANGED, path, before, after)]


def _of_parts(before: Mapping[Any, Any], after: Mapping[Any, Any], path: tuple[Step, ...]) -> list[Change]:
    found = []
    for step in [*before, *(step for step in after if step not in before)]:
        way = (*path, step)
        if step not in after:
            found.append(Change(Kind.REMOVED, way, before[step], None))
        elif step not in before:
            found.append(Change(Kind.ADDED, way, None, after[step]))
        else:
            found += _changes(before[step], after[step], way)
    return found


def _by_name(items: list[dict[str, Any]]) -> dict[Named, dict[str, Any]]:
    found: dict[Named, dict[str, Any]] = {}
    for item in items:
        key = name_key(item) or ""
        name, number = as_json([key, item[key]]), 0
        while Named(name, number) in found:
            number += 1
        found[Named(name, number, label_of(item))] = item
    return found


_LABELS = ("question", "display_name", "alias", "title", "name", "identifier", "column_name", "column", "id")


def label_of(item: Mapping[str, Any]) -> str:
    """What people know an object by: its question, its name, the two sides of a join; else its id."""
    sides = [side.get("identifier") for side in (item.get("left"), item.get("right")) if isinstance(side, dict)]
    if len(sides) == 2 and all(isinstance(side, str) for side in sides):
        return f"{sides[0]} with {sides[1]}"
    for key in _LABELS:
        value = item.get(key)
        if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
            return " ".join(value)
        if isinstance(value, str) and value:
            return value
    return ""


def _applied(found: list[tuple[Change, tuple[Step, ...]]], value: Any) -> Any:
    """The value after changes of its parts; the way that is left to each stands beside it."""
    if any(not way for _, way in found):
        return found[0][0].after
    is_list = isinstance(value, list)
    parts: dict[Any, Any] = dict(_by_name(value)) if is_list else dict(value)
    by_step: defaultdict[Step, list[tuple[Change, tuple[Step, ...]]]] = defaultdict(list)
    for change, way in found:
        by_step[way[0]].append((change, way[1:]))
    for step, inner in by_step.items():
        change, way = inner[0]
        if not way and change.kind is Kind.REMOVED:
            del parts[step]
        else:
            parts[step] = _applied(inner, parts.get(step))
    return in_order(list(parts.values())) if is_list else parts
