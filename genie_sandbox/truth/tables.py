"""What every table must hold, worked out from an account's own data and by none of the production code.

The truth is that of a pipeline which has loaded all days of the account and has looked at everything that was
visible: once, at clock `at`, or also at every state that a message went through before. As nothing happens after
the anchor of a generated account, several looks from the anchor on are the same as one.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from genie_sandbox.account import Account, Message
from genie_sandbox.collector import collector_paused
from genie_sandbox.truth.agents import item_rows
from genie_sandbox.truth.attachments import Body, integer
from genie_sandbox.truth.audit import Key, Known, known_messages, messages_to_fetch
from genie_sandbox.truth.comments import comment_rows
from genie_sandbox.truth.details import attachment_rows, detail_row
from genie_sandbox.truth.evaluations import evaluation_rows
from genie_sandbox.truth.looks import Shown, shown
from genie_sandbox.truth.messages import answers, api_message, latest_statements
from genie_sandbox.truth.space_events import space_event_rows
from genie_sandbox.truth.spaces import space_rows

_ERROR_TYPES = {"PERMISSION": "AUTH_ERROR"}  # every other class that a calm API can cause is FAILED
_NOT_ASKED_FOR = frozenset({"BAD_REFERENCE", "CONFIG", "NOT_RUNNING"})
_JSON_COLUMNS = frozenset({"attachments_json", "attachment_json", "serialized_space", "raw_json", "tags"})


@collector_paused()
def truth(
    account: Account,
    *,
    at: int,
    now: int | None = None,
    urls: Mapping[str, str] | None = None,
    saw_all: bool = False,
) -> dict[str, list[dict[str, Any]]]:
    """Expected rows of every table, in no particular order. A row has only the columns that are certain.

    `genie_api_messages` is the latest state of each message, `message_fetch_errors` the open errors. While rows
    are on their way, a pipeline may also have stored messages that the audit log does not show yet:
    `possible_extras` names them. They change no expected row but `conversation_position` of later messages of
    their conversation; in generated accounts they are the last of it.

    Args:
        account: the account.
        at: clock of the sandbox at the look, ms: what has arrived by then is visible.
        now: clock of the pipeline, ms, if it is another one: decides for how long a statement is waited for.
        urls: address of each workspace as the sandbox serves it.
        saw_all: whether every state of a message was looked at while it lasted.
    """
    look = _Look(account, at, now, saw_all=saw_all)
    return {
        "genie_messages_to_fetch": messages_to_fetch(account, look.known, urls or {}),
        "genie_api_messages": [api_message(message, body) for message, body in look.stored.values()],
        "message_fetch_errors": look.open_errors(),
        "message_details": look.details(),
        "message_attachments": [
            row
            for key, (message, _) in look.stored.items()
            for row in attachment_rows(message, look.shown(key).body, look.known[key], look.statements)
        ],
        "genie_space_details": space_rows(account, at, look.references()),
    }


def truth_of_children(account: Account, *, at: int) -> dict[str, list[dict[str, Any]]]:
    """Expected rows of the tables that the job genie_conversations fills, as `truth` tells those of the others."""
    look = _Look(account, at)
    return {
        "message_comments": [
            row for key, (message, _) in look.stored.items() for row in comment_rows(message, look.known[key], at)
        ],
        "agent_items": item_rows(account, at),
    }


def truth_of_space_events(account: Account, *, at: int) -> dict[str, list[dict[str, Any]]]:
    """Expected rows of `genie_space_events`, if each day was loaded once all its rows had arrived.

    Apart from `truth`, because events of spaces that are late to a closed day come with its next load.
    """
    return {"genie_space_events": space_event_rows(account, at)}


def truth_of_evaluations(account: Account, *, at: int) -> dict[str, list[dict[str, Any]]]:
    """Expected rows of the tables that the job genie_evaluations fills, if it looked since the anchor."""
    runs, results = evaluation_rows(account, at)
    return {"genie_evaluation_runs": runs, "genie_evaluation_results": results}


def possible_extras(account: Account, at: int) -> set[Key]:
    """(workspace_id, message_id) that the audit log does not show at `at`, yet a LIST of its conversation brings.

    Between the rows of `truth` and those plus these is what a pipeline may have stored. Empty once all has
    arrived.
    """
    look = _Look(account, at)
    seen = set()
    for (workspace_id, _), one in look.looked_at().items():
        seen.add((workspace_id, one.newest("space_id"), one.newest("conversation_id")))
    return {
        key
        for key, (message, answer) in look.answers.items()
        if key not in look.known
        and not isinstance(answer, str)
        and (message.workspace_id, message.space_id, message.conversation_id) in seen
    }


def counts(account: Account, at: int) -> dict[str, int]:
    """The disjoint count at `at`: messages_expected = messages_stored + open_errors + deleted + pending."""
    look = _Look(account, at)
    stored, errors = len(look.stored), len(look.errors)
    deleted = sum(one.is_known_deleted for one in look.known.values())
    return {
        "messages_expected": len(look.known),
        "messages_stored": stored,
        "open_errors": errors,
        "deleted": deleted,
        "pending": len(look.known) - stored - errors - deleted,
    }


def comparable(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the truth or of a table in a form in which equal means the same.

    JSON columns are parsed, every form of unknown is None, times are datetimes, and half a surrogate pair, which
    no table can hold, is U+FFFD.
    """
    return {name: _plain(name, value) for name, value in row.items()}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return _whole(json.loads(value)) if name in _JSON_COLUMNS else _whole(value)
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        value = value.tolist()
    if isinstance(value, list | tuple):
        return list(value)
    return None if value is None or pd.isna(value) else value


def _whole(value: Any) -> Any:
    """`value` without halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(item) for name, item in value.items()}
    return value


@dataclass(frozen=True)
class _Stored:
    message: Message
    body: Body


class _Look:
    """The account as it shows itself at one moment."""

    def __init__(self, account: Account, at: int, now: int | None = None, *, saw_all: bool = False) -> None:
        self.account = account
        self.at = at
        self.now = at if now is None else now
        self._saw_all = saw_all
        self.known: dict[Key, Known] = known_messages(account, at)
        self.answers = answers(account, at)
        self.statements = latest_statements(account, at)
        self.workspaces = {place.workspace_id: place for place in account.workspaces if place.listed}
        self.stored: dict[Key, tuple[Message, Body]] = {}
        self.errors: dict[Key, str] = {}
        for key, one in self.known.items():
            if one.is_known_deleted:
                continue
            outcome = self._outcome(key, one)
            if isinstance(outcome, str):
                self.errors[key] = outcome
            else:
                self.stored[key] = (outcome.message, outcome.body)

    def _outcome(self, key: Key, one: Known) -> _Stored | str:
        """The message, or the class of its error."""
        ids = (one.newest("space_id"), one.newest("conversation_id"), key[1])
        if not all(map(_is_usable, ids)):
            return "BAD_REFERENCE"
        if key[0] not in self.workspaces:
            return "CONFIG"
        if not self.workspaces[key[0]].is_running:
            return "NOT_RUNNING"
        if key not in self.answers:
            return "NOT_FOUND"
        message, answer = self.answers[key]
        return answer if isinstance(answer, str) else _Stored(message, answer)

    def looked_at(self) -> dict[Key, Known]:
        """The messages for which requests are made."""
        return {
            key: one
            for key, one in self.known.items()
            if not one.is_known_deleted and self.errors.get(key) not in _NOT_ASKED_FOR
        }

    def references(self) -> set[Key]:
        """(workspace_id, space_id) that the audit log refers to together with a message."""
        return {
            (workspace_id, event.space_id)
            for (workspace_id, _), one in self.known.items()
            for event in one.in_order
            if event.space_id is not None
        }

    def open_errors(self) -> list[dict[str, Any]]:
        """Expected open rows of `message_fetch_errors`."""
        return [
            {
                "workspace_id": key[0],
                "message_id": key[1],
                "space_id": self.known[key].newest("space_id"),
                "conversation_id": self.known[key].newest("conversation_id"),
                "error_class": error,
                "error_type": _ERROR_TYPES.get(error, "FAILED"),
                "resolved": False,
            }
            for key, error in self.errors.items()
        ]

    def details(self) -> list[dict[str, Any]]:
        """Expected rows of `message_details`."""
        spaces = {(space.workspace_id, space.space_id): space for space in self.account.spaces}
        positions = self._positions()
        rows = []
        for key, (message, _) in self.stored.items():
            names = {
                "workspace_name": self.workspaces[message.workspace_id].name,
                "space_name": spaces[message.workspace_id, message.space_id].body.get("title"),
                **({"conversation_position": positions[key]} if key in positions else {}),
            }
            row = detail_row(
                message,
                self.shown(key),
                statements=self.statements,
                known=self.known[key],
                names=names,
                at=self.now,
            )
            rows.append(row)
        return rows

    def shown(self, key: Key) -> Shown:
        """What a stored message's row is made of."""
        message, body = self.stored[key]
        states = [state.body for state in message.states if state.at <= self.at]
        return shown(states if self._saw_all else [body])

    def _positions(self) -> dict[Key, int]:
        """Where each message stands; nobody knows it where the API does not say when one of them was asked."""
        conversations: dict[tuple[str, str], list[tuple[int | None, str]]] = defaultdict(list)
        for message, body in self.stored.values():
            conversation = conversations[message.workspace_id, message.conversation_id]
            conversation.append((integer(body.get("created_timestamp")), message.message_id))
        return {
            (workspace_id, message_id): position
            for (workspace_id, _), members in conversations.items()
            if all(created is not None for created, _ in members)
            for position, (_, message_id) in enumerate(sorted(members), start=1)
        }


def _is_usable(value: str | None) -> bool:
    """Requests can be made with this id."""
    if value is None or value in ("", ".", "..") or len(value) > 256:
        return False
    return not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in value)
