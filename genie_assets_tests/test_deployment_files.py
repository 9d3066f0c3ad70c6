"""The files of deployments, compared with the project and each other; `e2e/test_image.py` starts what they say."""

import re
import shlex
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped]
from dagster._cli.code_server import start_command
from dagster._core.instance.config import dagster_instance_config

from genie_assets.pool import GENIE_API_POOL
from genie_assets.settings import Settings
from genie_assets_tests.e2e.image import steps
from genie_assets_tests.test_documents import text_of
from genie_assets_tests.test_project_files import pins

CHECKOUT = Path(__file__).resolve().parents[1]


def read(name: str) -> Any:
    return yaml.safe_load((CHECKOUT / name).read_text(encoding="utf-8"))


COMPOSE, HELM, CLOUD = read("deploy/compose.yaml"), read("deploy/helm-values.yaml"), read("dagster_cloud.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if name != "postgres"}
INSTANCE = read("deploy/dagster.yaml")
(HELM_CODE,) = HELM["dagster-user-deployments"]["deployments"]


def environment_of(tree: Any) -> set[str]:
    """The variables that a file of Dagster's looks up."""
    if isinstance(tree, dict) and tree.keys() == {"env"}:
        return {tree["env"]}
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return set().union(*map(environment_of, parts))


def options_of(words: list[str]) -> dict[str, Any]:
    """What `dagster code-server start` makes of its words; it refuses what it does not know."""
    with click.Context(start_command) as context:
        start_command.parse_args(context, list(words))
        return context.params


def last_stage() -> dict[str, str]:
    return dict(steps())


def test_the_instance_is_the_projects_own_on_postgres(monkeypatch):
    assert {name: INSTANCE[name] for name in INSTANCE if name not in ("storage", "compute_logs")} == read(
        "dagster.yaml"
    )
    for name in environment_of(INSTANCE):
        monkeypatch.setenv(name, "1")
    dagster_instance_config(str(CHECKOUT / "deploy"))  # raises where Dagster does not know a key


def test_every_variable_that_instance_and_workspace_look_up_is_set_for_each_process():
    wanted = environment_of(INSTANCE) | environment_of(read("deploy/workspace.yaml"))
    assert wanted == {
        "DAGSTER_CODE_HOST",
        *(f"DAGSTER_POSTGRES_{name}" for name in ("HOST", "PORT", "USER", "PASSWORD", "DB")),
    }
    for name, service in OURS.items():
        assert wanted <= service["environment"].keys(), name
    server = SERVICES["postgres"]["environment"]
    for ours in (service["environment"] for service in OURS.values()):
        for name in ("USER", "PASSWORD", "DB"):
            assert ours[f"DAGSTER_POSTGRES_{name}"] == server[f"POSTGRES_{name}"]
        assert ours["DAGSTER_POSTGRES_HOST"] in SERVICES
        assert SERVICES[ours["DAGSTER_CODE_HOST"]] is SERVICES["code"]


def test_only_the_code_server_is_given_settings_and_they_exist():
    known = {name.upper() for name in Settings.model_fields}
    for name, service in SERVICES.items():
        given = {each for each in service["environment"] if each.startswith(("GENIE_", "DATABRICKS_", "ARM_"))}
        assert given <= (known if name == "code" else set())
    assert [name for name, each in SERVICES.items() if "env_file" in each] == ["code"]


def test_the_code_server_has_one_module_name_and_port_wherever_it_is_started():
    command = yaml.safe_load(last_stage()["CMD"])
    assert SERVICES["code"]["command"] == command
    (workspace,) = read("deploy/workspace.yaml")["load_from"]
    (helm_server,) = HELM["dagsterWebserver"]["workspace"]["servers"]
    (location,) = CLOUD["locations"]
    of_image = options_of(command[3:])
    of_helm = options_of([*HELM_CODE["codeServerArgs"], "--port", str(HELM_CODE["port"])])
    (project,) = read("workspace.yaml")["load_from"]
    module, name = project["python_module"]["module_name"], project["python_module"]["location_name"]
    assert {of_image["module_name"], of_helm["module_name"]} == {module}
    assert location["code_source"]["module_name"] == module
    names = {of_image["location_name"], of_helm["location_name"], helm_server["name"], location["location_name"]}
    assert names | {workspace["grpc_server"]["location_name"]} == {name}
    health = SERVICES["code"]["healthcheck"]["test"][-1]
    ports = {of_image["port"], of_helm["port"], helm_server["port"], workspace["grpc_server"]["port"], int(health)}
    assert ports == {int(last_stage()["EXPOSE"])}
    assert helm_server["host"] == HELM_CODE["name"]


def test_the_webserver_is_reached_from_this_machine_only_and_on_its_own_port():
    command = SERVICES["webserver"]["command"]
    port = command[command.index("--port") + 1]
    assert SERVICES["webserver"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["webserver"]


def test_nobody_is_root_and_whoever_waits_for_a_service_waits_for_one_that_says_so():
    user, _, group = last_stage()["USER"].partition(":")
    assert int(user) == int(group) == HELM_CODE["securityContext"]["runAsUser"] > 0
    owned = dict(re.findall(r"--(owner|group)=(\d+)", dict(_stage_runs())["install"]))
    assert owned == {"owner": user, "group": group}
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            assert ("healthcheck" in SERVICES[name]) == (how["condition"] == "service_healthy")


def _stage_runs() -> list[tuple[str, str]]:
    return [(shlex.split(rest)[0], rest) for word, rest in steps() if word == "RUN"]


def test_what_the_image_copies_exists_and_is_not_kept_from_it():
    let_in = {line[1:] for line in text_of(".dockerignore").splitlines() if line.startswith("!")}
    copied = {
        source
        for word, rest in steps()
        if word == "COPY" and not rest.startswith("--from")
        for source in shlex.split(rest)[:-1]
    }
    assert copied == let_in
    assert all((CHECKOUT / each).exists() for each in copied)


def test_volumes_are_where_the_image_has_a_folder_of_its_user():
    made = set(re.findall(r"/opt/\S+", dict(_stage_runs())["install"]))
    mounted = {each.split(":")[1] for service in OURS.values() for each in service["volumes"]}
    assert mounted <= made
    assert INSTANCE["compute_logs"]["config"]["base_dir"] in made
    assert {each.split(":")[0] for one in SERVICES.values() for each in one.get("volumes", [])} == {
        *COMPOSE["volumes"]
    }


def test_helm_limits_runs_and_the_pool_as_the_instance_does():
    runs, pools = INSTANCE["concurrency"]["runs"], INSTANCE["concurrency"]["pools"]
    assert HELM["concurrency"] == {
        "enabled": True,
        "runs": {"maxConcurrentRuns": runs["max_concurrent_runs"]},
        "pools": {"defaultLimit": pools["default_limit"], "granularity": pools["granularity"]},
    }
    daemon = HELM["dagsterDaemon"]
    for ours, theirs in (("run_monitoring", "runMonitoring"), ("run_retries", "runRetries")):
        snake = {re.sub(r"[A-Z]", lambda at: f"_{at[0].lower()}", name): v for name, v in daemon[theirs].items()}
        assert snake == INSTANCE[ours]


def test_helm_names_the_driver_of_the_image_too():
    assert HELM["postgresql"]["postgresqlScheme"] == INSTANCE["storage"]["postgres"]["postgres_db"]["scheme"]


def test_dagster_plus_is_told_the_same_limits():
    text = text_of("docs/deployment.md")
    (settings,) = [
        each
        for each in map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
        if "concurrency" in each
    ]
    assert settings["concurrency"] == INSTANCE["concurrency"]
    assert f"dagster instance concurrency get {GENIE_API_POOL}" in text


@pytest.mark.parametrize("name", ["docs/deployment.md", "deploy/helm-values.yaml"])
def test_versions_that_are_named_are_those_that_are_pinned(name):
    text = text_of(name)
    found = re.findall(r"(?:dagster-cloud==|--version )(\d+\.\d+\.\d+)", text)
    assert found
    assert {*found} == {pins()["dagster"]}


def test_ci_names_every_python_that_the_package_is_for():
    setup = ConfigParser()
    setup.read(CHECKOUT / "setup.cfg", encoding="utf-8")
    named = re.findall(r"Python :: (3\.\d+)$", setup["metadata"]["classifiers"], re.MULTILINE)
    job = read(".github/workflows/ci.yml")["jobs"]["run"]
    assert job["strategy"]["matrix"]["python"] == named == ["3.11", "3.12", "3.13"]
    assert job["steps"][-1] == {"run": ".ci/run"}
    image = next(rest for word, rest in steps() if word == "ARG").partition("=")[2]
    assert image in named
