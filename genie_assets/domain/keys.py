"""How things are named. Keys are tuples of ids and equal to plain ones; ids are opaque text from outside."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

Row = dict[str, Any]
"""One row of a table, by column."""


class MessageKey(NamedTuple):
    """Names a message."""

    workspace_id: str
    message_id: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The key of the message that a row is about."""
        return cls(row["workspace_id"], row["message_id"])


class ConversationKey(NamedTuple):
    """Names a conversation."""

    workspace_id: str
    conversation_id: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The key of the conversation that a row is about."""
        return cls(row["workspace_id"], row["conversation_id"])


class SpaceKey(NamedTuple):
    """Names a space."""

    workspace_id: str
    space_id: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The key of the space that a row is about."""
        return cls(row["workspace_id"], row["space_id"])


def by_space(rows: Iterable[Row]) -> defaultdict[SpaceKey, list[Row]]:
    """The rows of each space, in their order; none for any other space."""
    found: defaultdict[SpaceKey, list[Row]] = defaultdict(list)
    for row in rows:
        found[SpaceKey.of(row)].append(row)
    return found


MESSAGE = MessageKey._fields
"""The columns that name a message, in every table."""

MESSAGE_IDS = ("workspace_id", "space_id", "conversation_id", "message_id")
"""The columns that say where a message is: what its address is made of."""
