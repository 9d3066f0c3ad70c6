"""Recorded examples of odd texts, and verdicts on odd answers: one of them keeps no other from being told."""

import datetime as dt
import json
import random
from typing import Any

import pytest

from genie_assets.domain.contract import FactVerdict
from genie_assets.domain.contract_facts import verdicts
from genie_assets.domain.contract_questions import answers
from genie_assets.domain.recording import documents
from genie_assets.domain.samples import Sample, Samples

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def samples(kind: str, body: dict[str, Any]) -> Samples:
    return Samples(NOON, [Sample(kind, {"space_id": "0" * 32}, body)])


def by_chance(alphabet: str, count: int) -> str:
    return "".join(random.choices(alphabet, k=count))


@pytest.mark.parametrize(
    "content",
    [
        "[NaN, -Infinity, 1e400]",
        "[1e400]",
        "[" * 600 + '"ann"' + "]" * 600,
        json.dumps(list(range(1_000, 9_999))),  # more numbers of four digits than can stand for them
        "example",
        "https://",
        "00:00:00",
        "TABLE_OR_VIEW_NOT_FOUND",
    ],
)
def test_whatever_somebody_asked_is_replaced_and_stops_no_example(content: str) -> None:
    body = {"content": content, "by": "ann@acme.org", "at": "2025-02-01T10:11:12Z", "see": "https://acme.org/x"}
    failed = {"status": {"error": {"message": "[TABLE_OR_VIEW_NOT_FOUND] main.acme"}}}
    taken = [*samples("message", body).taken, *samples("sql.nothing", failed).taken]
    made = documents(Samples(NOON, taken), by_chance)
    told = json.dumps(made, allow_nan=False)
    assert "acme" not in told
    assert made["message"]["answers"][0]["body"]["content"] != content
    assert "ann" not in told


def test_what_people_call_their_tags_and_parameters_is_replaced_and_lists_in_other_rows_are_no_names() -> None:
    cells = {
        "query_tags": '{"team_acme":"x"}',
        "query_parameters": '{"named_parameters":{"acme_customer":"y"},"is_truncated":false}',
        "places": '["acme_north","acme_south"]',
    }
    columns = [{"name": name, "type_text": "STRING"} for name in cells]
    answer = {"manifest": {"schema": {"columns": columns}}, "result": {"data_array": [[*cells.values(), "acme"]]}}
    made = documents(samples("sql.history_rows", answer), by_chance)["sql.history_rows"]["answers"][0]["body"]
    ((tags, parameters, *_),) = made["result"]["data_array"]
    assert "acme" not in json.dumps(made)
    assert (len(json.loads(tags)), json.loads(parameters)["is_truncated"]) == (1, False)
    assert [each["name"] for each in made["manifest"]["schema"]["columns"]] == [*cells]


@pytest.mark.parametrize("entries", [[], [{"robot_name": "r", "all_permissions": []}]])
def test_an_access_list_without_anybody_we_know_does_not_hold(entries: list[Any]) -> None:
    judged = {fact.name: each for fact, each in verdicts(samples("permissions", {"access_control_list": entries}))}
    assert judged["spaces.permissions"].verdict is FactVerdict.CONTRADICTED


def test_columns_without_a_row_do_not_hold_what_is_said_of_rows() -> None:
    kinds = {"workspace_id": "BIGINT", "workspace_name": "STRING", "workspace_url": "STRING", "status": "STRING"}
    columns = [{"name": name, "type_name": kind} for name, kind in kinds.items()]
    body = {"status": {"state": "SUCCEEDED"}, "manifest": {"schema": {"columns": columns}}}
    judged = {fact.name: each for fact, each in verdicts(samples("sql.workspaces_columns", body))}
    assert judged["workspaces.table"].verdict is FactVerdict.NOT_SHOWN


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("space", {"space_id": "0" * 32, "serialized_space": "[" * 200_000}),
        ("sql.audit_conversations", {"result": {"data_array": [[{"a": 1}, "c", "0"]]}}),
    ],
)
def test_an_answer_that_nobody_can_read_is_told_as_such(kind: str, body: dict[str, Any]) -> None:
    odd = samples(kind, body)
    told = [each.seen for _, each in verdicts(odd)] + [seen or "" for _, seen in answers(odd)]
    assert any("a shape that cannot be judged" in each for each in told)
