"""What a question about many values reads: only files that may hold one of them, told by a short expression."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.questions import Equals, Exists, Filter, In, Not, Rows
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.delta import reads as delta_reads
from genie_assets.gateways.lakehouse.delta.pruning import values_sql
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import LEDGER, MONDAY, NOTES, few_examples, note

DAYS = [MONDAY + timedelta(days=number) for number in range(60)]
ROWS_OF_A_DAY = 60
LAST_DAY = 700


def ids_of(day: date) -> list[str]:
    """Ids as Databricks mints them: texts of hexadecimal digits that rise with time."""
    begin = 0x01F0_0000_0000 + (day - MONDAY).days * 86_400_000
    rows = LAST_DAY if day == DAYS[-1] else ROWS_OF_A_DAY
    return [f"{begin + row * 86_400_000 // rows:016x}{'ab' * 8}" for row in range(rows)]


@pytest.fixture
def lake(tmp_path: Path) -> Lakehouse:
    lake = open_lakehouse(str(tmp_path))
    rows = [note(author, number, day) for day in DAYS for number, author in enumerate(ids_of(day))]
    lake.append(NOTES, NOTES.frame(rows))
    return lake


def without_other_days(root: Path, days: Collection[date]) -> None:
    """Remove the files of all other days, so that whoever touches one of them fails."""
    for file in (root / "genie_analytics" / NOTES.name).glob("day=*/*.parquet"):
        if date.fromisoformat(file.parent.name.removeprefix("day=")) not in days:
            file.unlink()


@pytest.mark.parametrize(
    ("old_days", "ids_per_day"),
    [(DAYS[:-1:3], 1), (DAYS[:-1:2], 50), (DAYS[:1], 1), (DAYS[20:40], ROWS_OF_A_DAY)],
    ids=["single ids on many days", "many clusters", "the oldest id", "days in a row"],
)
def test_old_ids_among_many_recent_ones_cost_their_own_days_only(
    lake: Lakehouse, tmp_path: Path, old_days: Sequence[date], ids_per_day: int
) -> None:
    """As one range from the oldest to the newest id they would cost all of history."""
    wanted = [*ids_of(DAYS[-1]), *(id_ for day in old_days for id_ in ids_of(day)[3 : 3 + ids_per_day])]
    without_other_days(tmp_path, {*old_days, DAYS[-1]})
    found = lake.read(NOTES, columns=["author"], where=[In("author", wanted)])
    assert sorted(found["author"]) == sorted(wanted)
    with pytest.raises(LakehouseError):  # the other days are gone indeed
        lake.read(NOTES, columns=["author"])


def test_without_partitions_old_ids_cost_their_own_files_only(tmp_path: Path) -> None:
    lake, folder, files = open_lakehouse(str(tmp_path)), tmp_path / "genie_analytics" / LEDGER.name, {}
    for day in DAYS:
        before = set(folder.glob("*.parquet"))
        lake.append(LEDGER, LEDGER.frame([note(author) for author in ids_of(day)]))
        (files[day],) = set(folder.glob("*.parquet")) - before
    wanted = [*ids_of(DAYS[-1]), *(ids_of(day)[9] for day in DAYS[::2])]
    for day in DAYS[1:-1:2]:
        files[day].unlink()
    found = lake.read(LEDGER, columns=["author"], where=[In("author", wanted)])
    assert sorted(found["author"]) == sorted(wanted)


def test_a_list_of_a_few_hundred_ids_costs_their_own_days_only(lake: Lakehouse, tmp_path: Path) -> None:
    wanted = [ids_of(DAYS[0])[5], *ids_of(DAYS[-1])[:400]]
    without_other_days(tmp_path, {DAYS[0], DAYS[-1]})
    assert len(lake.read(NOTES, columns=["author"], where=[In("author", wanted)])) == 401


def test_many_ids_that_are_nowhere_cost_no_file(lake: Lakehouse, tmp_path: Path) -> None:
    wanted = [f"{number:032x}" for number in range(1000)]
    without_other_days(tmp_path, ())
    assert lake.read(NOTES, columns=["author"], where=[In("author", wanted)]).empty


def test_rows_with_counterparts_on_one_day_are_sought_on_the_days_that_may_have_them(
    lake: Lakehouse, tmp_path: Path
) -> None:
    """Whether a key of today is stored elsewhere, too, must not cost a look at every day."""
    twin = note(ids_of(DAYS[-1])[0], 0, DAYS[30])
    lake.append(NOTES, NOTES.frame([twin]))
    without_other_days(tmp_path, {DAYS[30], DAYS[-1]})
    of_today = Exists(Rows(NOTES, days=[DAYS[-1]]), key=["author"])
    doubled = lake.count(NOTES, by=["author"], where=[of_today], at_least=2)
    assert doubled == [{"author": twin["author"], "count": 2}]


def test_what_several_conditions_ask_of_one_table_is_read_once(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.append(LEDGER, LEDGER.frame([note(id_, number) for number, id_ in enumerate(ids_of(DAYS[0])[:3])]))
    scanned: list[str] = []
    scan = delta_reads.scan

    def noted(delta: object, table: Table, *args: object) -> Iterator[pa.RecordBatch]:
        scanned.append(table.name)
        return scan(delta, table, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(delta_reads, "scan", noted)
    first, second = (Exists(Rows(LEDGER, [Equals("number", n)]), key=["author"]) for n in (0, 1))
    flags: dict[str, Filter] = {"first": first, "second": Not([second])}
    counted = lake.count(NOTES, flags=flags, days=[DAYS[0]], where=[Exists(Rows(LEDGER), key=["author"])])
    assert sorted((row["first"], row["second"], row["count"]) for row in counted) == [
        (False, False, 1),
        (False, True, 1),
        (True, True, 1),
    ]
    assert scanned.count(LEDGER.name) == 1


def test_a_large_file_is_skipped_in_parts(lake: Lakehouse, tmp_path: Path) -> None:
    """A table without partitions may be one file of all times."""
    lake.append(LEDGER, LEDGER.frame([note(f"{number:08}") for number in range(70_000)]))
    (file,) = (tmp_path / "genie_analytics" / LEDGER.name).glob("*.parquet")
    assert pq.ParquetFile(file).metadata.num_row_groups == 3


def test_a_file_without_statistics_is_read(tmp_path: Path) -> None:
    """Rows whose column is NULL throughout leave no statistics, and other columns never have any."""
    lake = open_lakehouse(str(tmp_path))
    texts = [f"{number:032x}" for number in range(800)]
    lake.append(NOTES, NOTES.frame([note("a", number, text=text) for number, text in enumerate(texts)]))
    lake.append(NOTES, NOTES.frame([note("b", day=DAYS[1])]))
    assert len(lake.read(NOTES, where=[In("text", texts)])) == len(texts)
    assert len(lake.read(NOTES, where=[In("number", range(800))])) == len(texts) + 1


def test_values_that_lie_together_are_one_range() -> None:
    """Every range is compared with every row, so small gaps are not worth one."""
    day = ids_of(DAYS[-1])
    old = [ids_of(day)[0] for day in DAYS[::5]]
    sql = values_sql(NOTES.column("author"), pa.array([*old, *day]))
    assert sql.count(">=") == 1
    assert all(f"'{id_}'" in sql for id_ in old)


@pytest.mark.parametrize("name", ["author", "number"])
@given(
    seeds=st.sets(st.integers(0, 2**40), min_size=30, max_size=60),
    width=st.integers(1, 40),
    dense=st.integers(501, 3000),
)
@few_examples
def test_the_expression_stays_short_and_holds_for_every_value(
    name: str, seeds: set[int], width: int, dense: int
) -> None:
    """An engine takes 1 ms and more for every range; a wrong cut would lose rows."""
    numbers = {seed + step for seed in seeds for step in range(width)} | set(range(2**41, 2**41 + dense))
    values = sorted(numbers) if name == "number" else [f"{number:032x}" for number in numbers]
    sql = values_sql(NOTES.column(name), pa.array(values))
    assert sql.count(">=") <= 16
    assert sql.count(",") <= 500
    with closing(sqlite3.connect(":memory:")) as judge:
        judge.execute("CREATE TABLE notes (author TEXT, number INTEGER)")
        judge.executemany(f"INSERT INTO notes ({name}) VALUES (?)", [[value] for value in values])
        assert judge.execute(f"SELECT count(*) FROM notes WHERE {sql}").fetchone() == (len(values),)
