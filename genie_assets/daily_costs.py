"""The asset `genie_run_costs`: what runs of whole days cost, from their tags into a table, once a day."""

import datetime as dt

import dagster as dg

from genie_assets.assets import EVERY_DAY, asset_of
from genie_assets.domain.run_costs import rows_of_run
from genie_assets.domain.tables import GENIE_RUN_COSTS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.meanings import explained
from genie_assets.pipeline.run_costs import keep_costs
from genie_assets.placement import Placement
from genie_assets.run_costs import noted_of_day
from genie_assets.runs import latest_metadata, run_of
from genie_assets.wiring import Clock

NAME, JOB = "genie_run_costs", "genie_costs"
_STORED_UNTIL = "stored_until"
# Runs that are older are deleted by maintenance.
_LOOKED_BACK_DAYS = 30


def genie_run_costs(
    context: dg.AssetExecutionContext,
    genie_lake: dg.ResourceParam[Lakehouse],
    genie_clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """Store what the runs of the whole days since the last time noted of their costs."""
    run = run_of(context, genie_clock)
    days = _days_since(_stored_until(context), run.day)
    found = {day: noted_of_day(context.instance, day) for day in days}
    rows = [
        row
        for day, runs in found.items()
        for each, costs in runs
        for row in rows_of_run({"cost_date": day, "run_id": each.run_id[:8], "job_name": each.job_name}, costs)
    ]
    keep_costs(run, rows, genie_lake)
    numbers = {"days": len(days), "runs": sum(map(len, found.values())), "rows": len(rows)}
    until = dg.MetadataValue.text(str(run.day - dt.timedelta(days=1)))
    return dg.MaterializeResult(metadata=explained(NAME, {**numbers, _STORED_UNTIL: until}))


def _days_since(stored: dt.date | None, today: dt.date) -> list[dt.date]:
    """The whole days after that one, up to yesterday; as far back as runs are kept if none is stored."""
    back = _LOOKED_BACK_DAYS if stored is None else min((today - stored).days - 1, _LOOKED_BACK_DAYS)
    return [today - dt.timedelta(days=each) for each in range(back, 0, -1)]


def _stored_until(context: dg.AssetExecutionContext) -> dt.date | None:
    """What the latest run of the asset told; that is said after its rows are stored."""
    told = latest_metadata(context.instance, dg.AssetRecordsFilter(context.asset_key)).get(_STORED_UNTIL)
    return dt.date.fromisoformat(str(told.value)) if told else None


def build_costs(place: Placement) -> dg.AssetsDefinition:
    """The asset. It reads no table: the runs of all others stand before it in Dagster."""
    return asset_of(genie_run_costs, GENIE_RUN_COSTS, place, [], freshness_policy=EVERY_DAY)
