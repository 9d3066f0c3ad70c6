"""Choosing and counting rows that come in batches, holding no more of them than the answer needs."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.questions import Newest

# Rows that may wait to be thinned out; more only where more remain after it, so that thinning stays cheap.
_WAITING_ROWS = 16_384


def gathered(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, thin: Callable[[pa.Table], pa.Table] | None = None
) -> pa.Table:
    """All batches as one table.

    Args:
        batches: rows with exactly the columns of `schema`.
        schema: columns of the result.
        thin: leaves out rows that the result does not need. It is applied to parts on the way, too: of many rows
            few are held where few remain.
    """
    if thin is None:
        return pa.Table.from_batches(batches, schema=schema)
    kept, waiting, waiting_rows = schema.empty_table(), [], 0
    for batch in batches:
        waiting.append(batch)
        waiting_rows += batch.num_rows
        if waiting_rows >= max(_WAITING_ROWS, kept.num_rows):
            kept = thin(pa.concat_tables([kept, pa.Table.from_batches(waiting, schema=schema)]))
            waiting, waiting_rows = [], 0
    return thin(pa.concat_tables([kept, pa.Table.from_batches(waiting, schema=schema)]))


def at_most(batches: Iterable[pa.RecordBatch], limit: int) -> Iterable[pa.RecordBatch]:
    """The first `limit` rows; no batch is fetched that is not needed for them."""
    for batch in batches if limit > 0 else ():
        yield batch[:limit]
        limit -= batch.num_rows
        if limit <= 0:
            return


def distinct(rows: pa.Table) -> pa.Table:
    """The rows without repetitions; NULLs are equal."""
    return rows.filter(_last_of_each(rows, rows.schema.names))


def newest(rows: pa.Table, choice: Newest) -> pa.Table:
    """Of the rows with equal values in `choice.per` the last by `choice.by`; NULLs are equal, and come first."""
    order = pa.table({str(place): cells for place, cells in enumerate(_sort_columns(rows, choice.by))})
    places = pc.sort_indices(order, sort_keys=[(name, "ascending") for name in order.schema.names])
    ranks = np.empty(rows.num_rows, dtype=np.int64)
    ranks[np.asarray(places)] = np.arange(rows.num_rows)
    return rows.filter(_last_of_each(rows, choice.per, ranks))


def _sort_columns(rows: pa.Table, names: Sequence[str]) -> Iterable[pa.ChunkedArray]:
    for name in names:
        yield pc.is_valid(rows[name])
        yield rows[name]


def counted(rows: pa.Table) -> pa.Table:
    """Rows with a column `count`, added up: one row per combination of the other columns' values."""
    names = [name for name in rows.schema.names if name != "count"]
    sums = _grouped(rows, names, rows["count"], "sum")
    columns = [
        _with_lists(sums[place], rows.schema.field(name).type)
        for place, name in zip(_places(names), names, strict=True)
    ]
    return pa.table([*columns, sums["value_sum"]], names=[*names, "count"])


def _last_of_each(rows: pa.Table, names: Sequence[str], ranks: np.ndarray | None = None) -> pa.Array:
    """A mask of one row per combination of values: the one of the highest rank, counted from 0 without gaps."""
    ranks = np.arange(rows.num_rows) if ranks is None else ranks
    chosen = np.zeros(rows.num_rows, dtype=bool)
    chosen[np.asarray(_grouped(rows, names, pa.array(ranks), "max")["value_max"])] = True
    # A mask, for it filters chunk by chunk: to take rows by number joins texts, of which 2 GiB fit into a column.
    return pa.array(chosen[ranks])


def _grouped(rows: pa.Table, names: Sequence[str], values: Any, aggregation: str) -> pa.Table:
    """Values aggregated by the columns `names`, which are called by their places; lists come as JSON."""
    keys = {place: _without_lists(rows[name]) for place, name in zip(_places(names), names, strict=True)}
    return (
        pa.table({**keys, "value": values})
        .group_by(list(keys), use_threads=False)
        .aggregate([("value", aggregation)])
    )


def _places(names: Sequence[str]) -> list[str]:
    return [str(place) for place in range(len(names))]


def _without_lists(cells: Any) -> Any:
    """Cells by which Arrow can group: it cannot by lists."""
    if not pa.types.is_list(cells.type):
        return cells
    return pa.array([None if cell is None else json.dumps(cell) for cell in cells.to_pylist()], pa.string())


def _with_lists(cells: Any, type_: pa.DataType) -> Any:
    if not pa.types.is_list(type_):
        return cells
    return pa.array([None if cell is None else json.loads(cell) for cell in cells.to_pylist()], type_)
