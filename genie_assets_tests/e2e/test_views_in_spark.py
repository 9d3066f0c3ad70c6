"""Every view's text means the same to Spark 4, with ANSI on, as it does to the engine that runs it on files.

One test of minutes, because Spark plans so much: it is what makes one text for both worlds a promise.
"""

import datetime as dt
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from genie_assets.domain.tables import TABLES
from genie_assets.domain.views import needed
from genie_assets.gateways.lakehouse.frames import to_arrow
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.dashboard.golden import percentile
from genie_assets_tests.views.golden_basics import PERCENTS, nearest_rank
from genie_assets_tests.views.spark import comparable_cell
from genie_assets_tests.views.world import ask, golden_rows, lake_of

VIEWS = shipped_views()
# Java does not live long enough here for its better compiler.
QUICK_JAVA = "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' pyspark-shell"
# A percentile is a nearest rank for every number of values, whether they are all different or hardly any;
# PERCENTILE and MEDIAN lie between two.
RANKS = """SELECT
  n,
  t,
  CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY x DIV t) AS BIGINT) AS p50,
  CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY x DIV t) AS BIGINT) AS p95,
  CAST(PERCENTILE_DISC(0.99) WITHIN GROUP (ORDER BY x DIV t) AS BIGINT) AS p99,
  CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY x DIV t DESC) AS BIGINT) AS p95_from_above,
  ROUND(PERCENTILE(x DIV t, 0.95), 6) AS between,
  ROUND(PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY x DIV t), 6) AS between_too,
  CAST(MEDIAN(x DIV t) AS DOUBLE) AS middle
FROM (SELECT EXPLODE(SEQUENCE(1, 220)) AS n) AS ns
INNER JOIN (SELECT EXPLODE(SEQUENCE(1, 220)) AS x) AS xs ON xs.x <= ns.n
CROSS JOIN (SELECT EXPLODE(ARRAY(1, 3, 40)) AS t) AS ts
GROUP BY n, t"""
TYPES = {"LONG": "bigint", "INT": "int"}


def spark_answers(folder: Path, queries: dict[str, str]) -> dict[str, Any]:
    (folder / "tables").mkdir()
    rows = golden_rows()
    for table in TABLES:
        found = rows.get(table.name, []) if table.name != "genie_api_messages" else []
        frame = table.frame(table.part(row) for row in found)
        pq.write_table(to_arrow(table, frame), folder / "tables" / f"{table.name}.parquet")
    (folder / "queries.json").write_text(json.dumps({"queries": queries}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "genie_assets_tests.views.spark", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_SUBMIT_ARGS": QUICK_JAVA},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers: dict[str, Any] = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    return answers


@pytest.mark.long
@pytest.mark.skipif(
    shutil.which("java") is None and not os.environ.get("CI"),
    reason="Spark needs Java 17 or newer on the path, and there is none: the views are not run in Spark.",
)
def test_spark_and_the_engine_on_files_answer_alike(tmp_path: Path) -> None:
    started = dt.datetime.now(dt.UTC)
    lake = lake_of(golden_rows(), tmp_path / "lakehouse")
    answers = spark_answers(tmp_path, {**{view.name: view.query for view in needed(VIEWS, VIEWS)}, "ranks": RANKS})
    queries = {**{name: f"SELECT * FROM {name}" for name in VIEWS}, "ranks": RANKS}
    assert dt.datetime.now(dt.UTC) - started < dt.timedelta(hours=5)  # no error became due meanwhile
    for name, query in queries.items():
        ours = sorted(json.dumps([comparable_cell(cell) for cell in row.values()]) for row in ask(lake, query))
        theirs = sorted(json.dumps(row) for row in answers[name]["rows"])
        assert ours == theirs, name
        assert theirs
    for name, view in VIEWS.items():
        declared = [[column.name, TYPES.get(column.type, column.type.lower())] for column in view.columns]
        assert answers[name]["types"] == declared, name
    for n, t, *found in answers["ranks"]["rows"]:
        values = sorted(x // t for x in range(1, n + 1))
        ranks = [nearest_rank(values, percent) for percent in PERCENTS]
        from_above = values[n - math.ceil(95 * n / 100)]
        high, middle = (round(percentile(values, each) or 0.0, 6) for each in (0.95, 0.5))
        assert found == [*ranks, from_above, high, high, middle], (n, t)
