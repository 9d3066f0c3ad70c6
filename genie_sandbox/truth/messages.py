"""What the API and query history of an account tell at a moment, worked out from the account's own data."""

from typing import Any

from genie_sandbox.account import Account, Message
from genie_sandbox.truth.attachments import Body, integer
from genie_sandbox.truth.audit import Key, moment
from genie_sandbox.truth.looks import is_settled


def answers(account: Account, at: int) -> dict[Key, tuple[Message, Body | str]]:
    """For every message what the API answers at `at`: its body, or the class of the error."""
    spaces = {(space.workspace_id, space.space_id): space for space in account.spaces}
    found: dict[Key, tuple[Message, Body | str]] = {}
    for message in account.messages:
        space = spaces[message.workspace_id, message.space_id]
        states = [state for state in message.states if state.at <= at]
        answer: Body | str
        if space.state(at).trashed:
            answer = "NOT_FOUND"
        elif space.state(at).access == "none" or message.access == "none":
            answer = "PERMISSION"
        elif not states or message.is_gone(at):
            answer = "NOT_FOUND"
        else:
            answer = states[-1].body
        found[message.workspace_id, message.message_id] = (message, answer)
    return found


def api_message(message: Message, body: Body) -> dict[str, Any]:
    """Expected latest state of a message in `genie_api_messages`.

    Where the API does not say when it was asked, its `created_date` depends on the run that stored it, and is left
    out.
    """
    created = integer(body.get("created_timestamp"))
    return {
        "workspace_id": message.workspace_id,
        "space_id": message.space_id,
        "conversation_id": message.conversation_id,
        "message_id": message.message_id,
        "created_timestamp": created,
        **({} if created is None else {"created_date": moment(created).date()}),
        "last_updated_timestamp": integer(body.get("last_updated_timestamp")),
        "status": body.get("status"),
        "is_settled": is_settled(body),
    }


def latest_statements(account: Account, at: int) -> dict[Key, Body]:
    """Query history as it has arrived by `at`: the newest row of each (workspace_id, statement_id)."""
    newest: dict[Key, Body] = {}
    for arriving in account.query_history:
        row = arriving.row
        key = (row["workspace_id"], row["statement_id"])
        if arriving.arrives_at <= at and (key not in newest or row["update_time"] > newest[key]["update_time"]):
            newest[key] = row
    return newest
