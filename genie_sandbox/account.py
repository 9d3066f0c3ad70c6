"""The data of a sandbox account: what its folder holds and how it is read and written.

A folder with `account.json` and one JSON-lines file per kind. Times are epoch milliseconds UTC. Nothing here is
generated or served: `generator` writes such a folder, `server` and `sql` serve it, and anybody may write one by
hand in the same format.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genie_sandbox.collector import collector_paused
from genie_sandbox.files import replace_text


@dataclass(frozen=True)
class Principal:
    """The service principal that the sandbox lets in."""

    application_id: str
    client_secret: str
    token: str  # a personal access token of the same principal, good in every workspace
    user_id: int
    groups: tuple[str, ...] = ()  # those of which it is a member, besides `users`


ADMINISTRATOR = "admin@sandbox.example"
"""The user who may do everything in the account. Who runs statements without a login is taken for this one."""

RUNNING = "RUNNING"


@dataclass(frozen=True)
class Workspace:
    """A workspace.

    Its audit log and query history are those of its `region`, which warehouses of that region's workspaces show.
    `status` is that of `workspaces_latest`: NOT_PROVISIONED, PROVISIONING, RUNNING, FAILED or BANNED; one that is
    not RUNNING answers nobody. `url_style` is how `workspaces_latest` spells its address: "full", "bare",
    "slash", or "unified", the address of all workspaces with this one's id; or "none", where it has no address.
    """

    workspace_id: str
    name: str
    status: str = RUNNING
    url_style: str = "full"
    listed: bool = True  # False: missing from workspaces_latest
    region: str = ""
    listed_from: int | None = None  # ms; it is set up then, and not listed before
    listed_until: int | None = None  # ms; it is cancelled then, and not listed any more

    @property
    def is_running(self) -> bool:
        """Whether it answers."""
        return self.status == RUNNING

    def is_listed(self, at: int) -> bool:
        """Whether `workspaces_latest` names it at a moment (ms)."""
        begun = self.listed_from is None or self.listed_from <= at
        return self.listed and begun and (self.listed_until is None or at < self.listed_until)


@dataclass(frozen=True)
class SpaceState:
    """What we may do with a space from `at` (ms) on, and whether it lies in the trash."""

    at: int
    access: str = "manage"  # manage | edit (no permissions, no others' talk) | run (no export) | none (403)
    trashed: bool = False


DETAILS_LAST_MS = 7 * 86_400_000
"""For how long the details of an evaluation are shown, from the end of its run."""


@dataclass(frozen=True)
class EvaluationResult:
    """What came of one benchmark question: `body` as the list shows it, `details` as it is shown alone."""

    body: dict[str, Any]
    details: dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """A run of a space's benchmark, from `at` (ms) until it ended. `body` is the run's JSON at its end."""

    at: int
    ends_at: int
    body: dict[str, Any]
    results: tuple[EvaluationResult, ...] = ()

    def has_ended(self, at: int) -> bool:
        """Whether it has ended at a moment (ms)."""
        return self.ends_at <= at

    def shows_details(self, at: int) -> bool:
        """Whether details are shown at a moment (ms)."""
        return self.ends_at <= at < self.ends_at + DETAILS_LAST_MS


@dataclass(frozen=True)
class Space:
    """A Genie space. `body` is the GenieSpace JSON with `serialized_space`; `access` is what we may do.

    `later` is what becomes of it, earliest first: made private and public again, trashed and restored. `grants` is
    what others may do.
    """

    workspace_id: str
    space_id: str
    body: dict[str, Any]
    access: str = "manage"
    trashed_at: int | None = None
    later: tuple[SpaceState, ...] = ()
    grants: tuple[tuple[str, str, str], ...] = ()  # kind and name of a principal, and its level
    evaluations: tuple[Evaluation, ...] = ()
    is_companion: bool = False  # a dashboard made it: the newer list leaves it out
    tags: dict[str, str] = field(default_factory=dict)

    def state(self, at: int) -> SpaceState:
        """What holds at a moment (ms)."""
        trashed = self.trashed_at is not None and self.trashed_at <= at
        return next((one for one in reversed(self.later) if one.at <= at), SpaceState(at, self.access, trashed))


@dataclass(frozen=True)
class MessageState:
    """What the API answers for a message from `at` (ms) on."""

    at: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Comment:
    """A comment on a message, from `at` (ms) until it was deleted. `body` is the comment's JSON."""

    at: int
    body: dict[str, Any]
    deleted_at: int | None = None

    def is_there(self, at: int) -> bool:
        """Whether it is shown at a moment (ms)."""
        return self.at <= at and (self.deleted_at is None or self.deleted_at > at)


@dataclass(frozen=True)
class Message:
    """A message over time. `access` "none" answers 403; one that was deleted may return."""

    workspace_id: str
    space_id: str
    conversation_id: str
    message_id: str
    states: tuple[MessageState, ...]
    deleted_at: int | None = None
    access: str = "ok"
    returns_at: int | None = None
    comments: tuple[Comment, ...] = ()

    def is_gone(self, at: int) -> bool:
        """Whether it is deleted at a moment (ms)."""
        if self.deleted_at is None or self.deleted_at > at:
            return False
        return self.returns_at is None or self.returns_at > at


@dataclass(frozen=True)
class AgentItem:
    """A step of a conversation with an agent, shown from `at` (ms) on. `body` is its JSON."""

    at: int
    body: dict[str, Any]


@dataclass(frozen=True)
class AgentConversation:
    """A conversation that is in agent mode, with its steps in their order. Its turns are messages, too."""

    workspace_id: str
    space_id: str
    conversation_id: str
    items: tuple[AgentItem, ...]


@dataclass(frozen=True)
class Securable:
    """A thing outside Genie that a space may name. Those that the account's own spaces name are there anyway.

    `kind` is table, function or warehouse. `access` is what we may do: read, browse (its description only) or
    none (403). Without `workspaces` it is seen from all of them; `state` is that of a warehouse.
    """

    kind: str
    name: str
    access: str = "read"
    workspaces: tuple[str, ...] = ()
    state: str = "RUNNING"


@dataclass(frozen=True)
class ArrivingRow:
    """A row of a system table and when it becomes visible there (ms).

    `regions` are those that show it; without any, it is the region of the row's workspace.
    """

    arrives_at: int
    row: dict[str, Any]
    regions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Account:
    """Everything that the sandbox serves."""

    account_id: str
    anchor: int  # "now" of the data, ms
    first_day: str  # first UTC day with activity, ISO
    last_day: str  # last UTC day with activity, ISO
    warehouse_id: str
    principal: Principal
    workspaces: tuple[Workspace, ...]
    spaces: tuple[Space, ...] = ()
    messages: tuple[Message, ...] = ()
    audit: tuple[ArrivingRow, ...] = ()
    query_history: tuple[ArrivingRow, ...] = ()
    agents: tuple[AgentConversation, ...] = ()
    securables: tuple[Securable, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)  # what the generator wants to remember (seed, scale)


_LISTS: dict[str, str] = {
    "spaces": "spaces.jsonl",
    "messages": "messages.jsonl",
    "audit": "audit.jsonl",
    "query_history": "query_history.jsonl",
    "agents": "agents.jsonl",
}


def save(account: Account, folder: Path) -> None:
    """Write `account` to `folder`, which is made if it is missing; existing files of the format are replaced.

    `account.json` comes last: where it is, the account is complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, file_name in _LISTS.items():
        _write_lines(folder / file_name, getattr(account, name))
    header = {name: value for name, value in vars(account).items() if name not in _LISTS}
    replace_text(folder / "account.json", json.dumps(header, indent=2, default=vars) + "\n")


@collector_paused()
def load(folder: Path) -> Account:
    """Read an account from `folder`.

    Raises:
        FileNotFoundError: naming the file that is missing.
    """
    header = json.loads((folder / "account.json").read_text(encoding="utf-8"))
    told = header["principal"]
    header["principal"] = Principal(**told | {"groups": tuple(told.get("groups", ()))})
    header["workspaces"] = tuple(Workspace(**item) for item in header["workspaces"])
    header["securables"] = tuple(_securable(item) for item in header.get("securables", ()))
    return Account(
        **header,
        spaces=tuple(space_of(item) for item in _read_lines(folder / _LISTS["spaces"])),
        messages=tuple(_message(item) for item in _read_lines(folder / _LISTS["messages"])),
        audit=_rows(folder / _LISTS["audit"]),
        agents=_agents(folder / _LISTS["agents"]),
        query_history=_rows(folder / _LISTS["query_history"]),
    )


def space_of(item: dict[str, Any]) -> Space:
    """A space as JSON holds it."""
    later = tuple(SpaceState(**state) for state in item.get("later", ()))
    grants = tuple(tuple(grant) for grant in item.get("grants", ()))
    evaluations = tuple(_evaluation(each) for each in item.get("evaluations", ()))
    return Space(**{**item, "later": later, "grants": grants, "evaluations": evaluations})


def _evaluation(item: dict[str, Any]) -> Evaluation:
    return Evaluation(**{**item, "results": tuple(EvaluationResult(**each) for each in item["results"])})


def _securable(item: dict[str, Any]) -> Securable:
    return Securable(**{**item, "workspaces": tuple(item["workspaces"])})


def _rows(path: Path) -> tuple[ArrivingRow, ...]:
    return tuple(
        ArrivingRow(item["arrives_at"], item["row"], tuple(item.get("regions", ()))) for item in _read_lines(path)
    )


def _agents(path: Path) -> tuple[AgentConversation, ...]:
    # Accounts that were written before there were agents have none.
    lines = _read_lines(path) if path.exists() else []
    return tuple(
        AgentConversation(**{**line, "items": tuple(AgentItem(**step) for step in line["items"])})
        for line in lines
    )


def _message(item: dict[str, Any]) -> Message:
    states = tuple(MessageState(**state) for state in item.pop("states"))
    comments = tuple(Comment(**comment) for comment in item.pop("comments", ()))
    return Message(**item, states=states, comments=comments)


def _write_lines(path: Path, items: Iterable[object]) -> None:
    encode = json.JSONEncoder(separators=(",", ":"), default=vars).encode  # `asdict` would copy every body
    with path.open("w", encoding="utf-8") as file:
        for item in items:
            file.write(encode(item) + "\n")


def _read_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
