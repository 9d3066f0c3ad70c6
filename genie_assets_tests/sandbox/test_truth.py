"""The truth: literal rows for hand-written accounts, and invariants for every generated one."""

import datetime as dt
import hashlib
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genie_assets.domain.tables import TABLES
from genie_assets_tests.sandbox.tiny import (
    DAY,
    HOUR,
    NOW,
    START,
    account_of,
    audit_row,
    ids_of,
    message_of,
    utc,
)
from genie_sandbox.account import ArrivingRow, Space, Workspace
from genie_sandbox.made_up.generator import generate
from genie_sandbox.truth.tables import comparable, counts, possible_extras, truth

ANCHOR = dt.datetime(2026, 8, 20, 14, 30, tzinfo=dt.UTC)
few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _fetch_rows(*audit: ArrivingRow, at: int = NOW) -> dict[tuple[str, str], dict[str, Any]]:
    rows = truth(account_of(audit=audit), at=at, urls={"1": "https://one"})["genie_messages_to_fetch"]
    by_key = {(str(row["event_date"]), row["message_id"]): row for row in rows}
    assert len(by_key) == len(rows)
    return by_key


# Audit log


def test_a_day_row_joins_the_events_of_the_day() -> None:
    ask = {"spaceId": "s1", "conversationId": "c1"}
    rows = _fetch_rows(
        audit_row(1, START, "genieCreateConversationMessage", ask, result='{"messageId": "m1"}'),
        audit_row(2, START + 5000, "getConversationMessage", ids_of("m1"), email="bo@x.example"),
        audit_row(2, START + 5000, "getConversationMessage", ids_of("m1"), email="bo@x.example"),
        audit_row(3, START + 9000, "genieGetConversationMessage", ids_of("m1")),
        audit_row(4, START + DAY, "getConversationMessage", ids_of("m1"), email="bo@x.example"),
    )
    assert rows["2026-03-02", "m1"] == {
        "event_date": dt.date(2026, 3, 2),
        "workspace_id": "1",
        "workspace_name": "One",
        "workspace_url": "https://one",
        **ids_of("m1"),
        "user_email": "ana@x.example",
        "first_event_time": utc(START),
        "last_event_time": utc(START + 9000),
        "last_change_time": utc(START),
        "is_new": True,
        "is_deleted": False,
        "actions": ["genieCreateConversationMessage", "genieGetConversationMessage", "getConversationMessage"],
        "event_count": 3,
        "last_comment_time": None,
    }
    second = rows["2026-03-03", "m1"]
    assert (second["is_new"], second["user_email"], second["last_change_time"]) == (False, None, None)
    assert len(rows) == 2


def test_what_is_no_evidence_makes_no_row() -> None:
    rows = _fetch_rows(
        audit_row(1, START, "genieGetConversationMessage", ids_of("m1"), email="APP-1"),
        audit_row(2, START, "genieGetConversationMessage", ids_of("m2"), email=None, subject="app-1"),
        audit_row(3, START, "getConversationMessage", ids_of("m3"), status=404),
        audit_row(4, START, "executeMessageQuery", ids_of("m4"), status=400),
        audit_row(5, START, "createGenieChatResponse", ids_of("m5"), service="genieChat"),
        audit_row(6, START, "createConversationMessage", {"space_id": "s1"}, status=429),
        audit_row(7, START, "createConversationMessage", {"space_id": "s1"}, result='{"message_id": "m7'),
        audit_row(8, START, "createConversationMessage", {"space_id": "s1"}, result='["message_id"]'),
        audit_row(9, START, "createConversationMessage", ids_of("m9"), arrives_at=NOW + 1),
    )
    assert rows == {}


def test_a_refused_change_proves_the_message_and_changes_nothing() -> None:
    row = _fetch_rows(audit_row(1, START, "createConversationMessage", ids_of("m1"), status=403))[
        "2026-03-02", "m1"
    ]
    assert (row["is_new"], row["user_email"], row["last_change_time"]) == (False, None, None)


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        ("updateConversationMessageFeedback", True),
        ("actionOfTheFuture", True),
        ("genieActionOfTheFuture", True),
        ("summarizeSqlExecutionResults", False),
        ("genieGenerateDownloadFullQueryResult", False),
        ("listConversationMessageComments", False),
    ],
)
def test_every_action_that_does_not_read_is_a_change(action: str, changes: bool) -> None:
    row = _fetch_rows(audit_row(1, START, action, ids_of("m1")))["2026-03-02", "m1"]
    assert (row["last_change_time"] is not None) is changes


def test_a_deleted_message_is_deleted_on_its_earlier_days_too() -> None:
    rows = _fetch_rows(
        audit_row(1, START, "createConversationMessage", ids_of("m1")),
        audit_row(2, START, "createConversationMessage", ids_of("m2")),
        audit_row(3, START + DAY, "deleteConversationMessage", ids_of("m1")),
        audit_row(4, START + DAY, "deleteConversationMessage", ids_of("m2"), status=403),
    )
    deleted = {key: row["is_deleted"] for key, row in rows.items()}
    assert deleted == {
        ("2026-03-02", "m1"): True,
        ("2026-03-03", "m1"): True,
        ("2026-03-02", "m2"): False,
        ("2026-03-03", "m2"): False,
    }


def test_a_deleted_conversation_touches_the_messages_known_by_then() -> None:
    gone = {"space_id": "s1", "conversation_id": "c1"}
    rows = _fetch_rows(
        audit_row(1, START, "createConversationMessage", ids_of("m1")),
        audit_row(2, START + DAY, "createConversationMessage", ids_of("m2")),
        audit_row(3, START + DAY + HOUR, "deleteConversation", gone),
        audit_row(4, START, "createConversationMessage", ids_of("m3", "c2")),
        audit_row(5, START + 2 * DAY, "getConversationMessage", ids_of("m4")),
    )
    first = rows["2026-03-03", "m1"]
    assert first["actions"] == ["deleteConversation"]
    assert (first["is_new"], first["is_deleted"], first["user_email"]) == (False, True, None)
    assert first["last_change_time"] == first["first_event_time"] == utc(START + DAY + HOUR)
    second = rows["2026-03-03", "m2"]
    assert second["actions"] == ["createConversationMessage", "deleteConversation"]
    assert (second["is_new"], second["event_count"], second["user_email"]) == (True, 2, "ana@x.example")
    assert rows["2026-03-02", "m1"]["is_deleted"]
    assert not rows["2026-03-02", "m3"]["is_deleted"]
    assert not rows["2026-03-04", "m4"]["is_deleted"]
    assert len(rows) == 5


def test_each_message_is_in_exactly_one_drawer() -> None:
    """Stored, open error of its class, or deleted."""
    asks = [
        audit_row(number, START, "createConversationMessage", ids_of(message_id, f"c-{message_id}"))
        for number, message_id in enumerate(("ok", "denied", "gone", "deleted", "locked", "nowhere", "banned"))
    ]
    odd = audit_row(20, START, "getConversationMessage", {"space_id": "s1", "message_id": "half"})
    dots = audit_row(21, START, "getConversationMessage", {**ids_of("dots"), "conversation_id": ".."})
    delete = audit_row(22, START + 5, "deleteConversationMessage", ids_of("deleted", "c-deleted"))
    elsewhere = replace(asks[5], row={**asks[5].row, "workspace_id": "2"})
    banned = replace(asks[6], row={**asks[6].row, "workspace_id": "3"})
    messages = [
        message_of(one, conversation_id=f"c-{one}") for one in ("ok", "denied", "gone", "deleted", "locked")
    ]
    messages[1] = replace(messages[1], access="none")
    messages[2] = replace(messages[2], deleted_at=START + 1)
    messages[3] = replace(messages[3], deleted_at=START + 5)
    messages[4] = replace(messages[4], space_id="s2")
    locked = replace(asks[4], row={**asks[4].row, "request_params": {**ids_of("locked", "c"), "space_id": "s2"}})
    account = account_of(audit=(*asks[:4], locked, elsewhere, banned, odd, dots, delete), messages=tuple(messages))
    account = replace(
        account,
        workspaces=(
            *account.workspaces,
            Workspace("2", "Two", listed=False),
            Workspace("3", "Three", status="BANNED"),
        ),
        spaces=(*account.spaces, Space("1", "s2", {"title": "Secret"}, access="none")),
    )
    found = truth(account, at=NOW)
    assert [row["message_id"] for row in found["message_details"]] == ["ok"]
    errors = {row["message_id"]: (row["error_class"], row["error_type"]) for row in found["message_fetch_errors"]}
    assert errors == {
        "denied": ("PERMISSION", "AUTH_ERROR"),
        "locked": ("PERMISSION", "AUTH_ERROR"),
        "gone": ("NOT_FOUND", "FAILED"),
        "nowhere": ("CONFIG", "FAILED"),
        "banned": ("NOT_RUNNING", "FAILED"),
        "half": ("BAD_REFERENCE", "FAILED"),
        "dots": ("BAD_REFERENCE", "FAILED"),
    }
    assert counts(account, NOW) == {
        "messages_expected": 9,
        "messages_stored": 1,
        "open_errors": 7,
        "deleted": 1,
        "pending": 0,
    }
    spaces = {
        (row["workspace_id"], row["space_id"]): row["api_fetch_status"] for row in found["genie_space_details"]
    }
    assert spaces == {
        ("1", "s1"): "SUCCESS",
        ("1", "s2"): "PERMISSION",
        ("2", "s1"): "CONFIG",
        ("3", "s1"): "NOT_RUNNING",
    }


def test_spaces_show_what_may_be_read() -> None:
    body = {
        "title": "Sales",
        "serialized_space": '{"version": 2, "b": {"ü": 1}}',
        "create_time": "2026-02-03T09:00:00.5Z",
    }
    account = replace(
        account_of(
            audit=(audit_row(1, START, "getConversationMessage", {**ids_of("m1"), "space_id": "trashed"}),)
        ),
        spaces=(
            Space("1", "whole", body),
            Space("1", "run", body, access="run"),
            Space("1", "hidden", body, access="none"),
            Space("1", "trashed", body, trashed_at=START),
        ),
    )
    rows = {row["space_id"]: row for row in truth(account, at=NOW)["genie_space_details"]}
    canonical = '{"b":{"ü":1},"version":2}'
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    facts = ("title", "serialized_space", "config_hash", "create_time", "api_fetch_status")
    created = dt.datetime(2026, 2, 3, 9, 0, 0, 500_000, tzinfo=dt.UTC)
    assert {space_id: tuple(row[name] for name in facts) for space_id, row in rows.items()} == {
        "whole": ("Sales", body["serialized_space"], digest, created, "SUCCESS"),
        "run": ("Sales", None, None, created, "PERMISSION"),
        "trashed": (None, None, None, None, "NOT_FOUND"),
    }


# Every generated account


@few
@given(seed=st.integers(0, 10**6), messages=st.integers(40, 150), hours=st.integers(-200, 30))
def test_discovered_messages_are_stored_or_errors_or_deleted(seed: int, messages: int, hours: int) -> None:
    account = generate(seed=seed, anchor=ANCHOR, days=6, messages=messages, unlisted_workspaces=seed % 2)
    at = account.anchor + hours * HOUR
    count, found = counts(account, at), truth(account, at=at)
    assert count["messages_expected"] == sum(count.values()) - count["messages_expected"]
    assert count["pending"] == 0
    discovered = {(row["workspace_id"], row["message_id"]) for row in found["genie_messages_to_fetch"]}
    stored = {(row["workspace_id"], row["message_id"]) for row in found["message_details"]}
    errors = {(row["workspace_id"], row["message_id"]) for row in found["message_fetch_errors"]}
    deleted = {
        (row["workspace_id"], row["message_id"]) for row in found["genie_messages_to_fetch"] if row["is_deleted"]
    }
    assert len(discovered) == count["messages_expected"]
    assert stored | errors | deleted == discovered
    assert len(stored) + len(errors) + len(deleted) == len(discovered)
    for table in TABLES:
        keys = [tuple(row.get(name) for name in table.key) for row in found.get(table.name, [])]
        assert len(keys) == len(set(keys)) or table.name == "genie_api_messages"
        assert all(set(row) <= set(table.column_names) for row in found.get(table.name, []))


@few
@given(seed=st.integers(0, 10**6), messages=st.integers(40, 150))
def test_late_rows_bring_the_rest_and_nothing_else_changes(seed: int, messages: int) -> None:
    """A lower bound at the anchor, the whole a day later, and every possible extra lies between."""
    account = generate(seed=seed, anchor=ANCHOR, days=6, messages=messages)
    early, late = (
        {(row["workspace_id"], row["message_id"]): row for row in truth(account, at=at)["message_details"]}
        for at in (account.anchor, account.anchor + DAY)
    )
    extras = possible_extras(account, account.anchor)
    assert early.keys() < late.keys()
    assert extras <= late.keys() - early.keys()
    assert extras
    assert late.keys() - early.keys() - extras
    assert possible_extras(account, account.anchor + DAY) == set()
    for key, row in early.items():
        assert row["conversation_position"] == late[key]["conversation_position"]
        assert row["attachments_json"] == late[key]["attachments_json"]
    readable = {
        (message.workspace_id, message.message_id)
        for message in account.messages
        if message.deleted_at is None
        and message.access == "ok"
        and next(one for one in account.spaces if one.space_id == message.space_id).access != "none"
    }
    assert late.keys() == readable


def test_default_account_has_every_outcome() -> None:
    account = generate(seed=7, anchor=ANCHOR)
    early, late = (truth(account, at=at) for at in (account.anchor, account.anchor + DAY))
    classes = Counter(row["error_class"] for row in late["message_fetch_errors"])
    assert set(classes) == {"PERMISSION", "NOT_FOUND", "BAD_REFERENCE"}
    assert len(early["message_fetch_errors"]) > len(late["message_fetch_errors"])  # late news of deletions
    assert sum(classes.values()) < 40
    assert {row["enrichment_status"] for row in early["message_details"]} == {
        *("COMPLETE", "NOT_APPLICABLE", "PENDING", "EXPIRED")
    }
    assert {row["api_fetch_status"] for row in late["genie_space_details"]} == {
        *("SUCCESS", "PERMISSION", "NOT_FOUND")
    }
    assert sum(not row["is_settled"] for row in late["genie_api_messages"]) == 6
    assert counts(account, account.anchor + DAY)["deleted"] > 15


def test_comparable_makes_equal_what_means_the_same() -> None:
    arrow = {
        "attachments_json": '[{"b": 1, "a": "\\ud83d"}]',
        "content": "x\ufffdy",
        "query_start_time": pd.Timestamp("2026-03-02T00:00:01Z"),
        "query_read_rows": pd.NA,
        "error_type": float("nan"),
        "actions": pd.Series(["a", "b"]).to_numpy(),
        "attachments_count": pd.Series([3], dtype="Int32").to_numpy()[0],
    }
    expected = {
        "attachments_json": json.dumps([{"a": "\ufffd", "b": 1}]),
        "content": "x\ud83dy",
        "query_start_time": dt.datetime(2026, 3, 2, 0, 0, 1, tzinfo=dt.UTC),
        "query_read_rows": None,
        "error_type": None,
        "actions": ["a", "b"],
        "attachments_count": 3,
    }
    assert comparable(arrow) == comparable(expected)
    assert comparable({"content": "a"}) != comparable({"content": "b"})
