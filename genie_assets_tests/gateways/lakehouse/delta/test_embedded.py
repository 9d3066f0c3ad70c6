"""The engine on files: its words mean what Databricks' words mean, and a session works out once what it keeps."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.tables import GENIE_DAY_LOADS, TABLES, Table
from genie_assets.domain.views import View, ViewColumn
from genie_assets.gateways.lakehouse.delta import embedded
from genie_assets.gateways.lakehouse.frames import arrow_schema
from genie_assets.gateways.lakehouse.reading import understood
from genie_assets_tests.dashboard.golden import percentile
from genie_assets_tests.views.golden_basics import Row

NAMES = [table.name for table in TABLES]
SHARES = ("0.01", "0.07", "0.29", "0.5", "0.57", "0.9", "0.95", "0.99", "1.0")
LOADS = View(
    "loads", "?", "?", "?", (ViewColumn("day", "DATE", "?"),), "SELECT event_date AS day\nFROM genie_day_loads"
)


class Loads:
    """A table of three days that tells how often it was read, and with which columns."""

    def __init__(self, *, at_once: bool) -> None:
        self.read: list[frozenset[str] | None] = []
        self._at_once = at_once

    def __call__(self, table: Table, names: frozenset[str] | None) -> Any:
        assert table is GENIE_DAY_LOADS
        self.read.append(names)
        # What can be scanned again has all columns, and is scanned for few.
        columns = [name for name in table.column_names if self._at_once or names is None or name in names]
        rows = pa.Table.from_pylist(
            [{"event_date": day, "event_count": day} for day in range(3)],
            pa.schema([("event_date", pa.int32()), ("event_count", pa.int64())]),
        )
        rows = rows.set_column(0, "event_date", rows["event_date"].cast(pa.date32()))
        held = rows.select([name for name in columns if name in rows.column_names])
        whole = held.cast(arrow_schema(table, held.column_names))
        return whole if self._at_once else pa.RecordBatchReader.from_batches(whole.schema, whole.to_batches())


def asking(answers: embedded.Session) -> Callable[[str], list[Row]]:
    def ask(statement: str) -> list[Row]:
        return list(answers(understood(statement, NAMES, {"loads": LOADS}), limit=1000).to_pylist())

    return ask


@pytest.fixture(scope="module")
def no_tables():
    with embedded.session(Loads(at_once=True)) as answers:
        yield asking(answers)


@given(values=st.lists(st.integers(-3, 12), min_size=1, max_size=60), share=st.sampled_from(SHARES))
def test_percentiles_are_nearest_ranks_with_ties_and_even_counts_and_medians_lie_between(
    no_tables: Callable[[str], list[Row]], values: list[int], share: str
) -> None:
    listed = ", ".join(f"({value})" for value in values)
    (found,) = no_tables(
        f"SELECT PERCENTILE_DISC({share}) WITHIN GROUP (ORDER BY x) AS rank, "
        f"PERCENTILE_DISC({share}) WITHIN GROUP (ORDER BY x DESC) AS from_above, "
        f"PERCENTILE(x, {share}) AS between, MEDIAN(x) AS middle FROM VALUES {listed} AS t(x)"
    )
    rank = math.ceil(Fraction(share) * len(values))
    assert found["rank"] == sorted(values)[rank - 1]
    assert found["from_above"] == sorted(values, reverse=True)[rank - 1]
    assert found["between"] == pytest.approx(percentile(values, float(share)))
    assert found["middle"] == pytest.approx(percentile(values, 0.5))


def test_texts_are_split_by_patterns_also_where_a_pattern_means_itself(
    no_tables: Callable[[str], list[Row]],
) -> None:
    (found,) = no_tables(
        "SELECT SPLIT(' a  b ', ' ') AS blanks, SPLIT('', ' ') AS nothing, "
        "SPLIT(CAST(NULL AS STRING), ',') AS unknown, "
        "SPLIT('a1b', '[0-9]') AS digits, SPLIT('ab', '.') AS any, SPLIT('a.b', s) AS told "
        "FROM VALUES ('[.]') AS t(s)"
    )
    plain = {"blanks": ["", "a", "", "b", ""], "nothing": [""], "unknown": None}
    assert found == {**plain, "digits": ["a", "b"], "any": ["", "", ""], "told": ["a", "b"]}


@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_kept_is_worked_out_once_and_a_table_is_read_for_the_columns_that_are_asked_for(
    at_once: bool,
) -> None:
    loads = Loads(at_once=at_once)
    with embedded.session(loads, kept={"loads": None}) as answers:
        ask = asking(answers)
        assert len(ask("SELECT day FROM loads")) == 3
        assert ask("SELECT COUNT(*) AS n, COUNT(DISTINCT day) AS days FROM loads") == [{"n": 3, "days": 3}]
        assert len(loads.read) == 1
        assert loads.read[0] is not None
        assert "event_count" not in loads.read[0]
        assert ask("SELECT SUM(event_count) AS n FROM genie_day_loads") == [{"n": 3}]
        # What can be read once is read once more for another column.
        assert len(loads.read) == (1 if at_once else 2)
    with embedded.session(loads) as answers:
        ask = asking(answers)
        before = len(loads.read)
        assert len(ask("SELECT day FROM loads")) == len(ask("SELECT day FROM loads")) == 3
        assert len(loads.read) == before + 1


def test_what_is_kept_some_days_after_the_other_is_the_same() -> None:
    found = []
    for at_once in (1, 2, 500_000):
        room = embedded.Room(rows_at_once=at_once)
        kept = {"loads": replace(GENIE_DAY_LOADS, partitioned_by="event_date")}
        with embedded.session(Loads(at_once=True), kept, room) as answers:
            found.append(asking(answers)("SELECT day, COUNT(*) AS n FROM loads GROUP BY day ORDER BY day"))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 3


def test_what_does_not_fit_into_memory_goes_into_a_folder_that_is_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    written = 0
    with embedded.session(
        Loads(at_once=True), kept={"loads": None}, room=embedded.Room(memory="48MiB")
    ) as answers:
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o077 == 0
        numbers = "(SELECT EXPLODE(SEQUENCE(1, 1000)) AS n)"
        many = f"SELECT a.n * 1000 + b.n AS n FROM {numbers} AS a CROSS JOIN {numbers} AS b"
        ranked = f"SELECT ROW_NUMBER() OVER (ORDER BY SHA2(CAST(n AS STRING), 256)) AS p FROM ({many}) AS m"
        (found,) = asking(answers)(f"SELECT COUNT(*) AS n, SUM(p) AS p FROM ({ranked}) AS r")
        assert found == {"n": 1_000_000, "p": 500_000_500_000}
        written = sum(1 for each in folder.iterdir())
    assert written
    assert list(tmp_path.iterdir()) == []
