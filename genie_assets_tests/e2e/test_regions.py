"""An account in two regions: nothing is lost while one of them cannot be read, and nothing is there twice.

One workspace has moved: each region shows some of its rows, and some are shown by both.
"""

import datetime as dt
import json
import re
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest

from genie_assets.commands.preflight import preflight
from genie_assets.domain.regions import unread_of
from genie_assets.domain.tables import GENIE_DAY_LOADS, GENIE_MESSAGES_TO_FETCH, MESSAGE_DETAILS
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.pipeline.day_loads import late_days
from genie_assets.settings import load_settings
from genie_assets.wiring import open_system_tables
from genie_assets_tests.e2e.pipelines import (
    Pipeline,
    days_of,
    differences_from_truth,
    metadata_of,
    point_at,
    recent_anchor,
)
from genie_assets_tests.gateways.stub_server import Reply, StubServer, always
from genie_sandbox.account import Account, ArrivingRow, Workspace, save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate

pytestmark = pytest.mark.slow

EU, US = "eu", "us"
HOUR = 3_600_000


def in_two_regions(account: Account) -> Account:
    """Of the workspaces that run, the second one lies in the US, and the third one has moved there."""
    _, in_us, moved = running(account)
    places = [replace(each, region=US if each in (in_us, moved) else EU) for each in account.workspaces]
    audit = _moved(_in_two_parts(account.audit, account.anchor), moved.workspace_id)
    return replace(
        account,
        workspaces=tuple(places),
        audit=(*audit, *_read_thrice(audit, moved.workspace_id)),
        query_history=_moved(_in_two_parts(account.query_history, account.anchor), moved.workspace_id),
    )


def _read_thrice(rows: Sequence[ArrivingRow], workspace_id: str) -> list[ArrivingRow]:
    """Somebody looks three times at a message of the workspace: each region shows two of the events, one both."""
    asked = next(
        each.row
        for each in rows
        if each.row["workspace_id"] == workspace_id and '"message_id"' in (each.row["response"]["result"] or "")
    )
    message_id = json.loads(asked["response"]["result"])["message_id"]
    looked = {
        **asked,
        "action_name": "getConversationMessage",
        "request_params": {**asked["request_params"], "message_id": message_id},
    }
    return [
        ArrivingRow(0, {**looked, "event_id": f"look-{number}"}, regions)
        for number, regions in enumerate([(EU,), (EU, US), (US,)])
    ]


def _in_two_parts(rows: Sequence[ArrivingRow], anchor: int) -> list[ArrivingRow]:
    """Rows of every second conversation come an hour after the anchor: in the API itself nothing changes then."""
    return [
        replace(row, arrives_at=max(row.arrives_at, anchor + HOUR)) if crc32(_talk(row).encode()) % 2 else row
        for row in rows
    ]


def _talk(row: ArrivingRow) -> str:
    """What names the conversation of an audit row, or of a row of query history its statement."""
    cells = row.row
    if "statement_id" in cells:
        return str(cells["statement_id"])
    told = json.dumps([cells.get("request_params"), cells.get("response")])
    named = re.search(r'onversation(?:_i|I)d[\\"]*: *[\\"]*([^\\"]+)', told)
    return named[1] if named else str(cells["event_id"])


def running(account: Account) -> list[Workspace]:
    """Three of them, in which something was asked."""
    asked = {message.workspace_id for message in account.messages}
    return [each for each in account.workspaces if each.is_running and each.workspace_id in asked][:3]


def _moved(rows: Sequence[ArrivingRow], workspace_id: str) -> tuple[ArrivingRow, ...]:
    shown = ((EU,), (US,), (EU, US))
    return tuple(
        replace(row, regions=shown[number % 3]) if row.row["workspace_id"] == workspace_id else row
        for number, row in enumerate(rows)
    )


class Regions:
    """The sandbox, and its second region, which can be put out of reach."""

    def __init__(self, account: Account, sandbox: SandboxProcess, patch: pytest.MonkeyPatch) -> None:
        self.account, self.sandbox, self.patch = account, sandbox, patch
        self.at_home, self.in_us, self.moved = (each.workspace_id for each in running(account))
        self.silent = StubServer(always(Reply(hang_seconds=60)))
        self.us_is_back()

    def us_hangs(self) -> None:
        """It takes connections, and answers nothing."""
        self.patch.setenv("GENIE_REGIONS", f"us={self.silent.url}/{self.account.warehouse_id}")
        self.patch.setenv("GENIE_REGION_SECONDS", "1")

    def us_stops_midway(self) -> None:
        """It answers the first two statements, and not the one that reads the events."""
        # Not 5xx, with which a test would wait for the retries.
        rule = {"effect": "status", "status": 403, "route": "statements", "workspace_id": self.in_us, "every": 3}
        self.sandbox.faults(rule)

    def us_is_back(self) -> None:
        place = f"{self.sandbox.urls[self.in_us]}/{self.account.warehouse_id}"
        self.patch.setenv("GENIE_REGIONS", f"us={place}")
        self.patch.setenv("GENIE_REGION_SECONDS", "300")
        self.sandbox.clear_faults()

    @property
    def days(self) -> list[dt.date]:
        return days_of(self.account)

    def tables(self) -> SystemTables:
        settings = load_settings()
        return open_system_tables(settings, settings.databricks())

    def late(self, pipeline: Pipeline) -> list[dt.date]:
        return sorted(late_days(self.days, self.tables(), pipeline.lake))


@pytest.fixture(scope="module")
def account() -> Account:
    return in_two_regions(generate(seed=23, anchor=recent_anchor(), days=2, messages=60))


@pytest.fixture(params=["files", pytest.param("tables in Unity Catalog", marks=pytest.mark.long)])
def regions(
    request: pytest.FixtureRequest, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Regions]:
    save(account, tmp_path / "account")
    with SandboxProcess(tmp_path / "account", clock_ms=account.anchor) as sandbox:
        point_at(sandbox, tmp_path / "lake", monkeypatch)
        if request.param != "files":
            monkeypatch.setenv("GENIE_LAKEHOUSE", "uc://main.regions")
        regions = Regions(account, sandbox, monkeypatch)
        with regions.silent.running():
            yield regions


def ids(rows: Collection[dict]) -> set[tuple[str, str]]:
    return {(row["workspace_id"], row["message_id"]) for row in rows}


def test_a_region_that_is_down_loses_nothing_and_delays_nobody_else(regions: Regions) -> None:
    account, sandbox, pipeline = regions.account, regions.sandbox, Pipeline()
    for day in regions.days:
        pipeline.run("genie_daily", day)
    before = pipeline.rows(GENIE_MESSAGES_TO_FETCH)
    assert {row["workspace_id"] for row in before} >= {regions.at_home, regions.in_us, regions.moved}

    sandbox.set_clock(account.anchor + 2 * HOUR)
    for day, goes_away in zip(regions.days, (regions.us_stops_midway, regions.us_hangs), strict=True):
        regions.us_is_back()
        goes_away()
        began = time.monotonic()
        result = pipeline.run("genie_daily", day)
        told = metadata_of(result, "audit_messages")
        assert told["regions_unread"] == 1
        assert "us" in told["unread"]
        assert "GENIE_REGIONS" in told["unread"]
    assert time.monotonic() - began < 60, "by itself it is asked for a login three times, half a minute each"
    assert len(regions.silent.requests) == 1, "of all steps of the run, one has waited"
    stored = pipeline.rows(GENIE_MESSAGES_TO_FETCH)
    assert ids(before) <= ids(stored)
    counts = {(row["event_date"], *key): row["event_count"] for row in before for key in ids([row])}
    assert all(
        row["event_count"] >= counts.get((row["event_date"], row["workspace_id"], row["message_id"]), 0)
        for row in stored
        if row["workspace_id"] in (regions.in_us, regions.moved)
    )
    grown = {each for each in ids(stored) - ids(before) if each[0] == regions.at_home}
    assert grown, "the home region went on"
    assert not {row["enrichment_status"] for row in pipeline.rows(MESSAGE_DETAILS)} & {"EXPIRED"}
    for row in pipeline.rows(GENIE_DAY_LOADS):
        assert set(unread_of(row["regions"])) == {"us"}
    fresh = pipeline.check("audit_is_fresh")
    assert not fresh.passed
    assert "Region us: its audit log cannot be read" in (fresh.description or "")
    (finding,) = [each for each in preflight(load_settings()) if not each.ok]
    assert finding.name == "regions.us", "one cause is one finding"
    assert regions.late(pipeline) == [], "nothing can be done about it"

    regions.us_is_back()
    assert regions.late(pipeline) == regions.days
    for day in regions.days:
        pipeline.run("genie_daily", day)
    pipeline.run("genie_spaces")
    assert differences_from_truth(account, sandbox, pipeline) == []
    loads = pipeline.rows(GENIE_DAY_LOADS)
    assert not any(unread_of(row["regions"]) for row in loads)
    assert regions.late(pipeline) == []
    for row in loads:
        shown = regions.tables().message_events(row["event_date"]).dropna(subset="message_id")
        assert row["message_count"] == len(shown.drop_duplicates(["workspace_id", "message_id"]))
        assert row["event_count"] >= shown["event_count"].sum(), "others name no message"
    pipeline.run("genie_daily", regions.days[-1])
    assert pipeline.rows(GENIE_DAY_LOADS) == loads, "nothing has changed, and nothing is read again"
