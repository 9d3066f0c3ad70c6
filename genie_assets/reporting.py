"""What the Dagster UI shows of a run: numbers that plot per partition, small tables, sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from genie_assets.domain.markdown import markdown_table
from genie_assets.meanings import MEANINGS, explained
from genie_assets.pipeline.audit_messages import Discovery
from genie_assets.pipeline.day_inspection import AnswersOfDay
from genie_assets.pipeline.enriched_message_details import FoldReport
from genie_assets.pipeline.fetch_report import FetchReport
from genie_assets.pipeline.genie_evaluation_runs import EvaluationsReport
from genie_assets.pipeline.genie_space_details import SpacesReport
from genie_assets.pipeline.maintenance import TableMaintenance
from genie_assets.pipeline.things import Tally
from genie_assets.pipeline.walked_conversations import ReconciliationReport
from genie_assets.pipeline.whole_lists import ListsReport
from genie_assets.run_notes import WAITING, noted_changed_spaces, noted_waits_of_days
from genie_assets.showing import counts_table, rows_table, shown, spaces_table


def discovery_metadata(found: Discovery) -> dict[str, Any]:
    """Metadata of `audit_messages`."""
    numbers = {
        "dagster/partition_row_count": found.messages,
        "new": found.new,
        "deleted": found.deleted,
        "workspaces": found.workspaces,
        "workspaces_not_running": len(found.not_running),
    }
    tables: dict[str, Any] = _unread(found.unread)
    if found.unnamed is not None:
        numbers["unnamed"] = sum(found.unnamed.asked_of_agents.values())
        numbers["unknown"] = sum(found.unnamed.unknown.values())
        tables |= noted_changed_spaces(found.changed_spaces)
        tables |= counts_table("asked_of_agents", found.unnamed.asked_of_agents)
        tables |= counts_table("unknown_actions", found.unnamed.unknown)
    if found.not_running:
        tables["not_running"] = rows_table(["workspace"], [[name] for name in found.not_running])
    return explained("audit_messages", numbers | tables)


def _unread(regions: Mapping[str, str]) -> dict[str, Any]:
    """Regions that could not be read; nothing where all of them could be, or there is only one."""
    rows = [[name, shown(problem, at_most=1_000)] for name, problem in regions.items()]
    titles = ["region", "why it could not be read"]
    return (
        {"regions_unread": len(rows), "unread": dg.MetadataValue.md(markdown_table(titles, rows))} if rows else {}
    )


def fetch_metadata(report: FetchReport) -> dict[str, Any]:
    """Metadata of `genie_api_messages`."""
    tables = counts_table("verdicts", {str(name): count for name, count in report.verdicts.items()})
    tables |= counts_table("errors", report.tally.errors_by_class)
    waits = {WAITING: noted_waits_of_days(report.waits)}
    return explained("genie_api_messages", report.numbers() | tables | waits)


def fold_metadata(report: FoldReport) -> dict[str, Any]:
    """Metadata of `enriched_message_details`: what the fold did."""
    tables: dict[str, Any] = counts_table("statuses", report.statuses)
    tables |= counts_table("enrichment", report.enrichment)
    numbers = {**report.numbers(), "dagster/partition_row_count": sum(report.statuses.values())}
    tables |= _unread(report.unread)
    if report.history_refusal is not None:
        tables["query_history"] = dg.MetadataValue.md(shown(report.history_refusal, at_most=1_000))
    return explained("enriched_message_details", numbers | tables)


def day_metadata(found: AnswersOfDay) -> dict[str, Any]:
    """Metadata of `enriched_message_details`, too: how the day was answered. What is not known is left out."""
    spaces = [(each.key, each.title, each.workspace_url) for each in found.spaces]
    counts = {
        "messages": [each.messages for each in found.spaces],
        "failed": [each.failed for each in found.spaces],
    }
    times = {f"p{percent}_response_ms": found.response_ms(percent) for percent in (50, 95)}
    known = {name: time for name, time in times.items() if time is not None}
    if known:
        known["responses_timed"] = sum(found.response_times.values())
    return known | spaces_table("spaces", spaces, counts)


def spaces_metadata(report: SpacesReport) -> dict[str, Any]:
    """Metadata of `genie_space_details`."""
    numbers = {**report.numbers(), "dagster/row_count": report.known}
    # Those whose title nobody may read come last.
    looked_at = sorted((not title, title or "", key) for key, title in report.titles.items())
    tables: dict[str, Any] = counts_table("errors", report.errors_by_class)
    tables |= spaces_table(
        "spaces_by_title", [(key, title, report.urls.get(key.workspace_id)) for _, title, key in looked_at]
    )
    return explained("genie_space_details", numbers | tables)


def reconciliation_metadata(report: ReconciliationReport) -> dict[str, Any]:
    """Metadata of `reconciled_conversations`."""
    numbers = {
        name: getattr(report, name) for name in MEANINGS["reconciled_conversations"] if hasattr(report, name)
    }
    days = [[day] for day in sorted(report.days_entered)]
    return numbers | ({"days": rows_table(["day"], days)} if days else {})


def lists_metadata(asset: str, report: ListsReport) -> dict[str, Any]:
    """Metadata of `message_comments` and `agent_items`."""
    tally = report.tally
    numbers = {
        "wanted": report.wanted,
        "answered": tally.answered,
        "changed": report.changed,
        "deleted": report.deleted,
        "found_deleted": tally.deleted,
        **_of_asking([tally]),
    }
    return explained(asset, numbers | counts_table("errors", tally.errors_by_class))


def evaluations_metadata(report: EvaluationsReport) -> dict[str, Any]:
    """Metadata of `genie_evaluation_runs`."""
    numbers = {
        "spaces": report.spaces,
        "runs": report.runs,
        "results": report.results,
        "details": report.details,
        **_of_asking(report.tallies),
    }
    return explained("genie_evaluation_runs", numbers | counts_table("errors", report.errors_by_class))


def _of_asking(tallies: Sequence[Tally]) -> dict[str, int]:
    return {
        "failed": sum(tally.failed for tally in tallies),
        "waiting": sum(tally.waiting for tally in tallies),
        "not_attempted": sum(len(tally.not_attempted) for tally in tallies),
        "requests": sum(tally.requests for tally in tallies),
    }


def maintenance_metadata(result: TableMaintenance) -> dict[str, Any]:
    """Metadata of one table's maintenance; what is not known of the table is left out."""
    known = {name: number for name, number in result.numbers().items() if number is not None}
    return {"table": result.table.name, **known}


def maintenance_summary(results: Sequence[TableMaintenance]) -> dict[str, Any]:
    """Metadata of a whole maintenance: sums over the tables that know it, and every table's own numbers."""
    rows = [result.numbers() for result in results]
    titles = list(rows[0])
    summed = ("files_before", "files_after", "bytes_before", "bytes_after", "days_compacted", "files_vacuumed")
    lines = [
        [result.table.name, *(row[title] for title in titles)] for result, row in zip(results, rows, strict=True)
    ]
    return {
        "tables_maintained": sum(result.report is not None for result in results),
        "tables_failed": sum(result.report is None for result in results),
        **{name: sum(row[name] or 0 for row in rows) for name in (*summed, "seconds")},
        "tables": rows_table(["table", *titles], lines),
    }
