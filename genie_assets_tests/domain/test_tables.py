"""The tables' own promises."""

import datetime as dt

import pandas as pd
import pytest

from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, MESSAGE_DETAILS, TABLES, Table, records


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
