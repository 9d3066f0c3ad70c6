"""What the documents say of the code, compared with the code."""

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from genie_assets.commands import processes
from genie_assets.commands.cli import main as cli
from genie_assets.definitions import build_defs
from genie_assets.domain.advice import ADVICE, CHECKS
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.tables import MESSAGE_DETAILS, TABLES
from genie_assets_tests import rooms

CHECKOUT = Path(__file__).resolve().parents[1]
DATA_MODEL = "docs/genie-aibi-data-model-and-architecture.md"
NAMED_TABLES = {table.name for table in TABLES}
# What is told about some tables need not tell about all of them; what tells about this many claims to be whole.
MOST = len(TABLES) - 2


@cache
def text_of(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def documents() -> list[str]:
    paths = [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md"), *CHECKOUT.glob("genie_*/*.md")]
    return sorted(path.relative_to(CHECKOUT).as_posix() for path in paths)


def section(name: str, title: str) -> str:
    """A document's text below a title, up to the next one of its level."""
    (found,) = re.findall(rf"^(#+) {re.escape(title)}\n(.*?)(?=^\1 |\Z)", text_of(name), re.DOTALL | re.MULTILINE)
    return str(found[1])


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of all tables in a text, without the titles and rules."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [cells for cells in lines if cells[0].startswith(("`", "["))]


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def pictures() -> Iterator[tuple[str, str]]:
    """Every Mermaid picture of every document, by a name of its place."""
    for name in documents():
        for number, picture in enumerate(re.findall(r"```mermaid\n(.*?)```", text_of(name), re.DOTALL)):
            yield f"{name}, picture {number}", picture


def test_every_picture_and_list_that_names_most_tables_names_all() -> None:
    """Whatever claims to show the tables shows every one of them."""
    lists = [(f"{name}, a list", part) for name in documents() for part in re.split(r"\n\n", text_of(name))]
    whole = [(place, words(text)) for place, text in (*pictures(), *lists)]
    claims = {place: NAMED_TABLES - found for place, found in whole if len(NAMED_TABLES & found) >= MOST}
    assert len(claims) >= 2, "the flow and the keys are pictures of all tables"
    assert {place: missing for place, missing in claims.items() if missing} == {}


def test_the_picture_of_the_keys_shows_the_keys() -> None:
    (picture,) = (text for _, text in pictures() if text.startswith("erDiagram"))
    for table in TABLES:
        (columns,) = re.findall(rf"^    {table.name} {{(.*?)}}", picture, re.DOTALL | re.MULTILINE)
        assert tuple(re.findall(r"(\w+) PK", columns)) == table.key, table.name
        assert words(columns) - {"PK", "string", "int", "date", "timestamp", "boolean"} <= {*table.column_names}


def test_the_document_says_where_every_value_of_message_details_comes_from() -> None:
    described = rows(section(DATA_MODEL, "Where the values of `message_details` come from"))
    named = [name for cells in described for name in re.findall(r"`(\w+)`", cells[0])]
    assert sorted(named) == sorted(MESSAGE_DETAILS.content)
    from_history = {name for cells in described for name in words(cells[0]) if "query.history" in cells[1]}
    assert from_history == set(MESSAGE_DETAILS.columns_from("history"))


def test_the_runbook_advises_what_the_checks_and_the_command_line_do() -> None:
    """A row per class; each names the commands and settings that the advice names."""
    told = {
        ErrorClass(name): cells
        for cells in rows(section("docs/operations.md", "What each error class asks of you"))
        for name in re.findall(r"`([A-Z_]+)`", cells[0])
    }
    assert told.keys() == ADVICE.keys() == set(ErrorClass)
    for error_class, advice in ADVICE.items():
        said = told[error_class][2]
        assert set(re.findall(r"GENIE_\w+", advice)) <= set(re.findall(r"GENIE_\w+", said)), error_class
        assert set(re.findall(r"`genie-assets [^`]+`", said)) <= set(re.findall(r"`genie-assets [^`]+`", advice))


@pytest.mark.parametrize(
    ("name", "title"), [(DATA_MODEL, "Proof: the checks"), ("docs/operations.md", "When a check fails")]
)
def test_the_tables_of_checks_have_a_row_for_each(name: str, title: str) -> None:
    checks = {key.name for key in build_defs().get_repository_def().asset_graph.asset_check_keys}
    assert {cells[0].strip("`") for cells in rows(section(name, title))} == checks


def test_the_readme_names_every_check_schedule_and_sensor() -> None:
    definitions = build_defs().get_repository_def()
    names = {key.name for key in definitions.asset_graph.asset_check_keys}
    names |= {each.name for each in definitions.schedule_defs} | {each.name for each in definitions.sensor_defs}
    assert names - words(section("README.md", "Running it")) == set()


def test_alerts_say_what_the_runbook_says_about_a_check() -> None:
    told = {cells[0].strip("`"): cells[2] for cells in rows(section("docs/operations.md", "When a check fails"))}
    assert {name: words for name, words in CHECKS.items() if told[name] != words} == {}


WAITING = (
    *("Waiting since", "under way since", "started by Dagster", "to let somebody in: its limit is 0"),
    *("Whether it still does anything cannot be seen from here", "was cut short, its"),
    *("is gone: it is marked as failed now", "If it does not, end it in Dagster's UI, or with"),
)


def test_the_runbook_shows_the_lines_of_a_load_that_waits() -> None:
    told, source = section("docs/operations.md", "Whose turn it is"), text_of("genie_assets/commands/turns.py")
    assert [phrase for phrase in WAITING if phrase not in told or phrase not in source] == []
    tags = (processes.HOST_TAG, processes.PID_TAG, processes.STARTED_TAG)
    assert [tag for tag in tags if f"`{tag}`" not in told] == []


def commands(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        yield f"{before}{name}"
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")


def test_every_command_is_told_about() -> None:
    everything = "\n".join(text_of(name) for name in documents())
    assert [name for name in commands(cli) if f"genie-assets {name}" not in everything] == []


def test_the_guide_tells_about_the_targets_of_make() -> None:
    """Those that check something; the README has those that show something."""
    targets = set(re.findall(r"^([a-z]+):.*## ", text_of("Makefile"), re.MULTILINE))
    told = set(
        re.findall(r"(?:^|`)make ([a-z]+)", text_of("CONTRIBUTING.md") + text_of("README.md"), re.MULTILINE)
    )
    assert told <= targets
    assert targets - told <= {"help", "clean"}


def test_the_map_is_current() -> None:
    guide = text_of("CONTRIBUTING.md")
    assert rooms.with_map(guide) == guide, "run `make docs`"


def exists(dotted: str) -> bool:
    """Whether a module, or something in one, has this full name."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        if module in rooms.sources():
            found: object = importlib.import_module(module)
            for name in parts[length:]:
                found = getattr(found, name, None)
            return found is not None
    return False


def test_every_question_has_one_room_and_the_room_exists() -> None:
    lines = section("CONTRIBUTING.md", "One room per question").splitlines()
    answers = [line.split("|")[2] for line in lines if line.startswith("| ")][2:]
    places = [place for answer in answers for place in re.findall(r"^ `([\w.]+)` $", answer)]
    assert len(set(places)) == len(places) == len(answers) >= 9
    assert [place for place in places if not exists(place)] == []


@pytest.mark.parametrize("name", documents())
def test_files_and_tests_that_a_document_names_exist(name: str) -> None:
    """Links, and paths in code spans."""
    beside = (CHECKOUT / name).parent
    text = text_of(name)
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not (beside / link).exists()] == []
    paths = re.findall(r"`((?:genie_\w+|docs|sql|benchmarks)/(?:[\w/-]+\.\w+|[\w/-]*/))`", text)
    assert [path for path in paths if not (CHECKOUT / path).exists()] == []
    tests = {path.stem for path in (CHECKOUT / "genie_assets_tests").rglob("test_*.py")}
    assert set(re.findall(r"`(test_\w+)`", text)) - tests == set()


def test_every_decision_is_listed() -> None:
    pages = {path.name for path in (CHECKOUT / "docs/decisions").glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", text_of("docs/decisions/README.md"))) == pages


def test_the_changelog_knows_the_version() -> None:
    (version,) = re.findall(r"^version = (\S+)", text_of("setup.cfg"), re.MULTILINE)
    assert re.findall(r"^## \[([^]]+)\]", text_of("CHANGELOG.md"), re.MULTILINE)[:2] == ["Unreleased", version]
