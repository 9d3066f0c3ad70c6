"""Percentiles by the nearest rank, as the views' PERCENTILE_DISC says them: always a value that was seen."""

from collections.abc import Mapping


def nearest_rank(counts: Mapping[int, int], percent: int) -> int | None:
    """The smallest value that at least so many per cent of all values do not exceed; None if there are none.

    Args:
        counts: How often each value was seen.
        percent: 1 to 100. Whole, because 0.95 * 20 is a little more than 19, and would be the twentieth.
    """
    total = sum(counts.values())
    rank, passed = -(-percent * total // 100), 0
    for value in sorted(counts):
        passed += counts[value]
        if passed >= rank:
            return value
    return None
