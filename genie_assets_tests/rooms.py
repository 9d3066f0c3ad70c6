"""The rooms of the house and who imports whom, read from the source; run as a module it draws the map.

python -m genie_assets_tests.rooms             the map as Mermaid, and the number of arrows
python -m genie_assets_tests.rooms --arrows    every arrow between modules that makes one between rooms
python -m genie_assets_tests.rooms --write     put the map into CONTRIBUTING.md
"""

import ast
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGES = ("genie_assets", "genie_sandbox")
GUIDE = CHECKOUT / "CONTRIBUTING.md"
BEGIN = "<!-- map: written by `python -m genie_assets_tests.rooms --write`, do not edit -->"
END = "<!-- end of the map -->"

# Folders are rooms. Of the modules that stand at the top of the product, these belong together.
SETTINGS = ("settings", "setting_types", "logins", "production", "setting_names", "wiring")
STANDING_ALONE = {"genie_assets.gateways.lakehouse.opening", "genie_sandbox.__main__"}
"""Each puts a folder's rooms together, and so stands above them, while the folder's other modules stand below."""


@cache
def sources() -> Mapping[str, ast.Module]:
    """Every module of both packages by its full name, parsed."""
    return {
        _name(path): ast.parse(path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted((CHECKOUT / package).rglob("*.py"))
    }


def _name(path: Path) -> str:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


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
    """Modules of ours that a module imports. A package that is only passed through does not count."""
    found = set(imports(module)) & set(sources())
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)} - {module}


def libraries(module: str) -> set[str]:
    """Top names of what a module imports."""
    return {name.partition(".")[0] for name in imports(module)}


def room(module: str) -> str:
    """The room in which a module stands: its folder, or at the top of the product one of four."""
    if module in STANDING_ALONE:
        return module
    package, _, name = module.partition(".")
    if package == "genie_assets" and "." not in name:
        if name in SETTINGS:
            return "genie_assets.settings"
        if name in {"commands", "__main__"}:
            return "genie_assets.commands"
        if name in {"domain", "gateways", "pipeline", ""}:
            return f"genie_assets.{name}".rstrip(".")
        return "genie_assets.definitions"
    path = CHECKOUT / module.replace(".", "/")
    return module if path.is_dir() else module.rpartition(".")[0]


def arrows(place: Callable[[str], str] = room) -> dict[str, set[str]]:
    """Which rooms each room imports; with the identity as `place`, which modules each module imports."""
    found: dict[str, set[str]] = {place(module): set() for module in sources()}
    for module in sources():
        found[place(module)] |= {place(other) for other in ours(module)} - {place(module)}
    return found


def modules(*wanted: str) -> list[str]:
    """Modules in these rooms or in rooms within them."""
    inside = tuple(f"{each}." for each in wanted)
    return sorted(name for name in sources() if f"{room(name)}.".startswith(inside))


def in_order(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The rooms, each after all that it imports.

    Raises:
        graphlib.CycleError: there is no such order.
    """
    return list(TopologicalSorter({name: sorted(graph[name]) for name in sorted(graph)}).static_order())


def mermaid() -> str:
    """The map: an arrow points at what is imported. What follows from two other arrows is left out."""
    graph = {name: direct(arrows(), name) for name in in_order(arrows())}
    lines = ["flowchart TD", *(f"    {name.replace('.', '_')}[{name}]" for name in reversed(graph))]
    for name in reversed(graph):
        lines += [f"    {name.replace('.', '_')} --> {other.replace('.', '_')}" for other in sorted(graph[name])]
    return "\n".join(lines)


def with_map(document: str) -> str:
    """The document with a fresh map between its marks.

    Raises:
        ValueError: it lacks them.
    """
    before, begun, rest = document.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError("The document lacks the marks between which the map stands.")
    return f"{before}{BEGIN}\n\n```mermaid\n{mermaid()}\n```\n\n{END}{after}"


def direct(graph: Mapping[str, set[str]], name: str) -> set[str]:
    """What `name` imports and does not reach over another one that it imports."""

    def reached(start: str) -> set[str]:
        return graph[start].union(*(reached(each) for each in graph[start]))

    return graph[name] - set().union(*(reached(each) for each in graph[name]))


def main() -> None:
    if "--arrows" in sys.argv:
        for module in sorted(sources()):
            for other in sorted(ours(module)):
                if room(module) != room(other):
                    print(f"{room(module)} -> {room(other)}    {module} imports {other}")
        return
    if "--write" in sys.argv:
        GUIDE.write_text(with_map(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    print(mermaid())
    graph = arrows()
    print(f"%% {len(graph)} rooms, {sum(map(len, graph.values()))} arrows, {len(sources())} modules")


if __name__ == "__main__":
    main()
