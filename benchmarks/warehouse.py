"""`python -m benchmarks.warehouse`: what tables in Unity Catalog cost the SQL warehouse, counted on the sandbox.

One JSON object per line and per step of a day: statements sent, files staged, bytes to and from the warehouse.
Then what whole runs cost, each with its goal, and what a quiet day costs with all schedules and sensors on.
Everything is counted by the sandbox and does not depend on the speed of the machine.
"""

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from benchmarks.measuring import in_a_process
from genie_sandbox.account import Account, save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

DAY = dt.date(2026, 3, 2)
_EVENING = dt.datetime(2026, 3, 2, 21, tzinfo=dt.UTC)
_ANCHOR = dt.datetime(2026, 3, 2, 22, tzinfo=dt.UTC)
_MESSAGES_PER_CONVERSATION = 5
# Of fewer, so few have changed within half an hour that what every run reads is all there is to see.
_MANY = 2_000
# As shipped: the schedules run today and the look hourly, this many closed days, the checks and spaces daily.
# Sensors ask no warehouse.
SETTLED_DAYS = 3
# What a real question's SQL has more than a made-up one: some joins and conditions; and what Genie says of it.
_MORE_SQL = "".join(
    f"\n  LEFT JOIN main.sales.dimension_{n} AS d{n} ON d{n}.id = f.dimension_{n}_id AND d{n}.is_current AND "
    f"d{n}.valid_from <= f.booked_on AND f.booked_on < coalesce(d{n}.valid_to, DATE'9999-12-31')"
    for n in range(10)
)
_PROSE = "The revenue that was booked in each region and quarter, refunds left out, as a share of the whole. " * 4
STEPS = ("audit_messages", "genie_api_messages", "enriched_message_details", "checks")


@click.command()
@click.option("--messages", default=10_000, show_default=True, help="Messages of the day.")
@click.option("--quick", is_flag=True, help="A hundred messages: shows that it works.")
def main(messages: int, quick: bool) -> None:
    """Load a day into Unity Catalog, twice, and tell what the warehouse was asked."""
    measure(100 if quick else messages)


def measure(messages: int, tell: Callable[[str], None] = print) -> None:
    """Load a day of so many messages twice: everything is new, then nothing is."""
    with TemporaryDirectory(prefix="genie-benchmark-") as folder:
        account = _account(messages)
        save(account, Path(folder, "account"))
        with SandboxProcess(Path(folder, "account")) as sandbox:
            environment = sandbox.environment() | {"GENIE_LAKEHOUSE": "uc://main.genie_analytics"}
            for run in ("first", "again"):
                for step in STEPS:
                    sandbox.reset_requests()
                    started = time.monotonic()
                    in_a_process("unity_step", {"step": step, "day": DAY.isoformat(), "environment": environment})
                    asked = sandbox.requests(0)
                    line = {
                        "run": run,
                        "step": step,
                        "messages": len(account.messages),
                        "statements": asked["by_call"].get("POST statements", 0),
                        "files_staged": asked["by_call"].get("PUT files", 0),
                        "bytes_staged": asked["received_bytes"].get("files", 0),
                        "bytes_of_statements": asked["received_bytes"].get("statements", 0),
                        "bytes_of_results": _bytes_of_results(asked),
                        "seconds": round(time.monotonic() - started, 1),
                    }
                    tell(json.dumps(line))
            runs(environment, sandbox, len(account.messages), tell)
        hourly(account, Path(folder, "account"), tell)
        if messages >= _MANY:
            long = _with_long_answers(account)
            save(long, Path(folder, "long"))
            hourly(long, Path(folder, "long"), tell, "_of_long_answers", goal=200)


def runs(
    environment: Mapping[str, str], sandbox: SandboxProcess, messages: int, tell: Callable[[str], None]
) -> None:
    """What whole runs cost, with tables that are there and hold nothing of the day at first."""
    cost = partial(_cost, {**environment, "GENIE_LAKEHOUSE": "uc://main.runs"}, sandbox)

    cost("genie_daily", DAY - dt.timedelta(days=1))
    new, _ = cost("genie_daily")
    quiet, results = cost("genie_daily")
    settled, _ = cost("genie_daily", days_later=1)
    a_day = {job: cost(job)[0] for job in ("genie_standing_checks", "genie_spaces")}
    look, _ = cost("genie_late_days")
    weekly, _ = cost("genie_maintenance")
    quiet_day = 24 * (quiet + look) + SETTLED_DAYS * settled + sum(a_day.values()) + round(weekly / 7)
    for name, value, goal in (
        ("statements_of_a_quiet_run", quiet, 12),
        ("bytes_of_results_of_a_quiet_run", results, 100_000),
        ("statements_of_a_run_with_new_messages", new, 50),
        ("statements_of_a_settled_day_folded_as_a_whole", settled, None),
        ("statements_of_the_hourly_look", look, None),
        ("statements_of_a_quiet_day_with_everything_on", quiet_day, 400),
    ):
        line = {"name": name, "messages": messages, "value": value, "goal": goal}
        tell(json.dumps({**line, "ok": goal is None or value <= goal}))


def statements_of_new_messages(messages: int) -> int:
    """How many statements a run sends that finds so many new messages of a day, in tables that are there."""
    with TemporaryDirectory(prefix="genie-benchmark-") as folder:
        save(_account(messages), Path(folder))
        with SandboxProcess(Path(folder)) as sandbox:
            cost = partial(_cost, sandbox.environment() | {"GENIE_LAKEHOUSE": "uc://main.new"}, sandbox)
            cost("genie_daily", DAY - dt.timedelta(days=1))
            return cost("genie_daily")[0]


def _account(messages: int) -> Account:
    return generate_uniform(
        seed=1,
        anchor=_ANCHOR,
        conversations=messages // _MESSAGES_PER_CONVERSATION,
        messages_per_conversation=_MESSAGES_PER_CONVERSATION,
    )


def _cost(
    environment: Mapping[str, str], sandbox: SandboxProcess, job: str, day: dt.date = DAY, days_later: int = 0
) -> tuple[int, int]:
    """Statements, and bytes of their results, of one run of a job."""
    sandbox.reset_requests()
    spec = {"job": job, "day": day.isoformat(), "days_later": days_later, "environment": environment}
    in_a_process("unity_job", spec)
    asked = sandbox.requests(0)
    return asked["by_call"].get("POST statements", 0), _bytes_of_results(asked)


def _bytes_of_results(asked: Mapping[str, Any]) -> int:
    sent = asked["sent_bytes"]
    return int(sent.get("statements", 0) + sent.get("presigned", 0))


def _with_long_answers(account: Account) -> Account:
    """The account with answers as long as those to real questions are: joins, filters and an explanation."""

    def long(body: dict[str, Any]) -> dict[str, Any]:
        attachments = [
            {
                **each,
                "query": {**each["query"], "query": each["query"]["query"] + _MORE_SQL, "description": _PROSE},
            }
            if "query" in each
            else each
            for each in body.get("attachments") or ()
        ]
        return {**body, "attachments": attachments} if attachments else body

    messages = (
        replace(each, states=tuple(replace(state, body=long(state.body)) for state in each.states))
        for each in account.messages
    )
    return replace(account, messages=tuple(messages))


def hourly(
    account: Account,
    folder: Path,
    tell: Callable[[str], None] = print,
    kind: str = "",
    goal: int | None = None,
) -> None:
    """What the fold of today reads when it holds many messages and some minutes have brought a few.

    Args:
        account: The account.
        folder: Where it is saved.
        tell: Is given each line.
        kind: Of the account; names end with it.
        goal: How much may be read for a hundred bytes of changed answers.
    """
    with SandboxProcess(folder, clock_ms=round(_EVENING.timestamp() * 1000)) as sandbox:
        environment = sandbox.environment() | {"GENIE_LAKEHOUSE": "uc://main.hourly"}
        done: dict[str, Any] = {}
        for at in (_EVENING, _EVENING + dt.timedelta(minutes=30)):
            sandbox.set_clock(round(at.timestamp() * 1000))
            for number, step in enumerate(STEPS[:3]):
                sandbox.reset_requests()
                moment = (at + dt.timedelta(minutes=number)).isoformat()
                spec = {"step": step, "day": DAY.isoformat(), "at": moment, "environment": environment}
                done = in_a_process("unity_step", spec)
        asked = sandbox.requests(0)
    folded, results = done["messages"], _bytes_of_results(asked)
    staged = asked["received_bytes"].get("files", 0)
    sizes = [len(json.dumps(each.states[-1].body)) for each in account.messages]
    for name, value, most in (
        ("messages_of_an_hourly_fold", folded, None),
        ("bytes_of_an_answer", sum(sizes) / len(sizes), None),
        ("bytes_of_results_of_an_hourly_fold_per_message", results / max(1, folded), None),
        (
            "bytes_of_results_of_an_hourly_fold_per_100_of_answers",
            100 * results * len(sizes) / max(1, folded * sum(sizes)),
            goal,
        ),
        ("bytes_staged_by_an_hourly_fold_per_message", staged / max(1, folded), None),
    ):
        line = {"name": name + kind, "messages": len(account.messages), "value": round(value), "goal": most}
        tell(json.dumps({**line, "ok": most is None or value <= most}))


if __name__ == "__main__":
    main()
