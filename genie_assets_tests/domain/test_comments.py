"""Comments: what is known stays known, what is gone is marked, and an older list changes nothing."""

import datetime as dt
import itertools
from typing import Any

import pytest

from genie_assets.domain.actions import may_change_comments
from genie_assets.domain.comments import comments_look, requests_for
from genie_assets.domain.keys import Row
from genie_assets.domain.requests import Answer, CommentsOfMessage
from genie_assets.domain.tables import MESSAGE_COMMENT_LOOKS, MESSAGE_COMMENTS
from genie_assets.domain.whole_lists import COMMENTS, ListLook, changed_children, look_row

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def look(at: dt.datetime, *bodies: dict[str, Any]) -> ListLook:
    answer = Answer({"comments": list(bodies)}, "LIST", at)
    return comments_look(CommentsOfMessage("w", None, "s", "c", "m", at), answer)


def body(comment_id: str, content: str = "Why?", **more: Any) -> dict[str, Any]:
    return {"message_comment_id": comment_id, "content": content, "user_id": 2**60, **more}


class Shelf:
    """What is stored, kept by the rules alone."""

    def __init__(self) -> None:
        self.comments: dict[str, Row] = {}
        self.noted: Row | None = None

    def take(self, seen: ListLook) -> int:
        """Store a look; how many rows it changed."""
        row = look_row(COMMENTS, seen, self.noted)
        if row is None:
            return 0
        changed = changed_children(COMMENTS, seen, self.comments.values())
        self.comments |= {each["comment_id"]: each for each in changed}
        self.noted = row
        return len(changed)


def test_what_is_gone_stays_and_says_so_and_what_comes_back_is_there_again() -> None:
    shelf = Shelf()
    assert shelf.take(look(NOON, body("a"), body("b"))) == 2
    assert shelf.take(look(NOON + HOUR, body("a"), body("b"))) == 0
    assert shelf.take(look(NOON + 2 * HOUR, body("b", "Because."))) == 2
    a, b = shelf.comments["a"], shelf.comments["b"]
    assert (a["is_deleted"], a["deleted_seen_timestamp"], a["content"]) == (True, NOON + 2 * HOUR, "Why?")
    assert (b["is_deleted"], b["content"], b["first_seen_timestamp"]) == (False, "Because.", NOON)
    assert shelf.take(look(NOON + 3 * HOUR, body("b", "Because."))) == 0, "gone already"
    shelf.take(look(NOON + 4 * HOUR, body("a")))
    assert (shelf.comments["a"]["is_deleted"], shelf.comments["a"]["deleted_seen_timestamp"]) == (False, None)


def test_a_comment_that_is_listed_again_without_its_text_keeps_it() -> None:
    shelf = Shelf()
    shelf.take(look(NOON, body("a", comment_type="REVIEW_REQUEST", created_timestamp=1)))
    whole = shelf.comments["a"]
    assert shelf.take(look(NOON + HOUR, {"message_comment_id": "a"})) == 0
    assert shelf.take(look(NOON + 2 * HOUR, {"message_comment_id": "a", "comment_type": "COMMENT"})) == 1
    assert shelf.comments["a"] == {**whole, "comment_type": "COMMENT"}, "with the document that shows it"
    shelf.take(look(NOON + 3 * HOUR, body("a", "Because.", comment_type="COMMENT", created_timestamp=1)))
    assert (shelf.comments["a"]["content"], "Because." in shelf.comments["a"]["raw_json"]) == ("Because.", True)


def test_lists_that_are_stored_in_another_order_end_in_the_same_state() -> None:
    lists = [look(NOON, body("a")), look(NOON + HOUR, body("a", "!"), body("b")), look(NOON + 2 * HOUR, body("b"))]
    for order in itertools.permutations(lists):
        shelf = Shelf()
        for each in order:
            shelf.take(each)
        there = {name for name, row in shelf.comments.items() if not row["is_deleted"]}
        assert there == {"b"}
        assert shelf.noted is not None
        assert (shelf.noted["comment_count"], shelf.noted["event_comment_time"]) == (1, NOON + 2 * HOUR)


def test_every_field_is_optional_and_nothing_is_lost() -> None:
    odd = {"content": ["no", "text"], "created_timestamp": "1767225600000", "user_id": None, "mood": {"new": True}}
    (row,) = changed_children(COMMENTS, look(NOON, odd), [])
    assert (row["content"], row["user_id"], row["created_timestamp"]) == (None, None, 1767225600000)
    assert '"mood":{"new":true}' in row["raw_json"]
    assert len(row["comment_id"]) == 64, "named by what it says"
    assert changed_children(COMMENTS, look(NOON + HOUR, odd), [row]) == []
    (known,) = changed_children(COMMENTS, look(NOON, body("a", "half a \ud83d pair")), [])
    assert known["user_id"] == str(2**60)
    stored = {**known, "content": "half a \ufffd pair"}
    assert changed_children(COMMENTS, look(NOON + HOUR, body("a", "half a \ud83d pair")), [stored]) == []
    assert set(row) | {*MESSAGE_COMMENTS.bookkeeping} == set(MESSAGE_COMMENTS.column_names)
    noted = look_row(COMMENTS, look(NOON), None)
    assert noted is not None
    assert set(noted) | {*MESSAGE_COMMENTS.bookkeeping} == set(MESSAGE_COMMENT_LOOKS.column_names)


def test_one_request_is_made_of_each_message_for_the_latest_event() -> None:
    def reference(**changes: Any) -> Row:
        ids = {"workspace_id": "w", "space_id": "s", "conversation_id": "c", "message_id": "m"}
        return {**ids, "workspace_url": "https://w.example", "last_comment_time": NOON, **changes}

    rows = [
        reference(last_comment_time=NOON + HOUR),
        reference(),
        reference(last_comment_time=None),
        reference(workspace_id="x"),
        reference(message_id="n", conversation_id=None),
        reference(message_id=".."),
    ]
    found = requests_for(rows, {"w"})
    assert found == requests_for(reversed(rows), {"w"})
    assert [(each.message_id, each.asked_for) for each in found] == [("m", NOON + HOUR)]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("createConversationMessageComment", True),
        ("deleteConversationMessageComment", True),
        ("genieCreateMessageComment", True),
        ("resolveMessageCommentThread", True),
        ("listConversationMessageComments", False),
        ("genieListConversationComments", False),
        ("updateConversationMessageFeedback", False),
        ("createConversationMessage", False),
    ],
)
def test_actions_that_may_change_comments_are_known_by_their_names(action: str, *, expected: bool) -> None:
    assert may_change_comments(action) is expected
