"""Views: questions about the tables with their SQL, each in a file of `sql/views` that says what it answers.

The text is the one truth: its header names the question, the grain, the columns that say what is known, and every
column. What runs a view, and where its file lies, does not belong here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_FACTS = ("Question", "Grain", "Coverage")
_COLUMN = re.compile(r"--   (\w+) ([A-Z<>]+): (.+)")
# A table or view in FROM or JOIN: every text spells both in capitals, and a test has a parser look.
_READ = re.compile(r"\b(FROM|JOIN) ([a-z_]\w*)\b")
_NAMED_QUERY = re.compile(r"^(?:WITH )?([a-z_]\w*) AS \($", re.MULTILINE)


@dataclass(frozen=True)
class ViewColumn:
    """One column of a view: its name, its Spark SQL type, and what it means."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class View:
    """One view.

    Attributes:
        name: Its name.
        question: The question that it answers.
        grain: What one of its rows is.
        coverage: The columns that say what is known.
        columns: Its columns, in order.
        query: The SELECT, in the words that Databricks SQL and Spark share. Names of tables have no schema.
    """

    name: str
    question: str
    grain: str
    coverage: str
    columns: tuple[ViewColumn, ...]
    query: str

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the tables and views that it reads, sorted."""
        own = set(_NAMED_QUERY.findall(self.query))
        return tuple(sorted({name for _, name in _READ.findall(self.query)} - own))

    @property
    def description(self) -> str:
        """What it answers and what a row is, as a comment on it says."""
        return f"{self.question} {self.grain[:1].upper()}{self.grain[1:]}"

    def query_in(self, places: Mapping[str, str]) -> str:
        """The query with the full name, quoted for SQL, of every table and view that it reads.

        Raises:
            KeyError: one of them has none.
        """
        reads = set(self.reads)

        def placed(found: re.Match[str]) -> str:
            word, name = found.groups()
            return f"{word} {places[name]}" if name in reads else found[0]

        return _READ.sub(placed, self.query)


def view_of(name: str, text: str) -> View:
    """The view that a file holds.

    Raises:
        ValueError: its header lacks something.
    """
    lines = text.splitlines()
    header = [line for line in lines if line.startswith("--")]
    facts = {
        fact: line.removeprefix(f"-- {fact}: ")
        for fact in _FACTS
        for line in header
        if line.startswith(f"-- {fact}: ")
    }
    columns = tuple(ViewColumn(*found.groups()) for line in header if (found := _COLUMN.fullmatch(line)))
    query = "\n".join(line for line in lines if not line.startswith("--")).strip()
    if missing := [fact for fact in _FACTS if fact not in facts]:
        raise ValueError(f"sql/views/{name}.sql: the header lacks {', '.join(missing)}.")
    if not columns or not query:
        raise ValueError(f"sql/views/{name}.sql: the header lists no columns, or there is no query.")
    return View(name, facts["Question"], facts["Grain"], facts["Coverage"], columns, query)


def needed(names: Iterable[str], views: Mapping[str, View]) -> list[View]:
    """The views among these names and all that they are made of, each after those that it reads."""
    found: dict[str, View] = {}

    def add(name: str) -> None:
        if name in views and name not in found:
            for each in views[name].reads:
                add(each)
            found[name] = views[name]

    for name in sorted(names):
        add(name)
    return list(found.values())
