"""The checks: per day, that enough could be read and nothing is lost; daily, what is broken now."""

import datetime as dt

import dagster as dg

from genie_assets.assets import audit_messages, enriched_message_details, genie_api_messages
from genie_assets.domain.health import Verdict, judge_rate
from genie_assets.gateways.lakehouse import Lakehouse
from genie_assets.gateways.system_tables import SystemTables
from genie_assets.partitions import CREATED_DATE
from genie_assets.pipeline.inspection import (
    day_state,
    duplicate_keys,
    enrichment_states,
    open_errors,
    outdated_errors,
)
from genie_assets.reporting import counts_table
from genie_assets.resources import Clock

# Audit rows usually arrive within the hour; a log that is this far behind has stopped.
AUDIT_LAG_ALLOWED = dt.timedelta(hours=6)
_SAMPLE = 20


@dg.asset_check(asset=genie_api_messages, partitions_def=CREATED_DATE)
def api_success_rate(
    context: dg.AssetCheckExecutionContext, lake: dg.ResourceParam[Lakehouse]
) -> dg.AssetCheckResult:
    """Share of the day's messages that the API lets us read, per workspace; chance failures do not flap."""
    rates = day_state(_day(context), lake).rates()
    verdicts = {workspace_id: judge_rate(*rate) for workspace_id, rate in rates.items()}
    readable, asked = (sum(rate[part] for rate in rates.values()) for part in (0, 1))
    worst = max(verdicts.values(), key=list(Verdict).index, default=Verdict.PASS)
    lines = ["| workspace_id | readable | asked for | verdict |", "| --- | ---: | ---: | --- |"]
    lines += [f"| {w} | {rates[w][0]} | {rates[w][1]} | {verdict} |" for w, verdict in verdicts.items()]
    metadata: dict[str, dg.MetadataValue | float] = {
        "asked_for": asked,
        "workspaces": dg.MetadataValue.md("\n".join(lines)),
    }
    if asked:
        metadata["success_rate"] = readable / asked
    return dg.AssetCheckResult(
        passed=worst is Verdict.PASS,
        severity=dg.AssetCheckSeverity.WARN if worst is Verdict.WARN else dg.AssetCheckSeverity.ERROR,
        metadata=metadata,
    )


@dg.asset_check(asset=enriched_message_details, partitions_def=CREATED_DATE)
def nothing_is_lost(
    context: dg.AssetCheckExecutionContext, lake: dg.ResourceParam[Lakehouse]
) -> dg.AssetCheckResult:
    """Every message of the day's audit events is stored, open as an error, known deleted or pending; exactly."""
    day = _day(context)
    accounting = day_state(day, lake).accounting(pending=_pending(context.instance, day))
    return dg.AssetCheckResult(
        passed=accounting.lost == 0,
        description="" if accounting.lost == 0 else f"{accounting.lost} messages are unaccounted for.",
        metadata={**accounting.__dict__, "lost": accounting.lost},
    )


@dg.asset_check(asset=genie_api_messages, partitions_def=CREATED_DATE)
def ledger_is_true(
    context: dg.AssetCheckExecutionContext, lake: dg.ResourceParam[Lakehouse]
) -> dg.AssetCheckResult:
    """No open error of the day stands against a message that was read since."""
    outdated = outdated_errors(_day(context), lake)
    return dg.AssetCheckResult(passed=not outdated, metadata={"outdated": len(outdated)})


@dg.asset_check(asset=enriched_message_details, partitions_def=CREATED_DATE)
def keys_are_unique(
    context: dg.AssetCheckExecutionContext, lake: dg.ResourceParam[Lakehouse]
) -> dg.AssetCheckResult:
    """No message of the day, and no attachment, is stored twice, on whichever day."""
    duplicates = duplicate_keys(_day(context), lake)
    return dg.AssetCheckResult(passed=not any(duplicates.values()), metadata=duplicates)


@dg.asset_check(asset=enriched_message_details, partitions_def=CREATED_DATE)
def enrichment_coverage(
    context: dg.AssetCheckExecutionContext, lake: dg.ResourceParam[Lakehouse]
) -> dg.AssetCheckResult:
    """Nearly all statements of the day were found in query history before the time limit."""
    states = enrichment_states(_day(context), lake)
    verdict = judge_rate(states["COMPLETE"], states["COMPLETE"] + states["EXPIRED"])
    return dg.AssetCheckResult(
        passed=verdict is Verdict.PASS,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"expired": states["EXPIRED"], "states": counts_table("enrichment_status", states)},
    )


_WHAT_TO_DO = (
    "Open errors are tried again by the sensor retry_open_errors. PERMISSION waits for CAN MANAGE on the space; "
    "parked ones wait for `genie-assets errors requeue`."
)


@dg.asset_check(asset=genie_api_messages)
def no_open_errors_left(lake: dg.ResourceParam[Lakehouse]) -> dg.AssetCheckResult:
    """What cannot be read now, over all days."""
    errors = open_errors(lake, sample=_SAMPLE)
    lines = ["| day | workspace_id | message_id | class | next attempt |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {e.event_date} | {e.workspace_id} | `{e.message_id}` | {e.error_class} | {e.next_retry or 'none'} |"
        for e in errors.sample
    ]
    return dg.AssetCheckResult(
        passed=not errors.total,
        severity=dg.AssetCheckSeverity.ERROR if errors.parked else dg.AssetCheckSeverity.WARN,
        description=_WHAT_TO_DO if errors.total else "",
        metadata={
            "open": errors.total,
            "parked": errors.parked,
            "classes": counts_table("error class", errors.by_class),
            "sample": dg.MetadataValue.md("\n".join(lines)),
        },
    )


@dg.asset_check(asset=audit_messages)
def audit_is_fresh(
    system_tables: dg.ResourceParam[SystemTables], clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """The audit log still grows: its newest event of any service is not long past."""
    now = clock.now()
    newest = system_tables.latest_audit_event(since=(now - dt.timedelta(days=2)).date())
    if newest is None:
        return dg.AssetCheckResult(passed=False, description="The audit log shows no event of the last two days.")
    lag = now - newest
    return dg.AssetCheckResult(
        passed=lag <= AUDIT_LAG_ALLOWED,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"newest_event": newest.timestamp(), "lag_minutes": round(lag.total_seconds() / 60, 1)},
    )


def _day(context: dg.AssetCheckExecutionContext) -> dt.date:
    return dt.date.fromisoformat(context.partition_key)


def _pending(instance: dg.DagsterInstance, day: dt.date) -> int:
    """What the day's latest fetch said it left for the next one."""
    fetches = instance.fetch_materializations(
        dg.AssetRecordsFilter(genie_api_messages.key, asset_partitions=[day.isoformat()]), limit=1
    )
    for record in fetches.records:
        materialization = record.asset_materialization
        pending = materialization.metadata.get("pending") if materialization else None
        return int(str(pending.value)) if pending is not None else 0
    return 0


DAILY_CHECKS = [api_success_rate, ledger_is_true, nothing_is_lost, keys_are_unique, enrichment_coverage]
STANDING_CHECKS = [no_open_errors_left, audit_is_fresh]
