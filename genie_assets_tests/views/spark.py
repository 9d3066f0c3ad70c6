"""Spark itself, in a process of its own: `python -m genie_assets_tests.views.spark FOLDER`.

In the folder lie `tables/*.parquet` and `queries.json`, and `answers.json` comes to lie beside them. By itself,
because a fork of a process that uses gRPC may die, and other tests have used it in theirs.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# One small machine and small tables: most of Spark's time goes into parts that hold nothing.
SETTINGS: Mapping[str, str] = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


def comparable_cell(value: Any) -> Any:
    """A cell as JSON holds it, the same for the same value."""
    if hasattr(value, "isoformat"):
        return value.isoformat().removesuffix("+00:00")
    return value


def main() -> None:
    """Show the tables, answer the queries in their order, and show each answer under its query's name."""
    from pyspark.sql import SparkSession

    folder = Path(sys.argv[1])
    work = json.loads((folder / "queries.json").read_text(encoding="utf-8"))
    builder = SparkSession.builder.master("local[1]")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.config("spark.sql.warehouse.dir", str(folder / "warehouse")).getOrCreate()
    for path in sorted((folder / "tables").glob("*.parquet")):
        spark.read.parquet(str(path)).createOrReplaceTempView(path.stem)
    answers = {}

    for name, query in work["queries"].items():
        # What a later view reads of this one is not worked out again.
        frame = spark.sql(query).cache()
        types = [(field.name, field.dataType.simpleString()) for field in frame.schema.fields]
        rows = [[comparable_cell(cell) for cell in row] for row in frame.collect()]
        answers[name] = {"types": types, "rows": rows}
        frame.createOrReplaceTempView(name)
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    spark.stop()


if __name__ == "__main__":
    main()
