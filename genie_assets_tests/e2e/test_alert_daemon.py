"""The sensor `alerts` under a real daemon that is killed: what was told is known to the next one."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import InstigatorType

from genie_assets.commands.running import Runner
from genie_assets_tests.e2e.deployment import WORKSPACE, wait_for
from genie_assets_tests.gateways.stub_server import Reply, StubServer, always

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FAILS = ("audit_is_fresh", dg.AssetKey(["system", "access", "audit"]))


@contextmanager
def daemon(home: Path, settings: Mapping[str, str]) -> Iterator[None]:
    """A daemon with these settings and no others, which is killed at the end of the block."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "GENIE_"))}
    env |= {**settings, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "yes"}
    command = [str(Path(sys.executable).parent / "dagster-daemon"), "run", "-w", str(WORKSPACE)]
    with (home / "daemon.txt").open("ab") as sink:
        process = subprocess.Popen(command, cwd=home, env=env, stdout=sink, stderr=sink, start_new_session=True)
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_an_incident_is_told_once_though_the_daemon_is_killed_and_the_sensor_was_never_switched_on(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    Runner(home).close()
    with (
        StubServer(always(Reply())).running() as web,
        dg.DagsterInstance.from_config(str(home)) as instance,
    ):
        settings = {
            "GENIE_ALERT_CHANNELS": f"json://127.0.0.1:{web.port}/hook",
            "GENIE_ALERT_HEARTBEAT_URL": f"{web.url}/beat",
        }
        evaluate(instance, passed=False)
        with daemon(home, settings):
            wait_for("What the first tick leaves", lambda: kept(instance), seconds=180)
        beats = web.paths().count("/beat")
        with daemon(home, settings):
            wait_for("A tick of the next daemon", lambda: web.paths().count("/beat") > beats, seconds=180)
    told = [json.loads(each.body)["title"] for each in web.requests if each.path == "/hook"]
    assert told == ["genie-assets: 1 broken"]


def kept(instance: dg.DagsterInstance) -> bool:
    """Whether Dagster keeps what a tick of the sensor has told."""
    states = instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
    cursors = [getattr(state.instigator_data, "cursor", None) for state in states if state.name == "alerts"]
    return any("told" in (cursor or "") for cursor in cursors)


def evaluate(instance: dg.DagsterInstance, *, passed: bool) -> None:
    name, key = FAILS
    evaluated = dg.AssetCheckEvaluation(asset_key=key, check_name=name, passed=passed, metadata={})
    event_type = dg.DagsterEventType.ASSET_CHECK_EVALUATION.value
    event = dg.DagsterEvent(event_type, job_name="genie_standing_checks", event_specific_data=evaluated)
    instance.report_dagster_event(event, run_id=str(uuid.uuid4()))
