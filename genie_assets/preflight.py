"""Preflight: is everything there that a run needs? Each finding is one sentence that says what to do."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from genie_assets.domain.tables import GENIE_SPACE_DETAILS, records
from genie_assets.gateways.lakehouse import LakehouseError
from genie_assets.gateways.retries import CallError
from genie_assets.gateways.system_tables import SystemTables
from genie_assets.gateways.warehouse import WarehouseError
from genie_assets.resources import open_genie_api, open_lake, open_system_tables
from genie_assets.settings import DatabricksConnection, Settings, SettingsError

_EXPECTED = (SettingsError, WarehouseError, LakehouseError, CallError)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    text: str


def check_connection(settings: Settings) -> None:
    """Prove that settings, credentials and warehouse work, with one small statement.

    Raises:
        SettingsError: a setting is missing or contradicts another one.
        WarehouseError: the host, the credentials or the warehouse do not work.
    """
    open_system_tables(settings, settings.databricks()).workspaces()


def preflight(settings: Settings) -> Iterator[Finding]:
    """Look at everything in the order in which a run needs it; stops at what the rest depends on."""
    try:
        connection = settings.databricks()
    except SettingsError as problem:
        yield Finding(ok=False, text=str(problem))
        return
    yield Finding(ok=True, text=f"Settings are complete; home workspace {connection.home_url}")
    yield _try("Lakehouse", lambda: _lakehouse(settings))
    tables = open_system_tables(settings, connection)
    yield _try("system.access.workspaces_latest", lambda: f"shows {len(tables.workspaces())} workspaces")
    yield _try("system.access.audit", lambda: _audit(tables))
    yield _try("system.query.history", lambda: _history(tables))
    yield from _spaces(settings, connection, tables)


def _try(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(ok=True, text=f"{subject} {look()}")
    except _EXPECTED as problem:
        return Finding(ok=False, text=f"{subject}: {problem}")


def _lakehouse(settings: Settings) -> str:
    spaces = open_lake(settings).read(GENIE_SPACE_DETAILS, columns=["space_id"])
    return f"{settings.genie_lakehouse} can be read; {len(spaces)} spaces are stored"


def _audit(tables: SystemTables) -> str:
    newest = tables.latest_audit_event(since=dt.datetime.now(dt.UTC).date() - dt.timedelta(days=2))
    return (
        f"can be read; its newest event is of {newest:%Y-%m-%d %H:%M} UTC" if newest else "shows no recent event"
    )


def _history(tables: SystemTables) -> str:
    now = dt.datetime.now(dt.UTC)
    # No statement has this id: the question is only whether we may ask.
    tables.query_history(["none"], from_time=now - dt.timedelta(hours=1), to_time=now)
    return "can be read"


def _spaces(settings: Settings, connection: DatabricksConnection, tables: SystemTables) -> Iterator[Finding]:
    """What every workspace lets us see. One that refuses is a finding, not the end."""
    genie = open_genie_api(settings, connection)
    try:
        workspaces = tables.workspaces()
    except _EXPECTED:
        return
    for workspace in records(workspaces):
        listed = genie.list_spaces(workspace["workspace_id"], workspace["workspace_url"])
        name = f"Workspace {workspace['workspace_name']} ({workspace['workspace_id']})"
        if listed.error:
            yield Finding(ok=False, text=f"{name}: {listed.error.message}")
        else:
            yield Finding(ok=True, text=f"{name} lists {len(listed.spaces)} spaces")
