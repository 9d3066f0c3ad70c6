"""What the Dagster UI shows of a run: numbers that plot per partition, and column schemas. Never message text."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import dagster as dg

from genie_assets.domain.tables import Table
from genie_assets.pipeline.fetching import FetchReport
from genie_assets.pipeline.folding import FoldReport


def day_of(context: dg.AssetExecutionContext) -> dt.date:
    """The UTC day of the run's partition."""
    return dt.date.fromisoformat(context.partition_key)


def run_name(context: dg.AssetExecutionContext) -> str:
    """A short name of the run, for batch ids."""
    return context.run.run_id[:8]


def column_schema(table: Table) -> dg.TableSchema:
    """The table's columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type.lower(),
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in table.columns
        ]
    )


def fetch_metadata(report: FetchReport) -> dict[str, Any]:
    """Metadata of `genie_api_messages`."""
    return {
        **report.numbers(),
        "verdicts": counts_table("verdict", {str(name): count for name, count in report.verdicts.items()}),
        "errors": counts_table("error class", report.tally.errors_by_class),
    }


def fold_metadata(report: FoldReport) -> dict[str, Any]:
    """Metadata of `enriched_message_details`."""
    return {
        **report.numbers(),
        "dagster/partition_row_count": sum(report.statuses.values()),
        "statuses": counts_table("status", report.statuses),
        "enrichment": counts_table("enrichment_status", report.enrichment),
    }


def counts_table(title: str, counts: Mapping[str, int]) -> dg.MarkdownMetadataValue:
    """Counts as a small table, the largest first."""
    lines = [f"| {title} | count |", "| --- | ---: |"]
    lines += [f"| {name} | {count} |" for name, count in sorted(counts.items(), key=lambda item: -item[1])]
    return dg.MetadataValue.md("\n".join(lines))
