"""What benchmarks share: a line per number, a sandbox with its references stored, work in a fresh process."""

import datetime as dt
import json
import os
import platform
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_sandbox.account import Message, save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

DAY = dt.date(2026, 3, 2)
ANCHOR = dt.datetime(2026, 3, 2, 22, tzinfo=dt.UTC)
_SEED = 1


@dataclass(frozen=True)
class Goal:
    """What a number should be: `at_least` or `at_most` this, or `below` it."""

    sign: str
    bound: float

    def is_met(self, value: float) -> bool:
        """Whether the number is as it should be."""
        return {">=": value >= self.bound, "<=": value <= self.bound, "<": value < self.bound}[self.sign]


def report(name: str, value: float, goal: Goal | None = None) -> bool:
    """Print one number as a JSON line; whether its goal is met. A number without a goal is only told."""
    ok = goal is None or goal.is_met(value)
    shown = None if goal is None else f"{goal.sign} {goal.bound:g}"
    print(json.dumps({"name": name, "value": float(f"{value:.4g}"), "goal": shown, "ok": ok}), flush=True)
    return ok


def command(what: str, measure: Callable[[bool], Iterable[bool]]) -> click.Command:
    """The command of a benchmark.

    Args:
        what: What it measures.
        measure: Measures, in small sizes if it is called with True; whether each goal is met.
    """

    @click.command(help=f"Measure {what}. Ends with status 1 if a goal is missed, unless it is quick.")
    @click.option("--quick", is_flag=True, help="Small sizes: shows that it works, proves nothing.")
    def main(quick: bool) -> None:
        # As Ctrl-C does: whatever was started ends, too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        results = list(measure(quick))
        sys.exit(not (quick or all(results)))

    return main


@dataclass(frozen=True)
class Scene:
    """A running sandbox, and a lakehouse that knows its messages from the audit log and nothing else."""

    sandbox: SandboxProcess
    lakehouse: Path

    def spec(self) -> dict[str, str]:
        """What another process needs to know."""
        return {
            "url": self.sandbox.host,
            "token": self.sandbox.token,
            "lakehouse": str(self.lakehouse),
            "day": DAY.isoformat(),
        }

    def message_requests(self) -> int:
        """Requests for messages that the sandbox has counted so far."""
        by_route = self.sandbox.requests(0)["by_route"]
        return sum(by_route.get(route, 0) for route in ("get_message", "list_messages"))


@contextmanager
def scene(*, conversations: int, messages_per_conversation: int, latency_ms: int = 0) -> Iterator[Scene]:
    """A sandbox with so many messages in one workspace, all of one day."""
    with TemporaryDirectory(prefix="genie-benchmark-") as folder:
        account = generate_uniform(
            seed=_SEED,
            anchor=ANCHOR,
            conversations=conversations,
            messages_per_conversation=messages_per_conversation,
            with_statements=False,
        )
        data, lakehouse = Path(folder, "account"), Path(folder, "lakehouse")
        save(account, data)
        messages = account.messages
        del account
        with SandboxProcess(data, sql=False) as sandbox:
            store_references(messages, sandbox.urls, lakehouse)
            del messages
            if latency_ms:
                for route in ("get_message", "list_messages"):
                    sandbox.faults({"effect": "latency", "route": route, "latency_ms": latency_ms})
            sandbox.reset_requests()
            yield Scene(sandbox, lakehouse)


def store_references(messages: Iterable[Message], urls: Mapping[str, str], lakehouse: Path) -> None:
    """Store what `audit_messages` would have found; `urls` are the workspaces' addresses."""
    frame = GENIE_MESSAGES_TO_FETCH.frame(
        {
            "event_date": DAY,
            "workspace_id": message.workspace_id,
            "workspace_url": urls[message.workspace_id],
            "space_id": message.space_id,
            "conversation_id": message.conversation_id,
            "message_id": message.message_id,
            "last_change_time": dt.datetime.fromtimestamp(message.states[0].at / 1000, dt.UTC),
            "is_new": True,
            "is_deleted": False,
        }
        for message in messages
    )
    open_lakehouse(str(lakehouse)).replace_day(GENIE_MESSAGES_TO_FETCH, DAY, frame)


Worker = Callable[[str, Mapping[str, Any]], dict[str, Any]]


def in_a_process(task: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Do one task of `benchmarks.worker` in a process of its own, so that memory and CPU are its own too."""
    hidden = ("DATABRICKS_", "GENIE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker", task],
        input=json.dumps(spec),
        env=environment | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def peak_rss_mb() -> float:
    """The most memory that this process has had, MB."""
    if platform.system() == "Linux":
        # ru_maxrss also remembers the parent, whose memory a new process shares for a moment.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if platform.system() == "Darwin" else peak / 1024
