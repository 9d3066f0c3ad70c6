"""`genie-assets doctor --write` against a sandbox's account: what is tried, told and cleared away."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

from genie_assets.commands.cli import main
from genie_assets.commands.doctor_write import WriteTrial
from genie_assets.domain.table import Table
from genie_assets.domain.write_trials import BEGINNING, trial_name, trial_table
from genie_assets.gateways.lakehouse.delta.lakehouse import DeltaLakehouse, delta_root
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.settings import load_settings
from genie_assets.wiring import open_lake
from genie_assets_tests.e2e.pipelines import point_at, recent_anchor, sandbox_of
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate

UNITY = "uc://main.genie_trials"
STEPS = ["write.create", "write.append", "write.read", "write.files", "write.remove"]
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(seed=3, anchor=recent_anchor(), days=2, messages=80, late=0.1)


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account") / "account") as running:
        yield running


@pytest.fixture(autouse=True)
def place(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment points at the sandbox; the lakehouse is a folder that is not there yet."""
    point_at(sandbox, tmp_path / "tables", monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def doctor(*options: str) -> tuple[int, list[dict[str, Any]]]:
    done = CliRunner().invoke(main, ["doctor", "--json", *options])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, json.loads(done.output)


def of_the_trial(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in found if each["name"].startswith("write.")]


@pytest.mark.parametrize("uri", ["tables", UNITY])
def test_a_lakehouse_is_tried_with_a_table_of_its_own_and_without_write_nothing_is_written(
    uri: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENIE_LAKEHOUSE", uri)
    code, found = doctor()
    assert (code, of_the_trial(found)) == (0, []), found
    assert list(place.iterdir()) == []
    assert "could be made" not in CliRunner().invoke(main, ["doctor"]).output

    killed = trial_table(trial_name(dt.datetime.now(dt.UTC) - dt.timedelta(hours=1), "0123abcd"))
    working = trial_table(trial_name(dt.datetime.now(dt.UTC), "0123abce"))
    for table in (killed, working):
        open_lake(load_settings()).prepare(table)
    code, found = doctor("--write")
    trial = of_the_trial(found)
    assert (code, [each["name"] for each in trial]) == (0, ["write.leftovers"] * 2 + STEPS)
    assert [each["status"] for each in trial] == ["warning"] * 2 + ["ok"] * 5
    assert f"{killed.name} was left behind" in trial[0]["seen"]
    assert f"{working.name} is of another try" in trial[1]["seen"]
    lake = open_lake(load_settings())
    assert lake.names_beginning(BEGINNING) == [working.name], "what another try works with stays"
    lake.drop(working)
    assert lake.names_beginning("") == []


class Failing(DeltaLakehouse):
    """Tables in files, of which one step fails."""

    def __init__(self, place: Path, failure: BaseException) -> None:
        super().__init__(delta_root(str(place)))
        self._failure = failure

    def _append(self, table: Table, rows: pa.Table) -> None:
        assert self.names_beginning(BEGINNING), "the table is there"
        raise self._failure


def trial_of(lake: Lakehouse, uri: str) -> WriteTrial:
    return WriteTrial(lake, uri, lambda _problem: ("a line that mends it",), lambda: NOW)


def test_the_table_is_removed_whatever_fails_on_the_way(place: Path) -> None:
    for failure, told in (
        (LakehouseError("GENIE_LAKEHOUSE: no room"), "no room"),
        (ZeroDivisionError("a secret"), "the try broke (ZeroDivisionError)"),
    ):
        lake = Failing(place / "tables", failure)
        found = trial_of(lake, "tables").findings()
        assert [(each.name, each.ok) for each in found] == [
            ("write.create", True),
            ("write.append", False),
            ("write.remove", True),
        ]
        assert told in found[1].text
        assert "secret" not in found[1].text
        assert lake.names_beginning("") == []
    lake = Failing(place / "tables", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        trial_of(lake, "tables").findings()
    assert lake.names_beginning("") == []


def test_rights_that_the_volume_lacks_are_named_with_their_cure_and_the_table_is_gone(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENIE_LAKEHOUSE", UNITY)
    lake = open_lake(load_settings())
    sandbox.faults({"effect": "status", "status": 403, "error_code": "PERMISSION_DENIED", "route": "files"})
    try:
        found = trial_of(lake, UNITY).findings()
    finally:
        sandbox.clear_faults()
    assert [(each.name, each.ok) for each in found] == [
        ("write.create", True),
        ("write.append", False),
        ("write.remove", True),
    ]
    assert found[1].cure == ("a line that mends it",)
    assert "READ VOLUME and WRITE VOLUME" in found[1].text
    assert lake.names_beginning("") == []


def test_a_lakehouse_that_is_not_in_order_is_not_tried(place: Path) -> None:
    (place / "tables").write_text("in the way", encoding="utf-8")
    code, found = doctor("--write")
    (told,) = of_the_trial(found)
    assert (code, told["status"]) == (1, "unknown")
    assert (place / "tables").read_text(encoding="utf-8") == "in the way"


def test_no_table_of_ours_is_ever_dropped(place: Path) -> None:
    from genie_assets.domain.tables import TABLES

    for table in TABLES:
        with pytest.raises(ValueError, match="is never dropped"):
            open_lake(load_settings()).drop(table)
    assert list(place.iterdir()) == []
