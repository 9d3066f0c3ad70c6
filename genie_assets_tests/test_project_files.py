import os
import re
import subprocess
import tomllib
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, requires, version
from io import StringIO
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped]
from dotenv import dotenv_values
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from genie_assets.commands.cli import main as cli
from genie_assets.definitions import build_defs
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.settings import Settings, load_settings
from genie_assets_tests.test_documents import documents

CHECKOUT = Path(__file__).resolve().parents[1]
EXTRAS = ("ui", "sandbox", "postgres", "kubernetes", "dev")


def pins() -> dict[str, str]:
    lines = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    matches = [re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)", line) for line in lines if not line.startswith("#")]
    assert all(matches), "a constraint is a name and an exact version, and nothing else"
    return {canonicalize_name(match[1]): match[2] for match in matches if match}


def own_requirements() -> list[Requirement]:
    setup = ConfigParser()
    setup.read(CHECKOUT / "setup.cfg", encoding="utf-8")
    texts = [setup["options"]["install_requires"], *(setup["options.extras_require"][extra] for extra in EXTRAS)]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_everything_that_make_installs_is_pinned():
    """An unpinned dependency makes tomorrow's installation another one than today's."""
    pinned, to_visit, seen = pins(), own_requirements(), set()
    while to_visit:
        requirement = to_visit.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                needed = map(Requirement, requires(name) or ())
            except PackageNotFoundError:
                continue
            to_visit += [n for n in needed if n.marker is None or n.marker.evaluate({"extra": extra})]
    assert {name for name, _ in seen} - pinned.keys() == set()


def test_nothing_is_pinned_that_nothing_needs_directly_or_through_others():
    installed = {name for name in pins() if _is_installed(name)}
    needed = {canonicalize_name(r.name) for r in own_requirements()}
    for name in installed:
        needed |= {canonicalize_name(Requirement(text).name) for text in requires(name) or ()}
    assert pins().keys() - needed == set()


def _is_installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def test_pins_satisfy_what_the_package_asks_for():
    for requirement in own_requirements():
        assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)]), requirement


def test_the_example_file_shows_every_setting_and_no_other():
    text = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
    shown = re.findall(r"^# ([A-Z][A-Z0-9_]*)=", text, flags=re.MULTILINE)
    assert sorted(shown) == sorted(name.upper() for name in Settings.model_fields)
    assert not re.search(r"^[^#\n]", text, flags=re.MULTILINE), "the example sets nothing by itself"


def test_the_values_in_the_example_file_are_valid_and_show_the_defaults(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    defaults = load_settings()
    text = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
    filled = re.sub(r"^# (?=[A-Z][A-Z0-9_]*=)", "", text, flags=re.MULTILINE)
    for variable, value in dotenv_values(stream=StringIO(filled)).items():
        monkeypatch.setenv(variable, value or "")
    settings = load_settings()
    assert settings.databricks_host == "https://your-workspace.cloud.databricks.com"
    for name in ("genie_lakehouse", "genie_threads", "genie_requests_per_second", "genie_region_seconds"):
        assert getattr(settings, name) == getattr(defaults, name), f"the example shows another default of {name}"
    for name in (
        "genie_run_minutes",
        "genie_settled_days",
        "genie_first_day",
        "genie_table_layout",
        "genie_made_up",
    ):
        assert getattr(settings, name) == getattr(defaults, name), f"the example shows another default of {name}"


def test_the_readme_explains_every_setting_of_an_account():
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    table = "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    missing = [name for name in Settings.model_fields if f"`{name.upper()}`" not in table]
    assert missing == ["genie_made_up"], "only the demo sets that one"


def test_the_readme_tells_the_defaults_of_numbers():
    """In parentheses, in the order of the settings of a row."""
    lines = (CHECKOUT / "README.md").read_text(encoding="utf-8").splitlines()
    told: dict[str, float] = {}
    known = {name.upper(): field.default for name, field in Settings.model_fields.items()}
    for cells in (line.split("|") for line in lines if line.startswith("| `GENIE_")):
        numbers = [name for name in re.findall(r"[A-Z_]{6,}", cells[1]) if type(known[name]) in (int, float)]
        told |= dict(zip(numbers, map(float, re.findall(r"\((\d+(?:\.\d+)?)\)", cells[2])), strict=True))
    assert told == {name: default for name, default in known.items() if type(default) in (int, float)}


def test_the_code_location_has_one_name_and_one_module_wherever_it_is_named():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    of_dagster, of_dg = project["dagster"], project["dg"]["project"]
    (entry,) = yaml.safe_load((CHECKOUT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    in_workspace = entry["python_module"]
    names = {of_dagster["code_location_name"], of_dg["code_location_name"], in_workspace["location_name"]}
    assert names == {"genie_assets"}
    modules = {of_dagster["module_name"], of_dg["code_location_target_module"], in_workspace["module_name"]}
    assert modules == {"genie_assets.definitions"}
    assert of_dg["root_module"] == "genie_assets"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (["demo"], "genie-assets demo"),
        (["demo", "LAKEHOUSE=uc://main.genie_demo"], "genie-assets demo --lakehouse 'uc://main.genie_demo'"),
        (["dev"], "genie-assets dev --demo"),
    ],
)
def test_make_runs_the_demo_where_it_is_told_to_and_the_ui_on_it(target, expected):
    exported = {**os.environ, "LAKEHOUSE": "s3://production/genie"}
    command = ["make", "-n", *target]
    shown = subprocess.run(command, cwd=CHECKOUT, env=exported, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == f".venv/bin/{expected}"


DOCUMENTS = documents()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_only_options_that_exist(name):
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    for words in re.findall(r"(?:^|`)genie-assets ([a-z][^`\n#]*)", text, flags=re.MULTILINE):
        command: click.Command = cli
        for word in words.split():
            if word.startswith("--"):
                known = {option for parameter in command.params for option in parameter.opts}
                assert word.partition("=")[0] in known, f"genie-assets {words}"
            elif isinstance(command, click.Group) and word in command.commands:
                command = command.commands[word]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_lets_a_setting_choose_the_demos_lakehouse(name):
    """The environment has no say in where the demo's tables are."""
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    assert not re.search(r"GENIE_\w+=\S+ (make|genie-assets) (demo|dev)", text)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_only_commands_that_exist(name):
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE)) <= targets
    assert set(re.findall(r"(?:^|`)genie-assets ([a-z]+)", text, flags=re.MULTILINE)) <= cli.commands.keys()


def test_the_runbook_covers_every_check_error_class_schedule_and_sensor():
    text = (CHECKOUT / "docs/operations.md").read_text(encoding="utf-8")
    definitions = build_defs().get_repository_def()
    checks = [key.name for key in definitions.asset_graph.asset_check_keys]
    automations: list[Any] = [*definitions.schedule_defs, *definitions.sensor_defs]
    names = [*checks, *ErrorClass, *(each.name for each in automations)]
    assert [name for name in names if f"`{name}`" not in text] == []
