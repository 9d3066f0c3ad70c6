"""Where a deployment puts this code location: asset keys, group, owners, days, time limit.

What is called by name everywhere (jobs, schedules, sensors, checks, the pool) is not placed; it keeps its name.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from genie_assets.domain.tables import Table
from genie_assets.partitions import utc_days
from genie_assets.settings import Settings, SettingsError

OWNERS = ("team:data-platform",)
# The tables that are called otherwise than the asset that makes them.
_ASSETS = {
    "genie_messages_to_fetch": "audit_messages",
    "message_details": "enriched_message_details",
}
# Genie's first public preview began later: an earlier day is a slip of the pen, and thousands of empty partitions.
_EARLIEST = dt.date(2023, 1, 1)


def asset_of(table: Table) -> str:
    """The last part of the key of the asset that stands for a table."""
    return _ASSETS.get(table.name, table.name)


@dataclass(frozen=True)
class Placement:
    """How the assets are called, whose they are, and which days they have."""

    key_prefix: tuple[str, ...] = ()
    group: str | None = None
    owners: tuple[str, ...] = OWNERS
    first_day: dt.date = dt.date(2025, 1, 1)
    run_minutes: float = 50.0

    def key(self, *path: str) -> dg.AssetKey:
        """The key of one of our assets, or of a source of theirs."""
        return dg.AssetKey([*self.key_prefix, *path])

    def table_key(self, table: Table) -> dg.AssetKey:
        """The key of the asset that stands for a table."""
        return self.key(asset_of(table))

    @cached_property
    def days(self) -> dg.DailyPartitionsDefinition:
        """The partitions."""
        return utc_days(self.first_day)

    def has_day(self, day: dt.date, now: dt.datetime) -> bool:
        """Whether a day is a partition at a time, UTC."""
        return self.first_day <= day <= now.date()

    @property
    def longest_run(self) -> int:
        """Seconds after which a run of ours is ended from outside.

        A run stops asking by itself after GENIE_RUN_MINUTES. It may have waited as long for another one at the
        pool, and has an hour for all else.
        """
        return round(2 * self.run_minutes * 60) + 3600


def placed(
    settings: Settings,
    *,
    today: dt.date,
    key_prefix: str | Sequence[str] = (),
    owners: Sequence[str] | None = None,
    group: str | None = None,
) -> Placement:
    """The placement that the settings and the arguments of `build_defs` say.

    Raises:
        SettingsError: GENIE_FIRST_DAY is no day that could be the first.
    """
    first_day = settings.genie_first_day
    # One day of grace: clocks differ.
    if not _EARLIEST <= first_day <= today + dt.timedelta(days=1):
        raise SettingsError(
            f"GENIE_FIRST_DAY is {first_day}, but the first day that can be loaded lies between {_EARLIEST} and "
            "today: set it to the day from which on you want messages (system tables keep a year)."
        )
    parts = key_prefix.split("/") if isinstance(key_prefix, str) else key_prefix
    return Placement(
        key_prefix=tuple(part for part in parts if part),
        group=group,
        owners=tuple(owners) if owners is not None else OWNERS,
        first_day=first_day,
        run_minutes=settings.genie_run_minutes,
    )
