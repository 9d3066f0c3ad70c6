"""Rules that stand in the domain twice, in plain words and as questions to a table: both say the same."""

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain import ledger
from genie_assets.domain.executions import WAITING, EnrichmentStatus, is_waiting
from genie_assets.domain.left_out import before_and_after, is_outside, outside
from genie_assets.domain.workspaces import is_looked_at, not_looked_at
from genie_assets_tests.gateways.lakehouse.meanings import holds

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

_ledger_rows = st.fixed_dictionaries(
    {
        "resolved": st.booleans(),
        "resolution": st.sampled_from([None, ledger.FETCHED, ledger.DELETED, ledger.GAVE_UP, ledger.CLOSED]),
        "error_class": st.sampled_from(["NOT_FOUND", "PERMISSION"]),
        "next_retry_timestamp": st.sampled_from([None, NOON - HOUR, NOON, NOON + HOUR]),
    }
)
_dates = st.dates(dt.date(2026, 2, 27), dt.date(2026, 3, 6))


def meets(conditions: Any, row: dict[str, Any]) -> bool:
    return all(holds(each, row, {}) for each in conditions)


@given(_ledger_rows)
def test_the_ledger(row: dict[str, Any]) -> None:
    assert meets(ledger.OPEN, row) == ledger.is_open(row)
    assert meets(ledger.PARKED, row) == ledger.is_parked(row)
    assert meets(ledger.due(NOON), row) == ledger.is_due(row, NOON)
    assert meets(ledger.DELETED_ROWS, row) == ledger.is_deleted(row)
    assert meets(ledger.CLOSED_ROWS, row) == ledger.is_closed(row)
    assert meets(ledger.WAITING_FOR_PERMISSION, row) == ledger.waits_for_permission(row)
    is_gone = meets([*ledger.NOT_FOUND, *ledger.OPEN], row) or meets(
        [*ledger.NOT_FOUND, *ledger.DELETED_ROWS], row
    )
    assert ledger.was_not_found(row) == is_gone


@given(st.none() | st.sampled_from(EnrichmentStatus))
def test_a_message_that_waits_for_a_statement(status: str | None) -> None:
    row = {"enrichment_status": status}
    assert meets(WAITING, row) == is_waiting(row)


@given(_dates, _dates, _dates)
def test_days_that_are_no_partitions(day: dt.date, first_day: dt.date, today: dt.date) -> None:
    if first_day > today:
        first_day, today = today, first_day
    row = {"event_date": day}
    is_left_out = is_outside(day, first_day, today)
    assert holds(outside(first_day, today), row, {}) == is_left_out
    assert any(holds(each, row, {}) for each in before_and_after(first_day, today)) == is_left_out


@given(st.sampled_from(["0", "1", "2"]), st.sets(st.sampled_from(["0", "1", "3"])))
def test_workspaces_that_are_not_looked_at(workspace_id: str, chosen: set[str]) -> None:
    is_left_out = not is_looked_at(workspace_id, chosen)
    assert holds(not_looked_at(chosen), {"workspace_id": workspace_id}, {}) == is_left_out
