"""An event of a closed day that names no message and comes late: noticed, loaded, and then there is peace."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from genie_assets.domain.tables import AGENT_CONVERSATIONS, GENIE_SPACE_EVENTS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.audit_messages import discover
from genie_assets.pipeline.day_loads import late_days
from genie_assets.pipeline.run import Run
from genie_assets.settings import load_settings
from genie_assets.wiring import open_lake, open_system_tables
from genie_assets_tests.e2e.pipelines import point_at
from genie_assets_tests.sandbox.tiny import DAY, HOUR, START, account_of, audit_row, ids_of, utc
from genie_sandbox.account import save
from genie_sandbox.client import SandboxProcess

DAYS = [utc(START).date(), utc(START + DAY).date()]
LATER = START + 11 * DAY
AGENT = {"agent_id": "s1", "conversation_id": "c9"}


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    """One day has a message; the other one nothing but what comes ten days late."""
    audit = (
        audit_row(1, START + HOUR, "createConversationMessage", ids_of("m1")),
        audit_row(2, START + 2 * HOUR, "updateSpace", {"space_id": "s1"}, arrives_at=LATER),
        audit_row(3, START + DAY + HOUR, "trashSpace", {"space_id": "s1"}, arrives_at=LATER),
        audit_row(4, START + 3 * HOUR, "createAgentResponse", AGENT, arrives_at=LATER + HOUR),
        audit_row(5, START + 4 * HOUR, "getSpace", {"space_id": "s1"}, arrives_at=LATER + 2 * HOUR),
    )
    save(account_of(audit=audit), tmp_path / "account")
    with SandboxProcess(tmp_path / "account", clock_ms=START + 2 * DAY) as running:
        point_at(running, tmp_path / "lake", monkeypatch)
        yield running


class Daily:
    """The look at late days, and their loads."""

    def __init__(self) -> None:
        settings = load_settings()
        self.lake: Lakehouse = open_lake(settings)
        self._tables = open_system_tables(settings, settings.databricks())

    def late(self) -> list[dt.date]:
        return sorted(late_days(DAYS, self._tables, self.lake))

    def load(self, *days: dt.date) -> None:
        for day in days:
            discover(Run(day, "run", lambda: utc(LATER)), system_tables=self._tables, lake=self.lake)

    def events(self) -> list[str]:
        return sorted(row["event_id"] for row in self.lake.records(GENIE_SPACE_EVENTS))


def test_a_change_of_a_space_or_a_turn_with_an_agent_that_comes_ten_days_late_is_loaded(
    sandbox: SandboxProcess,
) -> None:
    daily = Daily()
    daily.load(*DAYS)
    assert (daily.late(), daily.events()) == ([], [])
    sandbox.set_clock(LATER + 1)
    assert daily.late() == DAYS, "one of them had no event at all before"
    daily.load(*DAYS)
    assert (daily.late(), daily.events()) == ([], ["event-2", "event-3"])
    sandbox.set_clock(LATER + HOUR + 1)
    assert daily.late() == DAYS[:1]
    daily.load(*daily.late())
    assert [row["conversation_id"] for row in daily.lake.records(AGENT_CONVERSATIONS)] == ["c9"]
    sandbox.set_clock(LATER + 3 * HOUR)
    assert daily.late() == [], "a read stores nothing, and is no reason to load a day"
