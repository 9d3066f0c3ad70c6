"""Rates, verdicts and the account of every message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.health import Verdict, account, judge_rate, wilson_upper

_keys = st.tuples(st.sampled_from(["w1", "w2"]), st.sampled_from("abcdefgh"))
_sets = st.frozensets(_keys)


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
        (0, 0, Verdict.PASS),
        (0, 19, Verdict.PASS),  # too few to tell
        (20, 20, Verdict.PASS),
        (19, 20, Verdict.PASS),  # 95 %, but chance explains it
        (0, 20, Verdict.ERROR),
        (960, 1000, Verdict.WARN),
        (985, 1000, Verdict.PASS),
        (9800, 10_000, Verdict.WARN),
        (900, 1000, Verdict.ERROR),
        (10_000, 10_000, Verdict.PASS),
    ],
)
def test_a_rate_is_judged_by_what_chance_cannot_explain(successes: int, total: int, verdict: Verdict) -> None:
    assert judge_rate(successes, total) is verdict


@given(st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_one_more_success_never_worsens_the_verdict(sample: tuple[int, int]) -> None:
    successes, total = sample
    order = [Verdict.ERROR, Verdict.WARN, Verdict.PASS]
    before, after = judge_rate(successes, total), judge_rate(successes + 1, total)
    assert order.index(after) >= order.index(before)


@given(_sets, _sets, _sets, _sets, _sets)
def test_every_message_is_counted_exactly_once(
    discovered: frozenset, stored: frozenset, failing: frozenset, deleted: frozenset, closed: frozenset
) -> None:
    unseen = discovered - stored - failing - deleted - closed
    accounting = account(
        discovered, stored=stored, open_errors=failing, deleted=deleted, closed=closed, pending=len(unseen)
    )
    assert accounting.lost == 0
    names = ("stored", "open_errors", "deleted", "closed", "pending")
    parts = [getattr(accounting, name) for name in names]
    assert min(parts) >= 0
    assert sum(parts) == accounting.discovered == len(discovered)


@given(_sets.filter(bool), _sets)
def test_a_lost_message_is_noticed(discovered: frozenset, elsewhere: frozenset) -> None:
    """What other days store must not make up for a message of this day."""
    lost = min(discovered)
    stored = (discovered | elsewhere) - {lost}
    assert account(discovered, stored=stored, open_errors=set(), deleted=set()).lost == 1


def test_a_message_accounted_for_twice_is_noticed() -> None:
    key = ("w1", "m1")
    assert account({key}, stored={key}, open_errors=set(), deleted=set(), pending=1).lost == -1


def test_a_message_counts_as_the_first_that_fits_of_stored_error_deleted_closed() -> None:
    a, b, c, d = ("w1", "a"), ("w1", "b"), ("w1", "c"), ("w1", "d")
    everything = {a, b, c, d}
    accounting = account(everything, stored={a}, open_errors={a, b}, deleted={a, b, c}, closed=everything)
    counts = (accounting.stored, accounting.open_errors, accounting.deleted, accounting.closed)
    assert counts == (1, 1, 1, 1)
