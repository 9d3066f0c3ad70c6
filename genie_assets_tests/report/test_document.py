"""What the report says: for every choice that it offers, exactly what plain Python makes of the same truth."""

import datetime as dt
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from genie_assets.domain.report import Period, last_settled_day, periods_until, shown_user
from genie_assets.domain.report_document import Choices, Document
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.published_report import make_report, pseudonym_key
from genie_assets_tests.report.choices import REQUEST, periods, places, within
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.golden_basics import Row, nearest_rank
from genie_assets_tests.views.world import ANCHOR, golden_rows

LAST = ANCHOR.date() - dt.timedelta(days=2)
INDIA = dt.timedelta(hours=5, minutes=30)


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden(golden_rows(), ANCHOR)


def figures(rows: list[Row]) -> Row:
    """The key figures of some messages, each with its signals."""
    judged = [row for row in rows if row["is_judged"]]
    first = [row for row in judged if row["conversation_position"] == 1]
    people = [row for row in rows if row["user_kind"] not in ("SERVICE_PRINCIPAL", None)]
    outcomes = Counter(row["outcome"] for row in rows)
    found: Row = {
        "questions": len(rows),
        "conversations": len({(row["workspace_id"], row["conversation_id"]) for row in rows}),
        "people": len({row["user_key"] for row in people}),
        "service_principals": len({row["user_key"] for row in rows if row["user_kind"] == "SERVICE_PRINCIPAL"}),
        **{name.lower(): outcomes[name] for name in ("ANSWERED", "FAILED", "CANCELLED", "UNSETTLED", "WITHHELD")},
        "deleted": outcomes["DELETED"],
        "judged": len(judged),
        "rated": sum(row["rating"] is not None for row in judged),
        "positive": sum(row["rating"] == "POSITIVE" for row in judged),
        "negative": sum(row["rating"] == "NEGATIVE" for row in judged),
        "commented": sum(row["comment"] is not None for row in rows),
        "first_judged": len(first),
        "first_answered": sum(row["outcome"] == "ANSWERED" for row in first),
        "cache_n": sum(row["query_from_cache"] is not None for row in rows),
        "from_cache": sum(row["query_from_cache"] is True for row in rows),
    }
    for name in ("rephrased", "without_sql", "empty_result", "clarification", "abandoned"):
        found[f"{name}_n"] = sum(row[f"is_{name}"] is not None for row in rows)
        found[name] = sum(row[f"is_{name}"] is True for row in rows)
    columns = {"response": "response_time_ms", "thinking": "thinking_time_ms"}
    columns |= {name: f"query_{name}_ms" for name in ("wait", "compile", "execution", "fetch")}
    for name, column in columns.items():
        values = [row[column] for row in rows]
        found[f"{name}_n"] = sum(value is not None for value in values)
        found[f"{name}_p50_ms"] = nearest_rank(values, 50)
    found["response_p95_ms"] = nearest_rank([row["response_time_ms"] for row in rows], 95)
    return found


def with_signals(golden: Golden) -> list[Row]:
    signals = {(row["workspace_id"], row["message_id"]): row for row in golden.signals}
    return [{**signals[row["workspace_id"], row["message_id"]], **row} for row in golden.overview]


def test_every_figure_of_every_choice_is_right(document: Document, golden: Golden) -> None:
    rows = with_signals(golden)
    compared = 0
    for name, period in periods(document).items():
        for choice, place in places(document).items():
            expected = within(rows, period, place)
            shown = document["figures"].get(name, {}).get(choice)
            if not expected:
                assert shown is None, (name, choice)
                continue
            assert shown == figures(expected), (name, choice)
            compared += 1
    assert compared > 60
    assert {each["name"] for each in document["periods"]} == {"7", "14", "28", "whole"}
    assert (document["opens_with"], document["days"][-1]) == ("14", LAST.isoformat())


def test_days_that_were_not_loaded_are_gaps_and_quiet_days_are_0(document: Document, golden: Golden) -> None:
    place = places(document)
    loaded = {day.isoformat() for day in golden.loads}
    assert loaded < set(document["days"]) | loaded
    assert set(document["days"]) - loaded  # one of them was not
    for choice, series in document["daily"].items():
        for n, day in enumerate(document["days"]):
            rows = within(
                golden.overview, Period("", dt.date.fromisoformat(day), dt.date.fromisoformat(day)), place[choice]
            )
            if day not in loaded:
                assert {values[n] for values in series.values()} == {None}
                continue
            assert series["questions"][n] == len(rows)
            times = [row["response_time_ms"] for row in rows]
            assert series["response_p95_ms"][n] == nearest_rank(times, 95)
            assert series["failed"][n] == sum(row["outcome"] == "FAILED" for row in rows)
    assert 0 in document["daily"]["s3"]["questions"]


def test_hours_are_those_of_the_chosen_zone(document: Document, golden: Golden) -> None:
    rows = within(golden.overview, periods(document)["28"], (None, None))
    asked = Counter((row["asked_at"] + INDIA).hour for row in rows if row["asked_at"])
    shown = {row["hour"]: row["questions"] for row in document["hours"]["28"][""] if row["hour"] is not None}
    assert shown == asked


def test_failures_and_unread_questions_are_counted_by_choice(document: Document, golden: Golden) -> None:
    place, period = places(document), periods(document)["whole"]
    for choice, shown in document["failures"]["whole"].items():
        failed = [row for row in within(golden.overview, period, place[choice]) if row["outcome"] == "FAILED"]
        assert {row["error_type"]: row["failed"] for row in shown} == Counter(
            row["error_type"] or "not named" for row in failed
        )
    by_day = [row for row in golden.answer("activity_by_day") if row["unread_messages"]]
    unread = document["unread"]["whole"]
    assert unread[""] == sum(row["unread_messages"] for row in within(by_day, period, (None, None))) > 0
    for choice in document["workspaces"]:
        mine = f"w{document['workspaces'].index(choice)}"
        expected = sum(row["unread_messages"] for row in within(by_day, period, (choice["id"], None)))
        assert unread.get(mine, 0) == expected


def test_questions_worth_reading_are_the_latest_and_the_slowest(document: Document, golden: Golden) -> None:
    period = periods(document)["7"]
    place = places(document)["s0"]
    rows = within(with_signals(golden), period, place)
    slow = sorted((row["response_time_ms"] for row in rows if row["response_time_ms"] is not None), reverse=True)
    shown = [
        row["response_time_ms"]
        for row in document["questions"]
        if (row["kind"], row["period"], row["space"]) == ("slow", "7", "s0")
    ]
    assert shown == slow[:10]
    for kind, holds in {
        "failed": lambda row: row["outcome"] == "FAILED",
        "disliked": lambda row: row["is_judged"] and row["rating"] == "NEGATIVE",
        "rephrased": lambda row: row["is_rephrased"],
    }.items():
        whole = within(with_signals(golden), periods(document)["whole"].before(), place)
        whole += within(with_signals(golden), periods(document)["whole"], place)
        expected = sorted((row["asked_at"] for row in whole if holds(row) and row["asked_at"]), reverse=True)[:10]
        found = [row["asked_at"] for row in document["questions"] if (row["kind"], row["space"]) == (kind, "s0")]
        assert [dt.datetime.fromisoformat(each) for each in found if each] == expected, kind


def test_nobody_is_named_unless_the_settings_say_so(lake: Lakehouse, golden: Golden) -> None:
    people = {row["user_email"] for row in golden.details if row["user_email"] and "@" in row["user_email"]}
    questions = {row["content"] for row in golden.details if len(row["content"] or "") > 25}
    silent = make_report(lake, replace(REQUEST, with_texts=False)).html
    assert not [each for each in people if each in silent]
    assert not [each for each in questions if json.dumps(each)[1:-1] in silent]
    open_ = make_report(lake, replace(REQUEST, with_names=True)).html
    assert [each for each in people if each in open_]
    assert [each for each in questions if json.dumps(each)[1:-1] in open_]


def test_a_pseudonym_stays_the_same_and_depends_on_the_installation(lake: Lakehouse, tmp_path: Path) -> None:
    key, other = pseudonym_key(lake), pseudonym_key(open_lakehouse(str(tmp_path / "other")))
    assert key == pseudonym_key(lake) != other
    person = {"user_key": "ann@example.com", "user_kind": "PERSON"}
    names = [shown_user(person, each, by_name=False) for each in (key, key, other)]
    assert names[0] == names[1] != names[2]
    assert shown_user({**person, "user_kind": "SERVICE_PRINCIPAL"}, key, by_name=False) == "ann@example.com"
    assert shown_user({"user_key": None, "user_kind": None}, key, by_name=False) is None


def test_nothing_loaded_is_said_and_not_shown_as_0(tmp_path: Path) -> None:
    made = make_report(open_lakehouse(str(tmp_path / "empty")), REQUEST)
    assert made.document["periods"] == []
    assert "figures" not in made.document


@pytest.mark.parametrize(
    ("loaded", "last"),
    [([], None), ([0], 0), ([0, 1, 2, 3], 2), ([1], 1), ([5, 9], 5), ([2, 1, 0], 2)],
)
def test_periods_end_with_the_last_day_that_has_been_over_for_a_day(loaded: list[int], last: int | None) -> None:
    today = ANCHOR.date()
    days = [today - dt.timedelta(days=n) for n in loaded]
    assert last_settled_day(today, days) == (None if last is None else today - dt.timedelta(days=last))


def test_periods_are_followed_by_what_they_are_compared_with() -> None:
    found = periods_until(LAST, LAST - dt.timedelta(days=19))
    assert [each.name for each in found if each.is_shown] == ["7", "14", "whole"]
    for shown, before in zip(found[::2], found[1::2], strict=True):
        assert len(shown.days) == len(before.days)
        assert before.last_day + dt.timedelta(days=1) == shown.first_day
        assert shown.last_day == LAST
    assert [each.name for each in periods_until(LAST, LAST) if each.is_shown] == ["whole"]


def test_more_spaces_than_the_page_can_offer_stay_in_the_inventory_only() -> None:
    inventory = [
        {"workspace_id": "1", "workspace_name": None, "space_id": str(n), "space_name": None, "messages": n}
        for n in range(400)
    ]
    choices = Choices(inventory)
    assert [row["id"] for row in choices.spaces()[:2]] == ["399", "398"]
    assert len(choices.spaces()) < 400
    assert choices.of("1", "0") is None
    assert choices.of("1", None) == "w0"
