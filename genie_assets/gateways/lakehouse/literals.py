"""Days as SQL of both engines. Names and texts are quoted differently: see each engine's own."""

from collections.abc import Iterable
from datetime import date


def day_literal(day: date) -> str:
    """A day as a DATE literal: the one form by which every engine leaves out partitions before anything runs."""
    return f"DATE '{day.isoformat()}'"


def days_literal(days: Iterable[date]) -> str:
    """Days as DATE literals, in order, separated by commas."""
    return ", ".join(map(day_literal, sorted(days)))
