"""Hard cases on purpose: what each of them adds, and what the tables must hold for it."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from genie_assets_tests.sandbox.tiny import DAY, HOUR, START, account_of, audit_row, ids_of, message_of
from genie_sandbox.account import Account, load, save
from genie_sandbox.made_up.cases import NEVER
from genie_sandbox.made_up.generator import generate
from genie_sandbox.made_up.scenarios import (
    SCENARIOS,
    Scenario,
    account_level_rows,
    agent_events,
    asked_by_ourselves,
    deprecated_result,
    expires,
    finishes_late,
    from_the_year_9999,
    late_rows,
    quiet_workspace,
    returns_from_deletion,
    shows_less_later,
    space_comes_and_goes,
    superseded_tries,
    vote_after_a_read,
    with_scenarios,
    without_a_time,
)
from genie_sandbox.responses import ApiError
from genie_sandbox.server.spaces import Spaces
from genie_sandbox.truth.audit import unnamed_asks
from genie_sandbox.truth.tables import truth

END = START + 40 * DAY
Rows = dict[str, list[dict[str, Any]]]


def plain() -> Account:
    ask = audit_row(1, START, "createConversationMessage", ids_of("m1"))
    return account_of(audit=(ask,), messages=(message_of("m1"),))


def rows_of(scenario: Scenario, at: int = END, **options: Any) -> Rows:
    """What the truth says about the scenario's own messages."""
    rows = truth(scenario(plain(), START), at=at, **options)
    return {name: [row for row in found if row.get("message_id") != "m1"] for name, found in rows.items()}


def details(scenario: Scenario, *names: str, at: int = END, saw_all: bool = True) -> dict[str, tuple[Any, ...]]:
    """Some columns of each message, by the name that its text ends with."""
    rows = rows_of(scenario, at, saw_all=saw_all)["message_details"]
    return {
        row["content"].rpartition(", ")[2].rstrip("?"): tuple(row.get(name, "unsaid") for name in names)
        for row in rows
    }


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_adds_to_an_account_and_changes_nothing_of_it(scenario: Scenario, tmp_path: Path) -> None:
    before, after = plain(), scenario(plain(), START)
    for name in ("spaces", "messages", "audit", "query_history", "workspaces"):
        assert set(map(repr, getattr(before, name))) <= set(map(repr, getattr(after, name)))
    assert after != before
    save(after, tmp_path)
    assert load(tmp_path) == after


def test_all_scenarios_go_into_a_generated_account_and_hold_each_message_once() -> None:
    made_up = generate(seed=1, anchor=dt.datetime(2026, 8, 20, 14, 30, tzinfo=dt.UTC), days=5, messages=80)
    at = made_up.anchor - 3 * DAY
    account = with_scenarios(made_up, at)
    rows = truth(account, at=at + 30 * DAY, saw_all=True)
    keys = [(row["workspace_id"], row["message_id"]) for row in rows["message_details"]]
    assert len(keys) == len(set(keys))
    ours = truth(made_up, at=at + 30 * DAY, saw_all=True)
    assert all(row in rows["message_details"] for row in ours["message_details"])
    assert len({row["event_id"] for row in (one.row for one in account.audit)}) > len(made_up.audit) - 100


def test_rows_arrive_one_to_twenty_days_late() -> None:
    seen = [
        len(rows_of(late_rows, START + days * DAY + HOUR * 9)["message_details"]) for days in (0, 1, 4, 10, 21)
    ]
    assert seen == [0, 1, 4, 6, 9]


def test_rows_of_the_account_itself_are_no_messages_and_no_spaces() -> None:
    account = account_level_rows(plain(), START)
    assert sum(one.row["workspace_id"] == "0" for one in account.audit) == 3
    assert truth(account, at=END) == truth(plain(), at=END)


def test_questions_to_agents_are_counted_by_day_and_action() -> None:
    account = agent_events(plain(), START)
    assert truth(account, at=END) == truth(plain(), at=END)
    day = "2026-03-02"
    assert unnamed_asks(account, END) == {(day, "createAgentResponse"): 2, (day, "steerAgentConversation"): 1}
    assert unnamed_asks(account, START) == {}


def test_what_our_own_principal_asks_is_usage_and_what_it_reads_is_not() -> None:
    rows = rows_of(asked_by_ourselves)
    assert [row["user_email"] for row in rows["message_details"]] == ["App-1"]
    assert [row["actions"] for row in rows["genie_messages_to_fetch"]] == [
        ["createConversationMessage", "genieSendMessageFeedback"]
    ]


def test_what_is_withheld_later_stays_known_if_it_was_seen() -> None:
    columns = ("query_sql", "answer_text", "attachments_count", "feedback_rating")
    whole = ("SELECT 1", "The answer is 1.", 2, "POSITIVE")
    assert details(shows_less_later, *columns) == {
        **dict.fromkeys(("gone", "absent", "bare", "back"), whole),
        "other": ("SELECT 2", "No, it is 2.", 2, None),
    }
    late = details(shows_less_later, *columns, saw_all=False)
    assert (late["gone"], late["absent"]) == ((None, None, 0, "POSITIVE"), (None, None, None, "POSITIVE"))
    withheld = {name: shown for name, (shown,) in details(shows_less_later, "content_withheld").items()}
    assert withheld == {**dict.fromkeys(("gone", "absent", "bare"), True), "back": False, "other": False}
    latest = {row["message_id"]: row for row in rows_of(shows_less_later, saw_all=True)["genie_api_messages"]}
    assert len(latest) == 5


def test_messages_finish_days_later_or_never() -> None:
    def statuses(days: int) -> dict[str, tuple[Any, ...]]:
        return details(finishes_late, "status", "answer_text", at=START + days * DAY)

    done = ("COMPLETED", "At last.")
    assert statuses(1)["nine"][0] == statuses(30)["ever"][0] == "EXECUTING_QUERY"
    assert statuses(3)["two"] == statuses(10)["nine"] == done


def test_neither_expiry_nor_a_rating_stretches_an_answer() -> None:
    assert details(expires, "response_time_ms", "status") == {"m": (7000, "QUERY_RESULT_EXPIRED")}
    assert details(expires, "response_time_ms", saw_all=False) == {"m": (None,)}


def test_a_message_of_the_year_9999_is_a_message() -> None:
    found = details(from_the_year_9999, "created_date", "created_timestamp", "enrichment_status")
    assert found["m"] == (dt.date(9999, 12, 31), NEVER, "PENDING")
    assert found["beside"] == (dt.date(2026, 3, 2), START + 60_000, "NOT_APPLICABLE")


def test_a_message_without_a_time_lives_on_the_day_of_its_ask_or_its_first_event() -> None:
    found = details(
        without_a_time, "created_date", "created_timestamp", "conversation_position", "feedback_rating"
    )
    assert found == {
        "asked": (dt.date(2026, 3, 2), None, "unsaid", "POSITIVE"),
        "seen": (dt.date(2026, 3, 3), None, "unsaid", None),
    }
    assert not any("created_date" in row for row in rows_of(without_a_time)["genie_api_messages"])


def test_a_space_comes_and_goes_and_its_messages_with_it() -> None:
    account = space_comes_and_goes(plain(), START)
    space = account.spaces[-1]
    spaces = Spaces(account.spaces)

    def answer(days: float) -> int:
        try:
            spaces.managed("1", space.space_id, START + int(days * DAY))
        except ApiError as error:
            return error.answer.status
        return 200

    assert [answer(days) for days in (1, 2.5, 4, 6, 8)] == [200, 403, 200, 404, 200]
    rows = truth(account, at=END)
    assert len(rows["message_details"]) == 5
    assert rows["message_fetch_errors"] == []
    while_private = truth(account, at=START + 2 * DAY + 12 * HOUR)
    assert {row["error_class"] for row in while_private["message_fetch_errors"]} == {"PERMISSION"}
    (row,) = [row for row in rows["genie_space_details"] if row["space_id"] == space.space_id]
    assert (row["api_fetch_status"], row["serialized_space"]) == ("SUCCESS", '{"version":2}')


def test_a_deleted_message_returns_when_something_is_done_with_it() -> None:
    assert set(details(returns_from_deletion)) == {"back"}
    assert set(details(returns_from_deletion, at=START + 2 * DAY)) == set()
    assert rows_of(returns_from_deletion)["message_fetch_errors"] == []


def test_a_deprecated_result_stays_with_the_query_that_owns_it() -> None:
    assert details(deprecated_result, "query_sql", "statement_id", "query_duration_ms") == {
        "m": ("SELECT 2", None, None)
    }
    rows = rows_of(deprecated_result)["message_attachments"]
    assert [(row["query_sql"], row["query_duration_ms"]) for row in rows] == [
        ("SELECT 1", 900),
        ("SELECT 2", None),
    ]


def test_superseded_tries_are_no_answers() -> None:
    assert details(superseded_tries, "answer_text") == {
        "old": ("One.",),
        "tried": ("It is 2.",),
        "asked": ("It is 2.",),
        "empty": (None,),
    }


def test_a_workspace_without_questions_has_its_spaces_listed() -> None:
    rows = rows_of(quiet_workspace)["genie_space_details"]
    assert {row["workspace_id"] for row in rows} == {"1", "7700000000000001"}


def test_a_vote_comes_minutes_after_the_hour() -> None:
    assert details(vote_after_a_read, "feedback_rating", at=START + 3 * HOUR) == {"m": ("NEGATIVE",)}
    (row,) = rows_of(vote_after_a_read)["genie_messages_to_fetch"]
    assert (row["last_change_time"].minute, row["event_count"]) == (2, 2)
