"""Rates, verdicts and the account of every message."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain import ledger
from genie_assets.domain.health import (
    NOWHERE,
    PLACES,
    RateVerdict,
    Whereabouts,
    account,
    judge_rate,
    where_is,
    whereabouts,
    wilson_upper,
)
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets_tests.gateways.lakehouse.meanings import World, holds

_places = st.builds(Whereabouts, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans())


@pytest.mark.parametrize(
    ("successes", "total", "upper"),
    # Published values of the two-sided 95 % Wilson interval.
    [(0, 0, 1.0), (0, 10, 0.2775), (5, 10, 0.7634), (10, 10, 1.0), (81, 263, 0.3662), (15, 148, 0.1605)],
)
def test_the_wilson_bound_has_its_known_values(successes: int, total: int, upper: float) -> None:
    assert wilson_upper(successes, total) == pytest.approx(upper, abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_bound_lies_above_the_rate_and_never_above_one(sample: tuple[int, int]) -> None:
    successes, total = sample
    assert successes / total <= wilson_upper(successes, total) + 1e-12
    assert wilson_upper(successes, total) <= 1


@pytest.mark.parametrize(
    ("successes", "total", "verdict"),
    [
        (0, 0, RateVerdict.PASS),
        (0, 19, RateVerdict.PASS),  # too few to tell
        (20, 20, RateVerdict.PASS),
        (19, 20, RateVerdict.PASS),  # 95 %, but chance explains it
        (0, 20, RateVerdict.ERROR),
        (960, 1000, RateVerdict.WARN),
        (985, 1000, RateVerdict.PASS),
        (9800, 10_000, RateVerdict.WARN),
        (900, 1000, RateVerdict.ERROR),
        (10_000, 10_000, RateVerdict.PASS),
    ],
)
def test_a_rate_is_judged_by_what_chance_cannot_explain(successes: int, total: int, verdict: RateVerdict) -> None:
    assert judge_rate(successes, total) is verdict


@given(st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_one_more_success_never_worsens_the_verdict(sample: tuple[int, int]) -> None:
    successes, total = sample
    order = [RateVerdict.ERROR, RateVerdict.WARN, RateVerdict.PASS]
    before, after = judge_rate(successes, total), judge_rate(successes + 1, total)
    assert order.index(after) >= order.index(before)


@given(st.lists(_places))
def test_every_message_is_counted_exactly_once(messages: list[Whereabouts]) -> None:
    unseen = messages.count(Whereabouts())
    recent = messages.count(Whereabouts(recent=True))
    accounting = account(Counter(messages))
    assert (accounting.lost, accounting.pending) == (unseen, recent)
    names = ("stored", "open_errors", "deleted", "closed", "pending")
    parts = [getattr(accounting, name) for name in names]
    assert min(parts) >= 0
    assert sum(parts) + accounting.lost == accounting.discovered == len(messages)


@given(st.lists(_places))
def test_a_lost_message_is_noticed(messages: list[Whereabouts]) -> None:
    before = account(Counter(messages)).lost
    assert account(Counter([*messages, Whereabouts()])).lost == before + 1


def test_a_message_counts_as_the_first_that_fits_of_stored_error_deleted_closed() -> None:
    everywhere = Whereabouts(stored=True, open_error=True, deleted=True, closed=True, recent=True)
    messages = [everywhere]
    for part in ("stored", "open_error", "deleted", "closed"):
        messages.append(messages[-1]._replace(**{part: False}))
    accounting = account(Counter(messages))
    counts = (accounting.stored, accounting.open_errors, accounting.deleted, accounting.closed)
    assert (*counts, accounting.pending) == (1, 1, 1, 1, 1)


@given(
    st.booleans() | st.none(),
    st.none() | st.tuples(st.booleans(), st.none() | st.sampled_from([ledger.DELETED, ledger.CLOSED, "FETCHED"])),
    st.booleans(),
)
def test_the_questions_say_of_a_message_what_the_rule_says(
    shown_deleted: bool | None, error: tuple[bool, str | None] | None, is_stored: bool
) -> None:
    ids = {"workspace_id": "w1", "message_id": "m1"}
    reference = {**ids, "is_deleted": shown_deleted}
    row = {**ids, "resolved": error[0], "resolution": error[1]} if error else None
    world: World = {
        GENIE_MESSAGES_TO_FETCH.name: [reference],
        MESSAGE_DETAILS.name: [ids] if is_stored else [],
        MESSAGE_FETCH_ERRORS.name: [row] if row else [],
    }
    found = {name: holds(question, reference, world) for name, question in PLACES.items()}
    rule = where_is(reference, row, is_stored=is_stored)
    assert whereabouts(found) == rule
    assert all(holds(question, reference, world) for question in NOWHERE) is (rule == Whereabouts())
