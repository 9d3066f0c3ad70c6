"""How a row is found: by which columns, in which days, and by which column most files are left alone.

What is refused when rows are not what they should be belongs to `refusals`.
"""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.questions import Exists
from genie_assets.domain.tables import Column, Table
from genie_assets.gateways.lakehouse.frames import known_column


def identity_of(table: Table) -> list[str]:
    """Columns that find a row: the key, and the partition in which it lies."""
    partition = [table.partitioned_by] if table.partitioned_by and table.partitioned_by not in table.key else []
    return [*table.key, *partition]


def days_of(table: Table, *sources: pa.Table) -> frozenset[date] | None:
    """The partitions in which rows lie; None if the table has none."""
    if table.partitioned_by is None:
        return None
    return frozenset(day for rows in sources for day in pc.unique(rows[table.partitioned_by]).to_pylist())


def telling_column(table: Table) -> Column | None:
    """The column by whose values most files are left alone: the last text of the key that is never NULL.

    The last part of a key tells most, and ids rise with time; of a history it is the thing's. None if the key has
    no such text.
    """
    names = table.key if table.course is None else table.course.of
    columns = [known_column(table, name) for name in names]
    texts = [column for column in columns if column.type == "STRING" and not column.nullable]
    return texts[-1] if texts else None


def telling_name(exists: Exists) -> str:
    """The column by whose values most rows without a counterpart are left alone: the last part of the key."""
    return exists.key[-1]
