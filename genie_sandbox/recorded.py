"""An account made of recorded examples, as `genie-assets doctor --record DIR` writes them, to replay them.

It holds what the examples hold: spaces, messages with their comments, agents' steps, evaluations, and some events
of the audit log. Query history is empty. Errors are not replayed: a space whose conversations were refused is one
that we may not manage.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genie_sandbox.account import (
    Account,
    AgentConversation,
    AgentItem,
    ArrivingRow,
    Comment,
    Evaluation,
    EvaluationResult,
    Message,
    MessageState,
    Principal,
    Space,
    Workspace,
)
from genie_sandbox.randomness import dashed_id, stream

_DAY_MS = 86_400_000
_Json = Mapping[str, Any]


@dataclass(frozen=True)
class _Answer:
    asked: Mapping[str, str]
    body: _Json | None
    http_status: int | None

    @property
    def space(self) -> tuple[str, str]:
        """The workspace and the space that were asked for."""
        return self.asked.get("workspace_id", ""), self.asked.get("space_id", "")

    @property
    def conversation(self) -> tuple[str, str, str]:
        """The same, and the conversation."""
        return (*self.space, self.asked.get("conversation_id", ""))


class _Recorded:
    """The answers in a folder, by kind."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("*.json"))
        if not files:
            raise ValueError(f"{folder} holds no recorded examples: genie-assets doctor --record DIR makes them.")
        self._answers: dict[str, list[_Answer]] = {}
        for file in files:
            try:
                document = json.loads(file.read_text(encoding="utf-8"))
                answers = [_answer(each) for each in document["answers"]]
                self._answers[document["kind"]] = answers
            except (ValueError, TypeError, KeyError, AttributeError):
                raise ValueError(
                    f"{file} is no recorded example, as genie-assets doctor --record makes it."
                ) from None

    def of(self, *kinds: str) -> Iterator[_Answer]:
        """Answers of these kinds."""
        return (answer for kind in kinds for answer in self._answers.get(kind, ()))

    def bodies(self, *kinds: str) -> Iterator[tuple[_Answer, _Json]]:
        """Good ones, each with what it says."""
        return ((answer, answer.body) for answer in self.of(*kinds) if answer.body is not None)


def _answer(found: _Json) -> _Answer:
    return _Answer(dict(found["asked"]), found.get("body"), (found.get("problem") or {}).get("http_status"))


def account_of(folder: Path) -> Account:
    """The account that recorded examples show.

    Raises:
        ValueError: there are none in the folder, or a file is none.
    """
    recorded = _Recorded(folder)
    messages = tuple(_messages(recorded))
    times = [state.at for message in messages for state in message.states]
    anchor = max(times, default=0) + _DAY_MS
    spaces = tuple(_spaces(recorded, anchor))
    rng = stream(0, "recorded")
    application_id = dashed_id(rng)
    return Account(
        account_id=dashed_id(rng),
        anchor=anchor,
        first_day=_day(min(times, default=0)),
        last_day=_day(anchor),
        warehouse_id="0123456789abcdef",
        principal=Principal(application_id, "secret-of-the-recorded", "dapi-of-the-recorded", 1),
        workspaces=tuple(
            Workspace(each, f"recorded {number}")
            for number, each in enumerate(dict.fromkeys(space.workspace_id for space in spaces), start=1)
        ),
        spaces=spaces,
        messages=messages,
        audit=tuple(_events(recorded)),
        agents=tuple(_agents(recorded)),
        notes={"recorded": True},
    )


def _spaces(recorded: _Recorded, anchor: int) -> Iterator[Space]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for answer, body in recorded.bodies("spaces", "spaces.one", "spaces.next"):
        for each in _objects(body.get("spaces")):
            found.setdefault((answer.space[0], str(each.get("space_id"))), {}).update(each)
    for answer, body in recorded.bodies("space"):
        found.setdefault(answer.space, {}).update(body)
    refused = {answer.space for answer in recorded.of("conversations", "space") if answer.http_status == 403}
    evaluations = {space: tuple(_evaluations(recorded, space, anchor)) for space in found}
    for (workspace_id, space_id), body in found.items():
        access = "run" if (workspace_id, space_id) in refused else "manage"
        yield Space(workspace_id, space_id, body, access, evaluations=evaluations[(workspace_id, space_id)])


def _evaluations(recorded: _Recorded, space: tuple[str, str], anchor: int) -> Iterator[Evaluation]:
    results: dict[str, list[_Json]] = {}
    for answer, body in recorded.bodies("evaluation.results"):
        if answer.space == space:
            results.setdefault(answer.asked.get("run_id", ""), []).extend(_objects(body.get("eval_results")))
    details = {body.get("result_id"): body for _, body in recorded.bodies("evaluation.result")}
    for answer, body in recorded.bodies("evaluations"):
        for run in _objects(body.get("eval_runs")) if answer.space == space else ():
            told = results.get(str(run.get("eval_run_id")), ())
            yield Evaluation(
                at=0,
                ends_at=anchor - _DAY_MS,
                body=dict(run),
                results=tuple(
                    EvaluationResult(dict(each), dict(details.get(each.get("result_id"), {}))) for each in told
                ),
            )


def _messages(recorded: _Recorded) -> Iterator[Message]:
    comments: dict[tuple[str, ...], tuple[Comment, ...]] = {}
    for answer, body in recorded.bodies("comments"):
        of = (*answer.conversation, answer.asked.get("message_id", ""))
        comments[of] = tuple(Comment(_ms(each), dict(each)) for each in _objects(body.get("comments")))
    found: dict[tuple[str, ...], _Json] = {}
    for answer, body in recorded.bodies("messages", "messages.one", "messages.next"):
        for each in _objects(body.get("messages")):
            found.setdefault((*answer.conversation, str(each.get("message_id") or each.get("id"))), each)
    for answer, body in recorded.bodies("message"):
        found[(*answer.conversation, answer.asked.get("message_id", ""))] = body
    for key, body in found.items():
        workspace_id, space_id, conversation_id, message_id = key
        states = (MessageState(_ms(body), dict(body)),)
        yield Message(workspace_id, space_id, conversation_id, message_id, states, comments=comments.get(key, ()))


def _agents(recorded: _Recorded) -> Iterator[AgentConversation]:
    for answer, body in recorded.bodies("items"):
        yield AgentConversation(
            *answer.conversation, tuple(AgentItem(0, dict(each)) for each in _objects(body.get("data")))
        )


def _events(recorded: _Recorded) -> Iterator[ArrivingRow]:
    """Events of the audit log, as a statement brought them: every cell a text."""
    for _, body in recorded.bodies("sql.audit_rows"):
        columns = [each["name"] for each in body["manifest"]["schema"]["columns"]]
        for cells in body.get("result", {}).get("data_array", ()):
            row = {name: _cell(cell) for name, cell in zip(columns, cells, strict=True)}
            row["event_time"] = _time_ms(row["event_time"])
            yield ArrivingRow(row["event_time"], row)


def _cell(cell: str | None) -> Any:
    return json.loads(cell) if cell is not None and cell[:1] in ("{", "[") else cell


def _time_ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp() * 1000)


def _objects(value: Any) -> Iterable[_Json]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else ()


def _ms(body: _Json) -> int:
    """When a thing was made; the beginning of time where it does not say so in milliseconds."""
    try:
        return max(0, int(body.get("created_timestamp") or 0))
    except (TypeError, ValueError):
        return 0


def _day(ms: int) -> str:
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)).date().isoformat()
