"""The tables' own promises."""

import datetime as dt

import pandas as pd
import pytest

from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    TABLES,
    Table,
    records,
)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_is_consistent(table: Table) -> None:
    names = table.column_names
    assert len(set(names)) == len(names)
    for mentioned in (table.key, table.z_order_by, table.statistics):
        assert set(mentioned) <= set(names)
    # Delta on Spark keeps no minimum and maximum of other types, and creates no table that asks for them.
    assert {table.column(name).type for name in table.statistics} <= {"STRING", "LONG", "INT", "DATE", "TIMESTAMP"}
    assert all(column.description.endswith(".") for column in table.columns)
    assert table.description.endswith(".")
    if table.partitioned_by:
        assert (table.column(table.partitioned_by).type, table.column(table.partitioned_by).nullable) == (
            "DATE",
            False,
        )
    with pytest.raises(KeyError, match=table.name):
        table.column("no_such_column")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_user_text_gets_into_the_log_of_a_table(table: Table) -> None:
    """Delta copies minimum and maximum of these columns into its log, where nobody expects prompts or e-mails."""
    texts = {"content", "answer_text", "query_sql", "raw_json", "user_email", "error_message", "serialized_space"}
    texts |= {"title", "attachments_json", "attachment_json", "feedback_comment", "text_content"}
    assert not texts & set(table.statistics)


def test_rows_survive_the_frame() -> None:
    row = {
        "created_timestamp": 2**53 + 1,
        "attachments_count": 0,
        "is_deleted": False,
        "created_date": dt.date(2026, 3, 2),
        "api_fetch_timestamp": dt.datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=dt.UTC),
        "content": "",
    }
    unknown = dict.fromkeys(MESSAGE_DETAILS.column_names)
    assert records(MESSAGE_DETAILS.frame([row, {}])) == [unknown | row, unknown]
    assert records(MESSAGE_DETAILS.frame([])) == []
    actions = ["a", "b"]
    assert records(GENIE_MESSAGES_TO_FETCH.frame([{"actions": actions}]))[0]["actions"] == actions


def test_every_kind_of_null_is_none() -> None:
    frame = pd.DataFrame({"a": [float("nan")], "b": [pd.NaT], "c": [pd.NA], "d": [None]})
    assert records(frame) == [{"a": None, "b": None, "c": None, "d": None}]


def test_a_frame_refuses_what_no_column_takes() -> None:
    row = {"workspace_id": "w1", "invented": 1, "made_up": 2}
    with pytest.raises(ValueError, match="message_details has no column invented, made_up"):
        MESSAGE_DETAILS.frame([{}, row])
    assert MESSAGE_DETAILS.part(row) == {"workspace_id": "w1"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_documents_are_texts_that_nothing_is_sorted_or_compared_by(table: Table) -> None:
    documents = {column.name for column in table.columns if column.is_document}
    assert not documents & {*table.key, *table.z_order_by, *table.statistics}
    assert {column.type for column in table.columns if column.is_document} <= {"STRING"}
    assert set(table.columns_from("ours")) >= set(table.bookkeeping)


def test_what_speaks_of_one_attachment_says_so() -> None:
    """How a statement ran is about the attachment that holds it; the counts are about the message."""
    of_attachments = {column.name for column in MESSAGE_DETAILS.columns if column.of_attachment}
    assert of_attachments >= set(MESSAGE_DETAILS.columns_from("history"))
    assert set(MESSAGE_ATTACHMENTS.columns_from("history")) <= set(MESSAGE_DETAILS.columns_from("history"))
    assert not of_attachments & {"attachments_count", "statements_count", *MESSAGE_DETAILS.key}
