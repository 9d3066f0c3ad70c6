"""What the log said of deletions, and what that makes of the days on which the deleted messages were touched.

A day's references follow from its own events, but whether a message is deleted is told by a later day, and a
deleted conversation touches messages of earlier ones. So whichever day is loaded last brings the others in line:
the rows do not depend on the order. What a single day's events say does not belong here (`audit`).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.actions import deletes_conversation, deletes_message
from genie_assets.domain.keys import MessageKey, Row
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH

CONVERSATION, MESSAGE = "CONVERSATION", "MESSAGE"

# Of deletions of a day that is not loaded yet, the log is asked so many days ahead: what is gone is not asked for.
LOOKS_AHEAD = dt.timedelta(days=30)

Named = tuple[str, str, str]  # workspace, CONVERSATION or MESSAGE, its id
Deletion = tuple[dt.date, Named]


def deletion_rows(events: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Rows of `genie_deletions`, without their ingestion time.

    Args:
        events: Rows of `sql/audit_deletions.sql`.
    """
    grouped: defaultdict[Deletion, list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        named = _named_by(event)
        if named is not None:
            grouped[event["event_date"], named].append(event)
    return [
        {
            "event_date": day,
            "workspace_id": workspace_id,
            "deleted_type": kind,
            "deleted_id": deleted_id,
            "space_id": max((each["space_id"] for each in group if each["space_id"]), default=None),
            "actions": sorted({each["action_name"] for each in group}),
            "first_event_time": min(each["first_event_time"] for each in group),
            "last_event_time": max(each["last_event_time"] for each in group),
            "event_count": sum(int(each["event_count"]) for each in group),
        }
        for (day, (workspace_id, kind, deleted_id)), group in grouped.items()
    ]


def _named_by(event: Mapping[str, Any]) -> Named | None:
    """What an event deletes; None if it does not tell."""
    whole = deletes_conversation(event["action_name"])
    if not whole and not deletes_message(event["action_name"]):
        return None
    kind, deleted_id = (CONVERSATION, event["conversation_id"]) if whole else (MESSAGE, event["message_id"])
    return (event["workspace_id"], kind, deleted_id) if deleted_id is not None else None


@dataclass(frozen=True)
class KnownDeletions:
    """What is known of deletions while a day is loaded.

    Attributes:
        of_the_day: The day's own from now on.
        was: Those that are stored of it.
        all: All of them, also those of later days that are not loaded yet.
        loaded: Which of all lie on days that are loaded, this one included: only they touch messages.
    """

    of_the_day: list[Row]
    was: list[Row]
    all: list[Row]
    loaded: Collection[Deletion]


def known_deletions(
    event_date: dt.date, told: Iterable[Mapping[str, Any]], stored: Iterable[Row], shown: Collection[str]
) -> KnownDeletions:
    """What the log tells together with what is stored.

    Args:
        event_date: The day that is loaded.
        told: What the log says of deletions on this day and later, in the columns of `sql/audit_deletions.sql`.
        stored: Rows of `genie_deletions`: of the day, and on any day of what may be concerned.
        shown: Workspaces of which the log shows something on this day; of others, what was stored stays.
    """
    found, stored = deletion_rows(told), list(stored)
    was = [row for row in stored if row["event_date"] == event_date]
    mine = [row for row in found if row["event_date"] == event_date]
    told_now = {named(row) for row in mine}
    mine += [row for row in was if row["workspace_id"] not in shown and named(row) not in told_now]
    loaded = {named(row): row for row in stored if row["event_date"] != event_date}
    loaded |= {named(row): row for row in mine}
    everything = {named(row): row for row in found} | loaded
    return KnownDeletions(mine, was, list(everything.values()), loaded.keys())


def ids_of(references: Iterable[Mapping[str, Any]]) -> set[str]:
    """Everything of these references that can be deleted: their messages and conversations."""
    references = list(references)
    return {row["message_id"] for row in references} | {
        row["conversation_id"] for row in references if row["conversation_id"]
    }


def concerned(references: Iterable[Mapping[str, Any]], deletions: Iterable[Mapping[str, Any]]) -> set[MessageKey]:
    """Messages of these references of which something is deleted, on whichever day."""
    deleted = {_named(row) for row in deletions}
    return {MessageKey.of(row) for row in references if deleted & _names_of(row)}


def named(deletion: Mapping[str, Any]) -> Deletion:
    """Which deletion a row of `genie_deletions` is."""
    return deletion["event_date"], _named(deletion)


def _named(deletion: Mapping[str, Any]) -> Named:
    return deletion["workspace_id"], deletion["deleted_type"], deletion["deleted_id"]


def _names_of(reference: Mapping[str, Any]) -> set[Named]:
    workspace_id, conversation_id = reference["workspace_id"], reference["conversation_id"]
    names: set[Named] = {(workspace_id, MESSAGE, reference["message_id"])}
    return names | ({(workspace_id, CONVERSATION, conversation_id)} if conversation_id else set())


def brought_in_line(
    event_date: dt.date, rows: Iterable[Row], others: Iterable[Row], known: KnownDeletions
) -> tuple[list[Row], list[Row]]:
    """A day's references as all deletions make them, and the references of other days that differ now.

    Args:
        event_date: The day.
        rows: Its references, as its own events make them.
        others: References of other days, of messages of which something is deleted.
        known: The deletions.
    """
    rows, others = list(rows), list(others)
    keys = {MessageKey.of(row) for row in others} | concerned(rows, known.all)
    now = as_deletions_make_them(
        [*(row for row in rows if MessageKey.of(row) in keys), *others],
        known.all,
        known.loaded,
    )
    mine = [row for row in rows if MessageKey.of(row) not in keys]
    mine += [row for row in now if row["event_date"] == event_date]
    return mine, changed_references(others, (row for row in now if row["event_date"] != event_date))


def changed_references(before: Iterable[Row], after: Iterable[Row]) -> list[Row]:
    """The references that are not as they were."""
    was = {(row["event_date"], MessageKey.of(row)): row for row in before}
    return [row for row in after if not _is_same(row, was.get((row["event_date"], MessageKey.of(row))))]


def _is_same(row: Row, before: Row | None) -> bool:
    return before is not None and all(row[name] == before[name] for name in GENIE_MESSAGES_TO_FETCH.content)


def with_times(rows: Iterable[Row], stored: Iterable[Row], now: dt.datetime) -> list[Row]:
    """References of a day with the times of the stored ones: when each was first seen, and first as it is.

    The name of a workspace stays known when nothing tells it any more, as of one that was deleted. Its address
    does not: what is asked for there would be sent into the void.
    """
    before = {MessageKey.of(row): row for row in stored}
    found = []
    for row in rows:
        old = before.get(MessageKey.of(row))
        row = row if row["workspace_name"] or old is None else {**row, "workspace_name": old["workspace_name"]}
        seen = (old["first_seen_timestamp"] or old["ingestion_timestamp"]) if old else now
        written = old["ingestion_timestamp"] if old and _is_same(row, old) else now
        found.append({**row, "first_seen_timestamp": seen, "ingestion_timestamp": written})
    return found


def as_deletions_make_them(
    references: Iterable[Row], deletions: Iterable[Row], loaded: Collection[Deletion]
) -> list[Row]:
    """All references of some messages as their deletions make them, those of the deletion itself included.

    Args:
        references: Their rows of `genie_messages_to_fetch`, of all days.
        deletions: All that is known of deletions of them and of their conversations.
        loaded: Those of days that are loaded, by day and what was deleted: only these touch messages.
    """
    by_name: defaultdict[Named, list[Row]] = defaultdict(list)
    for deletion in deletions:
        by_name[_named(deletion)].append(deletion)
    messages: defaultdict[MessageKey, dict[dt.date, Row]] = defaultdict(dict)
    for row in references:
        messages[MessageKey.of(row)][row["event_date"]] = row
    rows: list[Row] = []
    for days in messages.values():
        names = set().union(*map(_names_of, days.values()))
        mine = [deletion for name in sorted(names) for deletion in by_name[name]]
        touched_by = [each for each in mine if named(each) in loaded]
        rows += _with_times(_touched(days, touched_by), mine)
    return rows


def _touched(days: Mapping[dt.date, Row], deletions: Iterable[Row]) -> dict[dt.date, Row]:
    """A message's rows, with those that deletions of its conversation add. It must have been known by then."""
    touched = dict(days)
    first = min((day for day, row in days.items() if not _is_only_deleted(row)), default=None)
    for deletion in sorted(deletions, key=lambda row: row["event_date"]):
        day = deletion["event_date"]
        if deletion["deleted_type"] != CONVERSATION or first is None or day < first:
            continue
        row, known = touched.get(day), [row for when, row in touched.items() if when <= day]
        if row is None:
            row = _row_of(deletion, known)
        elif not {*row["actions"]} & {*deletion["actions"]}:
            row = _together(row, deletion)
        # A deletion may not say in which space it was.
        space_id = row["space_id"] or max((each["space_id"] for each in known if each["space_id"]), default=None)
        touched[day] = {**row, "space_id": space_id}
    return touched


def _is_only_deleted(row: Mapping[str, Any]) -> bool:
    """Whether a row only says that the message's conversation was deleted; one without events says it is there."""
    return bool(row["actions"]) and all(map(deletes_conversation, row["actions"]))


def _row_of(deletion: Row, known: Collection[Row]) -> Row:
    """The row of a message of which nothing else is known on the day on which its conversation was deleted."""
    return {
        **max(known, key=lambda row: row["event_date"]),
        "event_date": deletion["event_date"],
        "space_id": deletion["space_id"],
        "conversation_id": deletion["deleted_id"],
        "user_email": None,
        "first_event_time": deletion["first_event_time"],
        "last_event_time": deletion["last_event_time"],
        "last_change_time": deletion["last_event_time"],
        "is_new": False,
        "actions": deletion["actions"],
        "event_count": deletion["event_count"],
        "last_comment_time": None,
    }


def _together(row: Row, deletion: Row) -> Row:
    """The row of a message that was touched on that day anyway."""
    changes = [at for at in (row["last_change_time"], deletion["last_event_time"]) if at is not None]
    return {
        **row,
        "space_id": row["space_id"] or deletion["space_id"],
        "conversation_id": row["conversation_id"] or deletion["deleted_id"],
        "first_event_time": min(filter(None, (row["first_event_time"], deletion["first_event_time"]))),
        "last_event_time": max(filter(None, (row["last_event_time"], deletion["last_event_time"]))),
        "last_change_time": max(changes),
        "actions": sorted({*row["actions"], *deletion["actions"]}),
        "event_count": row["event_count"] + deletion["event_count"],
    }


def _with_times(days: Mapping[dt.date, Row], deletions: Collection[Row]) -> list[Row]:
    """A message's rows, each with whether it is deleted: on its day or later, and nothing came after that."""
    changes = [row["last_change_time"] for row in days.values() if row["last_change_time"] is not None]
    last = [each for each in deletions if all(each["last_event_time"] >= at for at in changes)]
    return [{**row, "is_deleted": any(each["event_date"] >= day for each in last)} for day, row in days.items()]
