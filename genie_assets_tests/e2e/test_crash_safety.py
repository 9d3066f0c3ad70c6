"""A load that is killed at random moments loses nothing and doubles nothing. `make soak` is longer."""

import pytest

from benchmarks.soak import QUICK, Outcome, most_per_kill, soak
from genie_assets.pipeline.batches import BATCH_SIZE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return soak(QUICK)


def test_the_load_was_killed_as_often_as_planned(outcome: Outcome) -> None:
    """Guards the tests below: a load that ends undisturbed proves nothing."""
    assert outcome.kills == len(outcome.fetched_again) == QUICK.kills
    assert sum(outcome.fetched_again) > 0


def test_nothing_is_lost_and_nothing_is_doubled(outcome: Outcome) -> None:
    assert (outcome.lost, outcome.doubled) == (0, 0)


def test_the_ledger_is_true(outcome: Outcome) -> None:
    """A run may die between the commit of its answers and that of their errors."""
    assert outcome.wrong_errors == 0


def test_the_details_are_those_of_an_undisturbed_load(outcome: Outcome) -> None:
    assert outcome.different_details == 0


def test_a_kill_costs_one_batch_and_what_was_on_its_way(outcome: Outcome) -> None:
    assert sum(outcome.fetched_again) <= QUICK.kills * BATCH_SIZE
    assert max(outcome.fetched_again) <= most_per_kill()
