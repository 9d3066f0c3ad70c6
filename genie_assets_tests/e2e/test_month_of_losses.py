"""A month in which audit rows are lost for good, a region is down, and workspaces come and go.

The daemon looks on most mornings, with the schedules and sensors as they are shipped, and no command typed.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from genie_assets.domain.keys import MessageKey
from genie_assets.domain.tables import MESSAGE_DETAILS, TABLES
from genie_assets_tests.e2e.months import Awake, midnight_before, month, ms
from genie_assets_tests.e2e.pipelines import Pipeline, doubled_keys
from genie_assets_tests.e2e.test_reconciliation import Api
from genie_sandbox.account import Account, Workspace
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.spread import spread
from genie_sandbox.made_up.uniform import generate_uniform

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

HISTORY, DAYS = 3, 25  # days before the first start, and from it on
MORNINGS = (1, 3, 4, 5, 7, 9, 11, 13, 14, 15, 16, 17, 19, 21, 24)
AWAKE: Awake = {0: ("09:20",), **dict.fromkeys(MORNINGS, ("06:20",))}
LOST = range(6, 11)  # days of which no audit row ever comes
US_IS_DOWN = range(13, 15)
APPEAR, VANISHES = (4, 9), 16  # the days of the third and fourth workspace, and of the fifth
# The month's incidents. What the log lost is none: the API still shows it.
INCIDENTS = [
    # Nobody but Genie writes this audit log, and for five days it keeps nothing.
    ("WARNING", "audit_is_fresh"),
    # The spaces that can never be exported, nor walked.
    ("WARNING", "spaces_are_backed_up"),
    ("WORSE", "audit_is_fresh"),
    ("WARNING", "spaces_are_reconciled"),
    # The region that is down, whichever checks miss it.
    ("BROKEN", "Region"),
    # The workspace that vanishes, once for all that is wanted of it.
    ("WARNING", "NOT_RUNNING"),
    ("FINE AGAIN", "Region"),
]


def made_up(begins: dt.datetime) -> Account:
    """Five workspaces, the second and fourth in another region than the others."""
    plain = generate_uniform(
        seed=12,
        anchor=begins + dt.timedelta(days=DAYS),
        conversations=4 * (HISTORY + DAYS),
        messages_per_conversation=2,
        days=HISTORY + DAYS,
    )
    account = spread(plain, [1.0] * 5, ("eu", "us"))
    first, second, third, fourth, fifth = account.workspaces
    moments = [ms(begins + dt.timedelta(days=day)) for day in (*APPEAR, VANISHES)]
    return _lived(
        account,
        (
            first,
            second,
            replace(third, listed_from=moments[0]),
            replace(fourth, listed_from=moments[1]),
            replace(fifth, listed_until=moments[2]),
        ),
        {str((begins + dt.timedelta(days=day)).date()) for day in LOST},
    )


def _lived(account: Account, workspaces: tuple[Workspace, ...], lost: Collection[str]) -> Account:
    """Nobody asks where no workspace is; the log keeps nothing of the days that are lost."""
    places = {each.workspace_id: each for each in workspaces}
    messages = tuple(each for each in account.messages if places[each.workspace_id].is_listed(each.states[0].at))
    there = {each.message_id for each in messages}
    named = {each.message_id for each in account.messages} - there
    audit = [each for each in account.audit if not any(id_ in str(each.row) for id_ in named)]
    return replace(
        account,
        workspaces=workspaces,
        messages=messages,
        audit=tuple(each for each in audit if str(each.row["event_date"]) not in lost),
    )


def test_a_month_of_losses_leaves_nothing_out_that_the_api_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins = midnight_before(DAYS + 1)
    account = made_up(begins)
    _, us, *_, vanishing = (each.workspace_id for each in account.workspaces)

    def settings(sandbox: SandboxProcess) -> dict[str, str]:
        first_day = (begins - dt.timedelta(days=HISTORY)).date()
        warehouse = f"{sandbox.urls[us]}/{account.warehouse_id}"
        return {"GENIE_FIRST_DAY": str(first_day), "GENIE_REGIONS": f"us={warehouse}"}

    with month(account, begins, tmp_path, monkeypatch, settings) as lived:
        sandbox = lived.sandbox
        for day in lived.days(AWAKE):
            sandbox.clear_faults()
            if day in US_IS_DOWN:
                sandbox.faults({"effect": "status", "status": 403, "route": "statements", "workspace_id": us})
            if day >= VANISHES:
                sandbox.faults({"effect": "drop", "workspace_id": vanishing})
        sandbox.clear_faults()
        pipeline = Pipeline()
        spaces = {(each.workspace_id, each.space_id) for each in account.spaces if each.workspace_id != vanishing}
        shown = Api(sandbox).messages(spaces)
        assert len(shown) > len(account.messages) / 2
        assert shown - {MessageKey.of(row) for row in pipeline.rows(MESSAGE_DETAILS)} == set()
        assert [told for table in TABLES for told in doubled_keys(table, pipeline.rows(table))] == []
        assert lived.failed == []
        assert lived.told() == INCIDENTS
