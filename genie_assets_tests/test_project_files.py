import re
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, requires, version
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from genie_assets.checks import DAILY_CHECKS, STANDING_CHECKS
from genie_assets.cli import main as cli
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.schedules import SCHEDULES
from genie_assets.sensors import SENSORS
from genie_assets.settings import Settings, load_settings

CHECKOUT = Path(__file__).resolve().parents[1]
EXTRAS = ("ui", "sandbox", "dev")


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
    for name in ("genie_lakehouse", "genie_threads", "genie_requests_per_second", "genie_run_minutes"):
        assert getattr(settings, name) == getattr(defaults, name), f"the example shows another default of {name}"
    assert settings.genie_settled_days == defaults.genie_settled_days


@pytest.mark.parametrize(
    "name", ["README.md", "docs/operations.md", "docs/genie-aibi-data-model-and-architecture.md"]
)
def test_documents_name_only_commands_that_exist(name):
    document = CHECKOUT / name
    if not document.is_file():
        pytest.skip(f"{name} is not there.")
    text = document.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE)) <= targets
    assert set(re.findall(r"(?:^|`)genie-assets ([a-z]+)", text, flags=re.MULTILINE)) <= cli.commands.keys()
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not _exists(document.parent / link)] == []


def _exists(path: Path) -> bool:
    # The README is written for the whole, and may come last.
    return path.exists() or path.name == "README.md"


def test_the_runbook_covers_every_check_error_class_schedule_and_sensor():
    text = (CHECKOUT / "docs/operations.md").read_text(encoding="utf-8")
    checks = [key.name for check in [*DAILY_CHECKS, *STANDING_CHECKS] for key in check.check_keys]
    names = [*checks, *ErrorClass, *(s.name for s in SCHEDULES), *(s.name for s in SENSORS)]
    assert [name for name in names if f"`{name}`" not in text] == []
