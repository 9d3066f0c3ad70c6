"""A deployment as `deploy/compose.yaml` says, without containers: the image's steps, its processes, Postgres."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml  # type: ignore[import-untyped]
from packaging.utils import canonicalize_name

from genie_assets.domain.tables import MESSAGE_DETAILS, records
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.e2e.conftest import CHECKOUT, lend_dependencies
from genie_assets_tests.e2e.deployment import REPOSITORY, Deployment, Service, answers, free_port, wait_for
from genie_assets_tests.e2e.image import Image
from genie_assets_tests.e2e.pipelines import days_of, recent_anchor, sandbox_of
from genie_assets_tests.e2e.postgres import PASSWORD, Postgres, postgres, programs
from genie_assets_tests.test_project_files import pins
from genie_sandbox.made_up.uniform import generate_uniform

pytestmark = [pytest.mark.timeout(900)]

COMPOSE = yaml.safe_load((CHECKOUT / "deploy/compose.yaml").read_text(encoding="utf-8"))["services"]
LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
END = """mutation ($ids: [String!]!) { terminateRuns(runIds: $ids, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) {
    __typename } }"""
ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


def service(name: str, image: Image, settings: Mapping[str, str]) -> Service:
    """A service of the compose file as a process here; its end is that of a container."""
    program, *arguments = (image.here(word) for word in COMPOSE[name]["command"])
    command: list[str | Path] = [Path(image.environment["PATH"]) / program, *arguments]
    return Service(command, image.folder, image.env(**settings), image.root / f"{name}.txt")


@dataclass
class Composed:
    """All services, running."""

    services: dict[str, Service]
    server: Postgres
    ui: Deployment
    instance: dg.DagsterInstance

    def launch(self, day: str) -> str:
        selector = {**REPOSITORY, "pipelineName": "genie_daily"}
        tags = [{"key": "dagster/partition", "value": day}]
        params = {"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}}
        launched = self.ui.graphql(LAUNCH, params=params)
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        return self.instance.get_run_by_id(run_id).status

    def waits_for(self, status: dg.DagsterRunStatus, run_id: str) -> None:
        wait_for(
            f"{status} of {run_id}",
            lambda: (seen := self.status(run_id)) == status or (seen in ENDED and pytest.fail(f"it is {seen}")),
            seconds=240,
        )


def settings_of(name: str, server: Postgres) -> dict[str, str]:
    """What the compose file sets for a service, with this machine for its hosts."""
    given: dict[str, Any] = COMPOSE[name]["environment"]
    here = {"DAGSTER_POSTGRES_HOST": "127.0.0.1", "DAGSTER_CODE_HOST": "127.0.0.1"}
    here["DAGSTER_POSTGRES_PORT"] = str(server.port)
    return {
        key: here.get(key, re.sub(r"^\$\{POSTGRES_PASSWORD:.*\}$", lambda _: PASSWORD, value))
        for key, value in given.items()
        if key != "GENIE_LAKEHOUSE"
    }


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Built with our dependencies lent to it: another test installs them all."""
    ports = {"4000": str(free_port()), "3000": str(free_port()), "0.0.0.0": "127.0.0.1"}
    image = Image(tmp_path_factory.mktemp("image"), ports)
    image.build(PIP_NO_DEPS="1", PIP_NO_CACHE_DIR="")
    lend_dependencies(image.root / "opt/genie")
    lend_programs(image.root / "opt/genie/bin", ("dagster", "dagster-daemon", "dagster-webserver"))
    return image


def lend_programs(folder: Path, names: tuple[str, ...]) -> None:
    """The programs of packages that are lent: what pip would have written."""
    for name in names:
        (found,) = entry_points(group="console_scripts", name=name)
        text = f"#!{folder}/python\nfrom {found.module} import {found.attr}\n{found.attr}()\n"
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)


@pytest.mark.long
@pytest.mark.skipif(programs() is None and not os.environ.get("CI"), reason="no Postgres on this machine")
def test_days_are_loaded_through_the_queue_and_nothing_is_lost_whichever_process_is_killed(image, tmp_path):
    account = generate_uniform(
        seed=5, anchor=recent_anchor(), conversations=12, messages_per_conversation=3, days=3, workspaces=1
    )
    days = [day.isoformat() for day in days_of(account)]
    lakehouse = str(tmp_path / "lakehouse")
    with sandbox_of(account, tmp_path / "account") as sandbox, postgres() as server:
        settings = {**sandbox.environment(), "GENIE_LAKEHOUSE": lakehouse, "GENIE_REQUESTS_PER_SECOND": "1000"}
        with composed(image, server, settings) as all_of_it:
            first = all_of_it.launch(days[0])
            all_of_it.waits_for(dg.DagsterRunStatus.SUCCESS, first)
            limits = all_of_it.instance.event_log_storage.get_concurrency_info("genie_api")
            assert limits.slot_count == 1

            sandbox.faults({"effect": "latency", "latency_ms": 1500})
            under_way, queued = all_of_it.launch(days[1]), all_of_it.launch(days[2])
            all_of_it.waits_for(dg.DagsterRunStatus.STARTED, under_way)
            all_of_it.services["webserver"].again()
            all_of_it.services["daemon"].again()
            assert all_of_it.status(queued) == dg.DagsterRunStatus.QUEUED, "one run at a time"
            sandbox.clear_faults()
            all_of_it.waits_for(dg.DagsterRunStatus.SUCCESS, under_way)

            sandbox.faults({"effect": "latency", "latency_ms": 3000})
            all_of_it.waits_for(dg.DagsterRunStatus.STARTED, queued)
            # What it takes with it looks alive until somebody ends it: docs/deployment.md says so.
            all_of_it.services["code"].again()
            sandbox.clear_faults()
            wait_for("The webserver", lambda: answers(all_of_it.ui.url), seconds=120)
            assert all_of_it.status(queued) == dg.DagsterRunStatus.STARTED
            all_of_it.ui.graphql(END, ids=[queued])
            server.kill()
            server.start()
            last = wait_for("The code server", lambda: launched(all_of_it, days[2]), seconds=120)
            all_of_it.waits_for(dg.DagsterRunStatus.SUCCESS, last)
        stored = {row["message_id"] for row in records(open_lakehouse(lakehouse).read(MESSAGE_DETAILS))}
    assert stored == {one.message_id for one in account.messages}


def launched(deployment: Composed, day: str) -> str | None:
    """A run of the day, as soon as the processes have found each other again."""
    try:
        return deployment.launch(day)
    except (AssertionError, OSError, KeyError):
        return None


@contextmanager
def composed(image: Image, server: Postgres, settings: Mapping[str, str]) -> Iterator[Composed]:
    """All services of the compose file, started in the order in which they wait for each other."""
    services = {
        name: service(name, image, {**settings_of(name, server), **(settings if name == "code" else {})})
        for name in ("migrate", "code", "webserver", "daemon")
    }
    port = image.said_otherwise["3000"]
    try:
        services["migrate"].start()
        assert services["migrate"].process.wait(120) == 0, (image.root / "migrate.txt").read_text(encoding="utf-8")
        services["code"].start()
        health = [image.here(word) for word in COMPOSE["code"]["healthcheck"]["test"][1:]]
        wait_for("The code server", lambda: _is_healthy(image, health), seconds=120)
        services["webserver"].start()
        services["daemon"].start()
        ui = Deployment(image.root, f"http://127.0.0.1:{port}")
        wait_for("The webserver", lambda: answers(ui.url), seconds=120)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in settings_of("daemon", server).items():
                patch.setenv(name, value)
            with dg.DagsterInstance.from_config(image.environment["DAGSTER_HOME"]) as instance:
                yield Composed(services, server, ui, instance)
    finally:
        for each in services.values():
            each.kill()


def _is_healthy(image: Image, command: list[str]) -> bool:
    program = Path(image.environment["PATH"]) / command[0]
    done = subprocess.run([program, *command[1:]], env=image.env(), capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.rare
def test_the_image_holds_what_is_pinned_and_can_be_imported_and_neither_java_nor_a_sandbox(tmp_path):
    """All of it is installed, from wherever pip does."""
    image = Image(tmp_path / "image")
    image.root.mkdir()
    image.build(PIP_NO_CACHE_DIR="")
    frozen = image.run("/opt/genie/bin/python -m pip freeze").splitlines()
    lines = (line.split("==") for line in frozen if "==" in line)
    versions = {canonicalize_name(name): version for name, version in lines}
    pinned = pins()
    assert {name for name in versions if versions[name] != pinned.get(name)} == {"pyspark-client"}
    assert not versions.keys() & {"pyspark", "py4j", "pysail"}
    assert list(image.root.rglob("*.jar")) == []
    image.run("/opt/genie/bin/python -c 'import genie_assets.definitions, dagster_postgres, dagster_k8s'")
