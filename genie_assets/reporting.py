"""What the Dagster UI shows of a run: numbers that plot per partition, small tables, sentences, column schemas.

Never message text. Whatever comes from outside (titles, names, ids, statuses) is shown as text and nothing else:
the UI renders metadata and descriptions as Markdown, in which a title could be a link, an image or a broken table.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any

import dagster as dg

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.links import space_link
from genie_assets.domain.markdown import markdown_table
from genie_assets.domain.tables import Table
from genie_assets.domain.waiting import Wait
from genie_assets.pipeline.audit_messages import Discovery
from genie_assets.pipeline.day_inspection import AnswersOfDay
from genie_assets.pipeline.enriched_message_details import FoldReport
from genie_assets.pipeline.fetch_report import FetchReport
from genie_assets.pipeline.genie_space_details import SpacesReport
from genie_assets.pipeline.maintenance import TableMaintenance
from genie_assets.pipeline.walked_conversations import ReconciliationReport

_LONGEST_TEXT = 80
_MOST_ROWS = 50
# Control and format characters, among them those that turn the direction of text or take no room, and line ends.
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
# A backtick would end the code span, a bar its cell: what comes closest takes their place.
_LOOKALIKES = str.maketrans({"`": "'", "|": "¦"})

# What the numbers and tables of each asset mean. The UI shows only what stands here.
MEANINGS: Mapping[str, Mapping[str, str]] = {
    "audit_messages": {
        "dagster/partition_row_count": "messages that the audit log shows were touched on the day",
        "new": "of these, messages that were asked on the day",
        "deleted": "of these, messages that their users deleted",
        "workspaces": "workspaces in which that happened",
        "workspaces_not_running": "of these, workspaces that answer nobody now; their messages wait",
        "not_running": "which ones these are",
        "changed_spaces": "spaces that were changed lately, by workspace and id: the sensor reads it",
        "unnamed": "events of agents that name no message: what was asked so cannot be fetched",
        "asked_of_agents": "the same by action",
        "unknown": "events of actions not known to this version that name no message and may ask something",
        "unknown_actions": "the same by action; if questions are among them, they are missing here",
    },
    "genie_api_messages": {
        "references": "messages of the day that had to be judged, with those of its open errors",
        "verdicts": "what was decided about each: `new`, `changed`, `unsettled` (had not ended) and `retry` (its "
        "error was due) are asked for; `waiting` is not due yet; `current`, `closed` and `deleted` need nothing; "
        "`bad_reference` cannot be asked for",
        "wanted": "messages to ask for: the first four of these verdicts",
        "answered": "of the wanted, messages that the API showed",
        "success_rate": "share of those asked for that were answered or found deleted",
        "stored": "answers that were not stored before, those brought along included",
        "brought_along": "of the stored, messages nobody had asked for yet: a conversation is listed as a whole",
        "failed": "messages that could not be read; each is in `message_fetch_errors`",
        "errors": "the failed by error class",
        "put_off": "of the failed, messages not asked for because their workspace or conversation only failed",
        "found_deleted": "messages that are gone though they were read before",
        "not_attempted": "messages that the time (`GENIE_RUN_MINUTES`) did not suffice for; the next run goes on",
        "pending": "of these, messages of which nothing is stored yet",
        "released": "errors of other days made due because their space can be read now",
        "stuck": "messages that have not ended a day after they were asked",
        "requests": "requests to the Genie API",
        "requests_per_message": "the same per message asked for: 1 is one request each",
        "answered_429": "of the requests, those answered with: slow down",
        "requests_again": "of the requests, those sent because the one before failed in passing",
        "answer_bytes": "bytes of the answers, unpacked",
        "request_ms_p50": "milliseconds within which half of the requests were answered",
        "request_ms_p95": "the same of 95 in a hundred. By endpoint it is in `genie_fetch_runs`",
        "fetch_seconds": "seconds that all of it took",
        "waiting": "when something of the day became due, when the next does, and since when messages are left; "
        "and what the run made due on other days. The sensors read it",
        "pace": "requests per second on which each workspace has settled, if a limit has shown: the next run "
        "begins with them",
        "clock": "only if our clock is more than a minute from Databricks': by how much",
    },
    "enriched_message_details": {
        "dagster/partition_row_count": "messages asked on the day",
        "p50_response_ms": "half of the day's answers took at most so long, ms; nearest rank, as in the views",
        "p95_response_ms": "95 % of them took at most so long, ms",
        "responses_timed": "answers of the day whose time is known: both are computed from them",
        "messages": "messages folded: whole conversations, of whichever days",
        "days_touched": "days on which these were asked",
        "inserted": "rows new in `message_details`",
        "updated": "rows that changed",
        "moved_or_removed": "rows that went to another day, or have no answer any more",
        "attachments_changed": "rows of `message_attachments` that are new, changed or gone",
        "statements": "SQL statements of these messages",
        "statements_found": "of these, found in query history",
        "query_history": "why query history cannot be read: statements are waited for until it can",
        "space_requests": "requests for titles of spaces of which none was known",
        "set_aside": "messages that cannot be folded; the error ledger says why",
        "statuses": "messages of the day by status",
        "enrichment": "the same by enrichment: `PENDING` means that query history lacks the statement so far",
        "spaces": "in which spaces they were asked, how many Genie failed to answer, and the way into each",
    },
    "genie_space_details": {
        "dagster/row_count": "spaces that were looked at",
        "spaces": "the same",
        "readable": "of these, spaces whose title and description can be read",
        "exported": "of these, spaces whose whole configuration can be read",
        "errors": "spaces that cannot be read or exported, by error class",
        "new_versions": "configurations that differ from the last one, or are the first",
        "gone": "spaces that were read before and are not found any more",
        "waiting": "spaces that were not looked at, because an error of theirs is not due yet",
        "not_attempted": "spaces for which the time of the run was too short",
        "requests": "requests to the Genie API",
        "workspaces_not_listed": "workspaces that do not list their spaces",
        "workspaces_not_running": "workspaces that were not asked because they answer nobody now",
        "permissions_read": "spaces whose access list was read",
        "permissions_unknown": "spaces that were read, and whose access list was not: it takes CAN MANAGE",
        "permissions_changed": "what began or ended in access lists",
        "spaces_by_title": "spaces that were looked at, and the way into each",
    },
    "reconciled_conversations": {
        "spaces_due": "spaces whose conversations were to be walked, or walked on with",
        "spaces_listed": "of these, spaces whose conversations were listed: their walk has begun",
        "spaces_walked": "spaces of which every conversation was walked by now",
        "conversations_walked": "conversations whose messages were listed to the end",
        "messages_seen": "messages that the API showed in them",
        "messages_entered": "of these, messages that the audit log never showed: the runs of their days read them",
        "days": "on which these were asked",
        "failed": "lists that could not be read; they are asked for again",
        "requests": "requests to the Genie API",
        "pace": "as for genie_api_messages",
    },
}


def shown(text: object, *, at_most: int = _LONGEST_TEXT) -> str:
    """Text from outside, as Markdown that is this text and can be nothing else: one line, in a code span.

    In a code span nothing has a meaning, not even an address, which Markdown would make a link elsewhere. What
    cannot be seen is a blank.
    """
    beginning = str(text)[: 10 * at_most]
    seen = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in beginning)
    line = " ".join(seen.translate(_LOOKALIKES).split())
    if len(line) > at_most:
        line = f"{line[: at_most - 1].rstrip()}…"
    return f"`{line}`" if line else "–"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    # Enumerations are our own words.
    if isinstance(value, Enum):
        return str(value)
    return str(value) if isinstance(value, int | float | dt.date) else shown(value)


def table(titles: Sequence[str], rows: Iterable[Sequence[object]], *, at_most: int = _MOST_ROWS) -> str:
    """A Markdown table of rows from outside.

    Args:
        titles: Our own words.
        rows: As many values each. Texts are shown as text, numbers to the right.
        at_most: So many rows are shown, and how many more there are.
    """
    rows = list(rows)
    columns = list(zip(*rows, strict=True)) or [()] * len(titles)
    rules = ["---:" if _are_numbers(column) else "---" for column in columns]
    text = markdown_table(titles, ([_cell(value) for value in row] for row in rows[:at_most]), rules)
    return f"{text}\n\nand {len(rows) - at_most} more" if len(rows) > at_most else text


def _are_numbers(values: Sequence[object]) -> bool:
    return bool(values) and all(isinstance(value, int | float | None) for value in values)


def markdown(
    titles: Sequence[str], rows: Iterable[Sequence[object]], *, at_most: int = _MOST_ROWS
) -> dg.MarkdownMetadataValue:
    """The table as metadata."""
    return dg.MetadataValue.md(table(titles, rows, at_most=at_most))


def counts_table(title: str, counts: Mapping[str, int]) -> dict[str, dg.MarkdownMetadataValue]:
    """Counts as a small table under the given name, the largest first; nothing at all if nothing was counted."""
    rows = sorted(counts.items(), key=lambda item: -item[1])
    return {title: markdown([title, "count"], rows)} if rows else {}


def counted(counts: Mapping[str, int], *, at_most: int = 10) -> str:
    """Counts in a sentence, the largest first; those of 0 are left out."""
    ordered = sorted(((name, count) for name, count in counts.items() if count), key=lambda item: -item[1])
    parts = [f"{shown(name)} {count:,}" for name, count in ordered[:at_most]]
    more = f" and {len(ordered) - at_most:,} more" if len(ordered) > at_most else ""
    return f"{', '.join(parts)}{more}" if parts else "none"


def described(asset: str, of_table: Table) -> str:
    """The description of an asset: what its table holds, and what the numbers of its runs mean."""
    meanings = markdown_table(["name", "meaning"], [[f"`{name}`", text] for name, text in MEANINGS[asset].items()])
    return f"{of_table.description}\n\nWhat its runs tell:\n\n{meanings}"


def column_schema(of_table: Table) -> dg.TableSchema:
    """The table's columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type.lower(),
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in of_table.columns
        ]
    )


def explained(asset: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a run tells of an asset, what its description explains, in that order."""
    return {name: metadata[name] for name in MEANINGS[asset] if name in metadata}


def discovery_metadata(found: Discovery) -> dict[str, Any]:
    """Metadata of `audit_messages`."""
    numbers = {
        "dagster/partition_row_count": found.messages,
        "new": found.new,
        "deleted": found.deleted,
        "workspaces": found.workspaces,
        "workspaces_not_running": len(found.not_running),
    }
    tables: dict[str, Any] = {}
    if found.unnamed is not None:
        numbers["unnamed"] = sum(found.unnamed.asked_of_agents.values())
        numbers["unknown"] = sum(found.unnamed.unknown.values())
        tables |= changed_spaces_to_json(found.changed_spaces)
        tables |= counts_table("asked_of_agents", found.unnamed.asked_of_agents)
        tables |= counts_table("unknown_actions", found.unnamed.unknown)
    if found.not_running:
        tables["not_running"] = markdown(["workspace"], [[name] for name in found.not_running])
    return explained("audit_messages", numbers | tables)


def fetch_metadata(report: FetchReport) -> dict[str, Any]:
    """Metadata of `genie_api_messages`."""
    tables = counts_table("verdicts", {str(name): count for name, count in report.verdicts.items()})
    tables |= counts_table("errors", report.tally.errors_by_class)
    waits = {WAITING: waits_to_json(report.waits)}
    return explained("genie_api_messages", report.numbers() | tables | waits)


_CHANGED_SPACES = "changed_spaces"


def changed_spaces_to_json(spaces: Sequence[SpaceKey]) -> dict[str, Any]:
    """Spaces that were changed, as metadata; nothing if there are none."""
    return {_CHANGED_SPACES: dg.MetadataValue.json([list(key) for key in spaces])} if spaces else {}


def changed_spaces_of(metadata: Mapping[str, Any]) -> list[SpaceKey]:
    """What `changed_spaces_to_json` made metadata of."""
    noted = metadata.get(_CHANGED_SPACES)
    return [SpaceKey(*key) for key in noted.value] if noted else []


OF_ANSWERS = ("p50_response_ms", "p95_response_ms", "responses_timed", "spaces")
"""Under which names metadata say how a day was answered."""

WAITING = "waiting"
"""Under which name metadata say what waits for a run."""


CAUSES = "causes"
"""Under which name a check says how many messages cannot be read for which error class: alerts go by it."""


def waits_to_json(waits: Mapping[dt.date, Wait]) -> dg.JsonMetadataValue:
    """What waits for a run, by day, as metadata."""
    return dg.MetadataValue.json(
        {str(day): [at.isoformat() if at else None for at in wait] for day, wait in sorted(waits.items())}
    )


def waits_from_json(value: Any) -> dict[dt.date, Wait]:
    """What `waits_to_json` made metadata of."""
    return {
        dt.date.fromisoformat(day): Wait(*(dt.datetime.fromisoformat(at) if at else None for at in times))
        for day, times in value.items()
    }


def fold_metadata(report: FoldReport) -> dict[str, Any]:
    """Metadata of `enriched_message_details`: what the fold did."""
    tables = counts_table("statuses", report.statuses) | counts_table("enrichment", report.enrichment)
    numbers = {**report.numbers(), "dagster/partition_row_count": sum(report.statuses.values())}
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


_FEW_SPACES = 20


def spaces_table(
    name: str,
    spaces: Sequence[tuple[SpaceKey, str | None, str | None]],
    numbers: Mapping[str, Sequence[int]] = MappingProxyType({}),
) -> dict[str, dg.MarkdownMetadataValue]:
    """Spaces as a small table, each with the way into it; nothing at all if there are none.

    Args:
        name: Its name among the metadata.
        spaces: Their keys, titles and the addresses of their workspaces.
        numbers: What is counted, by its title; as many numbers as spaces.
    """
    if not spaces:
        return {}
    links = [_link(url, key) for key, _, url in spaces]
    cells = [
        [_cell(title or key.space_id), *map(str, counts), _cell(key.workspace_id), link or "–"]
        for (key, title, _), link, *counts in zip(spaces, links, *numbers.values(), strict=True)
    ]
    titles = ["space", *numbers, "workspace id", "in Databricks"]
    if not any(links):  # a column that says nothing takes the room of one that does
        titles, cells = titles[:-1], [row[:-1] for row in cells]
    rules = ["---", *("---:" for _ in numbers), *("---" for _ in titles[len(numbers) + 1 :])]
    text = markdown_table(titles, cells[:_FEW_SPACES], rules)
    more = f"\n\nand {len(cells) - _FEW_SPACES} more" if len(cells) > _FEW_SPACES else ""
    return {name: dg.MetadataValue.md(f"{text}{more}")}


def _link(workspace_url: str | None, key: SpaceKey) -> str | None:
    link = space_link(workspace_url, key.workspace_id, key.space_id)
    return f"[open]({link})" if link else None


def spaces_metadata(report: SpacesReport) -> dict[str, Any]:
    """Metadata of `genie_space_details`."""
    numbers = {**report.numbers(), "dagster/row_count": report.known}
    # Those whose title nobody may read come last.
    looked_at = sorted((not title, title or "", key) for key, title in report.titles.items())
    tables = counts_table("errors", report.errors_by_class) | spaces_table(
        "spaces_by_title", [(key, title, report.urls.get(key.workspace_id)) for _, title, key in looked_at]
    )
    return explained("genie_space_details", numbers | tables)


def reconciliation_metadata(report: ReconciliationReport) -> dict[str, Any]:
    """Metadata of `reconciled_conversations`."""
    numbers = {
        name: getattr(report, name) for name in MEANINGS["reconciled_conversations"] if hasattr(report, name)
    }
    days = [[day] for day in sorted(report.days_entered)]
    return numbers | ({"days": markdown(["day"], days)} if days else {})


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
        "tables": markdown(["table", *titles], lines),
    }
