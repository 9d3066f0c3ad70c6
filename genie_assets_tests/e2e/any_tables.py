"""In what the tables of a pipeline that lived through something differ from those of one that came in the end.

What is known stays known: the former may know messages that are gone by now, and more of what is withheld. When
and by which run something was stored is no difference.
"""

from collections.abc import Collection, Mapping
from typing import Any

from genie_assets.domain import ledger
from genie_assets.domain.actions import deletes_conversation
from genie_assets.domain.keys import MessageKey, Row
from genie_assets.domain.message_log import repeated
from genie_assets.domain.tables import (
    AGENT_FETCH_ERRORS,
    COMMENT_FETCH_ERRORS,
    GENIE_API_MESSAGES,
    GENIE_CONVERSATION_DAYS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_ATTACHMENTS,
    MESSAGE_COMMENTS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    TABLES,
    Table,
)
from genie_assets.pipeline.inspection import day_state, outdated_errors
from genie_assets.pipeline.twins import duplicate_keys, standing_keys
from genie_assets_tests.e2e.any_loader import Loader
from genie_assets_tests.e2e.pipelines import doubled_keys, in_order

_SHOWN = 90
_WHEN = (
    *("ingestion_timestamp", "ingestion_batch_id", "api_fetch_timestamp", "first_seen_timestamp"),
    *("query_first_seen_timestamp", "response_time_ms"),
)
_NOT_OF_CONTENT = (
    *MESSAGE_DETAILS.key,
    *("space_id", "conversation_id", "created_date", "created_timestamp", "updated_timestamp", "status"),
    *("feedback_rating", "feedback_comment", "space_name", "workspace_name", "user_email", "is_deleted"),
    *("api_fetch_status", "api_fetch_error", "conversation_position"),
)
_OF_CONTENT = tuple(name for name in MESSAGE_DETAILS.column_names if name not in _NOT_OF_CONTENT)
"""What is an earlier look's where a later one shows less."""

Pair = tuple[dict[Any, Row], dict[Any, Row]]
"""The rows of one table by their keys, as both have them."""


def problems(one: Loader, fresh: Loader) -> list[str]:
    """In what the tables of the first differ from those of the second, and what checks would say of either."""
    rows = {table: (_rows(table, one), _rows(table, fresh)) for table in TABLES}
    details = rows[MESSAGE_DETAILS]
    known, unreadable = set(map(MessageKey.of, details[0].values())), _open(rows[MESSAGE_FETCH_ERRORS][1])
    gone = {MessageKey(*key) for key in details[0].keys() - details[1].keys()} | unreadable
    hidden = {MessageKey.of(row) for row in details[0].values() if row["content_withheld"]}
    return [
        *_standing(one),
        *(f"once: {each}" for each in _standing(fresh)),
        *_of_details(details, gone),
        *_of_errors(rows[MESSAGE_FETCH_ERRORS], known),
        *_of_rows(GENIE_MESSAGES_TO_FETCH, rows, ()),
        *_of_rows(MESSAGE_ATTACHMENTS, rows, hidden | gone),
        *_of_rows(MESSAGE_COMMENTS, rows, gone),
        *(
            f"{table.name} {key}: open in the end"
            for table in (COMMENT_FETCH_ERRORS, AGENT_FETCH_ERRORS)
            for key in _open(rows[table][0]) - _open(rows[table][1])
        ),
    ]


def _rows(table: Table, loader: Loader) -> dict[Any, Row]:
    rows = ({name: cell for name, cell in row.items() if name not in _WHEN} for row in loader.lake.records(table))
    known = [name for name in table.key if name not in _WHEN]
    return {tuple(row[name] for name in known): row for row in in_order(rows)}


def _open(errors: Mapping[Any, Row]) -> set[Any]:
    return {key for key, row in errors.items() if ledger.is_open(row)}


def _of_rows(table: Table, rows: Mapping[Table, Pair], unless: Collection[MessageKey]) -> list[str]:
    left, right = ({k: row for k, row in each.items() if MessageKey.of(row) not in unless} for each in rows[table])
    # What reconciliation entered may come in a list to who looks later.
    single = [key for key in left.keys() ^ right.keys() if (left | right)[key].get("event_count") != 0]
    # A list may have told, and to nobody else, of which conversation a message is that was deleted with it.
    named = {(MessageKey.of(row), row.get("conversation_id")) for row in right.values()}
    single = [key for key in single if key in right or not _is_told_by_a_list(left[key], named)]
    found = [f"{table.name} {key} is only in {'one' if key in left else 'the other'}" for key in single]
    return found + [
        each for key in left.keys() & right.keys() for each in _different(table, left[key], right[key])
    ]


def _is_told_by_a_list(row: Row, named: Collection[tuple[MessageKey, Any]]) -> bool:
    is_only_deleted = bool(row.get("actions")) and all(map(deletes_conversation, row["actions"]))
    return is_only_deleted and (MessageKey.of(row), row["conversation_id"]) not in named


def _different(table: Table, left: Row, right: Row, but: Collection[str] = ()) -> list[str]:
    return [
        f"{table.name} {table.key_of(left)}: {name} is {left[name]!r:.{_SHOWN}}, not {right[name]!r:.{_SHOWN}}"
        for name in left
        if name not in but and left[name] != right[name]
    ]


def _of_details(pair: Pair, gone: Collection[MessageKey]) -> list[str]:
    left, right = pair
    found = [f"message_details {key} is lost" for key in right.keys() - left.keys()]
    more = [left[key] for key in left.keys() - right.keys()]
    found += [
        f"message_details {MessageKey.of(row)} is neither gone nor there"
        for row in more
        if not row["is_deleted"] and MessageKey.of(row) not in gone
    ]
    # Where others stood before that only an earlier look could know.
    longer = {row["conversation_id"] for row in more}
    for key in left.keys() & right.keys():
        but = _OF_CONTENT if left[key]["content_withheld"] else ()
        but += ("conversation_position",) if left[key]["conversation_id"] in longer else ()
        found += _different(MESSAGE_DETAILS, left[key], right[key], but)
    return found


def _of_errors(pair: Pair, known: Collection[MessageKey]) -> list[str]:
    left, right = pair
    name, ours, theirs = MESSAGE_FETCH_ERRORS.name, _open(left), _open(right)
    found = [f"{name} {key}: {left[key]['error_class']} is open in the end" for key in ours - theirs]
    found += [f"{name} {key}: {right[key]['error_class']} is missing" for key in theirs - ours - {*known}]
    return found + [
        f"{name} {key}: {left[key]['error_class']}, not {right[key]['error_class']}"
        for key in ours & theirs
        if left[key]["error_class"] != right[key]["error_class"]
    ]


def _standing(loader: Loader) -> list[str]:
    """What checks would say."""
    lake, now, days = loader.lake, loader.side.clock(), loader.days()
    found = [f"{day}: {state.lost} lost" for day in days if (state := day_state(day, lake, now).accounting()).lost]
    found += [f"{day}: outdated {keys}" for day in days if (keys := outdated_errors(day, lake))]
    found += [f"{day}: twice {twice}" for day in days if any((twice := duplicate_keys(day, lake)).values())]
    found += [f"{name}: {keys}" for name, keys in standing_keys(lake).items() if keys.too_many]
    for table in TABLES:
        if table is not GENIE_CONVERSATION_DAYS:  # runs at the same time may each say it
            found += doubled_keys(table, lake.records(table))
    again = repeated(lake.records(GENIE_API_MESSAGES))
    return [*found, f"{again} answers of the log say the same again"] if again else found
