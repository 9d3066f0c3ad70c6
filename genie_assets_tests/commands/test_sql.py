"""`genie-assets sql`: what it shows, and what it says when it cannot."""

import csv
import io
import json
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from genie_assets.commands.cli import main
from genie_assets.domain.tables import TABLES
from genie_assets.gateways.lakehouse.reading import understood
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.e2e.pipelines import forget_settings
from genie_assets_tests.views.world import golden_rows, lake_of

pytestmark = pytest.mark.slow

HOSTILE = "\x1b[2J\x1b]0;title\x07<script>\nSecond line\u202e"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("lakehouse")
    rows = dict(golden_rows())
    rows["message_details"] = [{**row, "content": HOSTILE} for row in rows["message_details"]]
    lake_of(rows, place)
    return place


@pytest.fixture(autouse=True)
def _settings(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_settings(monkeypatch)
    monkeypatch.setenv("GENIE_LAKEHOUSE", str(folder))
    monkeypatch.chdir(tmp_path)


def sql(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["sql", *arguments], input=text)


def test_a_table_shows_rows_and_makes_a_terminal_do_nothing() -> None:
    shown = sql(
        "SELECT day, question, success_rate FROM message_overview CROSS JOIN (SELECT 0.5D AS success_rate) LIMIT 2"
    )
    assert shown.exit_code == 0, shown.output
    assert "\\x1b[2J" in shown.output
    assert not {"\x1b", "\x07", "\u202e"} & set(shown.output)
    assert "2 rows" in shown.output
    assert "0.5" in shown.output


def test_json_and_csv_hold_every_value_as_it_is() -> None:
    query = "SELECT day, asked_at, question, response_time_ms, is_judged, NULL AS nothing FROM message_overview"
    lines = sql(f"{query} ORDER BY asked_at NULLS LAST LIMIT 3", "--format", "json").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["question"] for row in rows] == [HOSTILE] * 3
    assert rows[0]["asked_at"].endswith("Z")
    assert rows[0]["nothing"] is None
    cells = list(csv.reader(io.StringIO(sql(f"{query} LIMIT 3", "--format", "csv").stdout)))
    assert cells[0][:3] == ["day", "asked_at", "question"]
    assert [row[2] for row in cells[1:]] == [HOSTILE] * 3


def test_json_holds_nothing_that_a_terminal_or_an_editor_obeys() -> None:
    values = "question, 'Größe 語 \u2066\U000e0041' AS text, named_struct('a', question) AS inner"
    query = f"SELECT {values} FROM message_overview"
    line = sql(f"{query} LIMIT 1", "--format", "json").stdout.rstrip("\n")
    assert not {each for each in line if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert "Größe 語 \\u2066" in line
    assert json.loads(line) == {"question": HOSTILE, "text": "Größe 語 \u2066\U000e0041", "inner": {"a": HOSTILE}}


@pytest.mark.parametrize(
    "arguments", [["--list"], ["--list", "messages"], ["SELECT 'a' AS x UNION SELECT 'longer'"]]
)
def test_what_is_piped_has_no_blanks_at_the_ends_of_lines(arguments: list[str]) -> None:
    lines = sql(*arguments).stdout.split("\n")
    assert len(lines) > 4
    assert [line for line in lines if line != line.rstrip()] == []


def test_what_is_cut_says_so_and_nothing_else_does() -> None:
    numbers = "(SELECT EXPLODE(SEQUENCE(1, 1000)) AS n)"
    many = f"SELECT a.n FROM {numbers} AS a CROSS JOIN {numbers} AS b"
    cut = sql(many, "--format", "csv")
    assert len(cut.stdout.splitlines()) == 1001
    assert "There are more rows than these 1,000: see --limit." in cut.stderr
    whole = sql("SELECT EXPLODE(SEQUENCE(1, 5)) AS n", "--limit", "5")
    assert "5 rows" in whole.stdout
    assert whole.stderr == ""


def test_a_statement_comes_from_the_input_too() -> None:
    assert json.loads(sql("-", "--format", "json", text="SELECT 1 AS one").stdout) == {"one": 1}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT mesages FROM activity_by_day", "no column mesages in activity_by_day; did you mean messages?"),
        ("SELECT * FROM mesage_overview", "did you mean message_overview?"),
        ("SELECT 1/0 AS x", "Division by zero"),
        ("SELECT CAST(question AS INT) FROM message_overview", "TRY_CAST"),
        ("SELECT 1; SELECT 2", "These are 2 statements"),
        ("INSTALL httpfs", "INSTALL does not only read"),
        ("SELECT day, COUNT(*) FROM calendar", "GROUP BY"),
    ],
)
def test_problems_are_one_sentence_without_stored_values(statement: str, said: str) -> None:
    shown = sql(statement)
    assert shown.exit_code == 1
    assert said in shown.output
    assert len(shown.output.splitlines()) == 1
    assert "script" not in shown.output


def test_two_columns_of_one_name_are_no_json_object() -> None:
    assert "Two columns are called x" in sql("SELECT 1 AS x, 2 AS x", "--format", "json").output


def test_the_list_shows_everything_with_its_meaning() -> None:
    shown = sql("--list").output
    assert all(name in shown and view.question in shown for name, view in shipped_views().items())
    assert "message_attachments" in shown
    columns = sql("--list", "active_users").output
    assert "stickiness" in columns
    assert "DOUBLE" in columns
    assert "Did you mean feedback?" in sql("--list", "feedbak").output


def test_no_tables_are_not_an_empty_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENIE_LAKEHOUSE", str(tmp_path / "nowhere"))
    shown = sql("SELECT * FROM messages")
    assert shown.exit_code == 1
    assert "There are no tables at" in shown.output
    assert "--demo" in shown.output


_LOADED = """
import sys
from genie_assets.commands.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def _without(lakehouse: Path, tables: Iterable[str]) -> None:
    """Make tables unreadable."""
    for name in tables:
        for log in (lakehouse / "genie_analytics" / name / "_delta_log").glob("*.json"):
            log.write_text("broken", encoding="utf-8")


def test_a_question_to_a_view_opens_its_own_tables_only_and_loads_nothing_that_is_slow_to_load(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a query over the demo takes, which is less than two seconds, is mostly what it loads."""
    query, lakehouse = "SELECT day, messages FROM activity_by_day", tmp_path / "lakehouse"
    shutil.copytree(folder, lakehouse)
    monkeypatch.setenv("GENIE_LAKEHOUSE", str(lakehouse))
    needed = understood(query, [table.name for table in TABLES], shipped_views(), ()).tables
    assert 0 < len(needed) < 6
    _without(lakehouse, {table.name for table in TABLES} - set(needed))
    command = [sys.executable, "-c", _LOADED, "sql", query, "--limit", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "3 rows" in done.stdout
    heavy = {"dagster", "databricks", "jinja2", "pyspark", "requests", "starlette"}
    assert heavy & set(done.stderr.split()) == set()
    _without(lakehouse, needed)
    assert sql(query).exit_code != 0


def test_a_question_about_one_day_reads_the_files_of_that_day_only(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakehouse = tmp_path / "lakehouse"
    shutil.copytree(folder, lakehouse)
    monkeypatch.setenv("GENIE_LAKEHOUSE", str(lakehouse))
    day, *others = sorted((lakehouse / "genie_analytics" / "message_details").glob("created_date=*"))
    assert len(others) > 20
    for each in others:
        shutil.rmtree(each)
    query = "SELECT COUNT(*) AS n FROM message_details"
    date = day.name.partition("=")[2]
    shown = sql(f"{query} WHERE created_date = DATE'{date}'", "--format", "json")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["n"] > 0
    assert sql(query).exit_code != 0
