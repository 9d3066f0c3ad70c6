"""Which of the known spaces a run looks at."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.questions import Between, Equals, Filter
from genie_assets.domain.tables import GENIE_SPACE_DETAILS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.names import OF_A_SPACE


@dataclass(frozen=True)
class ChosenSpaces:
    """Which spaces are looked at.

    Attributes:
        only: These alone, as far as their workspaces are looked at; none stands for all.
        but_read_since: Those that were read whole since then count as looked at: they are not read again.
    """

    only: Collection[SpaceKey] = ()
    but_read_since: dt.datetime | None = None


def read_since(
    since: dt.datetime | None, spaces: Collection[SpaceKey], lake: Lakehouse
) -> dict[SpaceKey, str | None]:
    """Of these spaces, those whose configuration was found new or changed since then, with their titles."""
    if since is None:
        return {}
    whole: list[Filter] = [Between("ingestion_timestamp", since), Equals("api_fetch_status", "SUCCESS")]
    rows = lake.records(GENIE_SPACE_DETAILS, columns=OF_A_SPACE, where=whole)
    return {key: row["title"] for row in rows if (key := SpaceKey.of(row)) in spaces}
