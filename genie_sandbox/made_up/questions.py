"""Questions and the SQL that answers them, turn by turn."""

import random
from dataclasses import dataclass, replace
from typing import Any

from genie_sandbox.made_up.businesses import Business, Dimension, Measure

# What people say, and the condition on the day column; {day} is that column.
_PERIODS: tuple[tuple[str, str], ...] = (
    ("last month", "{day} >= add_months(trunc(current_date(), 'MM'), -1) AND {day} < trunc(current_date(), 'MM')"),
    ("this month", "{day} >= trunc(current_date(), 'MM')"),
    ("yesterday", "{day} = date_sub(current_date(), 1)"),
    ("in the last 7 days", "{day} >= date_sub(current_date(), 7)"),
    ("in the last 30 days", "{day} >= date_sub(current_date(), 30)"),
    ("this year", "{day} >= trunc(current_date(), 'YEAR')"),
    (
        "in the last quarter",
        "{day} >= add_months(trunc(current_date(), 'Q'), -3) AND {day} < trunc(current_date(), 'Q')",
    ),
    ("since 2026-07-01", "{day} >= DATE '2026-07-01'"),
)
_OPENINGS: tuple[str, ...] = (
    "What was the {measure} by {dimension} {period}?",
    "Show me {measure} per {dimension} {period}",
    "{measure} by {dimension} {period} please",
    "Can you break down the {measure} by {dimension} {period}?",
    "Which {dimension} had the highest {measure} {period}?",
    "I need the {measure} for each {dimension} {period}.",
)


@dataclass(frozen=True)
class Question:
    """A question in its conversation, with what is being asked so far."""

    business: Business
    text: str
    measure: Measure
    dimension: Dimension
    period: tuple[str, str]
    value: str | None = None  # only this value of `filtered`
    filtered: Dimension | None = None
    by_month: bool = False
    top: int | None = None

    @property
    def title(self) -> str:
        """A short title, as Genie gives it to a query."""
        by = "month" if self.by_month else self.dimension.label
        only = f" ({self.value})" if self.value else ""
        return f"{self.measure.label.capitalize()} by {by}{only}, {self.period[0]}"

    @property
    def description(self) -> str:
        """What the query does, in a sentence."""
        by = "month" if self.by_month else self.dimension.label
        only = f" for {self.value}" if self.value else ""
        return (
            f"Computes the {self.measure.label} per {by}{only} {self.period[0]} from {self.business.fact_table}."
        )

    def sql(self, *, parameterised: bool = False) -> str:
        """The statement; with parameters it compares the day with `:start_day`."""
        day = self.business.day_column
        by = f"trunc({day}, 'MM')" if self.by_month else self.dimension.column
        name = "month" if self.by_month else self.dimension.column
        conditions = [f"{day} >= :start_day" if parameterised else self.period[1].replace("{day}", day)]
        if self.value is not None and self.filtered is not None:
            conditions.append(self.filtered.column + " = '" + self.value.replace("'", "''") + "'")
        clauses = [
            "SELECT",
            f"{by} AS {name}," if self.by_month else f"{by},",
            f"{self.measure.expression} AS {self.measure.alias}",
            "FROM",
            self.business.fact_table,
            "WHERE",
            " AND ".join(conditions),
            "GROUP BY",
            by,
            "ORDER BY",
            name if self.by_month else f"{self.measure.alias} DESC",
        ]
        if self.top:
            clauses += ["LIMIT", str(self.top)]
        return " ".join(clauses)

    def row_count(self, rng: random.Random) -> int:
        """How many rows the result has."""
        return rng.randint(1, 12) if self.by_month else min(len(self.dimension.values), self.top or 99)

    def answer(self, rng: random.Random) -> str:
        """The answer in words."""
        first, second = rng.sample(self.dimension.values, 2)
        number = rng.randint(200, 90_000)
        if self.by_month:
            return (
                f"The {self.measure.label} rose to {number:,} in the latest month, the best one {self.period[0]}."
            )
        return (
            f"{first} had the highest {self.measure.label} {self.period[0]}: {number:,}. "
            f"{second} follows with {int(number * 0.8):,}."
        )

    def follow_ups(self, rng: random.Random) -> list[str]:
        """Questions that Genie suggests next."""
        other = rng.choice(self.business.measures).label
        value = rng.choice(self.dimension.values)
        return [f"How does {other} compare?", f"Show the trend for {value}", "And the same period a year ago?"]

    def parameters(self) -> list[dict[str, Any]]:
        """The parameters of the parameterised statement."""
        return [{"keyword": "start_day", "sql_type": "DATE", "value": "2026-07-01"}]


def first_question(business: Business, rng: random.Random) -> Question:
    """The question that opens a conversation."""
    measure, dimension, period = (
        rng.choice(business.measures),
        rng.choice(business.dimensions),
        rng.choice(_PERIODS),
    )
    text = rng.choice(_OPENINGS).format(measure=measure.label, dimension=dimension.label, period=period[0])
    return Question(business, text[0].upper() + text[1:], measure, dimension, period)


def next_question(before: Question, rng: random.Random) -> Question:
    """A follow-up: it changes one thing of the question before."""
    business, turn = before.business, rng.randrange(6)
    if turn == 0:
        dimension = rng.choice(business.dimensions)
        return replace(before, text=f"And by {dimension.label}?", dimension=dimension, by_month=False)
    if turn == 1:
        filtered = rng.choice(business.dimensions)
        value = rng.choice(filtered.values)
        return replace(before, text=f"Only for {value}, please", value=value, filtered=filtered)
    if turn == 2:
        period = rng.choice(_PERIODS)
        return replace(before, text=f"What about {period[0]}?", period=period)
    if turn == 3:
        return replace(before, text="Show it per month as a line chart", by_month=True, top=None)
    if turn == 4:
        top = rng.choice((3, 5, 10))
        text = f"Top {top} {before.dimension.label}s only"
        return replace(before, text=text, top=top, by_month=False)
    measure = rng.choice(business.measures)
    return replace(before, text=f"Same for {measure.label}", measure=measure)
