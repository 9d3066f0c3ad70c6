"""A short text that tells whether two rows say the same, so that long ones need not travel to be compared.

A warehouse works out the same from what it stores: `gateways/lakehouse/unity/queries` has the rule in SQL, and a
test holds both together.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from genie_assets.domain.table import Table, storable

DIGEST = "digest"
"""The column that has it, in an answer."""

LENGTH = 32
"""Characters of a digest, 128 bits."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def digest_of(row: Mapping[str, Any], names: Iterable[str]) -> str:
    """The digest of some cells of a row, in this order; a missing key is NULL. Lists have none.

    Each cell goes in as its length in bytes and its text, so that no two rows run into each other.
    """
    found = hashlib.sha256()
    for name in names:
        value = row.get(name)
        if value is None:
            found.update(b"-")
        else:
            cell = _text(value).encode()
            found.update(b"%d:" % len(cell))
            found.update(cell)
    return found.hexdigest()[:LENGTH]


def _text(value: Any) -> str:
    """A cell as SQL's CAST writes it; a time in microseconds, for SQL's texts of times have their zone's."""
    match value:
        case bool():
            return "true" if value else "false"
        case dt.datetime():
            return str((value - _EPOCH) // _MICROSECOND)
        case dt.date():
            return value.isoformat()
        case str():
            return storable(value)
        case _:
            return str(value)


def is_same(table: Table, row: Mapping[str, Any], previous: Mapping[str, Any]) -> bool:
    """Whether a row says what a stored one does, bookkeeping left aside.

    Args:
        table: Their table.
        row: The new one.
        previous: The stored one, with all its values or with the `DIGEST` of those in `table.content`.
    """
    if DIGEST in previous:
        return bool(previous[DIGEST] == digest_of(row, table.content))
    return all(
        row.get(name) == previous[name] or storable(row.get(name)) == previous[name] for name in table.content
    )
