"""Which comments are listed once something went wrong: none is asked for in vain, and none is forgotten."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer, FetchResult
from genie_assets.domain.tables import (
    COMMENT_FETCH_ERRORS,
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_COMMENTS,
)
from genie_assets.pipeline.message_comments import keep_comments
from genie_assets.pipeline.run import Run
from genie_assets_tests.lakehouse_in_memory import LakehouseInMemory

NOON, HOUR = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC), dt.timedelta(hours=1)
IDS = {"workspace_id": "w1", "space_id": "s1", "conversation_id": "c1", "message_id": "m1"}
BROKEN = FetchError(ErrorClass.SERVER, "It broke.", http_status=500)
NOT_FOUND = FetchError(ErrorClass.NOT_FOUND, "No such message.", 404, "RESOURCE_DOES_NOT_EXIST")


class Account:
    """A message with a comment, in the log and in the API."""

    def __init__(self) -> None:
        self.now, self.asked = NOON, 0
        self.problem: FetchError | None = None
        self.lake = LakehouseInMemory({})

    def log(self, **cells: Any) -> None:
        """What the log shows of it."""
        row = {
            **IDS,
            "workspace_url": "https://w1",
            "event_date": NOON.date(),
            "is_deleted": False,
            "event_count": 1,
        }
        self.lake.store(GENIE_MESSAGES_TO_FETCH, GENIE_MESSAGES_TO_FETCH.frame([{**row, **cells}]))

    def fetch(self, requests: Any, **_: Any) -> Iterator[FetchResult[Any]]:
        for request in requests:
            self.asked += 1
            answer = Answer({"comments": [{"message_comment_id": "first", "content": "Well."}]}, "LIST", self.now)
            found = {"m1": answer} if self.problem is None else {}
            errors = {"m1": self.problem} if self.problem is not None else {}
            yield FetchResult(request, found, errors, requests_made=1)

    def keep(self, problem: FetchError | None = None) -> int:
        """List what is to be listed, a day later; how often was asked."""
        self.now, self.problem, self.asked = self.now + 24 * HOUR, problem, 0
        api: Any = self
        keep_comments(Run(NOON.date(), "run", lambda: self.now), (), genie=api, lake=self.lake)
        return self.asked

    def states(self) -> list[tuple[bool, str | None]]:
        """Of its errors, whether each is resolved, and how."""
        return [(row["resolved"], row["resolution"]) for row in self.lake.records(COMMENT_FETCH_ERRORS)]


def test_an_error_is_tried_again_though_nothing_asks_for_the_list_any_more() -> None:
    """Reconciliation had found the message; then the log showed it, and the error stayed open."""
    account = Account()
    account.log(event_count=0)
    assert account.keep(BROKEN) == 1
    account.log(event_count=1)
    assert (account.keep(), account.states()) == (1, [(True, "FETCHED")])
    assert account.keep() == 0


def test_an_error_ends_with_its_message_and_comments_come_back_with_it() -> None:
    """Nobody asked any more, so that the error stayed open for good."""
    account = Account()
    account.log(last_comment_time=NOON)
    assert account.keep(BROKEN) == 1
    account.log(last_comment_time=NOON, is_deleted=True)
    assert (account.keep(NOT_FOUND), account.states()) == (0, [(True, "DELETED")])
    account.log(last_comment_time=NOON)
    assert account.keep(NOT_FOUND) == 0, "nothing shows it yet"
    day = {"created_date": NOON.date(), "content_hash": "a", "api_fetch_timestamp": account.now}
    account.lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame([{**IDS, **day}]))
    assert (account.keep(), account.states()) == (1, [(True, "FETCHED")])
    assert [row["is_deleted"] for row in account.lake.records(MESSAGE_COMMENTS)] == [False]
    assert account.keep() == 0
