"""Whether rows have a counterpart in another table."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.questions import Exists
from genie_assets.gateways.lakehouse.delta.conditions import Condition

_PLACE, _OURS, _THEIRS = "place", "ours", "theirs"


@dataclass(frozen=True)
class HasCounterpart:
    """The condition that a row's key is among those of the other table, and there not older than `since` says."""

    exists: Exists
    # The other table's columns of the key, and the value to hold against `since`.
    theirs: pa.Table
    # Conditions on single columns that every row with a counterpart meets, by which files can be skipped.
    narrowing: tuple[Condition, ...] = ()

    @property
    def needs(self) -> frozenset[str]:
        """The key, and the column that says since when."""
        return frozenset(self.exists.key) | ({self.exists.since[1]} if self.exists.since else frozenset())

    @property
    def size(self) -> int:
        """The number of their rows."""
        return self.theirs.num_rows

    def sql(self, stored: object) -> str | None:  # noqa: ARG002 - `narrowing` says what there is to say
        """Nothing."""
        return None

    def mask(self, rows: pa.RecordBatch) -> pa.BooleanArray:
        """For each row whether it has one."""
        pairs = self._pairs(rows)
        if self.exists.since is not None:
            recent = pc.fill_null(pc.greater_equal(pairs[_THEIRS], pairs[_OURS]), False)
            pairs = pairs.filter(pc.or_(recent, pc.is_null(pairs[_OURS])))
        found = np.zeros(rows.num_rows, dtype=bool)
        found[np.asarray(pairs[_PLACE])] = True
        return pa.array(found)

    def _pairs(self, rows: pa.RecordBatch) -> pa.Table:
        """The places of rows that have a counterpart, beside the values to compare."""
        # An Arrow join, because a hash table of pandas takes a text to end at its first NUL.
        keys = {str(place): name for place, name in enumerate(self.exists.key)}
        ours = {place: rows.column(name) for place, name in keys.items()}
        theirs = {place: self.theirs.column(name) for place, name in keys.items()}
        if self.exists.since is not None:
            ours[_OURS], theirs[_THEIRS] = (
                rows.column(self.exists.since[1]),
                self.theirs.column(self.exists.since[0]),
            )
        ours[_PLACE] = pa.array(np.arange(rows.num_rows))
        return pa.table(ours).join(pa.table(theirs), list(keys), join_type="inner", use_threads=False)
