"""Every dataset and every widget's question mean the same to Spark 4, with ANSI on, as to plain Python."""

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genie_assets.domain.dashboard.ours import DASHBOARD
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.dashboard.golden import VIEWS, Choice, GoldenDashboard, asked_of, same
from genie_assets_tests.dashboard.test_numbers import DATASETS, TYPES, WIDGETS
from genie_assets_tests.dashboard.widgets import widget_sql, with_names
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.spark import comparable_cell
from genie_assets_tests.views.world import golden_rows

# Java does not live long enough here for its better compiler.
QUICK_JAVA = "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' pyspark-shell"


def pasted(sql: str, choice: Choice) -> str:
    """The statement with the chosen values in it; here alone, because Spark's process takes texts."""

    def literal(found: re.Match[str]) -> str:
        value = choice.parameters()[found[1]]
        if isinstance(value, dt.date):
            return f"DATE '{value}'"
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    return re.sub(r"(?<!:):([a-z_]+)", literal, with_names(sql))


@pytest.mark.long
@pytest.mark.skipif(
    shutil.which("java") is None and not os.environ.get("CI"),
    reason="Spark needs Java 17 or newer on the path, and there is none: the dashboard is not run in Spark.",
)
def test_spark_shows_the_golden_numbers(tmp_path: Path) -> None:
    golden = GoldenDashboard(Golden(golden_rows(), dt.datetime.now(dt.UTC)))
    choice = Choice(dt.date(2026, 10, 1), dt.date(2026, 11, 20))
    (tmp_path / "tables").mkdir()
    for name in VIEWS:
        columns = shipped_views()[name].columns
        schema = pa.schema([(column.name, TYPES[column.type]) for column in columns])
        rows = [{column.name: row.get(column.name) for column in columns} for row in golden.views[name]]
        pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "tables" / f"{name}.parquet")
    queries = {f"rows_of_{each.name}": pasted(each.sql, choice) for each in DASHBOARD.datasets}
    queries |= {name: widget_sql(query, f"rows_of_{query['datasetName']}") for name, query in WIDGETS.items()}
    (tmp_path / "queries.json").write_text(json.dumps({"queries": queries}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "genie_assets_tests.views.spark", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_SUBMIT_ARGS": QUICK_JAVA},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))
    problems = {}
    for dataset in DATASETS.values():
        whole = [[row[name] for name in dataset.columns] for row in golden.rows(dataset.name, choice)]
        problems[dataset.name] = same(answers[f"rows_of_{dataset.name}"]["rows"], comparable(whole))
    for name, query in WIDGETS.items():
        problems[name] = same(
            answers[name]["rows"], comparable(asked_of(golden.rows(query["datasetName"], choice), query))
        )
    assert {name: found for name, found in problems.items() if found} == {}


def comparable(rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
    return [[comparable_cell(cell) for cell in row] for row in rows]
