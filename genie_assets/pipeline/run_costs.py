"""`genie_run_costs`: what runs noted of their costs, kept beyond the time for which Dagster keeps runs."""

from collections.abc import Sequence

from genie_assets.domain.keys import Row
from genie_assets.domain.tables import GENIE_RUN_COSTS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.run import Run


def keep_costs(run: Run, rows: Sequence[Row], lake: Lakehouse) -> None:
    """Store rows of days that are over; it does no harm if some are there already.

    Args:
        run: The run that stores them.
        rows: The rows, without the columns of the run that stores them.
        lake: The tables.
    """
    if rows:
        stamp = run.stamp("costs")
        lake.store(GENIE_RUN_COSTS, GENIE_RUN_COSTS.frame({**row, **stamp} for row in rows))
