"""What the audit log tells of spaces: who changed one, when, and how; and who made which version of it.

The log names the person and the second; what was changed, only the versions that looks found say.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from genie_assets.domain.keys import Row, SpaceKey

CHANGES_A_SPACE = (
    r"^(genie)?(create|clone|copy|update|rename|move|trash|untrash|delete|restore|import|publish)[a-z]*"
    r"(space|instruction|curatedquestion|samplequestion|columnconfig|file)"
)
"""Actions, in lower case, that change a space. `audit_message_events.sql` and `audit_days.sql` name them, too."""

_CHANGES_A_SPACE = re.compile(CHANGES_A_SPACE)
_MADE = re.compile(r"(genie)?(create|clone|copy|import)[a-z]*space")
_TRASHED = re.compile(r"(genie)?trash[a-z]*space")
_DELETED = re.compile(r"(genie)?delete[a-z]*space")
_RESTORED = re.compile(r"(genie)?(restore|untrash)[a-z]*space")
_DAILY_LOOK = dt.timedelta(days=1)
# The API's own time of a change and the log's are taken by two clocks.
_CLOCKS_DIFFER = dt.timedelta(minutes=1)


class SpaceEvent(StrEnum):
    """What an event did to a space."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"  # itself, or what belongs to it: instructions, questions, files
    TRASHED = "TRASHED"
    DELETED = "DELETED"
    RESTORED = "RESTORED"


def kind_of(action_name: str) -> SpaceEvent | None:
    """What an action does to a space; None if it changes none."""
    action = action_name.lower()
    for pattern, kind in (
        (_TRASHED, SpaceEvent.TRASHED),
        (_DELETED, SpaceEvent.DELETED),
        (_RESTORED, SpaceEvent.RESTORED),
        (_MADE, SpaceEvent.CREATED),
        (_CHANGES_A_SPACE, SpaceEvent.UPDATED),
    ):
        if pattern.match(action):
            return kind
    return None


def space_events(events: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Rows of `genie_space_events`, without their ingestion time.

    Args:
        events: A day's events in the columns of `sql/audit_message_events.sql`.
    """
    found = []
    for event in events:
        kind = kind_of(event["action_name"])
        if kind is not None and event.get("space_event_id") and event["space_id"]:
            found.append(
                {
                    "workspace_id": event["workspace_id"],
                    "space_id": event["space_id"],
                    "event_id": event["space_event_id"],
                    "event_time": event["first_event_time"],
                    "action_name": event["action_name"],
                    "event": str(kind),
                    "actor": event["actor"],
                }
            )
    return found


def changed_lately(events: Iterable[Row], now: dt.datetime) -> tuple[SpaceKey, ...]:
    """The spaces that were changed so lately that no daily look may have seen it, in the order of their ids."""
    return tuple(sorted({SpaceKey.of(row) for row in events if now - row["event_time"] < _DAILY_LOOK}))


@dataclass(frozen=True)
class Origin:
    """Where a version comes from.

    Attributes:
        after: Latest time at which another version was in force, UTC; None for the first version.
        until: The look that found it, UTC.
        changed_at: When the last change before that look was made, UTC; None if the audit log shows none.
        author: Who made that change, as the audit log names them.
        action_name: The action by which.
        changes: How many changes the audit log shows between `after` and `until`; a version may be all of them.
    """

    after: dt.datetime | None
    until: dt.datetime
    changed_at: dt.datetime | None = None
    author: str | None = None
    action_name: str | None = None
    changes: int = 0


def origins(versions: Sequence[Row], events: Iterable[Row]) -> list[Origin]:
    """Where each version of a space comes from.

    The look that found a version saw the last change before it. Where the API tells when that was, changes that
    the log shows later came too late to be seen.

    Args:
        versions: All versions of one space, the oldest first.
        events: Rows of `genie_space_events` of that space.
    """
    changes = sorted(
        (row for row in events if row["event"] in _MAKES_A_VERSION),
        key=lambda row: (row["event_time"], row["event_id"]),
    )
    befores: list[dt.datetime | None] = [None, *(version["valid_from"] for version in versions)]
    return [_origin(version, after, changes) for version, after in zip(versions, befores, strict=False)]


_MAKES_A_VERSION = frozenset({SpaceEvent.CREATED, SpaceEvent.UPDATED, SpaceEvent.RESTORED})


def _origin(version: Row, after: dt.datetime | None, changes: Sequence[Row]) -> Origin:
    until, told = version["valid_from"], version.get("update_time")
    # A space may say of itself what it likes: after the end of the calendar there is no minute.
    seen = until if told is None or told >= until - _CLOCKS_DIFFER else told + _CLOCKS_DIFFER
    within = [row for row in changes if (after is None or row["event_time"] > after) and row["event_time"] <= seen]
    if not within:
        return Origin(after, until)
    last = within[-1]
    return Origin(after, until, last["event_time"], last["actor"], last["action_name"], len(within))


@dataclass(frozen=True)
class Fate:
    """When a space came and went, and who did it, as far as the audit log shows; times in UTC."""

    created_at: dt.datetime | None = None
    created_by: str | None = None
    trashed_at: dt.datetime | None = None
    trashed_by: str | None = None
    deleted_at: dt.datetime | None = None
    deleted_by: str | None = None
    restored_at: dt.datetime | None = None
    restored_by: str | None = None


def fate(events: Iterable[Row]) -> Fate:
    """What became of a space: of each kind the latest event, by its rows of `genie_space_events`."""
    known: dict[str, Any] = {}
    for row in sorted(events, key=lambda row: (row["event_time"], row["event_id"])):
        if row["event"] != SpaceEvent.UPDATED:
            name = row["event"].lower()
            known |= {f"{name}_at": row["event_time"], f"{name}_by": row["actor"]}
    return Fate(**known)
