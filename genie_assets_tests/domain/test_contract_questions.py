"""What samples of an account show of the questions that Databricks' documents leave open: never more than that."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from genie_assets.domain.contract_questions import answers
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.samples import Sample, Samples

HOUR = 3_600_000
REFUSED = FetchError(ErrorClass.PERMISSION, "no", 403, "PERMISSION_DENIED")
GONE = FetchError(ErrorClass.NOT_FOUND, "no", 404, "RESOURCE_DOES_NOT_EXIST")
TOO_MANY = FetchError(ErrorClass.BAD_REFERENCE, "no", 400, "INVALID_PARAMETER_VALUE")


def page(kind: str, *entries: Mapping[str, Any], **asked: str) -> Sample:
    return Sample(kind, {"page_size": "100", **asked}, {kind: list(entries)})


def rows(kind: str, *cells: tuple[str, ...]) -> Sample:
    return Sample(kind, {}, {"result": {"data_array": [list(row) for row in cells]}})


def conversation(conversation_id: str, at: int) -> dict[str, Any]:
    return {"conversation_id": conversation_id, "created_timestamp": at}


def usage(type_text: str) -> Sample:
    column = {"name": "usage_metadata", "type_text": type_text}
    return Sample("sql.usage_columns", {}, {"manifest": {"schema": {"columns": [column]}}})


LISTED = page("conversations", conversation("c1", 2), conversation("c2", 1), space_id="s1")
RATED = {"created_timestamp": 0, "last_updated_timestamp": 2 * HOUR, "feedback": {"rating": "POSITIVE"}}
SHOWN: Mapping[str, tuple[int, list[Sample], str]] = {
    "a private conversation": (1, [Sample("messages", problem=REFUSED)], "403 PERMISSION_DENIED"),
    "a prompt alone": (1, [page("messages", {"status": "COMPLETED"})], "1 completed messages came without attach"),
    "an order": (2, [LISTED], "up to 2 entries came on a page of 100, the newest first"),
    "no longer page": (2, [Sample("too_many", problem=TOO_MANY)], "page_size=101 is refused with INVALID_PARAM"),
    "a longer page": (2, [Sample("too_many", body={})], "page_size=101 is taken"),
    "feedback": (3, [page("messages", RATED)], "feedback, last updated later than an hour after it was asked"),
    "a code": (5, [Sample("missing.space", problem=GONE)], "missing space: 404 RESOURCE_DOES_NOT_EXIST"),
    "not all listed": (
        9,
        [LISTED, rows("sql.audit_conversations", ("s1", "c1", "0"), ("s1", "c9", "0"), ("s1", "c8", "1"))],
        "of 2 conversations that the audit log shows there, and no deletion of them, 1 are not in the lists",
    ),
    "usage": (10, [usage("STRUCT<a: STRING, genie: STRUCT<x: STRING>>")], "usage_metadata has the member genie"),
    "no usage": (10, [usage("STRUCT<a: STRING>")], "usage_metadata lacks the member genie"),
}


@pytest.mark.parametrize("case", SHOWN)
def test_a_question_is_answered_with_what_is_shown_and_no_other_one_of_its_kind(case: str) -> None:
    number, taken, told = SHOWN[case]
    said = {question.number: shown for question, shown in answers(Samples(dt.datetime.now(dt.UTC), taken))}
    assert told in (said[number] or "stays open")
    assert {said[4], said[8]} == {None}, "nothing that only reads shows these"
