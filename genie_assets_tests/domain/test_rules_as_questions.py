"""Rules that stand in the domain twice, in plain words and as questions to a table: both say the same."""

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain import ledger
from genie_assets.domain.executions import WAITING, EnrichmentStatus, is_waiting
from genie_assets.domain.keys import MessageKey
from genie_assets.domain.left_out import before_and_after, is_outside, outside
from genie_assets.domain.message_log import log_row
from genie_assets.domain.requests import Answer
from genie_assets.domain.waiting import LEFT_BEHIND
from genie_assets.domain.worklist import Verdict, judge, known_of, reference_of
from genie_assets.domain.workspaces import is_looked_at, not_looked_at
from genie_assets_tests.gateways.lakehouse.meanings import holds

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

_ledger_rows = st.fixed_dictionaries(
    {
        "resolved": st.booleans(),
        "resolution": st.sampled_from([None, *ledger.Resolution]),
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
    # Lists that were left out with their workspace are due as soon as it is looked at again.
    assert meets(ledger.ENDED_ROWS, row) == (row["resolution"] in (ledger.DELETED, ledger.CLOSED))
    assert meets(ledger.WAITING_FOR_PERMISSION, row) == ledger.waits_for_permission(row)
    is_gone = meets([*ledger.NOT_FOUND, *ledger.OPEN], row) or meets(
        [*ledger.NOT_FOUND, *ledger.DELETED_ROWS], row
    )
    assert ledger.was_not_found(row) == is_gone


@given(
    _ledger_rows,
    st.lists(st.tuples(st.sampled_from(["genie_api_messages", "genie_message_looks"]), st.integers(-2, 2))),
)
def test_an_error_of_a_message_that_was_read_since(row: dict[str, Any], looks: list[tuple[str, int]]) -> None:
    ids = {"workspace_id": "w1", "message_id": "m1"}
    world: dict[str, list[dict[str, Any]]] = {"genie_api_messages": [], "genie_message_looks": []}
    for table, hours in looks:
        world[table].append({**ids, "api_fetch_timestamp": NOON + hours * HOUR})
    error = {**ids, **row, "error_timestamp": NOON}
    last = max((NOON + hours * HOUR for _, hours in looks), default=None)
    assert all(holds(each, error, world) for each in ledger.OUTDATED) == ledger.is_outdated(error, last)


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


IDS = {"workspace_id": "w1", "space_id": "s1", "conversation_id": "c1", "message_id": "m1"}
_moments = st.integers(-90, 90).map(lambda minutes: NOON + dt.timedelta(minutes=minutes))
_bodies = st.fixed_dictionaries(
    {"status": st.just("COMPLETED")},
    optional={"last_updated_timestamp": _moments.map(lambda at: int(at.timestamp() * 1000))},
)


@given(_bodies, _moments, st.none() | _moments, st.none() | _moments, _moments)
def test_a_message_that_changed_and_was_not_read_since_we_saw_it_is_left_behind(
    body: dict[str, Any],
    asked_at: dt.datetime,
    asked_for: dt.datetime | None,
    changed: dt.datetime | None,
    seen: dt.datetime,
) -> None:
    """By whichever clock: a look shortly before the change counted as one after it, if our clock was ahead."""
    answer = Answer(body, "GET", asked_at)
    header = log_row(IDS, answer, event_date=NOON.date(), known=None, changed=asked_for)
    row = {**IDS, "last_change_time": changed, "ingestion_timestamp": seen, "is_deleted": False}
    reference = reference_of({**row, "workspace_url": None}, header, None)
    is_changed = judge(reference, known_of(header), None, NOON) is Verdict.CHANGED
    world = {"genie_api_messages": [header], "message_details": [MessageKey.of(IDS)._asdict()]}
    tables: dict[str, list[dict[str, Any]]] = {"genie_message_looks": [], "message_fetch_errors": []}
    assert holds(LEFT_BEHIND, row, tables | world) == (is_changed and asked_at < seen)
