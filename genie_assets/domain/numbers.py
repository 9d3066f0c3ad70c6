"""Counts in sentences: one day is, two days are."""


def many(count: int, noun: str) -> str:
    """A number and its noun, such as `1 day` and `2,000 days`.

    Args:
        count: How many.
        noun: What there is one of; it takes an s where there is not one.
    """
    return f"{count:,} {noun}{form(count, '', 's')}"


def form(count: int, of_one: str, of_several: str) -> str:
    """The form of a word that goes with a number: of one, or of none and of several."""
    return of_one if count == 1 else of_several
