"""Every dataset and every widget's own question, for several choices, against numbers made by plain Python."""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from sqlglot import exp

from genie_assets.domain.dashboard.ours import DASHBOARD
from genie_assets.domain.dashboard.words import Dataset
from genie_assets.gateways.lakehouse.delta.embedded import _MACROS, in_duckdb
from genie_assets.gateways.lakehouse.reading import in_databricks, parsed
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.dashboard.golden import VIEWS, Choice, GoldenDashboard, asked_of, same
from genie_assets_tests.dashboard.widgets import widget_sql, with_names
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.golden_basics import Row
from genie_assets_tests.views.test_mutations import conditions
from genie_assets_tests.views.world import golden_rows

pytestmark = pytest.mark.slow
TYPES = {
    "STRING": pa.string(),
    "LONG": pa.int64(),
    "INT": pa.int32(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "DOUBLE": pa.float64(),
}
SUBSTRING_INDEX = "CREATE MACRO substring_index(s, d, n) AS list_extract(string_split(s, d), -1)"
Asked = Callable[[Dataset, str], str]
Shown = Callable[[str, str], list[tuple[Any, ...]]]
# The truth names no texts of errors.
NEVER_FILLED = {"errors_now": ["error_message"]}
DATASETS = {each.name: each for each in DASHBOARD.datasets}

WIDGETS = {
    each.name: query["query"]
    for page in DASHBOARD.pages
    for each in page.widgets
    for query in each.queries
    if not each.kind.startswith("filter-")
}


@pytest.fixture(scope="module")
def golden() -> GoldenDashboard:
    return GoldenDashboard(Golden(golden_rows(), dt.datetime.now(dt.UTC)))


@pytest.fixture(scope="module")
def choices(golden: GoldenDashboard) -> dict[str, Choice]:
    """All, some days, a workspace, a space; and days that reach over one that was not loaded, and out of all."""
    busy = max(
        golden.overview, key=lambda row: (row["outcome"] == "FAILED", row["rating"] is not None, row["day"])
    )
    some = dt.date(2026, 11, 3), dt.date(2026, 11, 16)
    return {
        "everything": Choice(dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
        "days": Choice(*some),
        "a workspace": Choice(*some, busy["workspace_id"]),
        "a space": Choice(*some, busy["workspace_id"], (busy["workspace_id"], busy["space_id"])),
        "a space alone": Choice(
            dt.date(2026, 10, 1), dt.date(2026, 11, 20), None, (busy["workspace_id"], busy["space_id"])
        ),
        "a day not loaded": Choice(dt.date(2026, 10, 17), dt.date(2026, 10, 19)),
        "the days after it": Choice(dt.date(2026, 10, 20), dt.date(2026, 10, 22)),
        "nothing": Choice(dt.date(2030, 1, 1), dt.date(2030, 1, 2), "no workspace"),
    }


@pytest.fixture(scope="module")
def database(golden: GoldenDashboard) -> Iterator[duckdb.DuckDBPyConnection]:
    """The views as tables that hold the golden answers: what is wrong here, a dataset has made so."""
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        for macro in (*_MACROS, SUBSTRING_INDEX):
            opened.execute(macro)
        for name in VIEWS:
            columns = shipped_views()[name].columns
            schema = pa.schema([(column.name, TYPES[column.type]) for column in columns])
            rows = [{column.name: row.get(column.name) for column in columns} for row in golden.views[name]]
            opened.register(f"golden {name}", pa.Table.from_pylist(rows, schema))
            opened.execute(f'CREATE TABLE "{name}" AS SELECT * FROM "golden {name}"')
        yield opened


@cache
def in_words_of_duckdb(sql: str) -> str:
    def translated(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Placeholder):
            return exp.Parameter(this=exp.var(node.name))
        return node

    return in_duckdb(parsed(sql).transform(translated))


@pytest.fixture(scope="module")
def asked(database: duckdb.DuckDBPyConnection, choices: dict[str, Choice]) -> Asked:
    """The rows of a dataset for a choice, kept as a table under a name."""
    known = set()

    def ask(dataset: Dataset, choice: str) -> str:
        table = f"{dataset.name} of {choice}"
        if table not in known:
            sql = in_words_of_duckdb(with_names(dataset.sql))
            values = {name: each for name, each in choices[choice].parameters().items() if f"${name}" in sql}
            database.execute(f'CREATE TABLE "{table}" AS {sql}', values)
            known.add(table)
        return table

    return ask


@pytest.fixture(scope="module")
def shown(database: duckdb.DuckDBPyConnection, asked: Asked) -> Shown:
    """What a widget shows for a choice."""

    def show(widget: str, choice: str) -> list[tuple[Any, ...]]:
        query = WIDGETS[widget]
        sql = in_words_of_duckdb(widget_sql(query))
        table = asked(DATASETS[query["datasetName"]], choice)
        return database.execute(sql.replace("FROM asked", f'FROM "{table}"')).fetchall()

    return show


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_a_dataset_has_the_golden_rows(
    database: duckdb.DuckDBPyConnection,
    golden: GoldenDashboard,
    asked: Asked,
    choices: dict[str, Choice],
    dataset: Dataset,
) -> None:
    filled: set[str] = set()
    for name, choice in choices.items():
        found = database.execute(f'SELECT * FROM "{asked(dataset, name)}"').fetchall()
        rows = [[row[column] for column in dataset.columns] for row in golden.rows(dataset.name, choice)]
        assert same(found, rows) == [], name
        filled |= {
            column for row in rows for column, value in zip(dataset.columns, row, strict=True) if value is not None
        }
    assert [each for each in dataset.columns if each not in filled] == NEVER_FILLED.get(dataset.name, [])


@pytest.mark.parametrize("widget", WIDGETS)
def test_a_widget_shows_the_golden_numbers(
    golden: GoldenDashboard, shown: Shown, choices: dict[str, Choice], widget: str
) -> None:
    query = WIDGETS[widget]
    for name, choice in choices.items():
        expected = asked_of(golden.rows(query["datasetName"], choice), query)
        assert same(shown(widget, name), expected) == [], name


def test_key_figures_are_what_their_titles_say(
    golden: GoldenDashboard, shown: Shown, choices: dict[str, Choice]
) -> None:
    """Said a second time, from messages, so that a widget that asks the wrong thing does not agree with itself."""
    for name, choice in choices.items():
        turns = choice.of(golden.views["message_overview"])
        for widget, value in key_figures(turns).items():
            (row,) = shown(widget, name)
            assert same([row[:1]], [[value]]) == [], (widget, name)
        by_day: dict[dt.date, list[Row]] = {}
        for turn in turns:
            by_day.setdefault(turn["day"], []).append(turn)
        expected = [[day, len(rows), people(rows)] for day, rows in by_day.items()]
        assert same(shown("usage_days", name), expected) == []


def key_figures(turns: list[Row]) -> dict[str, float | None]:
    judged = [row for row in turns if row["is_judged"]]
    failed = [row for row in turns if row["outcome"] == "FAILED"]
    rated = [row for row in judged if row["rating"] is not None]
    liked = [row for row in rated if row["rating"] == "POSITIVE"]
    timed = [row for row in turns if row["outcome"] == "ANSWERED" and row["response_time_ms"] is not None]
    return {
        "usage_questions": len(turns),
        "usage_conversations": len({(row["workspace_id"], row["conversation_id"]) for row in turns}),
        "usage_spaces": len({(row["workspace_id"], row["space_id"]) for row in turns}),
        "failures_count": len(failed),
        "failures_rate": len(failed) / len(judged) if judged else None,
        "failures_people": people(failed),
        "feedback_rated": len(rated) / len(judged) if judged else None,
        "feedback_count": len(rated),
        "feedback_positive": len(liked) / len(rated) if rated else None,
        "executive_questions": len(turns),
        "executive_people": people(turns),
        "latency_known": len(timed),
    }


def people(rows: list[Row]) -> int:
    return len({row["user_key"] for row in rows if row["user_kind"] in ("PERSON", "UNKNOWN")})


def test_people_of_a_week_are_not_those_of_its_days_added_up(
    golden: GoldenDashboard, shown: Shown, choices: dict[str, Choice]
) -> None:
    last = choices["days"].last
    week = [last - n * dt.timedelta(days=1) for n in range(7)]
    ((weekly,),) = shown("adoption_weekly", "days")
    assert weekly == people([row for row in golden.views["message_overview"] if row["day"] in week])
    daily = [row for row in golden.rows("reach", choices["days"]) if row["day"] in week]
    assert sum(row["daily_users"] for row in daily) > weekly


# dataset: what is taken out: why nobody can tell.
HARMLESS = {
    ("signals", f"NOT s.{name} IS NULL"): "that can be told of every message"
    for name in ("is_result_expired", "is_withheld")
}


def mutants(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """The SQL without one condition at a time, after what that was."""
    sql = with_names(dataset.sql)
    for place in range(len(list(conditions(parsed(sql))))):
        tree = parsed(sql)
        part = list(conditions(tree))[place]
        text = in_databricks(part)
        part.replace(exp.true())
        yield text, in_databricks(tree)


@pytest.mark.long
@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_every_condition_is_missed_when_it_is_gone(
    database: duckdb.DuckDBPyConnection, golden: GoldenDashboard, choices: dict[str, Choice], dataset: Dataset
) -> None:
    expected = {
        name: [[row[column] for column in dataset.columns] for row in golden.rows(dataset.name, choice)]
        for name, choice in choices.items()
    }

    def is_noticed(sql: str) -> bool:
        for name, choice in choices.items():
            values = {each: value for each, value in choice.parameters().items() if f"${each}" in sql}
            if same(database.execute(sql, values).fetchall(), expected[name]):
                return True
        return False

    survivors = [part for part, sql in mutants(dataset) if not is_noticed(in_words_of_duckdb(sql))]
    assert [part for part in survivors if (dataset.name, part) not in HARMLESS] == []
    assert {part for name, part in HARMLESS if name == dataset.name} <= set(survivors)
