"""Days of which the audit log holds more than was loaded: the job that looks for them, and the check of them.

Neither runs any. What the job found stands at the audit log's asset as an observation, where a sensor reads it
without a warehouse. The same look finds what waits for a run: it learns what commands, or runs elsewhere, changed.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import dagster as dg

from genie_assets.assets import AUDIT_LOG
from genie_assets.domain.day_loads import is_about_to_be_loaded
from genie_assets.domain.numbers import form, many
from genie_assets.domain.regions import unread_now
from genie_assets.domain.waiting import Wait, last_days
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.pipeline.day_loads import late_loads, later_than, loads_of
from genie_assets.pipeline.days_not_loaded import not_loaded
from genie_assets.pipeline.waiting import what_waits
from genie_assets.placement import Placement
from genie_assets.run_notes import (
    LATE_DAYS,
    WAITING,
    LateDay,
    late_days_of,
    noted_late_days,
    noted_regions,
    noted_time,
    noted_waits_of_days,
    time_of,
    waits_of_days,
)
from genie_assets.settings import load_settings
from genie_assets.showing import rows_table
from genie_assets.wiring import Clock

_SAMPLE = 20


class Look(NamedTuple):
    """What the latest look found, and when that was; at no time, if there was none.

    Attributes:
        at: The time, UTC.
        days: Late days.
        waits: What waited for a run, by day.
    """

    at: dt.datetime | None
    days: Mapping[dt.date, LateDay]
    waits: Mapping[dt.date, Wait] = MappingProxyType({})

    def since(self, day: dt.date) -> dt.datetime | None:
        """Since when a day is known to be late, UTC; None if the look did not find it late."""
        return self.days[day].since if day in self.days else None


def build_late_days(place: Placement, **options: Any) -> dg.JobDefinition:
    """The job."""

    @dg.op(
        out=dg.Out(dg.Nothing),
        description="Compare the log of the last days (GENIE_LOOKBACK_DAYS) with what their last loads saw of it.",
    )
    def find_late_days(
        context: dg.OpExecutionContext,
        genie_system_tables: dg.ResourceParam[SystemTables],
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetObservation | dg.Output[None]]:
        """Find them, with one statement to the audit log, and with another what waits for a run."""
        now, before = genie_clock.now(), latest_look(context.instance, place).days
        closed = closed_days(place, now)
        noted = {"noted": loads_of(closed)} if closed else {}
        looked_at = last_days(now, load_settings().genie_lookback_days)
        waits, answers = what_waits(genie_lake, now, looked_at, **noted)
        found = later_than(answers["noted"], closed, genie_system_tables) if closed else {}
        days = {day: LateDay(row["events_hash"], now) for day, row in sorted(found.items())}
        # Known since the first look that found it in this state.
        days = {day: before[day] if _is_known(before.get(day), late) else late for day, late in days.items()}
        metadata: dict[str, Any] = {
            "looked_at": noted_time(now),
            LATE_DAYS: noted_late_days(days),
            WAITING: noted_waits_of_days(waits),
        }
        yield dg.AssetObservation(
            asset_key=place.key(*AUDIT_LOG),
            description="Days that are not loaded as the log has them",
            metadata=metadata,
        )
        yield dg.Output(None, metadata={"days": len(days)})

    @dg.job(
        description="Which of the last days (GENIE_LOOKBACK_DAYS) were never loaded, or have late rows. The "
        "sensor load_late_days runs them.",
        **options,
    )
    def genie_late_days() -> None:
        """Find the days of which something is missing."""
        find_late_days()

    return genie_late_days


def build_every_day_is_loaded(place: Placement) -> Callable[..., dg.AssetCheckResult]:
    """The check that compares the log with what was loaded; it has to know which days there are."""

    def every_day_is_loaded(
        context: dg.AssetCheckExecutionContext,
        genie_system_tables: dg.ResourceParam[SystemTables],
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
    ) -> dg.AssetCheckResult:
        """Every day of GENIE_LOOKBACK_DAYS was loaded, and has no rows in the audit log that came since.

        And none before them was left out since days are loaded while they are new.
        """
        now, look = genie_clock.now(), latest_look(context.instance, place)
        # Of yesterday rows still come every hour.
        looked_at, lookback_days = closed_days(place, now)[1:], load_settings().genie_lookback_days
        late, too_old = not_loaded(looked_at, genie_system_tables, genie_lake, lookback_days)
        # GENIE_FIRST_DAY says which days nobody wants.
        too_old = [day for day in too_old if place.has_day(day, now)]
        found = [day for day in late if not is_about_to_be_loaded(look.at, look.since(day), now)]
        unread = unread_now(genie_system_tables.regions)
        beside = " ".join(filter(None, [_of_missing_rows(found), _of_skipped_days(too_old)]))
        return dg.AssetCheckResult(
            passed=not (found or too_old or unread),
            severity=dg.AssetCheckSeverity.WARN,
            description=" ".join(filter(None, [beside, _of_unread_logs(unread)])),
            metadata={
                "late_days": len(found),
                "days_too_old_to_be_loaded": len(too_old),
                "late_days_about_to_be_loaded": len(late) - len(found),
                **noted_regions(dict.fromkeys(unread, "Whether its log holds more is not known."), beside=beside),
            },
        )

    return every_day_is_loaded


def _of_missing_rows(days: Collection[dt.date]) -> str:
    if not days:
        return ""
    named = ", ".join(str(day) for day in sorted(days, reverse=True)[:_SAMPLE])
    more = f" and {len(days) - _SAMPLE} more" if len(days) > _SAMPLE else ""
    return (
        f"{many(len(days), 'day')} {form(len(days), 'was', 'were')} never loaded, or the audit log holds more by "
        f"now: {named}{more}. The schedule late_days_hourly and the sensor load_late_days load "
        f"{form(len(days), 'it', 'them')}, if both are on, and so does `genie-assets load --from DAY --to DAY`."
    )


def _of_skipped_days(days: Sequence[dt.date]) -> str:
    if not days:
        return ""
    named = ", ".join(map(str, days[:_SAMPLE]))
    more = f" and {len(days) - _SAMPLE} more" if len(days) > _SAMPLE else ""
    were, them = form(len(days), "was", "were"), form(len(days), "it", "them")
    return (
        f"{many(len(days), 'day')} before GENIE_LOOKBACK_DAYS {were} never loaded, though earlier ones were: "
        f"{named}{more}. Nothing loads {them} by itself any more: `genie-assets load --from {days[0]} "
        f"--to {days[-1]}` does; or let GENIE_FIRST_DAY begin behind {them}."
    )


def _of_unread_logs(unread: Collection[str]) -> str:
    if not unread:
        return ""
    return (
        f"The audit log of {_regions(unread)} cannot be read now: whether it holds more is not known. The check "
        "audit_is_fresh says why."
    )


def _regions(names: Collection[str]) -> str:
    return f"the {form(len(names), 'region', 'regions')} {', '.join(sorted(names))}"


def build_no_day_is_late(place: Placement) -> Callable[..., dg.AssetCheckResult]:
    """The check that goes by the days themselves: a freshness policy sees that some day was loaded, not which."""

    def no_day_is_late(
        genie_system_tables: dg.ResourceParam[SystemTables],
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
    ) -> dg.AssetCheckResult:
        """Yesterday and the days before it (GENIE_SETTLED_DAYS) were loaded since they ended."""
        now = genie_clock.now()
        days = closed_days(place, now)[: load_settings().genie_settled_days]
        late = late_loads(days, genie_lake, now, genie_system_tables.regions)
        rows = [(day, at or "never") for day, at in late.days.items()]
        without = [(day, region, at) for day, regions in late.unread.items() for region, at in regions.items()]
        tables = {"late": rows_table(["day", "last loaded (UTC)"], rows)} if rows else {}
        if without:
            tables["without"] = rows_table(["day", "region", "not read since (UTC)"], without)
        beside = _of_late_days(late.days) if rows else ""
        told = [beside, _of_unread_regions(late.unread) if without else ""]
        return dg.AssetCheckResult(
            passed=not (rows or without),
            severity=dg.AssetCheckSeverity.ERROR,
            description=" ".join(filter(None, told)),
            metadata={"late_days": len(rows), **tables, **noted_regions(_missed(late.unread), beside=beside)},
        )

    return no_day_is_late


def _of_late_days(late: Mapping[dt.date, dt.datetime | None]) -> str:
    named = ", ".join(str(day) for day in sorted(late, reverse=True))
    return (
        f"{len(late)} of the last days {form(len(late), 'was', 'were')} not loaded since the day's end: {named}. "
        "Other days may be loaded all the while. Are the daemon, and the schedules today_hourly and "
        "settled_days_daily, on? If runs of these days failed, the latest one says why."
    )


def _missed(unread: Mapping[dt.date, Mapping[str, dt.datetime]]) -> dict[str, str]:
    """Of each region that days were loaded without, which days."""
    days: dict[str, list[dt.date]] = {}
    for day, regions in unread.items():
        for region in regions:
            days.setdefault(region, []).append(day)
    return {name: f"Loaded without it: {', '.join(map(str, those))}." for name, those in days.items()}


def _of_unread_regions(unread: Mapping[dt.date, Mapping[str, dt.datetime]]) -> str:
    named = ", ".join(str(day) for day in unread)
    since = min(at for regions in unread.values() for at in regions.values())
    names = {region for regions in unread.values() for region in regions}
    return (
        f"{len(unread)} of the last days {form(len(unread), 'was', 'were')} loaded without {_regions(names)}: "
        f"{named}. The first time was {since:%Y-%m-%d %H:%M} UTC; what had been stored stays. The check "
        "audit_is_fresh says why. The schedule late_days_hourly and the sensor load_late_days load these days "
        "once all of it can be read."
    )


def closed_days(place: Placement, now: dt.datetime) -> list[dt.date]:
    """The days that are looked at: today changes all the time, and is loaded every hour anyway."""
    days = last_days(now, load_settings().genie_lookback_days)[1:]
    return [day for day in days if place.has_day(day, now)]


def latest_look(instance: dg.DagsterInstance, place: Placement) -> Look:
    """What the job found when it last ran."""
    for record in instance.fetch_observations(place.key(*AUDIT_LOG), limit=1).records:
        observed = record.event_log_entry.asset_observation
        metadata = observed.metadata if observed else {}
        looked_at = metadata.get("looked_at", metadata.get("at"))  # as versions before called it
        if LATE_DAYS in metadata and looked_at is not None:
            at = time_of(looked_at)
            waits = waits_of_days(metadata[WAITING].value) if WAITING in metadata else {}
            return Look(at, late_days_of(metadata[LATE_DAYS].value), waits)
    return Look(None, {})


def _is_known(before: LateDay | None, late: LateDay) -> bool:
    return before is not None and before.state == late.state
