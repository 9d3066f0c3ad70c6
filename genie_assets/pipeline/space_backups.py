"""Which spaces are not backed up, and since when, by what is stored. The rule stands in `domain.inventory`."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from genie_assets.domain.inventory import failing_since
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.questions import Equals
from genie_assets.domain.tables import GENIE_SPACE_DETAILS, SPACE_FETCH_ERRORS
from genie_assets.domain.workspaces import is_looked_at
from genie_assets.gateways.lakehouse.interface import Lakehouse

_ASKED = ("workspace_id", "space_id", "title", "is_trashed", "config_hash", "api_fetch_status")
_TIMES = ("first_seen_timestamp", "last_seen_timestamp")


@dataclass(frozen=True)
class NotBackedUp:
    """A space that is not backed up: what its last look said, and since when it is so."""

    key: SpaceKey
    title: str | None
    status: str | None
    since: dt.datetime


def not_backed_up(lake: Lakehouse, now: dt.datetime, chosen: Collection[str] = ()) -> list[NotBackedUp]:
    """The known spaces that were not backed up for too long, the longest first.

    Args:
        lake: The tables.
        now: The time, UTC.
        chosen: Workspaces that are looked at; none stands for all.
    """
    columns = ["workspace_id", "space_id", "first_error_timestamp"]
    errors = lake.records(SPACE_FETCH_ERRORS, columns=columns, where=[Equals("resolved", False)])
    first = {SpaceKey.of(row): row["first_error_timestamp"] for row in errors}
    found = []
    for row in lake.records(GENIE_SPACE_DETAILS, columns=[*_ASKED, *_TIMES]):
        since = failing_since(row, first.get(SpaceKey.of(row)), now)
        if since is not None and is_looked_at(row["workspace_id"], chosen):
            found.append(NotBackedUp(SpaceKey.of(row), row["title"], row["api_fetch_status"], since))
    return sorted(found, key=lambda each: (each.since, each.key))
