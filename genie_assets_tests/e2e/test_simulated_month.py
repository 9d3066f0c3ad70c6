"""A month on the sandbox's clock, with the schedules and sensors as they are shipped, and no command typed."""

import datetime as dt
import re
from itertools import cycle
from pathlib import Path

import pytest

from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, MESSAGE_DETAILS, TABLES
from genie_assets_tests.e2e.daemon_days import JumpingClock
from genie_assets_tests.e2e.months import Awake, midnight_before, month, ms
from genie_assets_tests.e2e.pipelines import Pipeline, doubled_keys, metadata_of
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.scenarios import SCENARIOS, vote_after_a_read, with_scenarios
from genie_sandbox.made_up.uniform import generate_uniform
from genie_sandbox.server.refused_tokens import BODIES
from genie_sandbox.truth.comparison import differences
from genie_sandbox.truth.tables import truth

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

HISTORY, DAYS = 30, 25  # days before the first start, and from it on
# When the daemon is awake: mornings on which something is new, oftener while much happens, and not for ten days.
USUAL = ("06:20",)
AWAKE: Awake = {
    0: ("09:20",),
    # A vote of 17:02 follows a look that our clock saw at 17:04.
    1: ("06:20", "10:45", "16:59", "18:20"),
    **dict.fromkeys((2, 3, 4, 5, 7, 8), USUAL),
    **dict.fromkeys((19, 20, 22, 24), USUAL),
}
# The month's incidents. Late rows, tokens that end, a clock ahead and a message of the year 9999 are none.
INCIDENTS = [
    # Nobody but Genie writes this audit log, and nobody asks it anything for days.
    ("WARNING", "audit_is_fresh"),
    # The space that is private from the fourth day on, and the one that can never be exported.
    ("WARNING", "PERMISSION"),
    ("WARNING", "spaces_are_backed_up"),
    ("FINE AGAIN", "PERMISSION"),
    # The latter again: who may not manage a space cannot list its conversations, and ten days are over.
    ("WARNING", "spaces_are_reconciled"),
    ("WORSE", "audit_is_fresh"),
]
TOKENS_END_ON = {2, 3, 5, 20}


def made_up(begins: dt.datetime) -> Account:
    """Few messages, the first of them on the first day, and everything that was once missed or forgotten.

    Every run takes seconds, whatever it finds.
    """
    plain = generate_uniform(
        seed=11,
        anchor=begins + dt.timedelta(days=DAYS),
        conversations=(HISTORY + DAYS) // 3,
        messages_per_conversation=2,
        days=HISTORY + DAYS,
        workspaces=2,
    )
    at = ms(begins + dt.timedelta(days=1, hours=10))
    others = [each for each in SCENARIOS if each is not vote_after_a_read]
    return vote_after_a_read(with_scenarios(plain, at, others), at + 5 * 3_600_000)


def test_a_month_loads_itself_and_every_table_is_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins, bodies = midnight_before(DAYS + 1), cycle(BODIES)
    account = made_up(begins)
    with month(account, begins, tmp_path, monkeypatch) as lived:
        for day in lived.days(AWAKE):
            if day in TOKENS_END_ON:
                lived.sandbox.expire_tokens(refused_as=next(bodies))
        assert problems(account, lived.sandbox, Pipeline(), lived.clock) == [], lived.daemon.runs
        assert lived.failed == []
        told = metadata_of(lived.daemon.latest["genie_daily"], "genie_api_messages")["clock"]
        assert lived.told() == INCIDENTS
        assert re.match(r"Our clock is \d[\d.]* minutes ahead of Databricks'", told)


def problems(account: Account, sandbox: SandboxProcess, pipeline: Pipeline, clock: JumpingClock) -> list[str]:
    """How the tables differ from the truth, and which keys they hold twice."""
    expected = truth(account, at=sandbox.now_ms(), now=ms(clock.now()), urls=sandbox.urls, saw_all=True)
    # What was read before it was deleted stays, and is marked; the truth does not speak of it.
    gone = {
        (each.workspace_id, each.message_id)
        for each in account.messages
        if each.deleted_at and not each.returns_at
    }
    kept = [row for row in pipeline.rows(MESSAGE_DETAILS) if (row["workspace_id"], row["message_id"]) in gone]
    found = [] if kept and all(row["is_deleted"] for row in kept) else [f"deleted messages are not marked: {kept}"]
    for table in TABLES:
        rows = pipeline.rows(table)
        if table.name in expected:
            spoken_of = [
                row
                for row in rows
                if table is GENIE_MESSAGES_TO_FETCH or (row["workspace_id"], row.get("message_id")) not in gone
            ]
            found += differences(table, expected[table.name], spoken_of)
        found += doubled_keys(table, rows)
    return found
