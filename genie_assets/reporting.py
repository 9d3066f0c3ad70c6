"""What the Dagster UI shows of a run: numbers that plot per partition, and column schemas. Never message text."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from genie_assets.domain.tables import Table
from genie_assets.pipeline.fetching import FetchReport
from genie_assets.pipeline.folding import FoldReport
from genie_assets.pipeline.upkeep_tables import TableUpkeep


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


def maintenance_metadata(result: TableUpkeep) -> dict[str, Any]:
    """Metadata of one table's maintenance; what is not known of the table is left out."""
    known = {name: number for name, number in result.numbers().items() if number is not None}
    return {"table": result.table.name, **known}


def maintenance_summary(results: Sequence[TableUpkeep]) -> dict[str, Any]:
    """Metadata of a whole maintenance: sums over all tables, and every table's own numbers."""
    rows = [result.numbers() for result in results]
    summed = ("files_before", "files_after", "bytes_before", "bytes_after", "days_compacted", "files_vacuumed")
    return {
        "tables_maintained": sum(result.report is not None for result in results),
        "tables_failed": sum(result.report is None for result in results),
        **{name: sum(row[name] or 0 for row in rows) for name in (*summed, "seconds")},
        "tables": _numbers_table([result.table.name for result in results], rows),
    }


def _numbers_table(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dg.MarkdownMetadataValue:
    titles = list(rows[0])
    lines = ["| table | " + " | ".join(titles) + " |", "| --- |" + " ---: |" * len(titles)]
    for name, row in zip(names, rows, strict=True):
        cells = ("" if row[title] is None else str(row[title]) for title in titles)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return dg.MetadataValue.md("\n".join(lines))


def counts_table(title: str, counts: Mapping[str, int]) -> dg.MarkdownMetadataValue:
    """Counts as a small table, the largest first."""
    lines = [f"| {title} | count |", "| --- | ---: |"]
    lines += [f"| {name} | {count} |" for name, count in sorted(counts.items(), key=lambda item: -item[1])]
    return dg.MetadataValue.md("\n".join(lines))
