"""The checks: per day, that enough could be read and nothing is lost; daily, what is broken now.

A failed check says in its description what is wrong, of what and how much, and what to do: whoever sees it has no
other page open. The standing checks belong to assets that no run of a day makes, or a backfill of the assets would
run them once per day.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg

from genie_assets.assets import AUDIT_LOG
from genie_assets.budget_check import budget_is_kept
from genie_assets.domain.advice import advice
from genie_assets.domain.executions import HISTORY_TIME_LIMIT, EnrichmentStatus
from genie_assets.domain.health import ERROR_BELOW, WARN_BELOW, RateVerdict, judge_rate, wilson_upper
from genie_assets.domain.numbers import form, many
from genie_assets.domain.regions import unread_now
from genie_assets.domain.tables import (
    GENIE_DAY_LOADS,
    GENIE_RUN_COSTS,
    GENIE_SPACE_PERMISSIONS,
    MESSAGE_FETCH_ERRORS,
    RECONCILED_SPACES,
    SPACE_FETCH_ERRORS,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.late_days import build_every_day_is_loaded, build_no_day_is_late
from genie_assets.ledger_checks import build_ledger_is_clear
from genie_assets.pipeline.inspection import (
    OpenErrors,
    Unreadable,
    open_errors,
    unreadable,
)
from genie_assets.pipeline.left_out import left_out
from genie_assets.pipeline.waiting import lost_lately
from genie_assets.placement import Placement
from genie_assets.reconciliation import spaces_are_reconciled
from genie_assets.run_notes import noted_causes, noted_regions
from genie_assets.settings import load_settings
from genie_assets.showing import counted, counts_table, rows_table, shown
from genie_assets.space_checks import no_access_was_widened, spaces_are_backed_up
from genie_assets.table_checks import build_keys_are_unique, build_no_key_is_twice, inspected_by
from genie_assets.wiring import Clock

# Audit rows usually arrive within the hour; a log that is this far behind has stopped.
AUDIT_LAG_ALLOWED = dt.timedelta(hours=6)
_SAMPLE = 20
_MOST_WORKSPACES, _MOST_CLASSES = 5, 20


def api_success_rate(
    context: dg.AssetCheckExecutionContext,
    genie_lake: dg.ResourceParam[Lakehouse],
    genie_clock: dg.ResourceParam[Clock],
) -> dg.AssetCheckResult:
    """Share of the day's messages that the API lets us read, per workspace; chance failures do not flap."""
    day = _day(context)
    found = inspected_by(context, genie_lake, genie_clock).state.rates()
    worst_first = sorted(found.items(), key=lambda item: _share(*item[1]))
    rates, verdicts = dict(worst_first), {each: judge_rate(*rate) for each, rate in worst_first}
    failing = [each for each in rates if verdicts[each] is not RateVerdict.PASS]
    details = unreadable(day, genie_lake, failing) if failing else {}
    readable, asked = (sum(rate[part] for rate in rates.values()) for part in (0, 1))
    worst = max(verdicts.values(), key=list(RateVerdict).index, default=RateVerdict.PASS)
    rows = [(each, *rates[each], verdicts[each]) for each in rates]
    metadata: dict[str, Any] = {
        "messages_asked_for": asked,
        "workspaces": rows_table(["workspace id", "readable", "asked for", "verdict"], rows),
    }
    if asked:
        metadata["success_rate"] = round(readable / asked, 4)
    if failing:
        by_class = sum((Counter(each.by_class) for each in details.values()), Counter[str]())
        metadata |= noted_causes(by_class)
    return dg.AssetCheckResult(
        passed=worst is RateVerdict.PASS,
        severity=dg.AssetCheckSeverity.WARN if worst is RateVerdict.WARN else dg.AssetCheckSeverity.ERROR,
        description=_of_rates({each: rates[each] for each in failing}, details, day),
        metadata=metadata,
    )


def _share(readable: int, asked: int) -> float:
    return readable / asked


def _of_rates(rates: Mapping[str, tuple[int, int]], details: Mapping[str, Unreadable], day: dt.date) -> str:
    """Every workspace that fails, the worst first: how many of how many, why, where, and what to do about it."""
    paragraphs = [
        f"Workspace {shown(details[each].workspace_name or 'without a name')} ({shown(each)}): "
        f"{asked - readable:,} of {many(asked, 'message')} touched on {day} cannot be read. "
        f"{readable / asked:.1%} can, with the benefit of doubt {wilson_upper(readable, asked):.1%}; the check "
        f"warns under {WARN_BELOW:.0%} and fails under {ERROR_BELOW:.0%}. By class: "
        f"{counted(details[each].by_class)}. By space: {counted(details[each].by_space)}."
        for each, (readable, asked) in list(rates.items())[:_MOST_WORKSPACES]
    ]
    if len(rates) > _MOST_WORKSPACES:
        paragraphs.append(f"{many(len(rates) - _MOST_WORKSPACES, 'more workspace')}: see the table.")
    classes = {name for each in details.values() for name in each.by_class}
    return "\n\n".join(paragraphs + _what_to_do(classes))


def _what_to_do(classes: set[str]) -> list[str]:
    return [f"{shown(name)}: {advice(name)}" for name in sorted(classes)[:_MOST_CLASSES]]


def nothing_is_lost(
    context: dg.AssetCheckExecutionContext,
    genie_lake: dg.ResourceParam[Lakehouse],
    genie_clock: dg.ResourceParam[Clock],
) -> dg.AssetCheckResult:
    """Every message of the day's audit events is stored, open as an error, known deleted, or pending for a day."""
    day = _day(context)
    accounting = inspected_by(context, genie_lake, genie_clock).state.accounting()
    return dg.AssetCheckResult(
        passed=accounting.lost == 0,
        description=""
        if accounting.lost == 0
        else f"{accounting.lost:,} of {many(accounting.discovered, 'message')} of {day} "
        f"{form(accounting.lost, 'is', 'are')} unaccounted for: run the "
        "day again; a run that died between two tables is healed that way.",
        metadata=_in_messages({**asdict(accounting), "lost": accounting.lost}),
    )


def _in_messages(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts under names that say what is counted: a plot has no other title."""
    named = {"open_errors": "with_an_open_error", "closed": "closed_by_hand"}
    return {f"messages_{named.get(name, name)}": count for name, count in counts.items()}


def ledger_is_true(
    context: dg.AssetCheckExecutionContext,
    genie_lake: dg.ResourceParam[Lakehouse],
    genie_clock: dg.ResourceParam[Clock],
) -> dg.AssetCheckResult:
    """No open error of the day stands against a message that was read since."""
    outdated = inspected_by(context, genie_lake, genie_clock).outdated
    return dg.AssetCheckResult(
        passed=not outdated,
        description=f"{many(outdated, 'error')} {form(outdated, 'is', 'are')} open though what failed was read "
        "since: run the day again; a run that died before it wrote the ledger is healed that way."
        if outdated
        else "",
        metadata={"outdated_errors": outdated},
    )


def enrichment_coverage(
    context: dg.AssetCheckExecutionContext,
    genie_lake: dg.ResourceParam[Lakehouse],
    genie_clock: dg.ResourceParam[Clock],
) -> dg.AssetCheckResult:
    """Nearly all statements of the day were found in query history before the time limit."""
    states = inspected_by(context, genie_lake, genie_clock).enrichment
    complete, expired = (states.get(each, 0) for each in (EnrichmentStatus.COMPLETE, EnrichmentStatus.EXPIRED))
    day_ended = dt.datetime.combine(_day(context), dt.time.max, dt.UTC)
    is_late = genie_clock.now() >= day_ended + HISTORY_TIME_LIMIT
    missing = expired + (states.get(EnrichmentStatus.PENDING, 0) if is_late else 0)
    passed = judge_rate(complete, complete + missing) is RateVerdict.PASS
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=""
        if passed
        else f"The statements of {missing:,} of {many(complete + missing, 'message')} never came to "
        "system.query.history, or it could not be read: look at the grant on it, and whether the warehouses that "
        "Genie uses are in this region, or in one of GENIE_REGIONS.",
        metadata={"messages_expired": expired, **counts_table("states", states)},
    )


def no_open_errors_left(genie_lake: dg.ResourceParam[Lakehouse]) -> dg.AssetCheckResult:
    """What cannot be read now, over all days."""
    errors = open_errors(genie_lake, sample=_SAMPLE)
    rows = [(e.event_date, e.workspace_id, e.message_id, e.error_class, e.next_retry) for e in errors.sample]
    return dg.AssetCheckResult(
        passed=not errors.total,
        severity=dg.AssetCheckSeverity.ERROR if errors.parked else dg.AssetCheckSeverity.WARN,
        description=_of_errors(errors) if errors.total else "",
        metadata={
            "open_errors": errors.total,
            "parked_errors": errors.parked,
            **noted_causes(errors.by_class),
            "sample": rows_table(["day", "workspace id", "message id", "class", "next attempt"], rows),
        },
    )


def _of_errors(errors: OpenErrors) -> str:
    are = form(errors.parked, "is", "are")
    parked = (
        f" {errors.parked:,} of them {are} parked: no further attempt is made by itself." if errors.parked else ""
    )
    first = f"{many(errors.total, 'message')} cannot be read: {counted(errors.by_class)}.{parked}"
    return "\n\n".join([first, *_what_to_do(set(errors.by_class))])


def every_stored_day_is_a_partition(
    genie_lake: dg.ResourceParam[Lakehouse], genie_clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """No loaded day, and no open error, lies before the first partition (GENIE_FIRST_DAY) or after the last."""
    first_day, today = load_settings().genie_first_day, genie_clock.now().date()
    found = left_out(genie_lake, first_day=first_day, today=today)
    return dg.AssetCheckResult(
        passed=found.problem is None,
        # An error that nobody retries is worse than a day that nobody looks at again.
        severity=dg.AssetCheckSeverity.ERROR if found.open_errors else dg.AssetCheckSeverity.WARN,
        description=found.problem or "",
        metadata={"messages_left_out": found.messages.total(), "errors_left_out": found.open_errors.total()},
    )


def no_message_is_lost(
    genie_lake: dg.ResourceParam[Lakehouse], genie_clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """No message of GENIE_LOOKBACK_DAYS, or of days loaded since then, is without a trace after a day."""
    now = genie_clock.now()
    found = lost_lately(genie_lake, now, load_settings().genie_lookback_days)
    return dg.AssetCheckResult(
        passed=not found,
        description=f"{many(found.total(), 'message')} {form(found.total(), 'is', 'are')} neither stored nor in "
        "the ledger, a day after the audit log showed as much: "
        f"{counted({str(day): found[day] for day in sorted(found)})}. Run these days again. For days of "
        "GENIE_LOOKBACK_DAYS the sensor continue_pending does so by itself if it is on; if their runs fail, the "
        "latest one says why."
        if found
        else "",
        metadata={"messages_lost": found.total()},
    )


def audit_is_fresh(
    genie_system_tables: dg.ResourceParam[SystemTables], genie_clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """The audit log still grows: its newest event of any service is not long past."""
    now = genie_clock.now()
    since = (now - dt.timedelta(days=2)).date()
    if genie_system_tables.regions:
        newest_events = genie_system_tables.latest_audit_events(since=since)
        return _every_region_is_fresh(newest_events, genie_system_tables.regions, now)
    newest = genie_system_tables.latest_audit_event(since=since)
    lag = now - newest if newest else None
    if lag is not None and lag <= AUDIT_LAG_ALLOWED:
        description = ""
    else:
        found = f"The newest event of the audit log is of {newest:%Y-%m-%d %H:%M} UTC" if newest else _NO_EVENT
        description = (
            f"{found}: look at the grant on system.access.audit. If it is right, Databricks is late: loading "
        )
        description += "the days again later picks everything up."
    return dg.AssetCheckResult(
        passed=not description,
        severity=dg.AssetCheckSeverity.WARN if newest else dg.AssetCheckSeverity.ERROR,
        description=description,
        metadata={
            "newest_event": dg.MetadataValue.timestamp(newest),
            "lag_minutes": round(lag.total_seconds() / 60, 1),
        }
        if newest and lag is not None
        else {},
    )


def _every_region_is_fresh(
    newest: Mapping[str, dt.datetime | None], regions: Mapping[str, str | None], now: dt.datetime
) -> dg.AssetCheckResult:
    """The same for each region by itself: that others grow says nothing of one that is silent, or out of reach."""
    problems = {region: _of_a_region(newest.get(region), regions[region], now) for region in regions}
    told = {region: f"Region {region}: {problem}" for region, problem in problems.items() if problem}
    away = {region: f"{problems[region][:1].upper()}{problems[region][1:]}" for region in unread_now(regions)}
    beside = "\n\n".join(text for region, text in told.items() if region not in away)
    silent = [region for region in regions if newest.get(region) is None]
    rows = [(region, newest.get(region) or "none", "no" if regions[region] else "yes") for region in regions]
    return dg.AssetCheckResult(
        passed=not told,
        severity=dg.AssetCheckSeverity.ERROR if silent else dg.AssetCheckSeverity.WARN,
        description="\n\n".join(told.values()),
        metadata={
            "regions": rows_table(["region", "newest event (UTC)", "can be read"], rows),
            **noted_regions(away, beside=beside),
        },
    )


def _of_a_region(newest: dt.datetime | None, unread: str | None, now: dt.datetime) -> str:
    if unread:
        return (
            f"its audit log cannot be read: {shown(unread, at_most=1_000)} What is stored of it stays, and its "
            "days are loaded again once it can be."
        )
    if newest is None:
        return f"{_NO_EVENT[0].lower()}{_NO_EVENT[1:]}: look at the grant on system.access.audit there."
    if now - newest <= AUDIT_LAG_ALLOWED:
        return ""
    return (
        f"the newest event of the audit log is of {newest:%Y-%m-%d %H:%M} UTC: look at the grant on "
        "system.access.audit there. If it is right, Databricks is late: loading the days again later picks "
        "everything up."
    )


_NO_EVENT = "The audit log shows no event of the last two days"


def _day(context: dg.AssetCheckExecutionContext) -> dt.date:
    return dt.date.fromisoformat(context.partition_key)


def build_daily_checks(place: Placement) -> list[dg.AssetChecksDefinition]:
    """The checks of a day; each belongs to an asset that a run of the day makes."""
    of_fetched, of_folded = (api_success_rate, ledger_is_true), (nothing_is_lost, enrichment_coverage)
    on = {"genie_api_messages": of_fetched, "enriched_message_details": of_folded}
    checks = [
        dg.asset_check(asset=place.key(name), partitions_def=place.days)(body)
        for name, bodies in on.items()
        for body in bodies
    ]
    return [*checks, build_keys_are_unique(place)]


def build_standing_checks(place: Placement) -> list[dg.AssetChecksDefinition]:
    """The checks of all days together."""
    ledger = place.table_key(MESSAGE_FETCH_ERRORS)
    return [
        dg.asset_check(asset=ledger)(no_open_errors_left),
        dg.asset_check(asset=ledger)(no_message_is_lost),
        build_no_key_is_twice(place),
        build_ledger_is_clear(place),
        dg.asset_check(asset=ledger)(every_stored_day_is_a_partition),
        dg.asset_check(asset=place.table_key(SPACE_FETCH_ERRORS))(spaces_are_backed_up),
        dg.asset_check(asset=place.table_key(GENIE_SPACE_PERMISSIONS))(no_access_was_widened),
        dg.asset_check(asset=place.table_key(RECONCILED_SPACES))(spaces_are_reconciled),
        dg.asset_check(asset=place.key(*AUDIT_LOG))(audit_is_fresh),
        dg.asset_check(asset=place.key(*AUDIT_LOG))(build_every_day_is_loaded(place)),
        dg.asset_check(asset=place.table_key(GENIE_RUN_COSTS))(budget_is_kept),
        dg.asset_check(asset=place.table_key(GENIE_DAY_LOADS))(build_no_day_is_late(place)),
    ]
