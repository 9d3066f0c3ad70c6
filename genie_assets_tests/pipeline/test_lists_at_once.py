"""Two processes list the same comments: the older list may be stored later, and has not the last word."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from genie_assets.domain.requests import Answer, FetchResult
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, MESSAGE_COMMENTS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.message_comments import keep_comments
from genie_assets.pipeline.run import Run
from genie_assets_tests.mortal import KilledError, Mortal
from genie_assets_tests.overtaken import Overtaken

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
IDS = {"workspace_id": "w1", "space_id": "s1", "conversation_id": "c1", "message_id": "m1"}


class Comments:
    """The comments on one message, by their ids, as they are just now; of the API and of the log."""

    def __init__(self, path: Path) -> None:
        self.path, self.now, self.there = path, NOON, {"first": "a", "second": "a"}
        self.asked = 0
        self.say(first="a", second="a")

    def say(self, **there: str) -> None:
        """Somebody writes or deletes, and the log shows it."""
        self.now += MINUTE
        self.there = there
        row = {**IDS, "workspace_url": "https://w1", "event_date": NOON.date(), "is_deleted": False}
        frame = GENIE_MESSAGES_TO_FETCH.frame([{**row, "last_comment_time": self.now, "event_count": 1}])
        self.lake.merge(GENIE_MESSAGES_TO_FETCH, frame)

    @property
    def lake(self) -> Lakehouse:
        """The tables, as a process of its own opens them."""
        return open_lakehouse(str(self.path))

    def fetch(self, requests: Any, **_: Any) -> Iterator[FetchResult[Any]]:
        for request in requests:
            self.asked += 1
            bodies = [{"message_comment_id": each, "content": text} for each, text in self.there.items()]
            answer = Answer({"comments": bodies}, "LIST", self.now)
            yield FetchResult(request, {request.message_id: answer}, requests_made=1)

    def keep(self, lake: Any = None) -> None:
        self.now += MINUTE
        api: Any = self
        keep_comments(Run(NOON.date(), "run", lambda: self.now), (), genie=api, lake=lake or self.lake)

    def stored(self) -> dict[str, str]:
        rows = self.lake.records(MESSAGE_COMMENTS)
        return {row["comment_id"]: row["content"] for row in rows if not row["is_deleted"]}


def overtaken(path: Path, before: int, *, after: int | None) -> tuple[Comments, int]:
    """An older list is stored once another process has stored a newer one; the first one may die after a call."""
    comments = Comments(path)
    comments.keep()
    # Of the older list's comments one is deleted, one changed, and one that was gone is back.
    comments.say(second="b", third="a")

    def newer() -> None:
        comments.say(first="a", second="c")
        comments.keep()

    beside = Overtaken(comments.lake, before, newer)
    with suppress(KilledError):
        comments.keep(beside if after is None else Mortal(after)(beside))
    for _ in range(3):
        comments.keep()
    return comments, beside.calls


def test_an_older_list_that_is_stored_later_is_read_again(tmp_path: Path) -> None:
    number = calls = 2
    while number <= calls:
        comments, made = overtaken(tmp_path / str(number), number, after=None)
        calls = max(calls, made)
        assert comments.stored() == {"first": "a", "second": "c"}, f"overtaken before call {number}"
        asked = comments.asked
        comments.keep()
        assert comments.asked == asked, "it is over"
        number += 1
    assert calls > 6


def test_a_process_that_dies_after_it_was_overtaken_leaves_a_list_to_be_read_again(tmp_path: Path) -> None:
    for number, after in ((5, 5), (5, 6), (6, 6), (6, 7)):
        comments, _ = overtaken(tmp_path / f"{number} {after}", number, after=after)
        assert comments.stored() == {"first": "a", "second": "c"}, f"overtaken before {number}, died after {after}"
