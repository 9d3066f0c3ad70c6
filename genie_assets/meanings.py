"""What the numbers and tables that a run tells of an asset mean, and what its table's columns are."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from genie_assets.domain.markdown import markdown_table
from genie_assets.domain.tables import Table

_OF_LISTS = {
    "errors": "the failed by error class",
    "found_deleted": "of the wanted, those that are gone though they were listed before",
    "waiting": "those that were not asked for, because an error of theirs is not due yet",
    "not_attempted": "those that the time (`GENIE_RUN_MINUTES`) did not suffice for; the next run goes on",
    "requests": "requests to the Genie API",
    "pace": "as for genie_api_messages",
}

# What the numbers and tables of each asset mean. The UI shows only what stands here.
MEANINGS: Mapping[str, Mapping[str, str]] = {
    "audit_messages": {
        "dagster/partition_row_count": "messages that the audit log shows were touched on the day",
        "new": "of these, messages that were asked on the day",
        "deleted": "of these, messages that their users deleted",
        "workspaces": "workspaces in which that happened",
        "workspaces_not_running": "of these, workspaces that answer nobody now; their messages wait",
        "not_running": "which ones these are",
        "regions_unread": "regions (`GENIE_REGIONS`) whose audit log could not be read; what is stored stays",
        "unread": "which ones these are, and why",
        "changed_spaces": "spaces that were changed lately, by workspace and id: the sensor reads it",
        "unnamed": "events of agents that name no message and no conversation: what was asked so cannot be "
        "fetched",
        "asked_of_agents": "the same by action",
        "unknown": "events that name no message and may ask something: of actions not known to this version, and "
        "questions of whose message the log shows no id",
        "unknown_actions": "the same by action; if questions are among them, they are missing here",
    },
    "genie_api_messages": {
        "references": "messages of the day that had to be judged, with those of its open errors",
        "verdicts": "what was decided about each: `new`, `changed`, `unsettled` (had not ended) and `retry` (its "
        "error was due) are asked for; `waiting` is not due yet; `current`, `closed` and `deleted` need nothing; "
        "`bad_reference` cannot be asked for, and `left_out` is not, as GENIE_WORKSPACES leaves its workspace out",
        "wanted": "messages to ask for: the first four of these verdicts",
        "answered": "of the wanted, messages that the API showed",
        "success_rate": "share of those asked for that were answered or found deleted",
        "stored": "of the answered, those whose answer was not stored before",
        "brought_along": "besides these, messages that were stored though nobody had asked for them: a "
        "conversation is listed as a whole",
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
        "p50_response_ms": "half of the day's answers came within this time, ms; nearest rank, as in the views",
        "p95_response_ms": "95 % of them came within this time, ms",
        "responses_timed": "answers of the day whose time is known: both are computed from them",
        "messages": "messages folded: whole conversations, of whichever days",
        "days_touched": "days on which these were asked",
        "inserted": "rows new in `message_details`",
        "updated": "rows that changed",
        "moved_or_removed": "rows that went to another day, or have no answer any more",
        "attachments_changed": "rows of `message_attachments` that are new, changed or gone",
        "statements": "SQL statements of these messages",
        "statements_found": "of these, found in query history",
        "regions_unread": "regions in which query history could not be read: their statements are waited for",
        "unread": "which ones these are, and why",
        "query_history": "why query history cannot be read: statements are waited for until it can",
        "space_requests": "requests for titles of spaces of which none was known",
        "set_aside": "messages that cannot be folded; the error ledger says why",
        "statuses": "messages of the day by status",
        "enrichment": "the same by enrichment: `PENDING` means that query history lacks the statement so far",
        "spaces": "in which spaces they were asked, how many Genie failed to answer, and the way into each",
    },
    "genie_space_details": {
        "dagster/row_count": "spaces that are known",
        "spaces": "of these, spaces that were looked at",
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
        "agent_lists_unread": "workspaces whose newer list of spaces, as agents, could not be read to its end",
        "tags_read": "spaces whose tags were read",
        "tags_unknown": "spaces that are there, and whose tags could not be read: our principal may not, or the "
        "workspace tells none",
        "spaces_by_title": "spaces that were looked at, and the way into each",
    },
    "reconciled_conversations": {
        "spaces_known": "spaces that are known and not gone",
        "spaces_due": "of these, spaces whose conversations were to be walked, or walked on with",
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
    "genie_evaluation_runs": {
        "spaces": "spaces with benchmark questions, whose evaluations are listed",
        "runs": "evaluations that are new, or not as they were",
        "results": "results of evaluations that are new, or not as they were",
        "details": "of these, results of which details were read",
        "failed": "spaces and evaluations that could not be read; each is in `evaluation_fetch_errors`",
        "errors": "the failed by error class",
        "waiting": "spaces and evaluations that were not asked for, because an error of theirs is not due yet",
        "not_attempted": "those that the time (`GENIE_RUN_MINUTES`) did not suffice for; the next run goes on",
        "requests": "requests to the Genie API",
        "pace": "as for genie_api_messages",
    },
    "genie_run_costs": {
        "days": "whole days that were stored: those since the last time",
        "runs": "runs of these days that noted what they cost",
        "rows": "rows that were stored, one for each endpoint that a run asked",
        "stored_until": "the last day that is stored",
    },
    "message_comments": {
        "wanted": "messages on which somebody commented since their comments were listed",
        "answered": "of these, messages whose comments were listed to the end",
        "changed": "comments that are new, or not as they were",
        "deleted": "comments that are not there any more; they stay, marked",
        "failed": "messages whose comments could not be listed; each is in `comment_fetch_errors`",
        **_OF_LISTS,
    },
    "agent_items": {
        "wanted": "conversations with agents in which something happened since their steps were listed",
        "answered": "of these, conversations whose steps were listed to the end",
        "changed": "steps that are new, or not as they were",
        "deleted": "steps that are not there any more; they stay, marked",
        "failed": "conversations whose steps could not be listed; each is in `agent_fetch_errors`",
        **_OF_LISTS,
    },
}


# What Dagster's pages have a sign for: of LONG they have none.
_TYPE_NAMES = {"LONG": "bigint"}


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
                type=_TYPE_NAMES.get(column.type, column.type.lower()),
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in of_table.columns
        ]
    )


def explained(asset: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a run tells of an asset, what its description explains, in that order."""
    return {name: metadata[name] for name in MEANINGS[asset] if name in metadata}
