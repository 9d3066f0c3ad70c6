"""A deployment as users run it: Dagster's webserver and daemon as processes, driven through GraphQL."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from genie_assets.commands.running import Runner

WORKSPACE = Path(__file__).resolve().parents[2] / "workspace.yaml"
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "genie_assets"}

_direct = build_opener(ProxyHandler({}))
T = TypeVar("T")


@dataclass
class Service:
    """A process that runs for long, with all that it starts; what it prints is kept."""

    command: Sequence[str | Path]
    home: Path
    env: Mapping[str, str]
    output: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.output.open("ab") as sink:
            self.process = subprocess.Popen(
                self.command, cwd=self.home, env=dict(self.env), stdout=sink, stderr=sink, start_new_session=True
            )

    def terminate(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """End its whole group, at once: nothing that it started may stay."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def again(self) -> None:
        self.kill()
        self.start()


@dataclass(frozen=True)
class Deployment:
    """A running webserver with its daemon."""

    home: Path
    url: str
    services: Mapping[str, Service] = field(default_factory=dict)

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

    def knows_its_code(self) -> bool:
        """Whether the webserver has reached the code location."""
        asked = """query ($selector: RepositorySelector!) { repositoryOrError(repositorySelector: $selector) {
            __typename } }"""
        return bool(self.graphql(asked, selector=REPOSITORY)["__typename"] == "Repository")

    def start_everything(self) -> None:
        """Switch on every schedule and every sensor."""
        asked = """query ($selector: RepositorySelector!) { repositoryOrError(repositorySelector: $selector) {
            __typename ... on Repository { schedules { name } sensors { name } }
            ... on PythonError { message } ... on RepositoryNotFoundError { message } } }"""
        shown = self.graphql(asked, selector=REPOSITORY)
        assert shown["__typename"] == "Repository", shown
        for sensor in shown["sensors"]:
            self.start_sensor(sensor["name"])
        for schedule in shown["schedules"]:
            self.graphql(
                """mutation ($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) {
                    __typename ... on PythonError { message } } }""",
                selector={**REPOSITORY, "scheduleName": schedule["name"]},
            )

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
def deployed(home: Path, settings: Mapping[str, str], *, with_code_server: bool = False) -> Iterator[Deployment]:
    """Run webserver and daemon, with these settings and no others, until the block ends.

    Args:
        home: DAGSTER_HOME.
        settings: The settings.
        with_code_server: Whether the code location is a process of its own, the runs' parent; each of both starts
            one otherwise.
    """
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
    workspace, commands = WORKSPACE, dict[str, list[str | Path]]()
    if with_code_server:
        # Without the heartbeat of `dagster code-server`, which goes by the clock on the wall.
        at = ["-h", "127.0.0.1", "-p", str(free_port())]
        named = ["-m", "genie_assets.definitions", "--location-name", REPOSITORY["repositoryLocationName"]]
        commands["code"] = [folder / "dagster", "api", "grpc", *at, *named]
        workspace = home / "workspace.yaml"
        server = {"host": at[1], "port": int(at[3]), "location_name": REPOSITORY["repositoryLocationName"]}
        workspace.write_text(json.dumps({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
    commands["webserver"] = [folder / "dagster-webserver", "-w", workspace, "-h", "127.0.0.1", "-p", str(port)]
    commands["daemon"] = [folder / "dagster-daemon", "run", "-w", workspace]
    services = {name: Service(command, home, env, home / f"{name}.txt") for name, command in commands.items()}
    deployment = Deployment(home, f"http://127.0.0.1:{port}", services)
    try:
        for service in services.values():
            service.start()
        wait_for("The webserver", lambda: answers(deployment.url), seconds=120)
        yield deployment
    finally:
        _end(list(services.values()))


def _end(services: Sequence[Service]) -> None:
    """Ask all to end, then end their groups."""
    for service in services:
        service.terminate()
    for service in services:
        if service.process is not None:
            with suppress(subprocess.TimeoutExpired):
                service.process.wait(20)
        service.kill()


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
