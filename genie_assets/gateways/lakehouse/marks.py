"""The mark of made-up tables: an account's rows and those of a sandbox never share a table, nor a lakehouse.

Every table that is made for a made-up account carries the property `genie_assets.made_up`, and says so in its
description; a table without the mark is an account's. Each engine looks at it when it first opens a table, and at
the neighbours' before it makes one.
"""

from collections.abc import Mapping
from dataclasses import replace

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.errors import LakehouseError

MADE_UP = "genie_assets.made_up"
_YES = "true"


def is_made_up(properties: Mapping[str, str | None]) -> bool:
    """Whether a table with these properties holds a made-up account."""
    return properties.get(MADE_UP) == _YES


def mark(made_up: bool) -> dict[str, str]:
    """The properties by which a new table is told from those of the other kind."""
    return {MADE_UP: _YES} if made_up else {}


def described(table: Table, made_up: bool) -> Table:
    """The table with a description that says what kind it is of."""
    if not made_up:
        return table
    return replace(table, description=f"MADE UP by a sandbox, not an account's. {table.description}")


def refuse_other_kind(table: Table, place: str, *, wanted: bool, found: bool) -> None:
    """LakehouseError if a stored table is not of the kind that this lakehouse was opened for.

    Args:
        table: the stored table.
        place: where its lakehouse is.
        wanted: whether the lakehouse is one of a made-up account.
        found: whether the table is marked as made up.
    """
    if found and not wanted:
        raise LakehouseError(
            f"{table.name}: the table in {place} is made up, as `genie-assets demo` makes it, and is not mixed "
            "with an account's rows: give GENIE_LAKEHOUSE another place, or remove the demo's tables from this one"
        )
    if wanted and not found:
        raise LakehouseError(
            f"{table.name}: the table in {place} is not marked as made up, so it is taken for an account's and is "
            "not mixed with the demo's rows: choose another place with --lakehouse"
        )
