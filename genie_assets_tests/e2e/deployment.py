"""A deployment as users run it: Dagster's webserver and daemon as processes, driven through GraphQL."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from genie_assets.commands.running import Runner

WORKSPACE = Path(__file__).resolve().parents[2] / "workspace.yaml"
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "genie_assets"}

_direct = build_opener(ProxyHandler({}))
T = TypeVar("T")


@dataclass(frozen=True)
class Deployment:
    """A running webserver with its daemon."""

    home: Path
    url: str

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the query or mutation gives; it must have exactly one field at its top."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with _direct.open(request, timeout=60) as answer:
            shown = json.load(answer)
        assert "errors" not in shown, shown
        (value,) = shown["data"].values()
        return dict(value)

    def backfill(self, assets: list[str], days: list[str]) -> str:
        """Launch a backfill; the result is its id."""
        launched = self.graphql(
            """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
                __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            params={"assetSelection": [{"path": [name]} for name in assets], "partitionNames": days},
        )
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return str(launched["backfillId"])

    def backfill_status(self, backfill_id: str) -> str:
        shown = self.graphql(
            """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
                ... on PartitionBackfill { status } } }""",
            id=backfill_id,
        )
        return str(shown["status"])

    def start_sensor(self, name: str) -> None:
        started = self.graphql(
            """mutation ($selector: SensorSelector!) { startSensor(sensorSelector: $selector) {
                __typename ... on Sensor { sensorState { status } } ... on PythonError { message } } }""",
            selector={**REPOSITORY, "sensorName": name},
        )
        assert started["sensorState"]["status"] == "RUNNING", started

    def ticks(self, name: str) -> list[dict[str, Any]]:
        """The sensor's ticks that have ended, the first one first."""
        shown = self.graphql(
            """query ($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { ... on Sensor {
                sensorState { ticks { timestamp status skipReason runIds error { message } } } } } }""",
            selector={**REPOSITORY, "sensorName": name},
        )
        ticks = [tick for tick in shown["sensorState"]["ticks"] if tick["status"] != "STARTED"]
        return sorted(ticks, key=lambda tick: tick["timestamp"])


def wait_for(what: str, look: Callable[[], T], *, seconds: float) -> T:
    """Look until there is something.

    Raises:
        TimeoutError: naming what did not come.
    """
    latest = time.monotonic() + seconds
    while time.monotonic() < latest:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise TimeoutError(f"{what} did not come within {seconds:g} seconds")


@contextmanager
def deployed(home: Path, settings: Mapping[str, str]) -> Iterator[Deployment]:
    """Run webserver and daemon, with these settings and no others, until the block ends."""
    # One process makes the home's database: two at once would race.
    Runner(home).close()
    port = free_port()
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DATABRICKS_", "GENIE_", "DAGSTER_"))
    }
    env |= {**settings, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "yes"}
    folder = Path(sys.executable).parent
    commands: dict[str, list[str | Path]] = {
        "webserver": [folder / "dagster-webserver", "-w", WORKSPACE, "-h", "127.0.0.1", "-p", str(port)],
        "daemon": [folder / "dagster-daemon", "run", "-w", WORKSPACE],
    }
    deployment = Deployment(home, f"http://127.0.0.1:{port}")
    processes = []
    try:
        for name, command in commands.items():
            with (home / f"{name}.txt").open("wb") as sink:
                processes.append(
                    subprocess.Popen(command, cwd=home, env=env, stdout=sink, stderr=sink, start_new_session=True)
                )
        wait_for("The webserver", lambda: answers(deployment.url), seconds=120)
        yield deployment
    finally:
        _end(processes)


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask all to end, then end their groups: nothing that they started may stay."""
    for process in processes:
        process.terminate()
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(url: str) -> bool:
    """Whether a webserver is ready there."""
    try:
        with _direct.open(f"{url}/server_info", timeout=5) as answer:
            return answer.status == 200
    except (URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
