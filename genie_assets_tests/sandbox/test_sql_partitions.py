"""Partitions that a condition leaves out, without an engine."""

import pytest
from sqlglot import parse_one

from genie_sandbox.sql.partitions import conditions_on, rules_out


@pytest.mark.parametrize(
    ("condition", "day", "number", "ruled_out"),
    [
        ("day = DATE'2026-08-01'", "2026-08-01", "1", False),
        ("day = DATE'2026-08-01'", "2026-08-02", "1", True),
        ("day IN (DATE'2026-08-01', DATE'2026-08-03') AND k = 'a'", "2026-08-02", "1", True),
        ("(day = DATE'2026-08-01' OR day > DATE'2026-08-05')", "2026-08-02", "1", True),
        ("day = DATE'2026-08-01' OR k = 'a'", "2026-08-02", "1", False),
        ("day BETWEEN DATE'2026-08-01' AND DATE'2026-08-03'", "2026-08-03", "1", False),
        ("day BETWEEN DATE'2026-08-01' AND DATE'2026-08-03'", "2026-08-04", "1", True),
        ("n < 10", "2026-08-01", "9", False),
        ("n < 10", "2026-08-01", "10", True),
        ("n >= 9", "2026-08-01", "10", False),
        ("day <= DATE'2026-08-01'", None, "1", True),
        ("day = current_date()", "2026-08-01", "1", False),
        ("false", "2026-08-01", "1", True),
        ("k = 'a'", "2026-08-01", "1", False),
    ],
)
def test_a_condition_leaves_out_the_partitions_that_cannot_satisfy_it(
    condition: str, day: str | None, number: str, *, ruled_out: bool
) -> None:
    parts = conditions_on(parse_one(condition, read="databricks"), ["day", "n"])
    assert any(rules_out(part, {"day": day, "n": number}) for part in parts) is ruled_out
