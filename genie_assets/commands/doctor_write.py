"""`genie-assets doctor --write`: tries the lakehouse with a table of its own, and removes it, whatever happens.

Schema and volume, or the folder of the tables, are made where they are missing, as the first load makes them, and
stay. None of our tables is touched.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from genie_assets.commands.findings import Finding
from genie_assets.commands.mending import Cures, of_a_folder
from genie_assets.commands.places import configured_lake
from genie_assets.commands.terminal import shown_place
from genie_assets.domain.numbers import many
from genie_assets.domain.sql_names import full_name, schema_in
from genie_assets.domain.table import Table
from genie_assets.domain.write_trials import (
    BEGINNING,
    LONGEST,
    began_at,
    is_left_behind,
    trial_name,
    trial_rows,
    trial_table,
)
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.settings import Settings
from genie_assets.wiring import open_workspaces

if TYPE_CHECKING:
    from genie_assets.gateways.lakehouse.interface import Lakehouse

CureOf = Callable[[BaseException | None], tuple[str, ...]]

_MOST_NAMED = 10
_NOT_TRIED = Finding(
    ok=None, text="Not tried, as the lakehouse is not in order: a table of its own", name="write.table"
)


class WriteTrial:
    """One try of one lakehouse.

    Args:
        lake: The lakehouse.
        place: Where it is, as GENIE_LAKEHOUSE says.
        cure_of: The lines that mend a failure.
        now: The time, UTC.
    """

    def __init__(self, lake: "Lakehouse", place: str, cure_of: CureOf, now: Callable[[], dt.datetime]) -> None:
        self._lake, self._place, self._cure_of, self._now = lake, place, cure_of, now
        self._schema, self._began = schema_in(place), now()
        self._table = trial_table(trial_name(self._began, secrets.token_hex(4)))

    def findings(self) -> list[Finding]:
        """Remove what was left behind, try, remove the table, and say what came of each."""
        return [*self._leftovers(), *self._tried()]

    def _leftovers(self) -> Iterator[Finding]:
        """Of tries that were killed: they are removed. Younger ones may be at work."""
        try:
            names = [name for name in self._lake.names_beginning(BEGINNING) if began_at(name)]
        except LakehouseError:
            return  # the try says so, if it cannot be written either
        old = [name for name in names if is_left_behind(name, self._now())]
        for name in old[:_MOST_NAMED]:
            problem = self._removed(trial_table(name))
            text = f"{name} was left behind by a try that was killed; it has been removed"
            found = problem or Finding(ok=True, text=text, name="write.leftovers")
            yield replace(found, ok=True, warns=True, name="write.leftovers")
        if (more := len(old) - _MOST_NAMED) > 0:
            text = f"{more} more tables of tries that were killed are left to the next ones"
            yield Finding(ok=True, text=text, warns=True, name="write.leftovers")
        for name in (each for each in names if each not in old):
            minutes = round(LONGEST.total_seconds() / 60)
            text = (
                f"{name} is of another try that may be at work; "
                f"one that begins {minutes} minutes later than it did removes it"
            )
            yield Finding(ok=True, text=text, warns=True, name="write.leftovers")

    def _tried(self) -> list[Finding]:
        done: list[Finding] = []
        steps = (("write.create", self._create), ("write.append", self._append), ("write.read", self._read))
        try:
            for name, step in (*steps, ("write.files", self._keep)):
                done.append(self._looked(name, step))
                if not done[-1].ok:
                    break
        finally:
            # Of one that could not be made the answer may have been lost: it is removed without a word.
            problem = self._removed(self._table)
            if done and done[0].ok:
                done.append(problem or Finding(ok=True, text=f"{self._what} is gone again", name="write.remove"))
        return done

    @property
    def _what(self) -> str:
        return f"{shown_place(self._place)}: the table of this try, {self._table.name},"

    def _create(self) -> str:
        self._lake.prepare(self._table)
        return f"{self._what} could be made"

    def _append(self) -> str:
        self._lake.append(self._table, self._table.frame(trial_rows(self._began)))
        return f"{self._what} took {many(len(trial_rows(self._began)), 'row')}"

    def _read(self) -> str:
        found = sorted(self._lake.records(self._table), key=lambda row: -row["number"])
        wanted = trial_rows(self._began)
        if wrong := sorted(_differing(found, wanted)):
            raise LakehouseError(
                f"GENIE_LAKEHOUSE: {self._table.name} was written and does not read back as it was "
                f"({', '.join(wrong)}): please report it"
            )
        return f"{self._what} reads back as it was written"

    def _keep(self) -> str:
        self._lake.probe()
        place = "the staging volume" if self._schema else "the lakehouse"
        return f"{shown_place(self._place)}: a file could be written into {place} and removed"

    def _removed(self, table: Table) -> Finding | None:
        """Remove a table; what is to be said if that fails."""
        try:
            self._lake.drop(table)
        except LakehouseError as problem:
            place = shown_place(self._place)
            text = f"{table.name} could not be removed from {place}, and does no harm there: {problem}"
            cure: tuple[str, ...] = ()
            if self._schema:
                cure = (f"DROP TABLE IF EXISTS {full_name(*self._schema, table.name)};",)
            return Finding(ok=False, text=text, name="write.remove", cure=cure)
        return None

    def _looked(self, name: str, step: Callable[[], str]) -> Finding:
        try:
            return Finding(ok=True, text=step(), name=name)
        except LakehouseError as problem:
            return Finding(ok=False, text=str(problem), name=name, cure=self._cure_of(problem))
        except Exception as problem:  # noqa: BLE001 - the table is to be removed, and the other findings told
            text = f"GENIE_LAKEHOUSE: the try broke ({type(problem).__name__}): please report it"
            return Finding(ok=False, text=text, name=name)


def write_findings(settings: Settings, looked_at: Iterable[Finding]) -> Iterator[Finding]:
    """Try the configured lakehouse, if what was looked at before found it in order.

    Args:
        settings: The settings.
        looked_at: What `preflight` found.
    """
    if not any(finding.name == "GENIE_LAKEHOUSE" and finding.ok for finding in looked_at):
        yield _NOT_TRIED
        return
    trial = WriteTrial(
        configured_lake(),
        settings.genie_lakehouse,
        _cure_of(settings),
        lambda: dt.datetime.now(dt.UTC),
    )
    yield from trial.findings()


def _cure_of(settings: Settings) -> CureOf:
    place = settings.genie_lakehouse
    if schema_in(place) is None:
        return lambda problem: of_a_folder(place, problem)
    connection = settings.databricks()
    return partial(Cures(connection, open_workspaces(settings, connection)).of_lakehouse, place)


def _differing(found: list[dict[str, object]], wanted: list[dict[str, object]]) -> set[str]:
    if len(found) != len(wanted):
        return {"number of rows"}
    return {name for row, other in zip(found, wanted, strict=True) for name in other if row[name] != other[name]}
