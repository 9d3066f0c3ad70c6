"""The generated account: the same again, whole, and like a company."""

import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genie_assets_tests.sandbox.generated import (
    ANCHOR,
    ASKS,
    DAY,
    HOUR,
    bodies_of,
    ids_of,
    message_id_of,
    statement_ids_of,
)
from genie_sandbox.account import Account, load, save
from genie_sandbox.made_up.generator import generate
from genie_sandbox.made_up.uniform import generate_uniform

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
        assert len(files) == 6
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
        key = (row["workspace_id"], message_id_of(row))
        if row["service_name"] == "aibiGenie" and key in messages:
            found = messages[key]
            assert ids_of(row, "space_id", "spaceId") == found.space_id
            assert ids_of(row, "conversation_id", "conversationId") == found.conversation_id
            assert row["event_time"] >= found.states[0].at
            if row["action_name"] in ASKS:
                asked.add(key)
    assert asked == set(messages)
    history = {(one.row["workspace_id"], one.row["statement_id"]) for one in account.query_history}
    missing = total = 0
    for key, message in messages.items():
        assert (message.workspace_id, message.space_id) in spaces
        body = message.states[-1].body
        assert body.get("message_id", body.get("id")) == message.message_id
        assert int(body["created_timestamp"]) == message.states[0].at
        statements = {(key[0], one) for one in statement_ids_of(body)}
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
            first_seen.setdefault((row["workspace_id"], message_id_of(row)), arriving.arrives_at)
    conversations = defaultdict(list)
    for message in account.messages:
        hidden = first_seen[message.workspace_id, message.message_id] > account.anchor
        conversations[message.conversation_id].append((message.states[0].at, hidden))
    for turns in conversations.values():
        flags = [hidden for _, hidden in sorted(turns)]
        assert flags == sorted(flags)


# Believable


def test_it_looks_like_a_company(account: Account) -> None:
    statuses = Counter(body["status"] for body in bodies_of(account))
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
    asks = [one for one in account.audit if one.row["action_name"] in ASKS]
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
    assert all(body["status"] == "COMPLETED" for body in bodies_of(account))
    assert {message_id_of(one.row) for one in account.audit} == {m.message_id for m in account.messages}


def test_half_an_account_is_never_taken_for_one(tmp_path: Path) -> None:
    account = generate(seed=1, anchor=ANCHOR, days=2, messages=60)
    (tmp_path / "query_history.jsonl").mkdir()  # the last one that is written cannot be
    with pytest.raises(IsADirectoryError):
        save(account, tmp_path)
    assert not (tmp_path / "account.json").exists()


@pytest.mark.parametrize("seed", [6, 48, 53])
def test_of_every_conversation_with_an_agent_some_message_is_there(seed: int) -> None:
    """Where all are deleted, the steps are not there either: a demo ended with an error that nobody planted."""
    account = generate(seed=seed, anchor=ANCHOR, messages=120)
    there = {(each.workspace_id, each.conversation_id) for each in account.messages if each.deleted_at is None}
    assert account.agents
    assert {(each.workspace_id, each.conversation_id) for each in account.agents} <= there
