"""Every dataset runs on a SQL warehouse, over the real views, with parameters that are typed and never pasted."""

import datetime as dt
from collections.abc import Iterator

import pandas as pd
import pytest

from genie_assets.domain.dashboard.ours import DASHBOARD
from genie_assets.domain.tables import TABLES
from genie_assets.domain.views import needed
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.dashboard.golden import Choice, GoldenDashboard, same
from genie_assets_tests.dashboard.widgets import with_names
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.world import fill, golden_rows

pytestmark = pytest.mark.servers
SCHEMA = "dashboard"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as running:
        fill(running.lake(f"uc://main.{SCHEMA}"), golden_rows())
        yield running


@pytest.mark.long
def test_every_dataset_has_the_golden_rows_for_one_statement(server: UnityServer) -> None:
    """One choice that every filter narrows; what choices mean is tested without a warehouse."""
    golden = GoldenDashboard(Golden(golden_rows(), dt.datetime.now(dt.UTC)))
    busy = max(golden.overview, key=lambda row: (row["outcome"] == "FAILED", row["day"]))
    place = busy["workspace_id"], busy["space_id"]
    choice = Choice(dt.date(2026, 11, 3), dt.date(2026, 11, 16), busy["workspace_id"], place)
    views = shipped_views()
    places = {name: name for name in views} | {table.name: f"main.{SCHEMA}.{table.name}" for table in TABLES}
    problems = {}
    warehouse, before = server.warehouse(), server.statements
    for dataset in DASHBOARD.datasets:
        named = [f"{view.name} AS (\n{view.query_in(places)}\n)" for view in needed(dataset.reads, views)]
        own = with_names(dataset.sql)
        sql = f"WITH {', '.join(named)}" + (
            own.replace("WITH ", ", ", 1) if own.startswith("WITH ") else f"\n{own}"
        )
        values = {name: value for name, value in choice.parameters().items() if f":{name}" in sql}
        found = warehouse.query(sql, values)
        assert tuple(found.columns) == dataset.columns
        rows = [[None if pd.isna(cell) else cell for cell in row] for row in found.itertuples(index=False)]
        expected = [[row[name] for name in dataset.columns] for row in golden.rows(dataset.name, choice)]
        if differences := same(rows, expected):
            problems[dataset.name] = differences
    assert problems == {}
    assert server.statements - before == len(DASHBOARD.datasets)
