"""`genie-assets doctor --write`: tries the lakehouse with a table of its own, and removes it, whatever happens.

Schema and volume, or the folder of the tables, are made where they are missing, as the first load makes them, and
stay. None of our tables is touched.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from genie_assets.commands.cures import UNKNOWN_PRINCIPAL
from genie_assets.commands.findings import Finding
from genie_assets.commands.places import configured_lake
from genie_assets.commands.terminal import readable, shown_place
from genie_assets.domain.sql_names import quoted
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
from genie_assets.gateways.databricks.identity import own_names
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.settings import Settings, SettingsError
from genie_assets.wiring import open_workspaces

if TYPE_CHECKING:
    from genie_assets.gateways.lakehouse.interface import Lakehouse

_UNITY = "uc://"
_MOST_NAMED = 10
_NOT_TRIED = Finding(
    ok=None, text="Not tried, as the lakehouse is not in order: a table of its own", name="write.table"
)


class WriteTrial:
    """One try of one lakehouse.

    Args:
        lake: The lakehouse.
        place: Where it is, as GENIE_LAKEHOUSE says.
        principal: Who is logged in, as rights are granted to; asked only where something is refused.
        now: The time, UTC.
    """

    def __init__(
        self, lake: "Lakehouse", place: str, principal: Callable[[], str], now: Callable[[], dt.datetime]
    ) -> None:
        self._lake, self._place, self._principal, self._now = lake, place, principal, now
        self._began = now()
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
            yield problem or Finding(ok=True, text=text, warns=True, name="write.leftovers")
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
                done.append(_looked(name, step))
                if not done[-1].ok:
                    done[-1] = self._with_cure(done[-1])
                    break
        finally:
            problem = self._removed(self._table)
            if problem is not None or done:
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
        return f"{self._what} took {len(trial_rows(self._began))} rows"

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
        place = "the staging volume" if self._in_databricks else "the lakehouse"
        return f"{shown_place(self._place)}: a file could be written into {place} and removed"

    def _removed(self, table: Table) -> Finding | None:
        """Remove a table; what is to be said if that fails."""
        try:
            self._lake.drop(table)
        except LakehouseError as problem:
            place = shown_place(self._place)
            text = f"{table.name} could not be removed from {place}, and does no harm there: {problem}"
            cure: tuple[str, ...] = ()
            if self._in_databricks:
                cure = (f"DROP TABLE IF EXISTS {self._schema}.{quoted(table.name)};",)
            return Finding(ok=False, text=text, name="write.remove", cure=cure)
        return None

    def _with_cure(self, finding: Finding) -> Finding:
        # The engine says of a refusal what it takes; other failures are not mended by a grant.
        if not self._in_databricks or not ("grant" in finding.text or "needs READ VOLUME" in finding.text):
            return finding
        return Finding(ok=False, text=finding.text, name=finding.name, cure=self._grants())

    def _grants(self) -> tuple[str, ...]:
        catalog, to = self._schema.partition(".")[0], f"TO {quoted(self._principal())};"
        return (
            f"GRANT USE CATALOG ON CATALOG {catalog} {to}",
            f"GRANT USE SCHEMA, SELECT, MODIFY, CREATE TABLE, CREATE VOLUME, READ VOLUME, WRITE VOLUME "
            f"ON SCHEMA {self._schema} {to}",
        )

    @property
    def _in_databricks(self) -> bool:
        return self._place.lower().startswith(_UNITY)

    @property
    def _schema(self) -> str:
        catalog, _, schema = self._place[len(_UNITY) :].rstrip("/").partition(".")
        return f"{quoted(catalog)}.{quoted(schema)}"


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
        lambda: _principal(settings),
        lambda: dt.datetime.now(dt.UTC),
    )
    yield from trial.findings()


def _principal(settings: Settings) -> str:
    with suppress(SettingsError, CallError):
        connection = settings.databricks()
        if connection.client_id:
            return connection.client_id
        return next(iter(own_names(open_workspaces(settings, connection).home())), UNKNOWN_PRINCIPAL)
    return UNKNOWN_PRINCIPAL


def _looked(name: str, step: Callable[[], str]) -> Finding:
    try:
        return Finding(ok=True, text=step(), name=name)
    except LakehouseError as problem:
        return Finding(ok=False, text=readable(problem), name=name)
    except Exception as problem:  # noqa: BLE001 - the table is to be removed, and the other findings told
        text = f"GENIE_LAKEHOUSE: the try broke ({type(problem).__name__}): please report it"
        return Finding(ok=False, text=text, name=name)


def _differing(found: list[dict[str, object]], wanted: list[dict[str, object]]) -> set[str]:
    if len(found) != len(wanted):
        return {"number of rows"}
    return {name for row, other in zip(found, wanted, strict=True) for name in other if row[name] != other[name]}
