"""The wheel works outside the checkout: everything that is imported or read lies inside it."""

import os
import re
import signal
import subprocess
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

from genie_assets_tests.e2e.conftest import CHECKOUT, run, tracked
from genie_assets_tests.e2e.deployment import Deployment, free_port
from genie_assets_tests.e2e.ended import gone, started
from genie_assets_tests.e2e.pipelines import days_of, recent_anchor, sandbox_of
from genie_sandbox.made_up.generator import generate

PACKAGES = ("genie_assets", "genie_sandbox")
SHIPPED = (".env.example", "dagster.yaml", "workspace.yaml")
LOCATIONS = """query { workspaceOrError { ... on Workspace { locationEntries { name
    locationOrLoadError { __typename } } } } }"""
RUNS = """query { runsOrError { ... on Runs { results { pipelineName status
    tags { key value } } } } }"""


@pytest.fixture
def environment() -> dict[str, str]:
    """No setting, and nothing that leads to the checkout."""
    ours = ("DATABRICKS_", "GENIE_", "DAGSTER_", "PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_every_file_that_is_read_and_no_test(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    read = (".py", "py.typed", ".html.j2", ".css", ".js")
    modules = {name for name in tracked(*PACKAGES) if name.endswith(read)}
    texts = {f"genie_assets/{name}" for name in tracked("sql") if name.endswith(".sql")}
    assert inside == modules | texts | {f"genie_assets/shipped/{name}" for name in SHIPPED}


@pytest.mark.slow
def test_the_installed_package_is_the_wheel_and_not_the_checkout(installed, tmp_path):
    where = run(
        [
            installed / "python",
            "-c",
            "import genie_assets as g, genie_sandbox as s; print(g.__file__, s.__file__)",
        ],
        tmp_path,
    )
    assert all(Path(each).is_relative_to(installed.parent) for each in where.split())


@pytest.mark.slow
def test_every_sql_text_is_found_outside_the_checkout(installed, tmp_path):
    names = [name.removeprefix("sql/").removesuffix(".sql") for name in tracked("sql") if name.endswith(".sql")]
    script = (
        "import sys; from genie_assets.gateways.sql.texts import sql_text; print(*map(sql_text, sys.argv[1:]))"
    )
    shown = run([installed / "python", "-c", script, *names], tmp_path)
    for name in names:
        assert (CHECKOUT / f"sql/{name}.sql").read_text(encoding="utf-8").strip() in shown


@pytest.mark.slow
def test_the_code_location_loads_without_what_only_an_extra_brings(installed, environment, tmp_path):
    extras = ("apprise", "dagster_k8s", "dagster_postgres", "dagster_webserver", "duckdb", "pysail", "uvicorn")
    script = f"import sys; sys.modules.update(dict.fromkeys({extras})); import genie_assets.definitions"
    done = subprocess.run(
        [installed / "python", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.timeout(900)
def test_an_account_of_ones_own_from_an_empty_folder_to_the_ui(installed, environment, tmp_path):
    """What the README says, with nothing but the wheel; each command says which one is next."""
    account = generate(seed=5, anchor=recent_anchor(), days=2, messages=60)
    folder = tmp_path / "empty"
    folder.mkdir()
    program = installed / "genie-assets"

    def command(*words: str) -> str:
        done = subprocess.run(
            [program, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    assert "genie-assets check" in command("init").splitlines()[-1]
    with sandbox_of(account, tmp_path / "account") as sandbox:
        text = (folder / ".env").read_text(encoding="utf-8")
        for name, value in sandbox.environment().items():
            text = re.sub(rf"^# {name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
        (folder / ".env").write_text(text, encoding="utf-8")
        assert "genie-assets load" in command("check").splitlines()[-1]
        run([installed / "python", "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"], folder)
        first, last = (day.isoformat() for day in (days_of(account)[0], days_of(account)[-1]))
        assert f"{first}  wanted" in command("load", "--from", first, "--to", last)
        port = free_port()
        with started([program, "dev", "--port", str(port)], folder, environment) as dev:
            dev.says(f"Dagster is ready at http://127.0.0.1:{port}")
            ui = Deployment(folder / ".genie/dagster", f"http://127.0.0.1:{port}")
            assert ui.graphql(LOCATIONS)["locationEntries"] == [
                {"name": "genie_assets", "locationOrLoadError": {"__typename": "RepositoryLocation"}}
            ]
            runs = ui.graphql(RUNS)["results"]
            assert {run["status"] for run in runs} == {"SUCCESS"}
            days = {tag["value"] for run in runs for tag in run["tags"] if tag["key"] == "dagster/partition"}
            assert days == {day.isoformat() for day in days_of(account)}
            other = subprocess.run(
                [program, "dev", "--port", str(port)],
                cwd=folder,
                env=environment,
                capture_output=True,
                check=False,
            )
            assert other.stderr.decode() == (
                f"Error: Port {port} is taken by another process: choose another one with --port.\n"
            )
            second = subprocess.run(
                [program, "dev", "--port", str(free_port())],
                cwd=folder,
                env=environment,
                capture_output=True,
                check=False,
            )
            assert f"in use by `genie-assets dev` (process {dev.process.pid})" in second.stderr.decode()
            family = dev.family()
            dev.process.send_signal(signal.SIGINT)
            assert dev.ends() == 130, dev.shown
            assert gone(family), dev.shown
        lines = dev.shown.splitlines()
    lakehouse, home = folder / ".genie/lakehouse", folder / ".genie/dagster"
    assert lines == [
        f"The UI of {sandbox.host}; tables in {lakehouse}, runs in {home}.",
        f"Dagster is ready at http://127.0.0.1:{port} (Ctrl-C ends it)",
        "Interrupted by Ctrl-C.",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("missing", "command"),
    [
        ("pysail", ["demo"]),
        ("uvicorn", ["dev", "--demo"]),
        ("sqlglot", ["sandbox"]),
        ("dagster_webserver", ["dev"]),
    ],
)
def test_without_an_extra_a_command_says_what_to_install(installed, environment, tmp_path, missing, command):
    script = f"import sys; sys.modules[{missing!r}] = None; from genie_assets.commands.cli import main; main()"
    done = subprocess.run(
        [installed / "python", "-c", script, *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.endswith(f"({missing}): pip install 'genie-assets[sandbox,ui]'")
    assert list(tmp_path.iterdir()) == []


def test_no_package_is_forgotten():
    """`find:` cannot be used beside the mapping of `sql/`, so a new package must be listed by hand."""
    setup = ConfigParser()
    setup.read(CHECKOUT / "setup.cfg", encoding="utf-8")
    listed = set(setup["options"]["packages"].split())
    folders = {str(Path(name).parent) for name in tracked(*PACKAGES) if name.endswith(".py")}
    ours = {folder.replace("/", ".") for folder in folders}
    assert listed == ours | {"genie_assets.sql", "genie_assets.shipped"}
