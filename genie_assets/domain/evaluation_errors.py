"""Open errors of evaluations that nothing will ask about again, and how each has ended.

What is asked for, and so tries the others again, stands in `evaluations`.
"""

import datetime as dt
from collections.abc import Collection, Iterable

from genie_assets.domain import ledger
from genie_assets.domain.evaluations import RESULTS, RESULTS_ASKED_FOR
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.ledger import Resolution
from genie_assets.domain.messages import as_datetime
from genie_assets.domain.workspaces import is_looked_at


def of_trashed(errors: Iterable[Row], spaces: Iterable[Row], chosen: Collection[str]) -> list[Row]:
    """Errors of spaces that are in the trash: they ended as deleted. A space that comes back is asked anew.

    Args:
        errors: Open errors of `evaluation_fetch_errors`.
        spaces: Rows of `genie_space_details`.
        chosen: Workspaces that are looked at; none stands for all.
    """
    trashed = {SpaceKey.of(row) for row in spaces if row["is_trashed"]}
    return [row for row in errors if SpaceKey.of(row) in trashed and is_looked_at(row["workspace_id"], chosen)]


def end_of_results(error: Row, runs: Iterable[Row], now: dt.datetime) -> Resolution | None:
    """How the error of an evaluation's results has ended; None if they are still to be read.

    A run that died after it had stored the last of them could not end it.

    Args:
        error: An open error of `evaluation_fetch_errors`, of a space whose evaluations are listed.
        runs: Rows of `genie_evaluation_runs` that meet `may_lack_results`, of these spaces.
        now: The time, UTC.
    """
    if error["of_what"] != RESULTS:
        return None
    mine = [
        row for row in runs if row["eval_run_id"] == error["thing_id"] and SpaceKey.of(row) == SpaceKey.of(error)
    ]
    if all(row["results_kept_timestamp"] is not None for row in mine):
        return ledger.FETCHED
    created = as_datetime(mine[0]["created_timestamp"])
    return ledger.DELETED if created is not None and now - created > RESULTS_ASKED_FOR else None
