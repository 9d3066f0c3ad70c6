"""Spark's own parser, the one inside pyspark's jars, reads every SQL text that we ship."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlglot

from genie_assets.domain.schema_text import Layout, spark_ddl
from genie_assets.domain.tables import TABLES, Table
from genie_assets.domain.views import View
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.e2e.lakehouse_statements import statements_about, statements_about_view

SQL = Path(__file__).resolve().parents[2] / "sql"
# Those that are sent as they are: of the others, what is made of them is parsed.
FILES = sorted(
    path.relative_to(SQL).as_posix()
    for folder in (".", "contract", "record")
    for path in (SQL / folder).glob("*.sql")
)

LAYOUTS: list[Layout] = ["partitioned", "liquid"]
# Databricks' own statements, which Spark's grammar lacks: the tests of the engine run them on the sandbox.
NOT_SPARKS = (
    "OPTIMIZE ",
    "VACUUM ",
    "DESCRIBE HISTORY ",
    "DESCRIBE DETAIL ",
    "CREATE VOLUME ",
    "COMMENT ON COLUMN ",
)

START_JAVA = """
import sys
from pyspark.java_gateway import launch_gateway
gateway = launch_gateway()
print(gateway.gateway_parameters.port, gateway.gateway_parameters.auth_token, flush=True)
sys.stdin.read()
gateway.proc.stdin.close()  # Java ends with its input
gateway.proc.wait(timeout=30)
"""

# Tables of every kind that the engine tells apart: with days and without, and one that is a course of answers.
COVERING = ("message_details", "message_fetch_errors", "genie_api_messages")

Parse = Callable[[str], str]

pytestmark = pytest.mark.slow


def statements(script: str) -> list[str]:
    """The script's statements; each ends with a semicolon at the end of a line."""
    return [text for text in re.split(r";\s*(?:\n|$)", script) if text.strip()]


def java_version() -> int:
    if shutil.which("java") is None:
        return 0
    shown = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', shown)
    return int(version[1]) if version else 0


@pytest.fixture(scope="module")
def parse() -> Iterator[Parse]:
    """Parses one statement with Spark and returns the name of its plan."""
    if java_version() < 17:
        pytest.skip("Spark's parser needs Java 17 or newer on the path, and there is none.")
    from py4j.protocol import Py4JJavaError
    from pyspark.java_gateway import launch_gateway

    # Started by a process of its own: a fork of this one may die in gRPC, which other tests have used in it.
    started = subprocess.Popen(
        [sys.executable, "-c", START_JAVA],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"SPARK_LOCAL_IP": "127.0.0.1", **os.environ},
    )
    port, secret = started.stdout.readline().split()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYSPARK_GATEWAY_PORT", port)
        environment.setenv("PYSPARK_GATEWAY_SECRET", secret)
        gateway = launch_gateway()
    parser = gateway.jvm.org.apache.spark.sql.execution.SparkSqlParser()

    def parsed(statement: str) -> str:
        try:
            return parser.parsePlan(statement).getClass().getSimpleName()
        except Py4JJavaError as error:
            raise ValueError(error.java_exception.getMessage()) from None

    yield parsed
    gateway.shutdown()
    started.communicate(timeout=60)  # it ends with its input


@pytest.mark.parametrize("name", FILES)
def test_spark_parses_every_statement(parse, name):
    script = (SQL / name).read_text(encoding="utf-8")
    assert statements(script)
    for statement in statements(script):
        parse(statement)


def test_spark_parses_the_liquid_layout(parse):
    views = [shipped_views()["messages"]]
    ddl = spark_ddl(TABLES, catalog="main", schema="genie_analytics", layout="liquid", views=views)
    kinds = [parse(statement) for statement in statements(ddl)]
    assert kinds == ["CreateNamespace", *["CreateTable"] * len(TABLES), "CreateView"]


def test_the_parser_does_refuse_what_spark_refuses(parse):
    """Guards the tests above: a parser that accepts anything would prove nothing."""
    with pytest.raises(ValueError, match="CLUSTER_BY_WITH_PARTITIONED_BY"):
        parse("CREATE TABLE t (a DATE, b STRING) USING DELTA PARTITIONED BY (a) CLUSTER BY (b)")


@pytest.mark.parametrize("name", FILES)
def test_the_databricks_dialect_parses_every_statement(name):
    script = (SQL / name).read_text(encoding="utf-8")
    parsed = sqlglot.parse(script, dialect="databricks", error_level=sqlglot.ErrorLevel.RAISE)
    assert len([statement for statement in parsed if statement is not None]) == len(statements(script))
    assert not any(isinstance(statement, sqlglot.exp.Command) for statement in parsed)


def without_comments(statement: str) -> str:
    return "\n".join(line for line in statement.split("\n") if not line.startswith("--")).strip()


def every_statement(table: Table, layout: Layout) -> list[str]:
    statements = statements_about(table, layout)
    return list(dict.fromkeys([*statements, *statements_about(table, layout, longest_lists=0)]))


def kinds_of(parse: Parse, statements: list[str]) -> set[str]:
    return {parse(text) for text in statements if not without_comments(text).startswith(NOT_SPARKS)}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_spark_parses_what_the_lakehouse_sends(parse: Parse, table: Table, layout: Layout) -> None:
    statements = every_statement(table, layout)
    kinds = kinds_of(parse, statements)
    expected = {"CreateNamespace", "CreateTable", "DescribeRelation", "AddColumns", "SetTableProperties"}
    assert expected | {"MergeIntoTable", "Project"} <= kinds
    assert not any("$" in text for text in statements)


@pytest.mark.parametrize("view", shipped_views().values(), ids=lambda view: view.name)
def test_spark_parses_how_a_view_is_made_and_changed(parse: Parse, view: View) -> None:
    kinds = kinds_of(parse, statements_about_view(view))
    assert {"CreateView", "AlterViewAs", "ShowTableProperties", "CommentOnTable"} <= kinds


def test_every_sql_text_of_the_lakehouse_is_among_what_it_sends() -> None:
    """A text that no test renders may be wrong without anybody noticing."""
    tables = [table for table in TABLES if table.name in COVERING]
    sent = "\n".join(text for table in tables for layout in LAYOUTS for text in every_statement(table, layout))
    sent += "\n".join(text for view in shipped_views().values() for text in statements_about_view(view))
    comments = {path.name: path.read_text("utf-8").split("\n")[0] for path in (SQL / "lakehouse").glob("*.sql")}
    assert len(comments) > 15
    assert all(comment.startswith("-- ") for comment in comments.values())
    assert [name for name, comment in comments.items() if comment not in sent] == []
