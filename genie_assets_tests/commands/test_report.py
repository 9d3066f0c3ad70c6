"""The report as a command, and on the way to a browser."""

import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest
from click.testing import CliRunner

from genie_assets.commands.cli import main
from genie_assets.commands.report_server import served_report
from genie_assets.daily_report import URL
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.published_report import REPORT

pytestmark = pytest.mark.servers
_direct = build_opener(ProxyHandler({}))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GENIE_LAKEHOUSE", "GENIE_MADE_UP", "DATABRICKS_HOST"):
        monkeypatch.delenv(name, raising=False)


def status_of(url: str) -> int:
    try:
        with _direct.open(url, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code


def test_without_tables_the_report_says_that_nothing_is_loaded(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["report", "--out", "page.html"])
    assert result.exit_code == 0, result.output
    assert "No day is loaded in" in result.stderr
    assert result.stdout.strip() == (tmp_path / "page.html").as_uri()
    assert (tmp_path / "page.html").stat().st_mode & 0o077 == 0


def test_without_a_demo_its_report_says_what_makes_one_and_is_not_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["report", "--demo", "--out", "page.html"])
    assert (result.exit_code, "`genie-assets demo` makes one" in result.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_days_in_the_wrong_order_are_one_sentence() -> None:
    result = CliRunner().invoke(main, ["report", "--from", "2026-02-01", "--to", "2026-01-01"])
    assert (result.exit_code, result.stderr) == (1, "Error: --from is a day after --to: exchange them.\n")


def test_the_report_is_served_to_whom_knows_its_address_and_nothing_else_is(tmp_path: Path) -> None:
    lakehouse = tmp_path / "lake"
    with served_report(str(lakehouse)) as settings:
        url = settings[URL]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{22}/genie_report\.html", url)
        assert status_of(url) == 404  # there is none yet
        address = open_lakehouse(str(lakehouse)).keep(REPORT, b"<p>the report")
        assert address.endswith(f"/{REPORT}")
        with _direct.open(url, timeout=10) as answer:
            assert (answer.read(), answer.headers["Content-Type"]) == (
                b"<p>the report",
                "text/html; charset=utf-8",
            )
        base = url.rpartition("/")[0]
        for other in (
            f"{base}/genie_pseudonyms.json",
            f"{base}/../{REPORT}",
            f"{base.rpartition('/')[0]}/{REPORT}",
        ):
            assert status_of(other) == 404
    for elsewhere in ("uc://main.genie", "s3://bucket/lake"):
        with served_report(elsewhere) as settings:
            assert settings == {}
