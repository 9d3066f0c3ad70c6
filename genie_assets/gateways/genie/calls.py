"""Single calls of the Genie API: paced, retried, counted, checked."""

import datetime as dt
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from genie_assets.domain.fetch_plan import LIST_PAGE_SIZE
from genie_assets.domain.messages import message_id_of
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer, Endpoint, Sent
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import CallError, OutOfTimeError, Retries
from genie_assets.gateways.databricks.transport import USUAL
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.answers import (
    agents_of_page,
    bad_payload,
    is_of_conversation,
    items_of_page,
    last_id_of_page,
    next_page_token,
    objects_of_page,
)
from genie_assets.gateways.genie.limits import Limits
from genie_assets.gateways.genie.page_sizes import Lists, PageSizes
from genie_assets.gateways.genie.paths import AGENTS, PERMISSIONS, SPACES, TAGS, path_of

_MOST_PAGES = 2_000  # a conversation holds at most 10,000 messages; a list that goes on and on is broken
_SMALL_PAGE_SIZE = 10  # for a page that is too big; one that still is leaves its messages to single GETs


@dataclass
class Target:
    """A workspace, until when it may be asked (clock seconds; None is for ever), and how often it was.

    Belongs to one piece of work: only one thread counts in it.
    """

    workspace_id: str
    url: str | None
    deadline: float | None = None
    requests: int = 0
    throttled: int = 0  # of them: answered 429
    sent: list[Sent] = field(default_factory=list)  # each of them


class GenieCalls:
    """The calls. Each raises `CallError`, or `OutOfTimeError` if the deadline came before anything was sent.

    Args:
        workspaces: Knows how to reach them.
        pacer_of: Makes the pacer of a workspace.
        retries: How passing trouble is met.
        now: The time, UTC.
        limits: How much is read at most.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        *,
        pacer_of: Callable[[str], Pacer],
        retries: Retries,
        now: Callable[[], dt.datetime],
        limits: Limits,
    ) -> None:
        self._limits = limits
        self._workspaces, self._pacer_of, self._retries, self._now = workspaces, pacer_of, retries, now
        self._pacers: dict[str, Pacer] = {}
        self._expected: Mapping[str, float] = {}
        self._lock = threading.Lock()
        self._page_sizes = PageSizes()

    def expect_pace(self, settled: Mapping[str, float]) -> None:
        """Begin with the pace on which earlier runs have settled, by workspace id."""
        with self._lock:
            self._expected = dict(settled)

    def settled_pace(self) -> dict[str, float]:
        """The same of this run, and of earlier ones where it knows nothing better."""
        with self._lock:
            found = {workspace_id: pacer.settled for workspace_id, pacer in self._pacers.items()}
            return {**self._expected, **{each: rate for each, rate in found.items() if rate is not None}}

    def message(self, target: Target, space_id: str, conversation_id: str, message_id: str) -> Answer:
        """One message by GET."""
        path = path_of(space_id, "conversations", conversation_id, "messages", message_id)
        try:
            answer = self._get(target, path, {}, "GET")
        except CallError as failed:
            if failed.error.error_class is not ErrorClass.TOO_BIG:
                raise
            text = f"This message alone is too big to be read. {failed.error.message}"
            problem = CallError(replace(failed.error, message=text))
        else:
            return _checked(answer, conversation_id, message_id)
        raise problem

    def messages(self, target: Target, space_id: str, conversation_id: str) -> Iterator[tuple[Answer, ...]]:
        """The messages of a conversation, page by page."""
        path = path_of(space_id, "conversations", conversation_id, "messages")
        for page in self._pages(target, path):
            bodies = objects_of_page(page.body, "messages", ("message_id", "id"))
            share = page.size // max(1, len(bodies))
            yield tuple(
                Answer(body, "LIST", page.requested_at, share)
                for body in bodies
                if is_of_conversation(body, conversation_id)
            )

    def comments(self, target: Target, space_id: str, conversation_id: str, message_id: str) -> Iterator[Answer]:
        """The comments on a message: each page with its `comments`, be there any or not."""
        path = path_of(space_id, "conversations", conversation_id, "messages", message_id, "comments")
        for page in self._pages(target, path):
            bodies = objects_of_page(page.body, "comments")
            mine = [body for body in bodies if (body.get("message_id") or message_id) == message_id]
            yield replace(page, body={"comments": mine})

    def items(self, target: Target, agent_id: str, conversation_id: str) -> Iterator[Answer]:
        """The steps of a conversation with an agent, the oldest first: each page with its `data`."""
        path = path_of(agent_id, "conversations", conversation_id, "items", below=AGENTS)
        query = {"limit": str(LIST_PAGE_SIZE), "order": "asc"}
        seen, size = set[str](), 0
        for _ in range(_MOST_PAGES):
            page = self._get(target, path, query, "LIST")
            size += page.size
            self._check_size(size)
            items = items_of_page(page.body)
            yield replace(page, body={"data": items})
            last_id = last_id_of_page(page.body)
            if not items or last_id is None:
                return
            if last_id in seen:
                raise bad_payload("The list goes on behind an item behind which it has gone on before.")
            seen.add(last_id)
            query = {**query, "after": last_id}
        raise bad_payload(f"The list does not end after {_MOST_PAGES} pages.")

    def evaluations(self, target: Target, space_id: str) -> Iterator[Answer]:
        """The evaluations of a space: each page with its `eval_runs`, be there any or not."""
        for page in self._pages(target, path_of(space_id, "eval-runs")):
            yield replace(page, body={"eval_runs": objects_of_page(page.body, "eval_runs", ("eval_run_id",))})

    def evaluation_results(self, target: Target, space_id: str, run_id: str) -> Iterator[Answer]:
        """The results of an evaluation: each page with its `eval_results`, be there any or not."""
        for page in self._pages(target, path_of(space_id, "eval-runs", run_id, "results")):
            yield replace(page, body={"eval_results": objects_of_page(page.body, "eval_results", ("result_id",))})

    def evaluation_details(self, target: Target, space_id: str, run_id: str, result_id: str) -> Answer:
        """One result with its details."""
        answer = self._get(target, path_of(space_id, "eval-runs", run_id, "results", result_id), {}, "GET")
        if answer.body.get("result_id", result_id) != result_id:
            raise bad_payload("The answer is not the result that was asked for.")
        return answer

    def any_conversation(self, target: Target, space_id: str) -> None:
        """Ask for one conversation of anybody's: the cheapest call that needs CAN MANAGE, as reading does."""
        query = {"include_all": "true", "page_size": "1"}
        page = self._get(target, path_of(space_id, "conversations"), query, "LIST")
        objects_of_page(page.body, "conversations")

    def conversations(self, target: Target, space_id: str) -> Iterator[tuple[Answer, ...]]:
        """The conversations of a space, everybody's, page by page: needs CAN MANAGE."""
        for page in self._pages(target, path_of(space_id, "conversations"), {"include_all": "true"}):
            yield tuple(
                Answer(body, "LIST", page.requested_at)
                for body in objects_of_page(page.body, "conversations", ("conversation_id",))
                if isinstance(body.get("conversation_id"), str)
            )

    def below_a_space(self, target: Target, *segments: str) -> Answer:
        """Any object below the spaces, by the segments of its path: ids, each quoted, and what stands between."""
        return self._get(target, path_of(*segments), {}, "GET")

    def space(self, target: Target, space_id: str, *, include_serialized_space: bool) -> Answer:
        """One space."""
        query = {"include_serialized_space": "true"} if include_serialized_space else {}
        answer = self._get(target, path_of(space_id), query, "GET")
        if answer.body.get("space_id") != space_id:
            raise bad_payload("The answer is not the space that was asked for.")
        return answer

    def permissions(self, target: Target, space_id: str) -> Answer:
        """Who may do what with one space."""
        return self._get(target, path_of(space_id, below=PERMISSIONS), {}, "GET")

    def spaces(self, target: Target) -> Iterator[tuple[Answer, ...]]:
        """The spaces of a workspace, page by page."""
        for page in self._pages(target, SPACES):
            yield tuple(
                Answer(body, "LIST", page.requested_at)
                for body in objects_of_page(page.body, "spaces", ("space_id",))
                if isinstance(body.get("space_id"), str)
            )

    def agents(self, target: Target) -> Iterator[Answer]:
        """The newer list of a workspace's spaces: pages with `genie_agents`, and what was `unreachable`."""
        for page in self._pages(target, AGENTS, {"view": "GENIE_AGENT_VIEW_BASIC"}):
            unreachable = page.body.get("unreachable")
            yield replace(page, body={"genie_agents": agents_of_page(page.body), "unreachable": unreachable})

    def tags(self, target: Target, space_id: str) -> Iterator[Answer]:
        """The tags of a space: each page with its `tag_assignments`, be there any or not."""
        for page in self._pages(target, path_of(space_id, "tags", below=TAGS)):
            yield replace(
                page, body={"tag_assignments": objects_of_page(page.body, "tag_assignments", ("tag_key",))}
            )

    def _pages(
        self, target: Target, path: str, always: Mapping[str, str] = MappingProxyType({})
    ) -> Iterator[Answer]:
        token, seen = None, set[str]()
        page_size, size = LIST_PAGE_SIZE, 0
        for _ in range(_MOST_PAGES):
            query = {**always, "page_token": token} if token else dict(always)
            try:
                page = self._page(target, path, query, page_size)
            except CallError as error:
                is_refused = self._page_sizes.is_refused(_lists_at(target, path))
                is_last_resort = page_size == _SMALL_PAGE_SIZE or is_refused
                if error.error.error_class is not ErrorClass.TOO_BIG or is_last_resort:
                    raise
                # A server that minds another size in the middle of a list loses nothing: what is wanted and does
                # not come is asked for by itself.
                page_size = _SMALL_PAGE_SIZE
                page = self._page(target, path, query, page_size)
            size += page.size
            self._check_size(size)
            yield page
            token = next_page_token(page.body)
            if token is None:
                return
            if token in seen:
                raise bad_payload("The list names a next page that it has named before.")
            seen.add(token)
        raise bad_payload(f"The list does not end after {_MOST_PAGES} pages.")

    def _check_size(self, size: int) -> None:
        if size > self._limits.list_bytes:
            text = f"The list is bigger than {self._limits.list_bytes // 2**20} MiB."
            raise CallError(FetchError(ErrorClass.TOO_BIG, text, http_status=200))

    def _page(self, target: Target, path: str, query: dict[str, str], page_size: int) -> Answer:
        lists = _lists_at(target, path)
        if not self._page_sizes.may_be_named(lists, self._left(target)):
            return self._get(target, path, query, "LIST")
        taken: bool | None = None
        try:
            try:
                page = self._get(target, path, {"page_size": str(page_size), **query}, "LIST")
                taken = True
            except CallError as error:
                if error.error.http_status != 400:
                    raise
                # Perhaps our page size is what the server objects to.
                page = self._get(target, path, query, "LIST")
                taken = False
            return page
        finally:
            self._page_sizes.tell(lists, taken=taken)

    def _left(self, target: Target) -> float:
        """Seconds until the deadline."""
        return math.inf if target.deadline is None else target.deadline - self._retries.clock()

    def _get(self, target: Target, path: str, query: dict[str, str], endpoint: Endpoint) -> Answer:
        http = self._workspaces.http(target.workspace_id, target.url)
        pacer = self._pacer(target.workspace_id)
        failed: CallError | None = None
        tries = 0
        refused_after: int | None = None  # so many answers of the workspace

        def attempt() -> Answer:
            nonlocal failed, tries, refused_after
            sent_at = pacer.acquire(target.deadline)
            if sent_at is None:
                raise failed or OutOfTimeError
            tries += 1
            requested_at, began = self._now(), self._retries.clock()
            target.requests += 1
            size, is_throttled = 0, False
            limits = replace(USUAL, seconds=max(0.0, self._left(target)) + self._limits.grace_seconds)
            try:
                body, size = http.sized_call("GET", path, query=query, limits=limits)
            except CallError as error:
                if error.error.error_class is ErrorClass.TIMEOUT and self._left(target) <= 0:
                    # The run was in a hurry, the workspace perhaps not slow.
                    raise failed or OutOfTimeError from None
                failed = error
                if error.error.error_class is ErrorClass.RATE_LIMITED:
                    is_throttled = True
                    target.throttled += 1
                    # Refused again while others got through: it is this one that is refused, not the pace.
                    if refused_after in (None, pacer.got_through):
                        pacer.refused(sent_at, error.error.retry_after_seconds)
                    refused_after = pacer.got_through
                if error.error.asks_for_long:
                    raise CallError(error.error) from None  # its ledger waits so long, not this thread
                raise
            finally:
                pacer.back(sent_at)
                ms = round((self._retries.clock() - began) * 1000)
                target.sent.append(Sent(endpoint, ms, size, is_throttled, again=tries > 1))
            pacer.good()
            return Answer(body, endpoint, requested_at, size)

        return self._retries.call(attempt, deadline=target.deadline)

    def _pacer(self, workspace_id: str) -> Pacer:
        with self._lock:
            if workspace_id not in self._pacers:
                pacer = self._pacers[workspace_id] = self._pacer_of(workspace_id)
                if workspace_id in self._expected:
                    pacer.expect(self._expected[workspace_id])
            return self._pacers[workspace_id]


def _lists_at(target: Target, path: str) -> Lists:
    """What a list is of stands at the end of its path."""
    return Lists(target.workspace_id, path.rpartition("/")[2])


def _checked(answer: Answer, conversation_id: str, message_id: str) -> Answer:
    if message_id_of(answer.body) != message_id or not is_of_conversation(answer.body, conversation_id):
        raise bad_payload("The answer is not the message that was asked for.")
    return answer
