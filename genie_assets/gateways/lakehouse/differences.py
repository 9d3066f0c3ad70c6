"""What a write would change: new rows against the stored ones, batch by batch, so a day need not fit in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Key = tuple[Any, ...]


def keys_of(rows: pa.Table | pa.RecordBatch, names: Sequence[str]) -> list[Key]:
    """The key of every row. Times become integers: Python's own cannot hold all that Arrow can."""
    return list(zip(*(_key_cells(rows.column(name)) for name in names), strict=True))


def _key_cells(cells: Any) -> list[Any]:
    if pa.types.is_timestamp(cells.type):
        cells = cells.cast(pa.int64())
    return cells.to_pylist()


@dataclass
class Differences:
    """How new rows relate to the stored rows of the same keys."""

    # One entry per new row: is its key stored, and does a stored row of that key say something else?
    stored: np.ndarray
    differs: np.ndarray
    # Stored rows whose key no new row has.
    others: int = 0
    stored_rows: int = 0
    # Keys that were asked for with `find` and are stored.
    found: set[Key] = field(default_factory=set)


def differences(
    stored: Iterable[pa.RecordBatch],
    rows: pa.Table,
    *,
    identity: Sequence[str],
    content: Sequence[str],
    find: frozenset[Key] = frozenset(),
) -> Differences:
    """Compare new rows with the stored ones.

    Args:
        stored: batches with at least the columns of `identity` and `content`.
        rows: the new rows; each identity occurs once.
        identity: columns by which rows are the same row; NULLs are equal.
        content: columns that count as a difference.
        find: identities to look out for on the way.
    """
    places = {key: place for place, key in enumerate(keys_of(rows, identity))}
    result = Differences(np.zeros(rows.num_rows, dtype=bool), np.zeros(rows.num_rows, dtype=bool))
    for batch in stored:
        keys = keys_of(batch, identity)
        result.stored_rows += len(keys)
        result.found.update(find.intersection(keys))
        here = [place for place, key in enumerate(keys) if key in places]
        there = [places[keys[place]] for place in here]
        result.others += len(keys) - len(here)
        result.stored[there] = True
        same = _same(batch.take(pa.array(here, pa.int64())), rows.take(pa.array(there, pa.int64())), content)
        result.differs[np.asarray(there, dtype=np.int64)[~same]] = True
    return result


def _same(left: pa.RecordBatch, right: pa.Table, names: Sequence[str]) -> np.ndarray:
    """For each pair of rows whether all named columns are equal, NULL being equal to NULL."""
    same = np.ones(left.num_rows, dtype=bool)
    for name in names:
        same &= _same_cells(left.column(name), right.column(name))
    return same


def _same_cells(left: Any, right: Any) -> np.ndarray:
    if pa.types.is_list(left.type):
        return np.fromiter(
            (one == other for one, other in zip(left.to_pylist(), right.to_pylist(), strict=True)), dtype=bool
        )
    equal = pc.fill_null(pc.equal(left, right), False)
    both_null = pc.and_(pc.is_null(left), pc.is_null(right))
    return np.asarray(pc.or_(equal, both_null), dtype=bool)
