"""What the actions of the audit log mean for messages: which of them ask, change, delete, or merely read."""

_ASKS = frozenset({"createconversationmessage", "startconversationmessage"})
_MESSAGE_DELETION, _CONVERSATION_DELETION = "deleteconversationmessage", "deleteconversation"
# Actions that only read. Every other one, unknown ones too, may have changed the message: looking once more costs
# one request, not looking would leave a stale row. `sql/audit_message_events.sql` names them, too.
_READS = ("get", "list", "summarize", "generatedownload")


def plain(action_name: str) -> str:
    """The action without the prefix that tells the public API (`genie...`) from the UI."""
    return action_name.lower().removeprefix("genie")


def is_ask(action_name: str) -> bool:
    """Whether the action asks a new question."""
    return plain(action_name) in _ASKS


def deletes_message(action_name: str) -> bool:
    """Whether the action deletes one message."""
    return plain(action_name) == _MESSAGE_DELETION


def deletes_conversation(action_name: str) -> bool:
    """Whether the action deletes a conversation with all its messages."""
    return plain(action_name) == _CONVERSATION_DELETION


def may_change(action_name: str) -> bool:
    """Whether the action may have changed the message."""
    return not plain(action_name).startswith(_READS)


def may_change_comments(action_name: str) -> bool:
    """Whether the action may have made, changed or deleted a comment on its message, by whatever name."""
    return "comment" in action_name.lower() and may_change(action_name)
