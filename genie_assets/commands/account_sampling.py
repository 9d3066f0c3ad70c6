"""Taking samples of the configured account, for `doctor --contract` and `doctor --record`."""

import datetime as dt
from dataclasses import dataclass

from genie_assets.domain.samples import Samples
from genie_assets.domain.tables import records
from genie_assets.domain.workspaces import is_looked_at, is_running
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets.logins import DatabricksConnection
from genie_assets.pipeline.account_samples import MOST_REQUESTS, Workspace, samples_of_account
from genie_assets.settings import Settings
from genie_assets.wiring import open_samplers, open_system_tables, open_workspaces


@dataclass(frozen=True)
class Taken:
    """Samples, and what it took to take them."""

    samples: Samples
    requests: int
    statements: int


def take_samples(settings: Settings, now: dt.datetime, *, with_rows: bool = False) -> Taken:
    """Take samples of the account: at most 150 requests, ten a second, and 16 statements. Nothing is changed.

    Args:
        settings: Where the account is.
        now: The time, UTC: audit log and query history of a week before it are looked at.
        with_rows: Whether whole rows of system tables are wanted, too.

    Raises:
        SettingsError: a setting is missing.
        WarehouseError: no workspace is known.
    """
    connection = settings.databricks()
    shared = open_workspaces(settings, connection)  # held on to, so that all share one login
    workspaces = _workspaces(settings, connection)
    genie, warehouse = open_samplers(settings, connection, MOST_REQUESTS)
    samples = samples_of_account(warehouse, genie, workspaces, now, with_rows=with_rows)
    del shared
    return Taken(samples, genie.requests, warehouse.statements + 1)


def _workspaces(settings: Settings, connection: DatabricksConnection) -> list[Workspace]:
    """Those that run and are looked at, by id; where the table cannot be read, those that a setting names."""
    configured, chosen = settings.genie_workspace_urls, settings.genie_workspaces
    named: dict[str, str | None] = {each: url for each, url in configured.items() if is_looked_at(each, chosen)}
    try:
        shown = records(open_system_tables(settings, connection).workspaces())
    except WarehouseError:
        if not named:
            raise
        shown = []
    found = {each["workspace_id"]: each["workspace_url"] for each in shown if is_running(each["status"])}
    return sorted({**found, **named}.items())
