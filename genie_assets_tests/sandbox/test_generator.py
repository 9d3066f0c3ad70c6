"""The generated account: reproducible, consistent in itself, believable, and with every special case."""

import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genie_sandbox.account import Account, load, save
from genie_sandbox.made_up.generator import generate
from genie_sandbox.made_up.uniform import generate_uniform

ANCHOR = dt.datetime(2026, 8, 20, 14, 30, tzinfo=dt.UTC)
HOUR = 3_600_000
DAY = 24 * HOUR
_ASKS = {"createConversationMessage", "genieCreateConversationMessage", "genieStartConversationMessage"}

accounts = st.builds(
    lambda seed, days, minutes, messages: generate(
        seed=seed, anchor=ANCHOR + dt.timedelta(minutes=minutes), days=days, messages=messages
    ),
    seed=st.integers(0, 10**6),
    days=st.integers(2, 12),
    minutes=st.integers(-14 * 60, 9 * 60),
    messages=st.integers(40, 160),
)
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(seed=7, anchor=ANCHOR)


def _bodies(account: Account) -> list[dict[str, Any]]:
    return [message.states[-1].body for message in account.messages]


def _attachments(account: Account) -> Iterator[dict[str, Any]]:
    for body in _bodies(account):
        yield from body.get("attachments") or []


def _statement_ids(body: dict[str, Any]) -> set[str]:
    queries = [one.get("query", {}) for one in body.get("attachments") or []]
    return {one["statement_id"] for one in [*queries, body.get("query_result", {})] if "statement_id" in one}


def _ids(row: dict[str, Any], snake: str, camel: str) -> Any:
    try:
        result = json.loads(row["response"]["result"] or "{}")
    except ValueError:
        result = {}
    result = result if isinstance(result, dict) else {}
    params = row["request_params"]
    return params.get(snake) or params.get(camel) or result.get(snake) or result.get(camel)


def _message_id(row: dict[str, Any]) -> Any:
    return _ids(row, "message_id", "messageId")


# Reproducible


def test_same_arguments_give_the_same_account_in_another_process(tmp_path: Path) -> None:
    """Guards against sets, hashes or clocks that leak into the data."""
    script = (
        "import datetime as dt, sys; from pathlib import Path\n"
        "from genie_sandbox.account import save; from genie_sandbox.made_up.generator import generate\n"
        "anchor = dt.datetime(2026, 8, 20, 14, 30, tzinfo=dt.UTC)\n"
        "save(generate(seed=3, anchor=anchor, days=9, messages=400), Path(sys.argv[1]))\n"
    )
    digests = []
    for hash_seed in ("1", "2"):
        folder = tmp_path / hash_seed
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", script, str(folder)], check=True, env=environment)
        files = sorted(folder.iterdir())
        assert len(files) == 5
        digests.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert digests[0] == digests[1]


def test_another_seed_gives_another_account() -> None:
    one, other = (generate(seed=seed, anchor=ANCHOR, days=3, messages=60) for seed in (1, 2))
    assert {m.message_id for m in one.messages}.isdisjoint(
        m.message_id for m in other.messages if m.message_id.startswith("01f")
    )
    assert one.principal != other.principal


def test_account_survives_its_folder(account: Account, tmp_path: Path) -> None:
    save(account, tmp_path)
    assert load(tmp_path) == account


# Consistent in itself, whatever the seed


@few
@given(accounts)
def test_everything_happens_in_the_window_and_rows_arrive_after_it_happened(account: Account) -> None:
    first = int(dt.datetime.fromisoformat(account.first_day).replace(tzinfo=dt.UTC).timestamp() * 1000)
    for message in account.messages:
        times = [state.at for state in message.states]
        assert first <= times[0]
        assert times[-1] < account.anchor
        assert times == sorted(times)
        assert message.deleted_at is None or times[-1] <= message.deleted_at < account.anchor
    for arriving in account.audit:
        moment = arriving.row["event_time"]
        assert first <= moment < account.anchor
        day = dt.datetime.fromtimestamp(moment / 1000, dt.UTC).date().isoformat()
        assert arriving.row["event_date"] == day
        assert moment < arriving.arrives_at <= account.anchor + 20 * HOUR
    for arriving in account.query_history:
        row = arriving.row
        assert first <= row["start_time"] < row["end_time"] < account.anchor
        assert row["end_time"] < arriving.arrives_at <= account.anchor + 20 * HOUR
    assert account.last_day == dt.datetime.fromtimestamp(account.anchor / 1000, dt.UTC).date().isoformat()


@few
@given(accounts)
def test_messages_spaces_statements_and_audit_rows_refer_to_each_other(account: Account) -> None:
    spaces = {(space.workspace_id, space.space_id) for space in account.spaces}
    messages = {(message.workspace_id, message.message_id): message for message in account.messages}
    assert len(messages) == len(account.messages)
    asked: set[tuple[str, str]] = set()
    for row in (arriving.row for arriving in account.audit):
        key = (row["workspace_id"], _message_id(row))
        if row["service_name"] == "aibiGenie" and key in messages:
            found = messages[key]
            assert _ids(row, "space_id", "spaceId") == found.space_id
            assert _ids(row, "conversation_id", "conversationId") == found.conversation_id
            assert row["event_time"] >= found.states[0].at
            if row["action_name"] in _ASKS:
                asked.add(key)
    assert asked == set(messages)
    history = {(one.row["workspace_id"], one.row["statement_id"]) for one in account.query_history}
    missing = total = 0
    for key, message in messages.items():
        assert (message.workspace_id, message.space_id) in spaces
        body = message.states[-1].body
        assert body.get("message_id", body.get("id")) == message.message_id
        assert int(body["created_timestamp"]) == message.states[0].at
        statements = {(key[0], one) for one in _statement_ids(body)}
        missing += len(statements - history)
        total += len(statements)
    assert missing <= max(6, total * 0.05)


@few
@given(accounts)
def test_a_late_message_hides_only_behind_earlier_ones_of_its_conversation(account: Account) -> None:
    """The position of a message in its conversation must not depend on rows that are still on their way."""
    first_seen: dict[tuple[str, str], int] = {}
    for arriving in account.audit:
        row, identity = arriving.row, arriving.row["user_identity"]
        actor = identity["email"] or identity["subject_name"]
        if row["service_name"] == "aibiGenie" and actor.lower() != account.principal.application_id:
            first_seen.setdefault((row["workspace_id"], _message_id(row)), arriving.arrives_at)
    conversations = defaultdict(list)
    for message in account.messages:
        hidden = first_seen[message.workspace_id, message.message_id] > account.anchor
        conversations[message.conversation_id].append((message.states[0].at, hidden))
    for turns in conversations.values():
        flags = [hidden for _, hidden in sorted(turns)]
        assert flags == sorted(flags)


# Believable


def test_it_looks_like_a_company(account: Account) -> None:
    statuses = Counter(body["status"] for body in _bodies(account))
    assert (statuses["COMPLETED"] + statuses["QUERY_RESULT_EXPIRED"]) / len(account.messages) > 0.9
    assert 2900 <= len(account.messages) <= 3100
    assert len(account.workspaces) >= 4
    assert len({space.body["title"] for space in account.spaces}) >= 14
    sizes = Counter(message.conversation_id for message in account.messages)
    assert 3.5 <= len(account.messages) / len(sizes) <= 5.5
    assert max(sizes.values()) > 100
    assert sum(25 < size <= 100 for size in sizes.values()) >= 1
    assert sum(size == 1 for size in sizes.values()) > 50
    weekdays = Counter(
        dt.datetime.fromtimestamp(m.states[0].at / 1000, dt.UTC).weekday() for m in account.messages
    )
    assert min(weekdays[day] for day in range(5)) > 2 * max(weekdays[5], weekdays[6])


def test_most_rows_arrive_within_the_hour_and_some_take_many(account: Account) -> None:
    old = [one for one in account.audit if one.row["event_time"] < account.anchor - DAY]
    delays = sorted((one.arrives_at - one.row["event_time"]) / 60_000 for one in old)
    assert delays[len(delays) // 10] > 15
    assert delays[len(delays) * 9 // 10] < 76
    assert sum(delay > 180 for delay in delays) > 50


def test_questions_and_statements_belong_together(account: Account) -> None:
    spaces = {space.space_id: json.loads(space.body["serialized_space"]) for space in account.spaces}
    for message in account.messages:
        tables = {table["identifier"] for table in spaces[message.space_id]["data_sources"]["tables"]}
        for attachment in message.states[-1].body.get("attachments") or []:
            sql = attachment.get("query", {}).get("query")
            assert sql is None or any(f" FROM {table} " in sql for table in tables)


def test_exported_spaces_obey_the_write_rules(account: Account) -> None:
    """A space that breaks them could not be restored from its backup."""
    for space in account.spaces:
        exported = json.loads(space.body["serialized_space"])
        assert exported["version"] == 2
        tables = [table["identifier"] for table in exported["data_sources"]["tables"]]
        assert tables == sorted(tables)
        for table in exported["data_sources"]["tables"]:
            columns = [column["column_name"] for column in table["column_configs"]]
            assert columns == sorted(set(columns))
        ids = [str(found) for found in re.findall(r'"id": "([^"]*)"', space.body["serialized_space"])]
        assert len(ids) == len(set(ids)) > 5
        assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
        for items in (
            exported["config"]["sample_questions"],
            exported["instructions"]["example_question_sqls"],
            exported["instructions"]["sql_snippets"]["measures"],
            exported["benchmarks"]["questions"],
        ):
            assert [item["id"] for item in items] == sorted(item["id"] for item in items)


def test_the_latency_split_adds_up(account: Account) -> None:
    sound = [
        one.row
        for one in account.query_history
        if one.row["total_duration_ms"] > 1 and one.row["waiting_for_compute_duration_ms"] is not None
    ]
    parts = ("waiting_for_compute", "waiting_at_capacity", "compilation", "execution", "result_fetch")
    for row in sound:
        if row["waiting_at_capacity_duration_ms"] is not None:
            assert sum(row[f"{part}_duration_ms"] for part in parts) == row["total_duration_ms"]
    assert len(sound) > 2000


# Special cases


@pytest.mark.parametrize(
    "status",
    ["COMPLETED", "FAILED", "CANCELLED", "QUERY_RESULT_EXPIRED", "EXECUTING_QUERY", "AWAITING_APPROVAL"],
)
def test_each_status_occurs(account: Account, status: str) -> None:
    assert any(body["status"] == status for body in _bodies(account))


_BODY_CASES: dict[str, Any] = {
    "several query attachments": lambda b: sum("query" in one for one in b.get("attachments") or []) > 1,
    "no attachments though completed": lambda b: b["status"] == "COMPLETED" and "attachments" not in b,
    "null attachments": lambda b: b.get("attachments", 0) is None,
    "empty attachments": lambda b: b.get("attachments") == [],
    "int64 as text": lambda b: isinstance(b["created_timestamp"], str) and isinstance(b["user_id"], str),
    "legacy id": lambda b: "message_id" not in b and "query_result" in b,
    "missing optional fields": lambda b: "last_updated_timestamp" not in b and "user_id" not in b,
    "user id above 2^53": lambda b: int(b.get("user_id", 0)) > 2**53,
    "failed with an error": lambda b: b["status"] == "FAILED" and b["error"]["type"] and b["error"]["error"],
    "rating with a comment": lambda b: b.get("feedback", {}).get("comment"),
    "rating without a comment": lambda b: "comment" not in b.get("feedback", {"comment": 1}),
    "thumbs": lambda b: "THUMBS" in b.get("feedback", {}).get("rating", ""),
    "positive or negative": lambda b: b.get("feedback", {}).get("rating") in ("POSITIVE", "NEGATIVE"),
    "NUL": lambda b: "\0" in b["content"],
    "script tag": lambda b: "</script>" in b["content"],
    "right to left": lambda b: "\u202e" in b["content"],
    "SQL injection": lambda b: "DROP TABLE" in b["content"],
    "lone surrogate": lambda b: "\ud83d " in b["content"],
    "200 KB": lambda b: len(json.dumps(b)) > 200_000,
}


@pytest.mark.parametrize("case", _BODY_CASES)
def test_each_special_answer_occurs(account: Account, case: str) -> None:
    assert any(_BODY_CASES[case](body) for body in _bodies(account))


_ATTACHMENT_CASES: dict[str, Any] = {
    "answer": lambda a: a.get("text", {}).get("purpose") == "TEXT_ATTACHMENT_PURPOSE_ANSWER",
    "follow-up": lambda a: a.get("text", {}).get("purpose", "").endswith("FOLLOW_UP_QUESTION"),
    "thinking": lambda a: a.get("text", {}).get("phase") == "RESPONSE_PHASE_THINKING",
    "viz": lambda a: "viz" in a,
    "suggestions without id": lambda a: "suggested_questions" in a and "attachment_id" not in a,
    "unknown kind": lambda a: not set(a) & {"query", "text", "viz", "suggested_questions"},
    "parameters": lambda a: ":start_day" in a.get("query", {}).get("query", "") and a["query"]["parameters"],
    "thoughts": lambda a: a.get("query", {}).get("thoughts"),
    "query without SQL": lambda a: "query" in a and "query" not in a["query"],
}


@pytest.mark.parametrize("case", _ATTACHMENT_CASES)
def test_each_kind_of_attachment_occurs(account: Account, case: str) -> None:
    assert any(_ATTACHMENT_CASES[case](attachment) for attachment in _attachments(account))


_ROW_CASES: dict[str, Any] = {
    "start by the API": lambda r: r["action_name"] == "genieStartConversationMessage" and _message_id(r),
    "ask by the API": lambda r: r["action_name"] == "genieCreateConversationMessage" and _message_id(r),
    "camelCase": lambda r: "messageId" in r["request_params"],
    "refused for the rate": lambda r: r["response"]["status_code"] == 429 and not _message_id(r),
    "refused for permission": lambda r: r["response"]["status_code"] == 403 and not _message_id(r),
    "refused change": lambda r: r["response"]["status_code"] == 403 and _message_id(r),
    "invalid change": lambda r: r["response"]["status_code"] == 400 and _message_id(r),
    "nonsense": lambda r: r["response"]["status_code"] == 404,
    "no e-mail": lambda r: r["user_identity"]["email"] is None and r["user_identity"]["subject_name"],
    "unicode name": lambda r: "李娜" in (r["user_identity"]["email"] or ""),
    "account level": lambda r: r["workspace_id"] == "0" and r["audit_level"] == "ACCOUNT_LEVEL",
    "cut result": lambda r: (r["response"]["result"] or "").endswith("... truncated"),
    "regenerated": lambda r: r["action_name"] == "regenerateConversationMessage",
    "executed again": lambda r: "xecuteMessage" in r["action_name"],
    "cancelled": lambda r: r["action_name"] == "cancelMessage",
    "comment": lambda r: r["action_name"] == "createConversationMessageComment",
    "feedback by the UI": lambda r: r["action_name"] == "updateConversationMessageFeedback",
    "feedback by the API": lambda r: r["action_name"] == "genieSendMessageFeedback",
    "trashed space": lambda r: r["action_name"] == "trashSpace",
    "unknown action with ids": lambda r: r["action_name"] == "pinConversationMessage",
    "unknown action without": lambda r: r["action_name"] == "previewAgentMemory",
    "foreign with ids": lambda r: r["service_name"] == "genieChat" and _message_id(r),
    "conversation deleted": lambda r: r["action_name"] == "deleteConversation" and not _message_id(r),
}


@pytest.mark.parametrize("case", _ROW_CASES)
def test_each_special_audit_row_occurs(account: Account, case: str) -> None:
    assert any(_ROW_CASES[case](arriving.row) for arriving in account.audit)


def test_unfinished_messages_are_twenty_hours_old(account: Account) -> None:
    running = [m for m in account.messages if m.states[-1].body["status"] == "EXECUTING_QUERY"]
    assert len(running) >= 2
    assert all(19 * HOUR < account.anchor - m.states[0].at < 21 * HOUR for m in running)


def test_our_own_reads_are_in_the_log_in_every_spelling(account: Account) -> None:
    application_id = account.principal.application_id
    identities = [arriving.row["user_identity"] for arriving in account.audit]
    assert {"email": application_id, "subject_name": None} in identities
    assert {"email": None, "subject_name": application_id} in identities
    assert {"email": application_id.upper(), "subject_name": None} in identities


def test_rows_are_delivered_twice_and_request_and_answer_may_be_two_rows(account: Account) -> None:
    events = Counter(arriving.row["event_id"] for arriving in account.audit)
    assert max(events.values()) > 1
    requests = defaultdict(set)
    for arriving in account.audit:
        requests[arriving.row["request_id"]].add(arriving.row["event_id"])
    assert any(len(ids) > 1 for ids in requests.values())


def test_permissions_and_deletions_are_all_there(account: Account) -> None:
    assert {space.access for space in account.spaces} == {"manage", "run", "none"}
    assert sum(message.access == "none" for message in account.messages) >= 2
    trashed = next(space for space in account.spaces if space.trashed_at is not None)
    emptied = [message for message in account.messages if message.space_id == trashed.space_id]
    assert emptied
    assert all(m.deleted_at is not None and m.deleted_at < trashed.trashed_at for m in emptied)
    logged = Counter(a.row["action_name"] for a in account.audit if a.row["action_name"].startswith("deleteC"))
    assert logged["deleteConversation"] >= 4
    assert logged["deleteConversationMessage"] >= 5
    ages = [m.deleted_at - m.states[0].at for m in account.messages if m.deleted_at is not None]
    assert min(ages) < 6 * HOUR
    assert max(ages) > 2 * DAY


def test_statements_have_their_special_cases(account: Account) -> None:
    rows = [arriving.row for arriving in account.query_history]
    linked = {one for body in _bodies(account) for one in _statement_ids(body)}
    assert {row["execution_status"] for row in rows} == {"FINISHED", "FAILED", "CANCELED"}
    assert all(row["error_message"] for row in rows if row["execution_status"] == "FAILED")
    assert any(row["total_duration_ms"] < 0 for row in rows)
    assert any(row["statement_text"] == "<REDACTED>" for row in rows)
    assert any(row["query_source"]["genie_space_id"] and row["statement_id"] not in linked for row in rows)
    assert any(row["query_source"]["genie_space_id"] is None for row in rows)
    assert max(Counter(row["statement_id"] for row in rows).values()) == 2
    assert any(arriving.arrives_at > account.anchor for arriving in account.query_history)
    assert 0 < len(linked - {row["statement_id"] for row in rows}) < 40


# Arguments


def test_anchor_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        generate(seed=1, anchor=ANCHOR.replace(tzinfo=None))


def test_no_time_for_activity_is_refused() -> None:
    with pytest.raises(ValueError, match="less than an hour"):
        generate(seed=1, anchor=ANCHOR.replace(hour=0, minute=20), days=1)


def test_one_short_day_is_enough() -> None:
    account = generate(seed=1, anchor=ANCHOR.replace(hour=1, minute=5), days=1, messages=60)
    assert account.first_day == account.last_day
    assert len(account.messages) >= 40


def test_nothing_is_late_if_nothing_shall_be() -> None:
    account = generate(seed=1, anchor=ANCHOR, days=5, messages=200, late=0.0)
    asks = [one for one in account.audit if one.row["action_name"] in _ASKS]
    assert max(one.arrives_at for one in asks) <= account.anchor


def test_workspaces_can_be_left_out_of_the_list() -> None:
    account = generate(seed=1, anchor=ANCHOR, days=3, messages=60, unlisted_workspaces=2)
    running = [place for place in account.workspaces if place.is_running]
    assert [place.listed for place in running] == [True, True, True, False, False]


def test_workspaces_that_do_not_run_hold_nothing(account: Account) -> None:
    silent = {place.workspace_id: place.status for place in account.workspaces if not place.is_running}
    assert sorted(silent.values()) == ["BANNED", "PROVISIONING"]
    rows = (*account.audit, *account.query_history)
    used = {one.workspace_id for one in account.spaces} | {one.workspace_id for one in account.messages}
    assert not silent.keys() & (used | {one.row["workspace_id"] for one in rows})


def test_uniform_account_is_plain_and_complete() -> None:
    account = generate_uniform(
        seed=5, anchor=ANCHOR, conversations=30, messages_per_conversation=7, days=2, workspaces=2
    )
    assert len(account.messages) == len(account.audit) == len(account.query_history) == 210
    assert set(Counter(message.conversation_id for message in account.messages).values()) == {7}
    assert {message.workspace_id for message in account.messages} == {p.workspace_id for p in account.workspaces}
    assert len({message.states[0].at // DAY for message in account.messages}) == 2
    assert max(one.arrives_at for one in (*account.audit, *account.query_history)) <= account.anchor
    assert all(body["status"] == "COMPLETED" for body in _bodies(account))
    assert {_message_id(one.row) for one in account.audit} == {m.message_id for m in account.messages}


def test_half_an_account_is_never_taken_for_one(tmp_path: Path) -> None:
    account = generate(seed=1, anchor=ANCHOR, days=2, messages=60)
    (tmp_path / "query_history.jsonl").mkdir()  # the last one that is written cannot be
    with pytest.raises(IsADirectoryError):
        save(account, tmp_path)
    assert not (tmp_path / "account.json").exists()
