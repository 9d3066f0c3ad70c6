"""Takes samples of an account: a bounded number of requests that only read, few at each place.

What the samples mean is judged in `domain.contract`. Nothing is stored here.
"""

import datetime as dt
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, Protocol

from genie_assets.domain.agents import AGENT_MODE
from genie_assets.domain.messages import message_id_of
from genie_assets.domain.samples import PAGE_SIZE, Sample, Samples, items
from genie_assets.pipeline.statement_samples import Hint, Warehouse, hints, sample_of_spaces, samples_of_statements

MOST_REQUESTS = 150
"""Of the Genie API and of permissions, second tries included."""

MOST_STATEMENTS = 16
"""Sent to the warehouse; looks at one that still runs come on top."""

_WORKSPACES, _SPACES_LISTED, _SPACES, _CONVERSATIONS, _MESSAGES = 3, 8, 3, 3, 1
_HINTS = 4
_MISSING = "0" * 32

Workspace = tuple[str, str | None]
# Yields the samples that it takes, and returns the last one's answer.
_Asking = Generator[Sample, None, Mapping[str, Any] | None]


class Genie(Protocol):
    """Asks the Genie API; see `GenieSampler`."""

    def get(
        self,
        kind: str,
        workspace: Workspace,
        path: Sequence[str],
        query: Mapping[str, str],
        *,
        below: str = "spaces",
    ) -> Sample | None:
        """One sample; None if enough were taken."""
        ...


def samples_of_account(
    warehouse: Warehouse,
    genie: Genie,
    workspaces: Sequence[Workspace],
    now: dt.datetime,
    *,
    with_rows: bool = False,
) -> Samples:
    """Take all samples.

    Args:
        warehouse: Is asked first, for it may have to wake up.
        genie: Is asked of some workspaces.
        workspaces: Those that run; the first that list spaces are looked into, those with hints before others.
        now: The time, UTC.
        with_rows: Whether whole rows of system tables are wanted, too.
    """
    taken = [*samples_of_statements(warehouse, now, with_rows=with_rows)]
    hinted = hints(Samples(now, taken))
    looked_into = 0
    for workspace in sorted(workspaces, key=lambda each: each[0] not in hinted):
        found = [*_Taking(genie, workspace, taken).all(hinted.get(workspace[0], ()))]
        taken += found
        looked_into += any(items((each.body or {}).get("spaces")) for each in found)
        if looked_into == _WORKSPACES:
            break
    taken += sample_of_spaces(warehouse, Samples(now, taken))
    return Samples(now, taken)


class _Taking:
    """Takes the samples of one workspace. What one answer tells decides what is asked next."""

    def __init__(self, genie: Genie, workspace: Workspace, before: Sequence[Sample]) -> None:
        self._genie, self._workspace = genie, workspace
        self._kinds = {sample.kind for sample in before if sample.body is not None or sample.problem is not None}

    def all(self, hints: Sequence[Hint]) -> Iterator[Sample]:
        listed = yield from self._page("spaces", ())
        spaces = _ids(listed, "spaces", "space_id")
        if len(spaces) > 1:
            yield from self._two_small_pages("spaces", ())
        found: dict[str, Sequence[Any]] = {}
        for space_id in spaces[:_SPACES_LISTED]:
            page = yield from self._page("conversations", (space_id, "conversations"), {"include_all": "true"})
            found[space_id] = items((page or {}).get("conversations"))
        for space_id in sorted(found, key=lambda each: _interest(found[each]), reverse=True)[:_SPACES]:
            if found[space_id]:
                yield from self._of_space(space_id, found[space_id])
        if spaces:
            yield from self._of_first_space(spaces[0])
        for space_id in spaces[:_SPACES_LISTED]:
            yield from self._evaluations(space_id)
        for hint in hints[:_HINTS]:
            yield from self._of_hint(hint)

    def _of_space(self, space_id: str, conversations: Sequence[Any]) -> Iterator[Sample]:
        yield from self._ask("space", (space_id,), {"include_serialized_space": "true"})
        yield from self._once("conversations.own", (space_id, "conversations"), {"page_size": PAGE_SIZE})
        known = [each for each in conversations if isinstance(each, Mapping)]
        first, later = known[:_CONVERSATIONS], known[_CONVERSATIONS:]
        for conversation in (*first, *[each for each in later if each.get("agent_type") == AGENT_MODE][:1]):
            conversation_id = conversation.get("conversation_id")
            if isinstance(conversation_id, str):
                yield from self._of_conversation(space_id, conversation_id, conversation.get("agent_type"))

    def _of_conversation(self, space_id: str, conversation_id: str, kind: object) -> Iterator[Sample]:
        path = (space_id, "conversations", conversation_id, "messages")
        listed = yield from self._page("messages", path)
        messages = [each for each in items((listed or {}).get("messages")) if isinstance(each, Mapping)]
        if len(messages) > 1 and "messages.one" not in self._kinds:
            yield from self._two_small_pages("messages", path)
        for message in messages[:_MESSAGES]:
            if message_id := message_id_of(message):
                yield from self._ask("message", (*path, message_id), {})
                comments = {"page_size": PAGE_SIZE}
                yield from self._ask("comments", (*path, message_id, "comments"), comments)
        if kind == AGENT_MODE:
            steps = (space_id, "conversations", conversation_id, "items")
            yield from self._ask("items", steps, {"limit": PAGE_SIZE, "order": "asc"}, below="agents")

    def _of_hint(self, hint: Hint) -> Iterator[Sample]:
        """What the audit log says is there and few have: comments, or an agent's steps."""
        path = (hint.space_id, "conversations", hint.conversation_id)
        if hint.message_id:
            message = (*path, "messages", hint.message_id)
            yield from self._ask("message", message, {})
            yield from self._ask("comments", (*message, "comments"), {"page_size": PAGE_SIZE})
        else:
            yield from self._page("messages", (*path, "messages"))
            yield from self._ask("items", (*path, "items"), {"limit": PAGE_SIZE, "order": "asc"}, below="agents")

    def _of_first_space(self, space_id: str) -> Iterator[Sample]:
        """What need not be asked twice."""
        yield from self._once("permissions", (space_id,), {}, below="permissions")
        yield from self._once("too_many", (space_id, "conversations"), {"page_size": "101"})
        missing = (space_id, "conversations", _MISSING, "messages", _MISSING)
        yield from self._once("missing.message", missing, {})
        yield from self._once("missing.conversation", missing[:4], {})
        yield from self._once("missing.space", (_MISSING,), {})

    def _evaluations(self, space_id: str) -> Iterator[Sample]:
        if "evaluation.result" in self._kinds:
            return
        path = (space_id, "eval-runs")
        listed = yield from self._page("evaluations", path)
        for run_id in _ids(listed, "eval_runs", "eval_run_id"):
            if "evaluation.result" in self._kinds:
                return
            results = yield from self._page("evaluation.results", (*path, run_id, "results"))
            for result_id in _ids(results, "eval_results", "result_id")[:1]:
                yield from self._once("evaluation.result", (*path, run_id, "results", result_id), {})

    def _two_small_pages(self, name: str, path: Sequence[str]) -> Iterator[Sample]:
        first = yield from self._ask(f"{name}.one", path, {"page_size": "1"})
        token = (first or {}).get("next_page_token")
        if isinstance(token, str) and token:
            yield from self._ask(f"{name}.next", path, {"page_size": "1", "page_token": token})

    def _page(self, kind: str, path: Sequence[str], query: Mapping[str, str] | None = None) -> _Asking:
        return self._ask(kind, path, {**(query or {}), "page_size": PAGE_SIZE})

    def _once(self, kind: str, path: Sequence[str], query: Mapping[str, str], below: str = "spaces") -> _Asking:
        if kind in self._kinds:
            return None
        return (yield from self._ask(kind, path, query, below))

    def _ask(self, kind: str, path: Sequence[str], query: Mapping[str, str], below: str = "spaces") -> _Asking:
        sample = self._genie.get(kind, self._workspace, path, query, below=below)
        if sample is None:
            return None
        self._kinds.add(kind)
        yield sample
        return sample.body


def _interest(conversations: Sequence[Any]) -> tuple[bool, int]:
    """Spaces with an agent's conversation first, then those with many."""
    types = [each.get("agent_type") for each in conversations if isinstance(each, Mapping)]
    return AGENT_MODE in types, len(types)


def _ids(body: Mapping[str, Any] | None, key: str, name: str) -> list[str]:
    found = (each.get(name) for each in items((body or {}).get(key)) if isinstance(each, Mapping))
    return [each for each in found if isinstance(each, str) and each]
