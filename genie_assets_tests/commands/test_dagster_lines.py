"""Commands of Dagster's own that are printed: for which instance, and for which code locations."""

from pathlib import Path

import pytest

from genie_assets.commands.dagster_lines import for_our_home, location_names, on_the_workspace
from genie_assets.commands.places import is_home_made


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


def test_dagster_is_told_the_home_that_nothing_else_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The printed command failed: Dagster does not look where our own commands do."""
    assert for_our_home("dagster x") == f"DAGSTER_HOME={tmp_path}/.genie/dagster dagster x"
    monkeypatch.setenv("DAGSTER_HOME", "/somewhere")
    assert for_our_home("dagster x") == "dagster x"
    assert on_the_workspace("dagster x") == ("genie-assets init", "dagster x -w workspace.yaml")
    Path("workspace.yaml").touch()
    assert on_the_workspace("dagster x") == ("dagster x -w workspace.yaml",)


@pytest.mark.parametrize(
    ("ours", "named"),
    [
        ("python_module: {module_name: genie_assets.definitions, location_name: our code}", " -l 'our code'"),
        ("python_module: genie_assets.definitions", " -l genie_assets.definitions"),
        ("python_module: their.module", " -l CODE_LOCATION"),
    ],
)
def test_among_several_code_locations_ours_is_named(
    monkeypatch: pytest.MonkeyPatch, ours: str, named: str
) -> None:
    """The printed command failed beside another code location: Dagster demands to be told which one."""
    monkeypatch.setenv("DAGSTER_HOME", "/somewhere")
    Path("workspace.yaml").write_text(f"load_from:\n - python_file: other.py\n - {ours}\n", encoding="utf-8")
    for command in ("dagster schedule start --start-all", "dagster sensor start alerts"):
        assert on_the_workspace(command) == (f"{command} -w workspace.yaml{named}",)
    assert on_the_workspace("dagster-daemon run") == ("dagster-daemon run -w workspace.yaml",)
    Path("workspace.yaml").write_text(f"load_from:\n - {ours}\n", encoding="utf-8")
    assert on_the_workspace("dagster schedule start x") == ("dagster schedule start x -w workspace.yaml",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("load_from:\n - python_module: a.b\n - python_module: {module_name: c, location_name: d}", {"a.b", "d"}),
        ("load_from:\n - python_package: {package_name: p}\n", {"p"}),
        ("load_from:\n - grpc_server: {host: h, port: 1, location_name: g}\n", {"g"}),
        ("load_from:\n - grpc_server: {host: h, port: 1}\n", None),
        *((text, None) for text in ("load_from: []", "load_from: 1", "", "- a", ":\n:", "load_from: [1]")),
    ],
)
def test_code_locations_are_those_of_the_file_or_not_known(text: str, names: set[str] | None) -> None:
    assert location_names() is None, "there is no file"
    Path("workspace.yaml").write_text(text, encoding="utf-8")
    assert location_names() == names


def test_an_instance_that_keeps_its_runs_in_a_server_is_one(tmp_path: Path) -> None:
    """It was not looked at: only a folder of runs was taken for an instance."""
    home = tmp_path / ".genie" / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    assert not is_home_made()
    (home / "dagster.yaml").write_text("telemetry: {}\nstorage:\n  postgres: {}\n", encoding="utf-8")
    assert is_home_made()
