"""Texts, counts and small tables as the Dagster UI shows them.

Never message text. Whatever comes from outside (titles, names, ids, statuses) is shown as text and nothing else:
the UI renders metadata and descriptions as Markdown, in which a title could be a link, an image or a broken table.
"""

import datetime as dt
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any

import dagster as dg

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.links import space_link
from genie_assets.domain.markdown import markdown_table

_LONGEST_TEXT = 80
_MOST_ROWS = 50
_NOTHING = "–"
# Control and format characters, among them those that turn the direction of text or take no room, and line ends.
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
# A backtick would end the code span, a bar its cell: what comes closest takes their place.
_LOOKALIKES = str.maketrans({"`": "'", "|": "¦"})


def shown(text: object, *, at_most: int = _LONGEST_TEXT) -> str:
    """Text from outside, as Markdown that is this text and can be nothing else: one line, in a code span.

    In a code span nothing has a meaning, not even an address, which Markdown would make a link elsewhere. What
    cannot be seen is a blank.
    """
    line = _in_one_line(text, at_most).translate(_LOOKALIKES)
    return f"`{line}`" if line else _NOTHING


def _in_one_line(text: object, at_most: int) -> str:
    beginning = str(text)[: 10 * at_most]
    seen = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in beginning)
    line = " ".join(seen.split())
    return line if len(line) <= at_most else f"{line[: at_most - 1].rstrip()}…"


def rows_table(
    titles: Sequence[str], rows: Iterable[Sequence[object]], *, at_most: int = _MOST_ROWS
) -> dg.TableMetadataValue:
    """Rows from outside as metadata that is seen at once on the pages of checks and of runs, too.

    There Dagster only offers to show Markdown. It shows cells of tables as text, whatever they hold.
    """
    rows = list(rows)
    cells = [[_plain(value) for value in row] for row in rows[:at_most]]
    if len(rows) > at_most:
        cells.append([f"and {len(rows) - at_most:,} more", *("" for _ in titles[1:])])
    return whole_table(titles, cells)


def whole_table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> dg.TableMetadataValue:
    """Rows of our own as a table: every one of them, and as they are."""
    return dg.TableMetadataValue(
        records=[dg.TableRecord(dict(zip(titles, row, strict=True))) for row in rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(title) for title in titles]),
    )


def _plain(value: object) -> int | float | str:
    if isinstance(value, int | float) and not isinstance(value, Enum):
        return value
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    line = "" if value is None else _in_one_line(value, _LONGEST_TEXT)
    return line or _NOTHING


def counts_table(title: str, counts: Mapping[str, int]) -> dict[str, dg.TableMetadataValue]:
    """Counts as a small table under the given name, the largest first; nothing at all if nothing was counted."""
    rows = sorted(counts.items(), key=lambda item: -item[1])
    return {title: rows_table([title, "count"], rows)} if rows else {}


def counted(counts: Mapping[str, int], *, at_most: int = 10) -> str:
    """Counts in a sentence, the largest first; those of 0 are left out."""
    ordered = sorted(((name, count) for name, count in counts.items() if count), key=lambda item: -item[1])
    parts = [f"{shown(name)} {count:,}" for name, count in ordered[:at_most]]
    more = f" and {len(ordered) - at_most:,} more" if len(ordered) > at_most else ""
    return f"{', '.join(parts)}{more}" if parts else "none"


_FEW_SPACES, _SPACES_NAMED = 20, 5


def named_spaces(spaces: Sequence[tuple[SpaceKey, str | None]]) -> str:
    """The first few of some spaces, by title; by title@workspace, where several of them have the same.

    Args:
        spaces: The spaces and their titles, as far as they are known.
    """
    titles = Counter(title for _, title in spaces)
    names = [
        shown(title or key.space_id, at_most=40) + (f"@{shown(key.workspace_id)}" if titles[title] > 1 else "")
        for key, title in spaces[:_SPACES_NAMED]
    ]
    return ", ".join(names) + (" and others" if len(spaces) > _SPACES_NAMED else "")


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
    cells = [
        [_way_into(key, title, url), *map(str, counts), shown(key.workspace_id)]
        for (key, title, url), *counts in zip(spaces, *numbers.values(), strict=True)
    ]
    titles = ["space", *numbers, "workspace id"]
    rules = ["---", *("---:" for _ in numbers), "---"]
    text = markdown_table(titles, cells[:_FEW_SPACES], rules)
    more = f"\n\nand {len(cells) - _FEW_SPACES} more" if len(cells) > _FEW_SPACES else ""
    return {name: dg.MetadataValue.md(f"{text}{more}")}


def _way_into(key: SpaceKey, title: str | None, workspace_url: str | None) -> str:
    """The name, which is the link: a column of links would stand where the page has cut the table off."""
    link, name = space_link(workspace_url, key.workspace_id, key.space_id), shown(title or key.space_id)
    return f"[{name}]({link})" if link else name
