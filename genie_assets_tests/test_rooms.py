"""Who may import whom: the rooms of the house, read from the source."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import genie_assets

ROOT = Path(genie_assets.__file__).parent
OURS = "genie_assets"

DAGSTER_MODULES = {"assets", "checks", "definitions", "jobs", "partitions", "reporting", "resources", "running"}
DAGSTER_MODULES |= {"schedules", "sensors"}
# How each system is reached. What several of them share imports no gateway of a system.
SHARED = {"hosts", "retries", "scrubbing"}
WORKSPACES = {"credentials", "exchange", "identity", "transport", "workspaces"}
GENIE = {"conversations", "genie_answers", "genie_api", "genie_calls", "pacing", "side_by_side"}
SQL = {"sql_errors", "sql_results", "sql_texts", "sql_values", "system_tables", "warehouse"}
LAKEHOUSE = {"lakehouse"}
VOLUMES = {"volumes"}
MAY_IMPORT = {
    **dict.fromkeys(SHARED, SHARED),
    **dict.fromkeys(WORKSPACES, SHARED | WORKSPACES),
    **dict.fromkeys(GENIE, SHARED | WORKSPACES | GENIE),
    **dict.fromkeys(SQL, SHARED | WORKSPACES | SQL),
    **dict.fromkeys(VOLUMES, SHARED | WORKSPACES | VOLUMES),
    # The ways to Databricks are handed in: the lakehouse knows their statements, values and failures only.
    **dict.fromkeys(LAKEHOUSE, LAKEHOUSE | {"retries", "sql_errors", "sql_texts", "sql_values"}),
}


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of ours by its name below the package, parsed."""
    names = {path: path.relative_to(ROOT).with_suffix("") for path in ROOT.rglob("*.py")}
    return {
        ".".join(part for part in name.parts if part != "__init__"): ast.parse(path.read_text(encoding="utf-8"))
        for path, name in names.items()
    }


@cache
def imports(module: str) -> frozenset[str]:
    """Full names of everything that a module imports, wherever in it; `from a import b` gives a and a.b."""
    found: set[str] = set()
    for node in ast.walk(sources()[module]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def ours(module: str) -> set[str]:
    """Modules of ours that a module imports, by their names below the package."""
    below = {name.removeprefix(f"{OURS}.") for name in imports(module) if name.startswith(f"{OURS}.")}
    return below & set(sources())


def libraries(module: str) -> set[str]:
    return {name.partition(".")[0] for name in imports(module)}


def room(module: str) -> str:
    return module.partition(".")[0]


def modules(*rooms: str) -> list[str]:
    return sorted(name for name in sources() if room(name) in rooms)


def importers_of(wanted: str) -> set[str]:
    """Modules that import a module of ours or anything below it."""
    return {
        name
        for name in sources()
        if any(each == wanted or each.startswith(f"{wanted}.") for each in ours(name))
        and name != wanted
        and not name.startswith(f"{wanted}.")
    }


def test_the_source_is_found() -> None:
    """Without it, every rule below would hold."""
    assert {"domain.messages", "gateways.lakehouse.delta", "pipeline.fetching", "definitions"} <= set(sources())
    assert "domain.worklist" in ours("pipeline.fetching")
    assert "dagster" in libraries("assets")


@pytest.mark.parametrize(
    ("rooms", "may_import"),
    [
        ({"domain"}, {"domain"}),
        ({"gateways"}, {"domain", "gateways"}),
        ({"pipeline"}, {"domain", "gateways", "pipeline"}),
        ({"settings"}, {"gateways"}),
        ({"partitions"}, set()),
        ({"resources"}, {"gateways", "settings"}),
        ({"reporting"}, {"domain", "pipeline"}),
        (
            {"assets", "checks", "jobs", "schedules", "sensors"},
            {"domain", "gateways", "pipeline", "settings", "partitions", "resources", "reporting"}
            | {"assets", "checks", "jobs", "schedules", "sensors"},
        ),
        ({"definitions"}, {"assets", "checks", "jobs", "schedules", "sensors", "resources"}),
    ],
    ids=lambda value: "+".join(sorted(value)) if len(value) < 3 else "",
)
def test_rooms_import_only_downwards(rooms: set[str], may_import: set[str]) -> None:
    found = {name: {room(each) for each in ours(name)} - may_import for name in modules(*rooms)}
    assert found
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_assets_come_before_checks_before_jobs_before_schedules_and_sensors() -> None:
    order = ["assets", "checks", "jobs", "schedules", "sensors"]
    for position, name in enumerate(order):
        assert not ours(name) & set(order[position + 1 :]), name


def test_gateways_of_one_system_do_not_import_those_of_another() -> None:
    names = [name.split(".") for name in modules("gateways") if name != "gateways"]
    assert {parts[1] for parts in names} == set(MAY_IMPORT), "put a new gateway into one of the sets above"
    for parts in names:
        imported = {each.split(".")[1] for each in ours(".".join(parts)) if each.startswith("gateways.")}
        assert imported <= MAY_IMPORT[parts[1]], parts


def test_only_the_definitions_rooms_know_dagster() -> None:
    users = {name for name in sources() if any(library.startswith("dagster") for library in libraries(name))}
    assert users <= DAGSTER_MODULES
    integrations = {n for n in sources() if libraries(n) & {"dagster_databricks", "dagster_deltalake"}}
    assert integrations == {"resources"}


def test_only_the_lakehouse_imports_deltalake() -> None:
    users = {name for name in sources() if "deltalake" in libraries(name) and room(name) != "sandbox"}
    assert users
    assert all(name.startswith("gateways.lakehouse.") for name in users), users


def test_only_the_way_to_workspaces_touches_the_sdk() -> None:
    users = {name for name in sources() if "databricks" in libraries(name) and room(name) != "sandbox"}
    assert users <= {f"gateways.{each}" for each in WORKSPACES}
    clients = {name for name in sources() if any("WorkspaceClient" in each for each in imports(name))}
    assert {name for name in clients if room(name) != "sandbox"} <= {"gateways.workspaces", "gateways.transport"}


def test_only_those_who_run_the_definitions_import_them() -> None:
    assert importers_of("definitions") <= {"cli", "demo", "running"}


def test_production_does_not_know_the_sandbox() -> None:
    assert importers_of("sandbox") <= {"cli", "demo", "demo_output"}


def test_the_sandbox_shares_nothing_but_the_tables_with_what_it_tests() -> None:
    """Truth worked out by the code under test would agree with its mistakes."""
    for name in modules("sandbox"):
        others = {each for each in ours(name) if room(each) != "sandbox"}
        assert others <= {"domain", "domain.tables"}, name


def _attributes(module: str) -> Iterator[str]:
    for node in ast.walk(sources()[module]):
        if isinstance(node, ast.Attribute):
            yield node.attr


@pytest.mark.parametrize("module", modules("domain"))
def test_the_domain_has_no_clock_no_environment_and_no_io(module: str) -> None:
    allowed = {"collections", "dataclasses", "datetime", "enum", "functools", "hashlib", "json", "math", "pandas"}
    allowed |= {"re", "types", "typing", OURS}
    assert libraries(module) <= allowed
    assert not {"now", "utcnow", "today", "environ", "getenv"} & set(_attributes(module))
    calls = {
        n.func.id for n in ast.walk(sources()[module]) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert not calls & {"open", "print", "input", "eval", "exec", "__import__"}


@pytest.mark.parametrize("module", sorted(set(sources()) - set(modules("sandbox", "cli", "demo_output", "demo"))))
def test_nothing_happens_at_import_that_reads_the_environment(module: str) -> None:
    """The definitions load without any setting, in a process that may have none."""
    tree = sources()[module]
    top = [
        node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
    ]
    names = {each.attr for node in top for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    assert not names & {"environ", "getenv"}
