"""The note of a run that asked the API, written once it has fetched. Its numbers: `domain/fetch_runs`."""

import datetime as dt
from collections.abc import Iterable

from genie_assets.domain.fetch_runs import Asked, rows_of_run
from genie_assets.domain.tables import GENIE_FETCH_RUNS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.run import Run


def note_run(
    run: Run, began: dt.datetime, asked: Asked, places: Iterable[tuple[str, str, int]], lake: Lakehouse
) -> None:
    """Note what a run did; nothing is written if it had nothing to ask.

    Args:
        run: The run.
        began: When it began to fetch, UTC.
        asked: What it asked for.
        places: Workspace, place and number of the day's messages.
        lake: The tables.
    """
    columns = {
        "event_date": run.day,
        "run_id": run.id,
        "started_timestamp": began,
        "fetch_ms": round((run.clock() - began).total_seconds() * 1000),
        **run.stamp("fetch"),
    }
    lake.append(GENIE_FETCH_RUNS, GENIE_FETCH_RUNS.frame(rows_of_run(columns, asked, places)))
