"""What the fold makes and what the tables declare are the same columns, each of them filled and each kept."""

from typing import Any

import pytest

from genie_assets.domain.columns import STATEMENT_SEEN
from genie_assets.domain.evidence import Evidence, parse_answers
from genie_assets.domain.folding import Folded, fold
from genie_assets.domain.keys import MessageKey, SpaceKey
from genie_assets.domain.tables import MESSAGE_ATTACHMENTS, MESSAGE_DETAILS, Table
from genie_assets_tests.domain.test_folding import ASKED_MS, SOON, answer, reference, statement

QUERY = {
    "attachment_id": "a1",
    "query": {
        "query": "SELECT 1",
        "title": "One",
        "description": "Counts to one",
        "statement_id": "st-1",
        "query_result_metadata": {"row_count": 1},
    },
}
TEXT = {"attachment_id": "a2", "text": {"content": "Ten.", "purpose": "FINAL_ANSWER"}}
KINDS = [
    QUERY,
    {"query": {}},
    TEXT,
    {"text": {}},
    {"viz": {}},
    {"suggested_questions": {"questions": ["Why?"]}},
    {"of_a_later_version": {}},
    None,
]
HISTORY = [statement(error_message="It was slow.")]
ERROR = {"resolved": False, "resolution": None, "error_class": "SERVER", "error_message": "It broke."}


def folded(attachments: Any, history: list[dict[str, Any]], before: Folded | None = None) -> Folded:
    body = {
        "content": "How many?",
        "status": "FAILED",
        "last_updated_timestamp": ASKED_MS + 1,
        "user_id": 7,
        "feedback": {"rating": "POSITIVE", "comment": "Nice"},
        "error": {"type": "SQL_EXECUTION_EXCEPTION", "error": "No such table."},
        "attachments": attachments,
    }
    row = answer(**body)
    evidence = Evidence(
        parse_answers([row])[0],
        {MessageKey("w1", "m1"): 1},
        [row],
        history=history,
        references=[reference(user_email="ann@example.com", workspace_name="Prod")],
        errors={MessageKey("w1", "m1"): ERROR},
        space_names={SpaceKey("w1", "s1"): "Sales"},
        details=before.details if before else [],
        attachments=before.attachments if before else [],
    )
    return fold(evidence, SOON)


@pytest.mark.parametrize("history", [[], HISTORY])
@pytest.mark.parametrize("attachments", [None, [], *([kind] for kind in KINDS), KINDS])
def test_rows_have_exactly_the_declared_columns(attachments: Any, history: list[dict[str, Any]]) -> None:
    """A column that is declared and not made, or made and not declared, would be NULL or lost without a word."""
    result = folded(attachments, history)
    assert len(result.attachments) == len(attachments or [])
    for table, rows in ((MESSAGE_DETAILS, result.details), (MESSAGE_ATTACHMENTS, result.attachments)):
        for row in rows:
            assert sorted(row) == sorted((*table.content, STATEMENT_SEEN.name)), table.name


def test_every_declared_column_is_filled_when_all_is_known() -> None:
    result = folded(KINDS, HISTORY)
    for table, rows in ((MESSAGE_DETAILS, result.details), (MESSAGE_ATTACHMENTS, result.attachments)):
        filled = {name for row in rows for name, value in row.items() if value is not None}
        assert set(table.content) - filled == set(), table.name


@pytest.mark.parametrize(
    ("table", "name"),
    [(table, name) for table in (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS) for name in table.columns_from("history")],
    ids=lambda value: value.name if isinstance(value, Table) else value,
)
def test_what_history_said_is_kept_when_it_has_forgotten(table: Table, name: str) -> None:
    before = folded([QUERY], HISTORY)
    after = folded([QUERY], [], before)
    of_details = table is MESSAGE_DETAILS
    (was,), (now,) = (each.details if of_details else each.attachments for each in (before, after))
    assert now[name] == was[name]
    assert was[name] is not None
