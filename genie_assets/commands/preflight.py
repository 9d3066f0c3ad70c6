"""Preflight: is everything there that a run needs? Each finding is one sentence that says what to do.

One cause is one finding: what cannot be reached without the thing that failed is not looked at, and that is said.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import click

from genie_assets.commands.cures import SET_THE_CLOCK, setting
from genie_assets.commands.dagster_lines import for_our_home
from genie_assets.commands.findings import Finding
from genie_assets.commands.instances import HomeError, open_home
from genie_assets.commands.mending import Cures, missing_settings, of_a_folder
from genie_assets.commands.places import configured_lake, dagster_home, is_home_made
from genie_assets.commands.space_rights import rights
from genie_assets.commands.terminal import readable, shown_place
from genie_assets.domain.clocks import skew_problem
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.numbers import many
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.regions import unread_now
from genie_assets.domain.sql_names import schema_in
from genie_assets.domain.tables import TABLES, records
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.sql.errors import WarehouseError, is_closed_to_us
from genie_assets.gateways.sql.regions import RegionLostError, of_region
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.gateways.sql.warehouse import SqlWarehouse
from genie_assets.logins import DatabricksConnection
from genie_assets.pipeline.left_out import left_out
from genie_assets.pool import LIMIT_THE_POOL, pool_problem
from genie_assets.settings import Settings, SettingsError
from genie_assets.wiring import (
    open_genie_api,
    open_regional_warehouses,
    open_system_tables,
    open_warehouse,
    open_workspaces,
)

_EXPECTED = (SettingsError, WarehouseError, LakehouseError, CallError)
_AUDIT, _HISTORY, _LIST = "system.access.audit", "system.query.history", "system.access.workspaces_latest"
_CureOf = Callable[[BaseException | None], tuple[str, ...]]  # the lines that mend what a look failed of
_NAMED_WORKSPACES = 5  # of those that fail for the same reason

# What a workspace that does not list its spaces asks of a person, where its own words do not say it.
_ADVICE: Mapping[ErrorClass, str] = {
    ErrorClass.AUTH: "A personal access token opens its own workspace only; a service principal those that it is "
    "assigned to.",
    ErrorClass.PERMISSION: "Assign our principal to it, with the entitlements workspace access and Databricks SQL "
    "access.",
    ErrorClass.NETWORK: "Look at proxy, firewall and private link.",
    ErrorClass.TIMEOUT: "Look at proxy, firewall and private link.",
}
_OR_LEAVE_OUT = "Or leave it out with GENIE_WORKSPACES."


_THE_REST = Finding(
    ok=None, text="Not looked at, as they are reached through that: system tables, workspaces", name="the rest"
)
_WORKSPACES = Finding(
    ok=None, text="Not looked at, as only that table names them: the workspaces' spaces", name="spaces"
)


class _Refused(NamedTuple):
    """A workspace that does not list its spaces, and why."""

    name: str
    workspace_id: str
    url: str | None
    error: FetchError


class _UnfitError(Exception):
    """What was looked at is there, and does not do. The message ends the sentence that its subject begins."""


class _MissedError(Exception):
    """A run goes on without what was looked at. The message ends the sentence that its subject begins."""


def check_connection(settings: Settings) -> None:
    """Prove that settings, credentials and warehouse work, with one small statement.

    Raises:
        SettingsError: a setting is missing or contradicts another one.
        WarehouseError: the host, the credentials or the warehouse do not work.
    """
    open_system_tables(settings, settings.databricks()).workspaces()


def preflight(settings: Settings, *, every_space: bool = False) -> Iterator[Finding]:
    """Look at everything in the order in which a run needs it; stops at what the rest depends on.

    Args:
        settings: The settings.
        every_space: Whether each space is asked what it lets us do, two requests each.
    """
    in_databricks = schema_in(settings.genie_lakehouse) is not None
    yield from _runs()
    if not in_databricks:
        yield from _lake(settings, partial(of_a_folder, settings.genie_lakehouse))
    try:
        connection = settings.databricks()
    except SettingsError as problem:
        yield Finding(ok=False, text=str(problem), name="settings", cure=missing_settings(settings))
        yield _THE_REST
        return
    workspaces = open_workspaces(settings, connection)  # held on to: all below shares it, and its login
    cures = Cures(connection, workspaces, settings.genie_regions)
    warehouse = _try("", lambda: _warehouse(settings, connection), cures.of_warehouse)
    yield warehouse
    if not warehouse.ok:
        yield _THE_REST
        return
    yield from _clock(workspaces)
    if in_databricks:
        yield from _lake(settings, partial(cures.of_lakehouse, settings.genie_lakehouse))
    away = yield from _regions(settings, workspaces, cures)

    def look(table: str, how: Callable[[SystemTables], str]) -> Finding:
        # Each with tables of its own: a region that does not show one of them is asked for the others, too.
        tables = open_system_tables(settings, connection, without=away)

        def cure(problem: BaseException | None) -> tuple[str, ...]:
            return cures.of_table_in_regions(table, tables.failures) or cures.of_table(table, problem)

        return _try(table, lambda: how(tables), cure)

    yield look(_AUDIT, _audit)
    yield look(_HISTORY, _history)
    shown: list[dict[str, Any]] = []
    listed = look(_LIST, lambda tables: _workspaces(settings, tables, shown))
    yield listed
    if not listed.ok and not shown:
        yield _WORKSPACES
        return
    yield from _spaces(settings, connection, shown, cures if every_space else None)


def _try(subject: str, look: Callable[[], str], cure_of: _CureOf) -> Finding:
    name = subject or "warehouse"
    try:
        return Finding(ok=True, text=f"{subject} {look()}".strip(), name=name)
    except _MissedError as problem:
        cure = cure_of(problem.__cause__)
        return Finding(ok=True, text=f"{subject} {problem}", warns=True, name=name, cure=cure)
    except _UnfitError as problem:
        cure = cure_of(problem.__cause__)
        return Finding(ok=False, text=f"{subject} {problem}", name=name, cure=cure)
    except _EXPECTED as problem:
        text = str(problem)
        whole = text if subject in text else f"{subject}: {text}"
        return Finding(ok=False, text=whole, name=name, cure=cure_of(problem))
    except Exception as problem:  # noqa: BLE001 - what breaks one look keeps no other from being taken
        # Its text may hold anything, secrets too.
        broken = (
            f"{subject or 'The SQL warehouse'} could not be looked at ({type(problem).__name__}): please report it"
        )
        return Finding(ok=False, text=broken, name=name)


def _warehouse(settings: Settings, connection: DatabricksConnection) -> str:
    open_warehouse(settings, connection).query("SELECT 1")
    return f"SQL warehouse {connection.warehouse_id} answers at {connection.home_url}"


def _regions(settings: Settings, workspaces: Workspaces, cures: Cures) -> Generator[Finding, None, list[str]]:
    """Of the warehouse of each further region; returns those that do not answer, which are not read below."""
    away = []
    for name, warehouse in open_regional_warehouses(settings, workspaces).items():
        found = _try(f"Region {name}", partial(_region, settings, name, warehouse), partial(cures.of_region, name))
        found = replace(found, name=f"regions.{name}")
        yield found
        if not found.ok:
            away.append(name)
    return away


def _region(settings: Settings, name: str, warehouse: SqlWarehouse) -> str:
    place = settings.genie_regions[name]
    try:
        warehouse.query("SELECT 1")
    except (WarehouseError, CallError) as failure:
        problem = of_region(name, failure)
    else:
        return f"is read through SQL warehouse {place.warehouse_id} at {place.url}"
    raise problem


def _clock(workspaces: Workspaces) -> Iterator[Finding]:
    """Of this machine's clock, beside that of the warehouse that has just answered."""
    if problem := skew_problem(dt.datetime.now(dt.UTC), workspaces.told_time.now()):
        yield Finding(ok=False, text=problem, name="clock", cure=(SET_THE_CLOCK,))


def _lake(settings: Settings, cure_of: _CureOf) -> Iterator[Finding]:
    lakehouse = _try("GENIE_LAKEHOUSE", lambda: _lakehouse(settings), cure_of)
    yield lakehouse
    yield from _days(settings, lakehouse)


def _lakehouse(settings: Settings) -> str:
    lake, place = configured_lake(), shown_place(settings.genie_lakehouse)
    is_there = lake.probe()
    # Opened, and not only looked for: a damaged table, or one of the demo, is to be said here.
    stored = sum(lake.exists(table) for table in TABLES)
    if stored:
        told = f"{place} can be written; {stored} of our {len(TABLES)} tables are there"
    else:
        told = f"{place} can be written; our tables will be made there" if is_there else f"{place} will be made"
    return "; but ".join(filter(None, [told, lake.open_to_others()]))


def _days(settings: Settings, lakehouse: Finding) -> Iterator[Finding]:
    """Of days that no run would look at; nothing is said where there are none."""
    if lakehouse.ok:
        today = dt.datetime.now(dt.UTC).date()
        try:
            found = left_out(configured_lake(), first_day=settings.genie_first_day, today=today)
            problem, wanted = found.problem, found.wanted_first_day
        except LakehouseError as error:
            problem, wanted = str(error), None
        if problem:
            cure = (setting("GENIE_FIRST_DAY", str(wanted)),) if wanted else ()
            yield Finding(ok=False, text=problem, name="days", cure=cure)


def _runs() -> Iterator[Finding]:
    """Of the Dagster home that runs are kept in; one that is not made yet will be as it should."""
    if is_home_made():
        try:
            with open_home(dagster_home()) as instance:
                problem = pool_problem(instance)
        except (HomeError, click.ClickException) as error:
            problem = str(error)
        if problem:
            cure = (for_our_home(LIMIT_THE_POOL),) if LIMIT_THE_POOL in problem else ()
            yield Finding(ok=False, text=problem, name="dagster.pool", cure=cure)


def _audit(tables: SystemTables) -> str:
    by_region = tables.latest_audit_events(since=dt.datetime.now(dt.UTC).date() - dt.timedelta(days=2))
    if unread := _unread(tables):
        raise _UnfitError(f"cannot be read everywhere: {unread}")
    silent = [region for region in tables.regions if by_region.get(region) is None]
    newest = max(filter(None, by_region.values()), default=None)
    if newest is None or silent:
        where = f" in {', '.join(silent)}" if silent else ""
        raise _UnfitError(
            f"can be read, and shows no event of the last two days{where}: is it enabled, and does our principal "
            "see all of its rows?"
        )
    _read_as_runs_do(tables)
    return f"can be read; its newest event is of {newest:%Y-%m-%d %H:%M} UTC"


def _read_as_runs_do(tables: SystemTables) -> None:
    """Ask for a day that has not come: it costs next to nothing, and takes every column that runs read."""
    try:
        tables.message_events(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2))
    except WarehouseError as problem:
        if "UNRESOLVED_COLUMN" not in (problem.condition or ""):
            raise
        raise _UnfitError(
            f"can be read, and lacks a column that runs read: no day can be loaded; please report it. {problem}"
        ) from problem
    except RegionLostError:
        raise _UnfitError(f"cannot be read everywhere: {_unread(tables)}") from None


def _unread(tables: SystemTables) -> str:
    """The regions that could not be read so far, each with why."""
    return " ".join(f"region {region}: {problem}" for region, problem in unread_now(tables.regions).items())


def _history(tables: SystemTables) -> str:
    now = dt.datetime.now(dt.UTC)
    # No statement has this id: the question is only whether we may ask.
    try:
        tables.query_history(["none"], from_time=now - dt.timedelta(hours=1), to_time=now)
    except WarehouseError as problem:
        if not is_closed_to_us(problem.condition):
            raise
        raise _MissedError(
            f"cannot be read: how statements ran stays unknown, and they are waited for. {problem}"
        ) from problem
    if unread := _unread(tables):
        raise _MissedError(f"cannot be read everywhere: statements are waited for. {unread}")
    return "can be read"


def _workspaces(settings: Settings, tables: SystemTables, shown: list[dict[str, Any]]) -> str:
    """Puts what the table shows into `shown`, and what only a setting knows."""
    named = records(tables.workspaces(everywhere=bool(tables.regions)))
    wanted, addresses = set(settings.genie_workspaces), settings.genie_workspace_urls
    known = {workspace["workspace_id"] for workspace in named}
    shown += named
    shown += [
        {"workspace_id": workspace_id, "workspace_name": "not shown", "workspace_url": url}
        for workspace_id, url in addresses.items()
        if workspace_id not in known and (not wanted or workspace_id in wanted)
    ]
    if missing := wanted - known - set(addresses):
        raise _UnfitError(
            f"does not show {', '.join(sorted(map(readable, missing)))}, which GENIE_WORKSPACES names: correct "
            "that, or name an address in GENIE_WORKSPACE_URLS"
        )
    if not shown:
        raise _UnfitError("shows no workspace: does our principal see all of its rows?")
    if unread := _unread(tables):
        raise _UnfitError(f"cannot be read everywhere, and runs read it with the audit log: {unread}")
    return f"shows {many(len(known), 'workspace')}"


def _spaces(
    settings: Settings, connection: DatabricksConnection, workspaces: list[dict[str, Any]], cures: Cures | None
) -> Iterator[Finding]:
    """What every workspace lets us see, and with `cures` every space. One that does not run is none that fails."""
    genie = open_genie_api(settings, connection)
    failed: defaultdict[ErrorClass, list[_Refused]] = defaultdict(list)
    found: dict[SpaceKey, str | None] = {}
    for workspace in workspaces:
        workspace_id, url = workspace["workspace_id"], workspace["workspace_url"]
        title = workspace["workspace_name"]
        name = f"{readable(title)} ({readable(workspace_id)})" if title else readable(workspace_id)
        listed = genie.list_spaces(workspace_id, url)
        if listed.error is None:
            found |= {SpaceKey(workspace_id, each.body["space_id"]): url for each in listed.spaces}
            text = f"Workspace {name} lists {many(len(listed.spaces), 'space')}"
            yield Finding(ok=True, text=text, name="spaces")
        elif listed.error.error_class is ErrorClass.NOT_RUNNING:
            yield Finding(ok=True, text=_told(listed.error, workspace_id, f"Workspace {name}"), name="spaces")
        else:
            failed[listed.error.error_class].append(_Refused(name, workspace_id, url, listed.error))
    for error_class, refusals in failed.items():
        yield _refusal(error_class, refusals, cures)
    if not found and not failed:
        text = "No workspace lists a space: grant our principal CAN MANAGE on the spaces."
        yield Finding(ok=False, text=text, name="spaces")
    if found and cures is not None:
        yield from rights(genie, found, cures.principal, cures.home_url)


def _refusal(error_class: ErrorClass, refusals: list[_Refused], cures: Cures | None) -> Finding:
    named = refusals[:_NAMED_WORKSPACES]
    names = [each.name for each in named]
    if more := len(refusals) - len(names):
        names.append(f"{more} more")
    subject = f"Workspace {names[0]}" if len(refusals) == 1 else f"{len(refusals)} workspaces ({', '.join(names)})"
    cure = tuple(
        line for each in named if cures for line in cures.of_workspace(each.workspace_id, each.url, each.error)
    )
    told = _told(refusals[0].error, refusals[0].workspace_id, subject, of_several=len(refusals) > 1)
    advice = " ".join(filter(None, [_ADVICE.get(error_class), _OR_LEAVE_OUT]))
    return Finding(ok=False, text=f"{told} {advice}", name="spaces", cure=cure)


def _told(error: FetchError, workspace_id: str, subject: str, *, of_several: bool = False) -> str:
    """What was said of a workspace, after its name; some of it begins with its id, which stands there already."""
    message, named = error.message, f"Workspace {workspace_id} "
    if not message.startswith(named):
        return f"{subject}: {message}"
    rest = message.removeprefix(named)
    return f"{subject}: the first one {rest}" if of_several else f"{subject} {rest}"
