"""The asset `reconciled_conversations` and its check: what the audit log lost is found by the API's lists."""

import datetime as dt
from collections import Counter
from typing import Any

import dagster as dg

from genie_assets.assets import EVERY_DAY, REST_API, asset_of
from genie_assets.domain.numbers import form, many
from genie_assets.domain.reconciliation import WALK_ALLOWED
from genie_assets.domain.tables import RECONCILED_CONVERSATIONS, RECONCILED_SPACES
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.pipeline.coverage import Coverage, Covered, coverage
from genie_assets.pipeline.day_inspection import row_counts
from genie_assets.pipeline.reconciliation import reconcile
from genie_assets.placement import Placement
from genie_assets.pool import GENIE_API_POOL
from genie_assets.reporting import reconciliation_metadata
from genie_assets.run_notes import noted_pace
from genie_assets.runs import known_pace, run_of
from genie_assets.settings import load_settings
from genie_assets.showing import counted, named_spaces, rows_table
from genie_assets.table_events import tell_of_tables
from genie_assets.wiring import Clock, RunBudget

NAME, JOB = "reconciled_conversations", "genie_reconciliation"
_SAMPLE = 20


def build_reconciliation(place: Placement) -> dg.AssetsDefinition:
    """The asset. It belongs to no day: what it enters is fetched by the runs of its days."""

    def reconciled_conversations(
        context: dg.AssetExecutionContext,
        genie_system_tables: dg.ResourceParam[SystemTables],
        genie_api: dg.ResourceParam[GenieApi],
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
        genie_budget: dg.ResourceParam[RunBudget],
    ) -> dg.MaterializeResult:
        """Walk the spaces' conversations for a few minutes; enter messages that the audit log never showed.

        So many parameters, because Dagster hands in every resource by its name.
        """
        genie_api.expect_pace(known_pace(context))
        report = reconcile(
            run_of(context, genie_clock, genie_budget),
            system_tables=genie_system_tables,
            genie=genie_api,
            lake=genie_lake,
            first_day=place.first_day,
            share=load_settings().genie_reconcile,
        )
        if report.requests:
            tell_of_tables(context, row_counts(genie_lake, [RECONCILED_SPACES]))
        return dg.MaterializeResult(
            metadata=reconciliation_metadata(report) | noted_pace(genie_api.settled_pace())
        )

    deps = [place.key("genie_space_details"), place.key(*REST_API)]
    return asset_of(
        reconciled_conversations,
        RECONCILED_CONVERSATIONS,
        place,
        deps,
        pool=GENIE_API_POOL,
        freshness_policy=EVERY_DAY,
    )


def is_done_for_the_day(instance: dg.DagsterInstance, place: Placement, day: dt.date) -> bool:
    """Whether the latest slice was of this UTC day, knew spaces, and found none due; no table is asked for it."""
    for event in instance.fetch_materializations(place.key(NAME), limit=1).records:
        made = event.asset_materialization
        told = {name: value.value for name, value in made.metadata.items()} if made else {}
        was_of = dt.datetime.fromtimestamp(event.timestamp, dt.UTC).date()
        return bool(told.get("spaces_known")) and told.get("spaces_due") == 0 and was_of == day
    return False


def spaces_are_reconciled(
    genie_lake: dg.ResourceParam[Lakehouse], genie_clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """Every space's conversations were compared with what is stored within ten days, and what lacked was read."""
    settings = load_settings()
    if not settings.genie_reconcile:
        return dg.AssetCheckResult(passed=True, description="", metadata={"switched_off": "GENIE_RECONCILE is 0"})
    found = coverage(genie_lake, genie_clock.now(), settings.genie_workspaces)
    failing = [each for each in found.spaces if not each.is_covered]
    return dg.AssetCheckResult(
        passed=not failing,
        severity=dg.AssetCheckSeverity.WARN,
        description=_told(found, failing) if failing else "",
        metadata={
            "spaces": len(found.spaces),
            **{
                title: sum(each.number(f"{name}_count") or 0 for each in found.spaces)
                for name, title in _SUMS.items()
            },
            "messages_unread": found.unread_days.total(),
            "refused_conversations": sum(each.number("refused_count") or 0 for each in found.spaces),
            "overdue_spaces": sum(each.is_overdue for each in found.spaces),
            "coverage": rows_table(_TITLES, map(_line, found.spaces[:_SAMPLE])),
        },
    )


_SUMS = {"message": "messages_shown_by_the_api", "stored": "messages_stored", "missing": "messages_missing"}
# As much as a check's page has room for, the long id last. Counted are messages.
_TITLES = ["title", "shown", "stored", "missing", "unread", "last whole walk", "space id"]


def _line(space: Covered) -> list[Any]:
    walked = space.row["walked_timestamp"] if space.row else None
    return [
        space.title,
        *(space.number(f"{name}_count") for name in _SUMS),
        space.unread,
        f"{walked:%Y-%m-%d %H:%M}" if walked else "never",
        space.key.space_id,
    ]


def _told(found: Coverage, failing: list[Covered]) -> str:
    names = named_spaces([(each.key, each.title) for each in failing])
    overdue = [each for each in failing if each.is_overdue]
    sentences = [
        f"{len(failing):,} of {many(len(found.spaces), 'space')} {form(len(failing), 'is', 'are')} not known to "
        f"be complete: {names}."
    ]
    if overdue:
        classes = Counter((each.row or {}).get("error_class") or "not asked" for each in overdue)
        sentences.append(
            f"{len(overdue):,} {form(len(overdue), 'was', 'were')} not walked within {WALK_ALLOWED.days} days: "
            f"{counted(classes)}. PERMISSION: grant CAN MANAGE; not asked: are the schedules "
            "reconciliation_nightly and reconciliation_weekly on?"
        )
    if refused := sum(each.number("failed_count") or 0 for each in failing):
        sentences.append(
            f"The messages of {many(refused, 'conversation')} could not be listed: reconciled_conversations says "
            "why; the next walk tries again."
        )
    if found.unread_days:
        days = counted({str(day): found.unread_days[day] for day in sorted(found.unread_days)})
        sentences.append(
            "Messages that only the API showed are neither stored nor in the ledger, a day after they were found: "
            f"{days}. Run these days again; the sensor continue_pending does so within GENIE_LOOKBACK_DAYS."
        )
    return " ".join(sentences)
