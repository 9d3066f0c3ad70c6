"""The nearest rank, as PERCENTILE_DISC defines it."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.percentiles import nearest_rank


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 100))
def test_it_is_the_smallest_value_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    enough = [each for each in values if 100 * sum(value <= each for value in values) >= percent * len(values)]
    assert nearest_rank(Counter(values), percent) == (min(enough) if values else None)
