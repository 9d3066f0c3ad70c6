"""The checks that every table has: no row is there twice. One step looks at all tables, and each has its verdict.

Those of a day share the inspection of the run with the other checks of the day; those of tables without days run
by themselves. Any of them may be run alone.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from genie_assets.domain.numbers import many
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.day_inspection import DayInspection, inspected
from genie_assets.pipeline.twins import OF_DAYS, OF_NO_DAY, Keys, standing_keys
from genie_assets.placement import Placement
from genie_assets.wiring import Clock

_OF_A_DAY, _OF_ALL_DAYS = "keys_are_unique", "no_key_is_twice"


def build_keys_are_unique(place: Placement) -> dg.AssetChecksDefinition:
    """The checks of the tables that lie by days."""
    description = "No row of the day is there twice; of messages and attachments on no other day either."

    @dg.multi_asset_check(
        name=_OF_A_DAY,
        specs=[
            dg.AssetCheckSpec(
                _OF_A_DAY, asset=place.table_key(table), description=description, partitions_def=place.days
            )
            for table in OF_DAYS
        ],
        can_subset=True,
    )
    def keys_are_unique(
        context: dg.AssetCheckExecutionContext,
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetCheckResult]:
        """No row of the day is there twice, in no table."""
        found = inspected_by(context, genie_lake, genie_clock)
        keys = {name: Keys(found.rows[name], too_many) for name, too_many in found.duplicates.items()}
        yield from _verdicts(context, place, OF_DAYS, keys)

    return keys_are_unique


def build_no_key_is_twice(place: Placement) -> dg.AssetChecksDefinition:
    """The checks of the tables that have no days."""
    description = "No row is there twice. The table has no days: all of it is looked at."

    @dg.multi_asset_check(
        name=_OF_ALL_DAYS,
        specs=[
            dg.AssetCheckSpec(_OF_ALL_DAYS, asset=place.table_key(table), description=description)
            for table in OF_NO_DAY
        ],
        can_subset=True,
    )
    def no_key_is_twice(
        context: dg.AssetCheckExecutionContext, genie_lake: dg.ResourceParam[Lakehouse]
    ) -> Iterator[dg.AssetCheckResult]:
        """No row is there twice in the tables that have no days: ledgers, spaces and what is known of days."""
        yield from _verdicts(context, place, OF_NO_DAY, standing_keys(genie_lake))

    return no_key_is_twice


def _verdicts(
    context: dg.AssetCheckExecutionContext, place: Placement, tables: Sequence[Table], found: Mapping[str, Keys]
) -> Iterator[dg.AssetCheckResult]:
    wanted = {key.asset_key: key.name for key in context.selected_asset_check_keys}
    for table in tables:
        if (key := place.table_key(table)) in wanted:
            keys = found[table.name]
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=wanted[key],
                passed=not keys.too_many,
                description=f"{many(keys.too_many, 'row')} too many in {table.name}. Something else wrote to the "
                "table: stop it, then delete the older copies."
                if keys.too_many
                else "",
                metadata={"rows": keys.rows, "rows_too_many": keys.too_many},
            )


def inspected_by(context: dg.AssetCheckExecutionContext, lake: Lakehouse, clock: Clock) -> DayInspection:
    """What all checks of a run go by, and what its last step tells of the tables: a warehouse is asked once."""
    day = dt.date.fromisoformat(context.partition_key)
    return inspected(day, lake, clock.now(), run_id=context.op_execution_context.run_id)
