"""How stored tables look, read off what the warehouse shows: DESCRIBE of one table, SHOW TABLE EXTENDED of all."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from genie_assets.domain.schema_text import Layout
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.marks import MADE_UP, is_made_up

_PROPERTIES = re.compile(r"^Table Properties: (\[.*\])\s*$", re.MULTILINE)
_COLUMN = re.compile(r"^ \|-- (\w+): ", re.MULTILINE)


@dataclass(frozen=True)
class Shape:
    """A stored table: its columns, in its order, with their types as DESCRIBE shows them, and its partitions.

    `made_up` says whether it holds a made-up account.
    """

    columns: Mapping[str, str]
    partitioned_by: frozenset[str] = frozenset()
    made_up: bool = False

    def layout(self, table: Table) -> Layout:
        """How the table is laid out, whatever the setting says by now."""
        return "partitioned" if table.partitioned_by in self.partitioned_by else "liquid"

    def lacks(self, table: Table) -> list[str]:
        """Columns of the definition that are not stored."""
        return [name for name in table.column_names if name not in self.columns]


@dataclass(frozen=True)
class Told:
    """What is told of a table among all others.

    Attributes:
        made_up: Whether it is marked as made up; None if no properties were shown.
        columns: Its columns, in its order; none if they were not shown.
    """

    made_up: bool | None
    columns: tuple[str, ...]


def shape_of(rows: Iterable[tuple[str | None, str | None]]) -> Shape:
    """What DESCRIBE TABLE EXTENDED shows: columns, then sections about partitions, clustering and other things."""
    columns: dict[str, str] = {}
    partitions: set[str] = set()
    properties: dict[str, str | None] = {}
    section: str | None = None
    for name, type_ in rows:
        if not name or name.startswith("#"):
            section = name if name and "INFORMATION" in name.upper() else (section or "")
        elif section is None:
            columns[name] = type_ or ""
        elif "PARTITION" in section.upper():
            partitions.add(name)
        elif name == "Table Properties" and (value := _value(type_ or "", MADE_UP)) is not None:
            properties[MADE_UP] = value
    return Shape(columns, frozenset(partitions), is_made_up(properties))


def told_by(information: str | None) -> Told:
    """What SHOW TABLE EXTENDED says of a table."""
    text = information or ""
    columns = tuple(_COLUMN.findall(text))
    shown = _PROPERTIES.search(text)
    if shown is None:
        return Told(None, columns)
    return Told(is_made_up({MADE_UP: _value(shown[1], MADE_UP)}), columns)


def property_told(information: str | None, name: str) -> str | None:
    """The value of a property by what SHOW TABLE EXTENDED says; None if that does not tell."""
    shown = _PROPERTIES.search(information or "")
    return _value(shown[1], name) if shown else None


def _value(properties: str, name: str) -> str | None:
    """A property among those that DESCRIBE and SHOW TABLE EXTENDED show as one text: [a=b,c=d]."""
    found = re.search(rf"[\[,]\s*{re.escape(name)}\s*=\s*(\w+)\s*[,\]]", properties)
    return found[1] if found else None
