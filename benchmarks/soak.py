"""`python -m benchmarks.soak`: a load that is killed again and again loses and doubles nothing.

The load is what `genie_api_messages` does, in a process of its own that gets SIGKILL at random moments and is
started again until the day is done. What was delivered is counted at the server, what was kept in the tables.
"""

import datetime as dt
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import click
import pandas as pd

from benchmarks.measuring import Goal, report
from genie_assets.domain import ledger
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ERRORS,
    records,
)
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.batches import BATCH_SIZE
from genie_assets.pipeline.enriched_message_details import fold_day
from genie_assets.pipeline.inspection import day_state, outdated_errors
from genie_assets.pipeline.run import Run
from genie_sandbox.account import Message, save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

DAY = dt.date(2026, 3, 2)
_ANCHOR = dt.datetime(2026, 3, 2, 22, tzinfo=dt.UTC)
_SIZE = 5  # messages of a conversation that is fetched by one LIST
_POLL_SECONDS = 0.01
_STARTUP_SECONDS = 2.0
_KILLED_AT_STARTUP = 0.1
_LATENCY_MS = 40
_THREADS = 16  # of a load, as by default
_LIFE_LIMIT_SECONDS = 300.0
# What two loads of the same messages may differ in.
_OF_THE_LOAD = ("ingestion_batch_id", "ingestion_timestamp", "api_fetch_timestamp")

Key = tuple[str, str]


@dataclass(frozen=True)
class Load:
    """What is loaded, and how often the load is killed."""

    conversations: int  # of five messages
    single_messages: int
    failed_before: int  # of the single messages: with an open error that is due
    unknown: int  # messages that the API does not know
    kills: int
    seed: int = 1

    @property
    def messages(self) -> int:
        """Messages that can be read."""
        return self.conversations * _SIZE + self.single_messages


FULL = Load(1_200, 4_000, failed_before=300, unknown=100, kills=100)
QUICK = Load(200, 1_000, failed_before=60, unknown=20, kills=8)


@dataclass
class Outcome:
    """What was left in the end, and what each kill cost."""

    kills: int = 0
    fetched_again: list[int] = field(default_factory=list)  # by kill: messages delivered and not kept
    lost: int = 0
    doubled: int = 0
    wrong_errors: int = 0
    different_details: int = 0


class _Stage:
    """A sandbox, the messages to load from it, and lakehouses that know their references."""

    def __init__(self, load: Load, messages: Sequence[Message], sandbox: SandboxProcess, folder: Path) -> None:
        self.load, self.messages, self.sandbox = load, messages, sandbox
        self._folder = folder
        workspace_id, space_id = messages[0].workspace_id, messages[0].space_id
        self.unknown = [
            Message(workspace_id, space_id, f"gone{number}", f"gone{number}", ()) for number in range(load.unknown)
        ]
        self.failed_before = [each for each in messages if _is_single(each)][: load.failed_before]

    def lakehouse(self, name: str) -> Lakehouse:
        """New tables with what `audit_messages` found and with the errors of an earlier run."""
        lake = open_lakehouse(self.path(name))
        url = self.sandbox.host
        references = [_reference(each, url) for each in (*self.messages, *self.unknown)]
        lake.replace_day(GENIE_MESSAGES_TO_FETCH, DAY, GENIE_MESSAGES_TO_FETCH.frame(references))
        error = FetchError(ErrorClass.SERVER, "It broke.", http_status=500)
        errors = [
            ledger.failed(_ids(each), error, previous=None, event_date=DAY, now=_ANCHOR, jitter=0.5)
            for each in self.failed_before
        ]
        lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(errors))
        return lake

    def path(self, name: str) -> str:
        return str(self._folder / name)

    def start(self, name: str, run_id: str) -> "subprocess.Popen[str]":
        """Start a load in a process of its own."""
        spec = {
            "url": self.sandbox.host,
            "token": self.sandbox.token,
            "lakehouse": self.path(name),
            "day": DAY.isoformat(),
            "run_id": run_id,
        }
        hidden = ("DATABRICKS_", "GENIE_")
        environment = {each: value for each, value in os.environ.items() if not each.startswith(hidden)}
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", "fetch_day"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(spec))
        process.stdin.close()
        return process

    def delivered(self) -> int:
        """Looks at messages that the server has answered so far, the wanted ones and no others."""
        per_answer = {("list_messages", 200): _SIZE, ("get_message", 200): 1, ("get_message", 404): 1}
        counts = self.sandbox.requests(0)["counts"]
        return sum(per_answer.get((each["route"], each["status"]), 0) * each["count"] for each in counts)

    def wait_until_idle(self) -> None:
        while self.sandbox.requests(0)["in_flight"]:
            time.sleep(_POLL_SECONDS)


def kept(lake: Lakehouse) -> int:
    """Looks whose outcome is stored: answers, and errors of messages that are not there."""
    answers = len(lake.read(GENIE_API_MESSAGES, columns=["message_id"]))
    errors = lake.read(MESSAGE_FETCH_ERRORS, columns=["error_class"])
    return answers + int((errors["error_class"] == ErrorClass.NOT_FOUND).sum())


def most_per_kill() -> int:
    """What a kill can cost at the very most.

    The batch that is being committed, with the rest of the conversation that filled it, and the conversations that
    are being fetched or wait to be written: three for each thread, one of them in flight.
    """
    return BATCH_SIZE + _SIZE - 1 + 3 * _THREADS * _SIZE


def soak(load: Load) -> Outcome:
    """Load with kills, load once more without, and compare.

    Raises:
        RuntimeError: a load failed by itself.
    """
    rng = random.Random(load.seed)
    with _stage(load) as stage:
        outcome = Outcome()
        lake = stage.lakehouse("killed")
        _load_with_kills(stage, lake, rng, outcome)
        undisturbed = stage.lakehouse("undisturbed")
        process = stage.start("undisturbed", "undisturbed")
        _wait(process)
        _judge(stage, lake, undisturbed, outcome)
        return outcome


def _load_with_kills(stage: _Stage, lake: Lakehouse, rng: random.Random, outcome: Outcome) -> None:
    total = stage.load.messages + stage.load.unknown
    while True:
        before = kept(lake)
        stage.sandbox.reset_requests()
        process = stage.start("killed", f"life{outcome.kills}")
        if outcome.kills == stage.load.kills:
            _wait(process)
            return
        # Spread over what is left, with a little to spare, so that the load does not end before the last kill.
        aim = rng.uniform(0, 1.8 * (total - before) / (stage.load.kills - outcome.kills + 2))
        if rng.random() < _KILLED_AT_STARTUP:
            _sleep(process, rng.uniform(0, _STARTUP_SECONDS))
        else:
            while process.poll() is None and stage.delivered() <= aim:
                _sleep(process, _POLL_SECONDS)
            _sleep(process, rng.uniform(0, 0.1))
        if process.poll() is not None:
            _wait(process)
            return
        process.kill()
        process.wait()
        outcome.kills += 1
        stage.wait_until_idle()
        outcome.fetched_again.append(stage.delivered() - (kept(lake) - before))


def _sleep(process: "subprocess.Popen[str]", seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _wait(process: "subprocess.Popen[str]") -> None:
    if process.wait(_LIFE_LIMIT_SECONDS):
        raise RuntimeError(f"a load ended with status {process.returncode}")


def _judge(stage: _Stage, lake: Lakehouse, undisturbed: Lakehouse, outcome: Outcome) -> None:
    """Look at what the loads left."""
    wanted = {(each.workspace_id, each.message_id) for each in stage.messages}
    answers = records(lake.read(GENIE_API_MESSAGES, columns=["workspace_id", "message_id", "raw_json"]))
    stored = {(row["workspace_id"], row["message_id"]): row["raw_json"] for row in answers}
    outcome.doubled = len(answers) - len(stored)
    bodies = {(each.workspace_id, each.message_id): each.states[-1].body for each in stage.messages}
    outcome.lost = sum(key not in stored or json.loads(stored[key]) != bodies[key] for key in wanted)
    outcome.lost += len(stored.keys() - wanted)
    outcome.wrong_errors = _wrong_errors(stage, lake)
    for each in (lake, undisturbed):
        _fold(stage, each)
    outcome.different_details = len(_details(lake) ^ _details(undisturbed))
    outcome.doubled += len(lake.read(MESSAGE_DETAILS, columns=["message_id"])) - len(_details(lake))
    outcome.lost += abs(day_state(DAY, lake).accounting().lost)


def _wrong_errors(stage: _Stage, lake: Lakehouse) -> int:
    """Rows of the ledger that are not as they must be: healed where there is an answer, else open."""
    rows = records(lake.read(MESSAGE_FETCH_ERRORS))
    found = sorted((row["message_id"], row["error_class"], row["resolution"], row["retry_count"]) for row in rows)
    healed = [(each.message_id, str(ErrorClass.SERVER), str(ledger.FETCHED), 0) for each in stage.failed_before]
    still_open = [(each.message_id, str(ErrorClass.NOT_FOUND), None, 0) for each in stage.unknown]
    expected = sorted([*healed, *still_open], key=lambda row: row[0])
    wrong = len(set(map(str, found)) ^ set(map(str, expected))) + abs(len(found) - len(expected))
    return wrong + len(outdated_errors(DAY, lake))


class _NoHistory:
    """Query history without a row: the statements are not what is tested."""

    regions: Mapping[str, str | None] = {}
    chosen_workspaces: Collection[str] = ()

    def query_history(self, *_: Any, **__: Any) -> pd.DataFrame:
        return pd.DataFrame()


def _fold(stage: _Stage, lake: Lakehouse) -> None:
    workspaces = Workspaces(stage.sandbox.host, token=stage.sandbox.token, policy=HostPolicy(("127.0.0.1:*",)))
    run = Run(DAY, "fold", lambda: dt.datetime.now(dt.UTC))
    fold_day(run, system_tables=_NoHistory(), genie=GenieApi(workspaces), lake=lake)  # type: ignore[arg-type]


def _details(lake: Lakehouse) -> set[str]:
    rows = records(lake.read(MESSAGE_DETAILS))
    return {repr({name: value for name, value in row.items() if name not in _OF_THE_LOAD}) for row in rows}


@contextmanager
def _stage(load: Load) -> Iterator[_Stage]:
    account = generate_uniform(
        seed=load.seed,
        anchor=_ANCHOR,
        conversations=load.conversations + -(-load.single_messages // _SIZE),
        messages_per_conversation=_SIZE,
        with_statements=False,
    )
    whole = load.conversations * _SIZE
    alone = map(_alone, account.messages[whole : whole + load.single_messages])
    account = replace(account, messages=(*account.messages[:whole], *alone))
    with TemporaryDirectory(prefix="genie-soak-") as folder:
        save(account, Path(folder, "account"))
        with SandboxProcess(Path(folder, "account"), sql=False) as sandbox:
            for route in ("get_message", "list_messages"):
                sandbox.faults({"effect": "latency", "route": route, "latency_ms": _LATENCY_MS})
            yield _Stage(load, account.messages, sandbox, Path(folder))


def _alone(message: Message) -> Message:
    """The message in a conversation of its own."""
    conversation_id = f"of-{message.message_id}"
    states = tuple(
        replace(state, body=state.body | {"conversation_id": conversation_id}) for state in message.states
    )
    return replace(message, conversation_id=conversation_id, states=states)


def _is_single(message: Message) -> bool:
    return message.conversation_id == f"of-{message.message_id}"


def _ids(message: Message) -> dict[str, str | None]:
    return {
        "workspace_id": message.workspace_id,
        "space_id": message.space_id,
        "conversation_id": message.conversation_id,
        "message_id": message.message_id,
    }


def _reference(message: Message, url: str) -> Mapping[str, Any]:
    return {
        **_ids(message),
        "event_date": DAY,
        "workspace_url": url,
        "last_change_time": _ANCHOR,
        "is_new": True,
        "is_deleted": False,
    }


def tell(load: Load, outcome: Outcome) -> Iterator[bool]:
    """Print everything; yields for each number whether its goal is met."""
    yield report("kills", outcome.kills, Goal(">=", load.kills))
    yield report("messages_lost", outcome.lost, Goal("<=", 0))
    yield report("messages_doubled", outcome.doubled, Goal("<=", 0))
    yield report("ledger_rows_wrong", outcome.wrong_errors, Goal("<=", 0))
    yield report("details_different_from_an_undisturbed_load", outcome.different_details, Goal("<=", 0))
    yield report("fetched_again_per_kill", mean(outcome.fetched_again), Goal("<=", BATCH_SIZE))
    yield report("fetched_again_at_most", max(outcome.fetched_again), Goal("<=", most_per_kill()))


@click.command()
@click.option("--quick", is_flag=True, help="Few kills: shows that it works, proves little.")
def main(quick: bool) -> None:
    """Kill a load again and again. Ends with status 1 if a goal is missed."""
    load = QUICK if quick else FULL
    results = list(tell(load, soak(load)))
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
