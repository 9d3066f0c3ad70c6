"""Audit rows of five days are lost for good: what only the API still shows is found, read and accounted for."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import dagster as dg
import pytest

from genie_assets.domain.keys import MessageKey
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    RECONCILED_CONVERSATIONS,
    RECONCILED_SPACES,
    Table,
)
from genie_assets.meanings import MEANINGS
from genie_assets.pipeline.waiting import left_behind
from genie_assets_tests.e2e.pipelines import (
    ClockAt,
    Pipeline,
    days_of,
    differences_from_truth,
    in_order,
    metadata_of,
    point_at,
    recent_anchor,
    sandbox_of,
)
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate

pytestmark = pytest.mark.slow

DAYS, LOST, MESSAGES = 6, 5, 60
A_WEEK = dt.timedelta(days=7)


def without_audit(account: Account, days: set[dt.date]) -> Account:
    lost = {str(day) for day in days}
    return replace(account, audit=tuple(each for each in account.audit if str(each.row["event_date"]) not in lost))


class Api:
    """What the API shows, asked for without our code."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self._sandbox = sandbox

    def messages(self, spaces: set[tuple[str, str]]) -> set[MessageKey]:
        """Every message that is listed in a conversation of these spaces that is listed."""
        return {
            MessageKey(workspace_id, message.get("message_id") or message["id"])
            for workspace_id, space_id in spaces
            for conversation in self._all(workspace_id, space_id, "", "conversations", include_all="true")
            for message in self._all(
                workspace_id, space_id, f"/{quote(conversation['conversation_id'], safe='')}/messages", "messages"
            )
        }

    def _all(
        self, workspace_id: str, space_id: str, below: str, name: str, **query: str
    ) -> Iterator[dict[str, Any]]:
        url = f"{self._sandbox.urls[workspace_id]}/api/2.0/genie/spaces/{space_id}/conversations{below}"
        while True:
            asked = Request(
                f"{url}?{urlencode(query)}", headers={"Authorization": f"Bearer {self._sandbox.token}"}
            )
            try:
                with urlopen(asked) as answer:
                    page = json.loads(answer.read())
            except HTTPError as refused:
                if refused.code not in (403, 404):
                    raise
                return  # a conversation of which nothing is shown to us
            yield from page.get(name, [])
            if not page.get("next_page_token"):
                return
            query["page_token"] = page["next_page_token"]


def rows_told(result: dg.ExecuteInProcessResult, table: Table) -> Any:
    made = {event.asset_key: event for event in result.get_asset_materialization_events()}
    return made[dg.AssetKey(table.name)].materialization.metadata["dagster/row_count"].value


def keys_in(pipeline: Pipeline, *tables: Any) -> set[MessageKey]:
    return {MessageKey.of(row) for table in tables for row in pipeline.rows(table)}


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(seed=11, anchor=recent_anchor(), days=DAYS, messages=MESSAGES)


@pytest.mark.parametrize("lakehouse", ["files", pytest.param("unity", marks=pytest.mark.long)])
def test_what_the_audit_log_lost_for_good_is_found_and_comes_to_the_same_if_it_is_found_there_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, account: Account, lakehouse: str
) -> None:
    place: Any = "uc://main.genie_analytics" if lakehouse == "unity" else tmp_path / "lake"
    days = days_of(account)
    with sandbox_of(without_audit(account, set(days[:LOST])), tmp_path / "lossy") as sandbox:
        point_at(sandbox, place, monkeypatch)
        monkeypatch.setenv("GENIE_RECONCILE", "0.15")
        pipeline = Pipeline()
        pipeline.run("genie_daily", days[-1])
        pipeline.run("genie_spaces")
        before = keys_in(pipeline, GENIE_API_MESSAGES)
        result = pipeline.run("genie_reconciliation")
        found = metadata_of(result, RECONCILED_CONVERSATIONS.name)
        assert not {name for name in found if "/" not in name} - set(MEANINGS[RECONCILED_CONVERSATIONS.name])
        assert rows_told(result, RECONCILED_SPACES) == len(pipeline.rows(RECONCILED_SPACES))
        walked = [row for row in pipeline.rows(RECONCILED_SPACES) if row["walked_timestamp"]]
        assert walked
        shown = Api(sandbox).messages({(row["workspace_id"], row["space_id"]) for row in walked})
        assert found["messages_entered"] == len(shown - before) > MESSAGES / 4
        assert found["messages_seen"] == len(shown) == sum(row["message_count"] for row in walked)
        again = metadata_of(pipeline.run("genie_reconciliation"), RECONCILED_CONVERSATIONS.name)
        assert (again["messages_entered"], again["conversations_walked"]) == (0, 0)

        entered = [row for row in pipeline.rows(GENIE_MESSAGES_TO_FETCH) if not row["event_count"]]
        left = left_behind(pipeline.lake, days)
        assert set(left) == {row["event_date"] for row in entered}, "the sensor runs these"
        assert not pipeline.check("spaces_are_reconciled").metadata["messages_unread"].value
        for day in left:
            pipeline.run("genie_retry", day)
        assert shown <= keys_in(pipeline, MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS)
        assert shown - before <= keys_in(pipeline, MESSAGE_DETAILS)
        # The log is asked once more, has nothing, and what was found stays.
        pipeline.run("genie_daily", days[0])
        pipeline.run("genie_daily", days[-1])
        still = [row for row in pipeline.rows(GENIE_MESSAGES_TO_FETCH) if not row["event_count"]]
        assert in_order(still) == in_order(entered)
        if lakehouse == "unity":
            return  # its tables are gone with the sandbox

    with sandbox_of(account, tmp_path / "whole") as sandbox:
        point_at(sandbox, place, monkeypatch)
        monkeypatch.setenv("GENIE_RECONCILE", "0.15")
        sandbox.advance(hours=24)
        later = Pipeline()
        for day in days:
            later.run("genie_daily", day)
        later.run("genie_spaces")
        found = metadata_of(
            later.run("genie_reconciliation", clock=ClockAt(A_WEEK)), RECONCILED_CONVERSATIONS.name
        )
        assert (found["messages_seen"] >= len(shown), found["messages_entered"]) == (True, 0)
        assert differences_from_truth(account, sandbox, later) == []
