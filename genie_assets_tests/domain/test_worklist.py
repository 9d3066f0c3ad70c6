"""What needs fetching."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.fetch_plan import MessageRef
from genie_assets.domain.keys import MessageKey
from genie_assets.domain.waiting import due_times
from genie_assets.domain.worklist import (
    FETCHED_VERDICTS,
    ClosedError,
    Known,
    OpenError,
    Reference,
    Verdict,
    judge,
    make_worklist,
    next_look_at,
)

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
DAY = NOW.date()


def reference(message_id: str = "m1", **fields: Any) -> Reference:
    values: dict[str, Any] = {
        "workspace_id": "w1",
        "workspace_url": "https://w1.example.com",
        "space_id": "s1",
        "conversation_id": "c1",
        "message_id": message_id,
        "last_change_time": NOW - 2 * HOUR,
        "is_deleted": False,
    }
    return Reference(**values | fields)


def known(last_fetch: dt.datetime = NOW - HOUR, *, is_settled: bool = True, age: dt.timedelta = HOUR) -> Known:
    return Known(is_settled, last_fetch - age, last_fetch)


def knows(last_change: dt.datetime) -> Known:
    """Read now, with this change in it."""
    return Known(is_settled=True, created_at=NOW - HOUR, last_fetch=NOW, last_change=last_change)


def error(next_retry: dt.datetime | None, *, is_bad_reference: bool = False) -> OpenError:
    return OpenError(next_retry, is_bad_reference)


@pytest.mark.parametrize(
    ("ref", "stored", "problem", "verdict"),
    [
        (reference(), None, None, Verdict.NEW),
        (reference(last_change_time=None), None, None, Verdict.NEW),
        (reference(), known(), None, Verdict.CURRENT),
        (reference(last_change_time=None), known(), None, Verdict.CURRENT),
        (reference(last_change_time=NOW - HOUR), known(), None, Verdict.CURRENT),
        (reference(last_change_time=NOW), known(), None, Verdict.CHANGED),
        (reference(last_change_time=NOW), known(is_settled=False), None, Verdict.CHANGED),
        (reference(), known(is_settled=False), None, Verdict.UNSETTLED),
        (reference(), known(NOW, is_settled=False), None, Verdict.WAITING),
        (reference(), None, error(NOW), Verdict.RETRY),
        (reference(), known(), error(NOW), Verdict.RETRY),
        (reference(), None, error(NOW + HOUR), Verdict.WAITING),
        (reference(last_change_time=NOW), known(), error(NOW + HOUR), Verdict.WAITING),
        (reference(), None, error(None), Verdict.WAITING),
        (reference(is_deleted=True), None, None, Verdict.DELETED),
        (reference(is_deleted=True), known(is_settled=False), error(NOW), Verdict.DELETED),
        (reference(space_id=None), None, None, Verdict.BAD_REFERENCE),
        (reference(conversation_id=".."), None, None, Verdict.BAD_REFERENCE),
        (reference("a\nb"), None, None, Verdict.BAD_REFERENCE),
        (reference(space_id="."), None, error(NOW), Verdict.BAD_REFERENCE),
        (reference(space_id=None), None, error(None, is_bad_reference=True), Verdict.WAITING),
        (reference(space_id=None), None, error(NOW + HOUR, is_bad_reference=True), Verdict.WAITING),
        (reference(space_id=None), None, error(NOW, is_bad_reference=True), Verdict.BAD_REFERENCE),
        (reference(), None, error(None, is_bad_reference=True), Verdict.RETRY),
        (reference(space_id=None, is_deleted=True), None, None, Verdict.DELETED),
        (reference(), None, ClosedError(NOW), Verdict.CLOSED),
        (reference(), None, ClosedError(NOW - 3 * HOUR), Verdict.NEW),
        (reference(space_id=None), None, ClosedError(NOW - 3 * HOUR), Verdict.CLOSED),
        # Closed because it could not be read again: it was read before, and must not be asked for in every run.
        (reference(), known(NOW - 3 * HOUR), ClosedError(NOW - HOUR), Verdict.CLOSED),
        (reference(), known(NOW - 3 * HOUR, is_settled=False), ClosedError(NOW), Verdict.CLOSED),
        (reference(space_id=None), known(NOW - 3 * HOUR), ClosedError(NOW), Verdict.CLOSED),
        (reference(last_change_time=NOW), known(NOW - 3 * HOUR), ClosedError(NOW - HOUR), Verdict.CHANGED),
        (reference(), known(NOW - HOUR), ClosedError(NOW), Verdict.CURRENT),
        # Our clock may be ahead of Databricks': a change soon after the look was taken for one before it.
        (reference(last_change_time=NOW - 2 * MINUTE), knows(NOW - 4 * MINUTE), None, Verdict.CHANGED),
        (reference(last_change_time=NOW - 4 * MINUTE), knows(NOW - 4 * MINUTE), None, Verdict.CURRENT),
        (reference(last_change_time=NOW - 2 * HOUR), knows(NOW - 9 * HOUR), None, Verdict.CURRENT),
        (reference(last_change_time=NOW + HOUR), knows(NOW + HOUR), None, Verdict.CURRENT),
        (reference(last_change_time=NOW + 9 * HOUR, seen_at=NOW - 2 * HOUR), known(), None, Verdict.CURRENT),
        # Read since: what was closed is past.
        (reference(), known(NOW - HOUR, is_settled=False), ClosedError(NOW - 2 * HOUR), Verdict.UNSETTLED),
        # GENIE_WORKSPACES leaves the workspace out: what there is to ask now or later is not asked.
        (reference(is_looked_at=False), None, None, Verdict.LEFT_OUT),
        (reference(is_looked_at=False, space_id=None), None, None, Verdict.LEFT_OUT),
        (reference(is_looked_at=False), None, error(NOW + HOUR), Verdict.LEFT_OUT),
        (reference(is_looked_at=False), known(NOW, is_settled=False), None, Verdict.LEFT_OUT),
        (reference(is_looked_at=False), None, ClosedError(NOW), Verdict.CLOSED),
        (reference(is_looked_at=False), known(NOW - HOUR), None, Verdict.CURRENT),
        (reference(is_looked_at=False, is_deleted=True), None, None, Verdict.DELETED),
    ],
)
def test_every_situation_has_its_verdict(
    ref: Reference, stored: Known | None, problem: OpenError | ClosedError | None, verdict: Verdict
) -> None:
    assert judge(ref, stored, problem, NOW) is verdict


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (dt.timedelta(0), dt.timedelta(minutes=10)),
        (-HOUR, dt.timedelta(minutes=10)),
        (dt.timedelta(minutes=20), dt.timedelta(minutes=10)),
        (2 * HOUR, HOUR),
        (dt.timedelta(days=30), dt.timedelta(days=1)),
    ],
)
def test_an_unsettled_message_is_looked_at_less_often_the_longer_it_runs(
    age: dt.timedelta, wait: dt.timedelta
) -> None:
    stored = known(NOW, is_settled=False, age=age)
    assert next_look_at(stored) == NOW + wait
    assert judge(reference(), stored, None, NOW + wait) is Verdict.UNSETTLED
    assert judge(reference(), stored, None, NOW + wait - dt.timedelta(microseconds=1)) is Verdict.WAITING


def test_an_unsettled_message_of_unknown_age_is_looked_at_again() -> None:
    assert next_look_at(Known(is_settled=False, created_at=None, last_fetch=NOW)) == NOW + dt.timedelta(minutes=10)


def test_a_worklist_names_what_to_do() -> None:
    references = [
        reference("new"),
        reference("stored"),
        reference("gone", is_deleted=True),
        reference("bad", space_id=None),
        reference("failed"),
    ]
    worklist = make_worklist(
        references, {MessageKey("w1", "stored"): known()}, {MessageKey("w1", "failed"): error(NOW + HOUR)}, NOW
    )
    assert worklist.wanted == (MessageRef("w1", "https://w1.example.com", "s1", "c1", "new"),)
    assert [r.message_id for r in worklist.bad_references] == ["bad"]
    assert [r.message_id for r in worklist.deleted] == ["gone"]
    assert worklist.counts == {
        Verdict.NEW: 1,
        Verdict.CURRENT: 1,
        Verdict.DELETED: 1,
        Verdict.BAD_REFERENCE: 1,
        Verdict.WAITING: 1,
    }


_times = st.timedeltas(dt.timedelta(0), dt.timedelta(days=60)).map(lambda ago: NOW - ago)
_ids = st.sampled_from(["a", "b", "..", "", None, "x\x00"])
_references = st.lists(
    st.builds(
        reference,
        st.sampled_from("uvwxyz"),
        space_id=_ids,
        conversation_id=_ids,
        last_change_time=st.none() | _times,
        is_deleted=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda r: r.key,
)
_keys = st.tuples(st.just("w1"), st.sampled_from("uvwxyz"))
_known = st.dictionaries(_keys, st.builds(Known, st.booleans(), st.none() | _times, _times), max_size=4)
_open_errors = st.builds(OpenError, st.none() | _times, st.booleans())
_errors = st.dictionaries(_keys, _open_errors | st.builds(ClosedError, _times), max_size=4)
_one_reference = st.builds(
    reference,
    space_id=_ids,
    conversation_id=_ids,
    last_change_time=st.none() | _times,
    is_deleted=st.booleans(),
)


@given(_references, _known, _errors, st.data())
@settings(deadline=None)
def test_nothing_is_fetched_twice_in_a_row(
    references: list[Reference],
    stored: dict[MessageKey, Known],
    errors: dict[MessageKey, OpenError | ClosedError],
    data: st.DataObject,
) -> None:
    """Whether a look succeeds or fails: right after it, there is nothing to fetch."""
    worklist = make_worklist(references, stored, errors, NOW)
    assert sum(worklist.counts.values()) == len(references)
    assert len(worklist.wanted) == sum(worklist.counts.get(verdict, 0) for verdict in FETCHED_VERDICTS)
    after, failed = dict(stored), dict(errors)
    changes = {each.key: each.last_change_time for each in references}
    for ref in worklist.wanted:
        key = ref.key
        if data.draw(st.booleans(), "succeeds"):
            failed.pop(key, None)
            settled = data.draw(st.booleans(), "settled")
            after[key] = Known(settled, NOW - HOUR, last_fetch=NOW, last_change=changes[key])
        else:
            failed[key] = OpenError(data.draw(st.none() | st.just(NOW + HOUR)), is_bad_reference=False)
    for bad in worklist.bad_references:
        failed[bad.key] = OpenError(None, is_bad_reference=True)
    again = make_worklist(references, after, failed, NOW)
    assert (again.wanted, again.bad_references) == ((), ())
    assert again.deleted == worklist.deleted


@given(
    _one_reference, st.none() | st.builds(Known, st.booleans(), st.none() | _times, _times), _times, st.booleans()
)
def test_a_due_error_never_waits(
    ref: Reference, stored: Known | None, due_since: dt.datetime, is_bad_reference: bool
) -> None:
    """It is asked for, parked or found deleted. A requeued one without its ids kept its day running for ever."""
    verdict = judge(ref, stored, OpenError(due_since, is_bad_reference), NOW)
    assert verdict in (Verdict.RETRY, Verdict.BAD_REFERENCE, Verdict.DELETED)


def test_of_a_day_its_errors_become_due_and_its_messages_that_had_not_ended() -> None:
    def header(*, is_settled: bool) -> dict[str, Any]:
        times = {"created_timestamp": None, "api_fetch_timestamp": NOW, "event_change_time": None}
        return {"is_settled": is_settled, **times}

    def row(resolution: str | None, retry: dt.datetime | None, day: dt.date = DAY) -> dict[str, Any]:
        resolved = resolution is not None
        return {
            "resolved": resolved,
            "resolution": resolution,
            "next_retry_timestamp": retry,
            "event_date": day,
        }

    keys = {name: MessageKey("w1", name) for name in ("runs", "ended", "failing", "gone", "closed", "parked")}
    headers = {key: header(is_settled=name == "ended") for name, key in keys.items()}
    errors = {
        keys["failing"]: row(None, NOW + HOUR),
        keys["gone"]: row("DELETED", None),
        keys["closed"]: row("CLOSED", None),
        keys["parked"]: row(None, None),
        MessageKey("w1", "of another day"): row(None, NOW + 2 * HOUR, DAY - dt.timedelta(days=1)),
    }
    references = [reference(name) for name in keys] + [reference("shown as deleted", is_deleted=True)]
    headers[MessageKey("w1", "shown as deleted")] = header(is_settled=False)
    assert due_times(DAY, references, headers, errors) == [NOW + HOUR, NOW + 10 * MINUTE]
