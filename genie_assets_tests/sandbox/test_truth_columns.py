"""The truth knows every column but those that depend on when and how a pipeline looked."""

import datetime as dt

import pytest

from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    Table,
)
from genie_sandbox.made_up.generator import generate
from genie_sandbox.truth.tables import truth

ANCHOR = dt.datetime(2026, 8, 20, 14, 30, tzinfo=dt.UTC)
OF_THE_LOOK = {
    GENIE_API_MESSAGES.name: {
        *("raw_json", "content_hash", "api_endpoint", "api_fetch_timestamp", "event_date", "event_change_time"),
        "attachments_shown",
    },
    MESSAGE_DETAILS.name: {"api_fetch_timestamp", "api_fetch_error"},
    GENIE_SPACE_DETAILS.name: {
        *("is_trashed", "first_seen_timestamp", "last_seen_timestamp", "api_fetch_error"),
        *("is_escaped", "section_hashes"),  # what is told about serialized_space, which is compared
    },
}


@pytest.fixture(scope="module")
def columns() -> dict[str, set[str]]:
    """Which columns the truth says something about, by table."""
    account = generate(seed=7, anchor=ANCHOR, days=6, messages=300)
    rows = truth(account, at=int(ANCHOR.timestamp() * 1000))
    return {name: set().union(*(row.keys() for row in of_table)) for name, of_table in rows.items()}


@pytest.mark.parametrize(
    "table",
    [GENIE_MESSAGES_TO_FETCH, GENIE_API_MESSAGES, MESSAGE_DETAILS, MESSAGE_ATTACHMENTS, GENIE_SPACE_DETAILS],
    ids=lambda table: table.name,
)
def test_a_column_that_is_declared_is_compared_with_the_truth(table: Table, columns: dict[str, set[str]]) -> None:
    """The comparison looks at what the truth names: a column that it lacks would never be compared."""
    uncertain = OF_THE_LOOK.get(table.name, set())
    assert set(table.content) - uncertain == columns[table.name] - uncertain - {*table.bookkeeping}
