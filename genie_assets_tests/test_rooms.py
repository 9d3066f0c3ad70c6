"""Who may import whom: the rooms of the house, read from the source."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from genie_assets_tests.rooms import CHECKOUT, arrows, imports, in_order, libraries, modules, ours, room, sources

GATEWAYS = "genie_assets.gateways"
LAKEHOUSE = f"{GATEWAYS}.lakehouse"
OPENING = f"{LAKEHOUSE}.opening"
# Each room and the rooms that it may import, shortest first. What is not named may not be imported.
MAY_IMPORT = {
    "genie_assets": set(),
    "genie_assets.domain": set(),
    "genie_assets.domain.dashboard": {"genie_assets.domain"},
    GATEWAYS: {"genie_assets.domain"},
    f"{GATEWAYS}.databricks": {"genie_assets.domain", "genie_assets.domain.dashboard", GATEWAYS},
    f"{GATEWAYS}.genie": {"genie_assets.domain", GATEWAYS, f"{GATEWAYS}.databricks"},
    f"{GATEWAYS}.sql": {"genie_assets.domain", GATEWAYS, f"{GATEWAYS}.databricks"},
    LAKEHOUSE: {"genie_assets.domain"},
    f"{LAKEHOUSE}.delta": {"genie_assets.domain", LAKEHOUSE},
    # The ways to Databricks are handed in: this engine knows their statements, values and failures only.
    f"{LAKEHOUSE}.unity": {"genie_assets.domain", LAKEHOUSE, f"{GATEWAYS}.sql", f"{GATEWAYS}.databricks"},
    OPENING: {"genie_assets.domain", LAKEHOUSE, f"{LAKEHOUSE}.delta", f"{LAKEHOUSE}.unity"},
    "genie_assets.report": set(),
    "genie_assets.pipeline": {
        "genie_assets.report",
        *("genie_assets.domain", "genie_assets.domain.dashboard"),
        *(GATEWAYS, f"{GATEWAYS}.sql", LAKEHOUSE),
    },
    "genie_assets.settings": {f"{GATEWAYS}.{each}" for each in ("databricks", "genie", "sql", "lakehouse")}
    | {OPENING, "genie_assets.domain"},
    "genie_assets.definitions": {
        *(
            "genie_assets.domain",
            "genie_assets.domain.dashboard",
            "genie_assets.pipeline",
            "genie_assets.settings",
        ),
        *(GATEWAYS, f"{GATEWAYS}.genie", f"{GATEWAYS}.sql", LAKEHOUSE),
    },
    "genie_assets.commands": {
        *(
            "genie_assets.domain",
            "genie_assets.domain.dashboard",
            "genie_assets.pipeline",
            "genie_assets.settings",
            "genie_assets.definitions",
        ),
        *(GATEWAYS, f"{GATEWAYS}.databricks", f"{GATEWAYS}.sql", LAKEHOUSE),
        *("genie_sandbox", "genie_sandbox.made_up", "genie_sandbox.truth", "genie_sandbox.__main__"),
    },
    "genie_sandbox": set(),
    "genie_sandbox.made_up": {"genie_sandbox"},
    "genie_sandbox.sql": {"genie_sandbox"},
    "genie_sandbox.server": {"genie_sandbox", "genie_sandbox.sql"},
    # Truth worked out by the code under test would agree with its mistakes: only the tables are shared.
    "genie_sandbox.truth": {"genie_sandbox", "genie_assets.domain"},
    "genie_sandbox.__main__": {"genie_sandbox", "genie_sandbox.made_up", "genie_sandbox.server"},
}
DAGSTER_AND_ABOVE = {"genie_assets.definitions", "genie_assets.commands"}


def importers_of(wanted: str) -> set[str]:
    """Modules that import a module of ours or anything below it."""
    return {
        name
        for name in sources()
        if any(each == wanted or each.startswith(f"{wanted}.") for each in ours(name))
        and name != wanted
        and not name.startswith(f"{wanted}.")
    }


def users_of(*wanted: str) -> set[str]:
    """Modules of the product that import one of these libraries."""
    return {name for name in modules("genie_assets") if libraries(name) & set(wanted)}


def test_the_source_is_found() -> None:
    """Without it, every rule below would hold."""
    assert {"genie_assets.domain.messages", "genie_assets.definitions", f"{LAKEHOUSE}.delta.writes"} <= set(
        sources()
    )
    assert "genie_assets.domain.worklist" in ours("genie_assets.pipeline.genie_api_messages")
    assert "dagster" in libraries("genie_assets.assets")
    assert room("genie_sandbox.server.app") == "genie_sandbox.server"


def test_rooms_import_only_what_they_may() -> None:
    found = arrows()
    assert set(found) == set(MAY_IMPORT), "say above what a new room may import"
    assert {name: wrong for name in found if (wrong := found[name] - MAY_IMPORT[name])} == {}


def test_no_circle_among_rooms_or_modules() -> None:
    assert in_order(arrows())
    assert in_order(arrows(lambda module: module))


@pytest.mark.parametrize("house", [GATEWAYS, "genie_sandbox"])
def test_a_house_shows_at_most_a_dozen_rooms(house: str) -> None:
    assert len([each for each in MAY_IMPORT if f"{each}.".startswith(f"{house}.")]) <= 12


def test_assets_come_before_checks_before_jobs_before_schedules_and_sensors() -> None:
    order = [
        f"genie_assets.{each}" for each in ("assets", "checks", "maintenance", "jobs", "schedules", "sensors")
    ]
    for position, name in enumerate(order):
        assert not ours(name) & set(order[position + 1 :]), name


def test_only_the_definitions_rooms_know_dagster() -> None:
    assert {room(name) for name in users_of("dagster")} == DAGSTER_AND_ABOVE
    assert users_of("dagster_databricks", "dagster_deltalake") == {"genie_assets.resources"}


def test_only_the_lakehouse_imports_deltalake() -> None:
    assert {room(name) for name in users_of("deltalake")} == {f"{LAKEHOUSE}.delta"}


def test_only_the_way_to_workspaces_touches_the_sdk() -> None:
    assert {room(name) for name in users_of("databricks")} == {f"{GATEWAYS}.databricks"}
    clients = {
        name
        for name in modules("genie_assets")
        if any(each.endswith(".WorkspaceClient") for each in imports(name))
    }
    assert clients == {f"{GATEWAYS}.databricks.workspaces"}


def test_only_those_who_run_the_definitions_import_them() -> None:
    assert {room(name) for name in importers_of("genie_assets.definitions")} <= {"genie_assets.commands"}
    assert importers_of("genie_assets.commands") == {"genie_assets.__main__"}


def test_the_sandbox_shares_nothing_but_the_tables_with_what_it_tests() -> None:
    shared = {name for each in modules("genie_sandbox") for name in ours(each) if name.startswith("genie_assets")}
    assert shared == {"genie_assets.domain.tables"}


def test_the_sandbox_starts_without_dagster_and_the_sdk() -> None:
    script = "\n".join(
        [
            "import sys",
            *(f"sys.modules[{name!r}] = None" for name in ("dagster", "databricks.sdk", "deltalake")),
            "from genie_sandbox.__main__ import main",
            "main(['--help'], standalone_mode=False)",
        ]
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Usage:" in shown.stdout


def _attributes(module: str) -> Iterator[str]:
    for node in ast.walk(sources()[module]):
        if isinstance(node, ast.Attribute):
            yield node.attr


@pytest.mark.parametrize("module", modules("genie_assets.domain"))
def test_the_domain_has_no_clock_no_environment_and_no_io(module: str) -> None:
    allowed = {"collections", "dataclasses", "datetime", "decimal", "enum", "functools", "hashlib", "json", "math"}
    allowed |= {"graphlib", "hmac", "itertools"}
    allowed |= {"pandas", "re", "types", "typing", "genie_assets"}
    assert libraries(module) <= allowed
    assert not {"now", "utcnow", "today", "environ", "getenv"} & set(_attributes(module))
    calls = {
        n.func.id for n in ast.walk(sources()[module]) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert not calls & {"open", "print", "input", "eval", "exec", "__import__"}


@pytest.mark.parametrize("module", sorted(set(modules("genie_assets")) - set(modules("genie_assets.commands"))))
def test_nothing_happens_at_import_that_reads_the_environment(module: str) -> None:
    """The definitions load without any setting, in a process that may have none."""
    tree = sources()[module]
    top = [
        node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
    ]
    names = {each.attr for node in top for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    assert not names & {"environ", "getenv"}


_REASON = re.compile("many parameters|more than five|One parameter for each")


@pytest.mark.parametrize("module", modules("genie_assets"))
def test_a_function_of_more_than_five_parameters_says_why(module: str) -> None:
    def functions(node: ast.AST, owner: ast.AST | None = None) -> Iterator[tuple[ast.FunctionDef, ast.AST | None]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                yield child, owner
            yield from functions(child, child if isinstance(child, ast.ClassDef) else owner)

    silent = []
    for function, owner in functions(sources()[module]):
        args = function.args
        named = [each.arg for each in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
        told = owner if function.name == "__init__" else function
        text = ast.get_docstring(told) if isinstance(told, ast.FunctionDef | ast.ClassDef) else ""
        if len(set(named) - {"self", "cls"}) > 5 and not _REASON.search(text or ""):
            silent.append(function.name)
    assert silent == []


def test_no_file_of_the_pipeline_is_longer_than_200_lines() -> None:
    folder = CHECKOUT / "genie_assets/pipeline"
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in folder.glob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 200} == {}


def _patched(text: str) -> Iterator[str]:
    """The names that a module of tests replaces, as `monkeypatch.setattr` and `mock.patch` take them."""
    for node in ast.walk(ast.parse(text)) if "setattr(" in text or "patch" in text else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            texts = [each.value for each in node.args[:2] if isinstance(each, ast.Constant)]
            if node.func.attr in ("setattr", "delattr", "patch", "object"):
                yield from (text for text in texts if isinstance(text, str))


def test_no_test_patches_a_private_name() -> None:
    """What a test has to change is a parameter: a private name says how a promise is kept, not what it is."""
    tests = (CHECKOUT / "genie_assets_tests").rglob("*.py")
    patched = {path.name: _patched(path.read_text(encoding="utf-8")) for path in tests}
    private = re.compile(r"^(genie_.*\.)?_[a-zA-Z]")
    assert [(file, name) for file, names in patched.items() for name in names if private.search(name)] == []
