"""Texts, counts and small tables as the Dagster UI shows them.

Never message text. Whatever comes from outside (titles, names, ids, statuses) is shown as text and nothing else:
the UI renders metadata and descriptions as Markdown, in which a title could be a link, an image or a broken table.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType

import dagster as dg

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.links import space_link
from genie_assets.domain.markdown import markdown_table

_LONGEST_TEXT = 80
_MOST_ROWS = 50
# Control and format characters, among them those that turn the direction of text or take no room, and line ends.
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
# A backtick would end the code span, a bar its cell: what comes closest takes their place.
_LOOKALIKES = str.maketrans({"`": "'", "|": "¦"})


def shown(text: object, *, at_most: int = _LONGEST_TEXT) -> str:
    """Text from outside, as Markdown that is this text and can be nothing else: one line, in a code span.

    In a code span nothing has a meaning, not even an address, which Markdown would make a link elsewhere. What
    cannot be seen is a blank.
    """
    beginning = str(text)[: 10 * at_most]
    seen = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in beginning)
    line = " ".join(seen.translate(_LOOKALIKES).split())
    if len(line) > at_most:
        line = f"{line[: at_most - 1].rstrip()}…"
    return f"`{line}`" if line else "–"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    # Enumerations are our own words.
    if isinstance(value, Enum):
        return str(value)
    return str(value) if isinstance(value, int | float | dt.date) else shown(value)


def table(titles: Sequence[str], rows: Iterable[Sequence[object]], *, at_most: int = _MOST_ROWS) -> str:
    """A Markdown table of rows from outside.

    Args:
        titles: Our own words.
        rows: As many values each. Texts are shown as text, numbers to the right.
        at_most: So many rows are shown, and how many more there are.
    """
    rows = list(rows)
    columns = list(zip(*rows, strict=True)) or [()] * len(titles)
    rules = ["---:" if _are_numbers(column) else "---" for column in columns]
    text = markdown_table(titles, ([_cell(value) for value in row] for row in rows[:at_most]), rules)
    return f"{text}\n\nand {len(rows) - at_most} more" if len(rows) > at_most else text


def _are_numbers(values: Sequence[object]) -> bool:
    return bool(values) and all(isinstance(value, int | float | None) for value in values)


def markdown(
    titles: Sequence[str], rows: Iterable[Sequence[object]], *, at_most: int = _MOST_ROWS
) -> dg.MarkdownMetadataValue:
    """The table as metadata."""
    return dg.MetadataValue.md(table(titles, rows, at_most=at_most))


def counts_table(title: str, counts: Mapping[str, int]) -> dict[str, dg.MarkdownMetadataValue]:
    """Counts as a small table under the given name, the largest first; nothing at all if nothing was counted."""
    rows = sorted(counts.items(), key=lambda item: -item[1])
    return {title: markdown([title, "count"], rows)} if rows else {}


def counted(counts: Mapping[str, int], *, at_most: int = 10) -> str:
    """Counts in a sentence, the largest first; those of 0 are left out."""
    ordered = sorted(((name, count) for name, count in counts.items() if count), key=lambda item: -item[1])
    parts = [f"{shown(name)} {count:,}" for name, count in ordered[:at_most]]
    more = f" and {len(ordered) - at_most:,} more" if len(ordered) > at_most else ""
    return f"{', '.join(parts)}{more}" if parts else "none"


_FEW_SPACES = 20


def spaces_table(
    name: str,
    spaces: Sequence[tuple[SpaceKey, str | None, str | None]],
    numbers: Mapping[str, Sequence[int]] = MappingProxyType({}),
) -> dict[str, dg.MarkdownMetadataValue]:
    """Spaces as a small table, each with the way into it; nothing at all if there are none.

    Args:
        name: Its name among the metadata.
        spaces: Their keys, titles and the addresses of their workspaces.
        numbers: What is counted, by its title; as many numbers as spaces.
    """
    if not spaces:
        return {}
    links = [_link(url, key) for key, _, url in spaces]
    cells = [
        [_cell(title or key.space_id), *map(str, counts), _cell(key.workspace_id), link or "–"]
        for (key, title, _), link, *counts in zip(spaces, links, *numbers.values(), strict=True)
    ]
    titles = ["space", *numbers, "workspace id", "in Databricks"]
    if not any(links):  # a column that says nothing takes the room of one that does
        titles, cells = titles[:-1], [row[:-1] for row in cells]
    rules = ["---", *("---:" for _ in numbers), *("---" for _ in titles[len(numbers) + 1 :])]
    text = markdown_table(titles, cells[:_FEW_SPACES], rules)
    more = f"\n\nand {len(cells) - _FEW_SPACES} more" if len(cells) > _FEW_SPACES else ""
    return {name: dg.MetadataValue.md(f"{text}{more}")}


def _link(workspace_url: str | None, key: SpaceKey) -> str | None:
    link = space_link(workspace_url, key.workspace_id, key.space_id)
    return f"[open]({link})" if link else None
