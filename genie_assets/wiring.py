"""The plain objects of a run, put together from the settings, without Dagster: for its resources and for commands.

Nothing is sent or read while they are put together. What an object needs is imported when it is made: the SDK and
pandas take seconds, and tables in files need neither.
"""

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from genie_assets.domain.run_costs import Costs
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.logins import DatabricksConnection
from genie_assets.settings import Settings

if TYPE_CHECKING:
    from genie_assets.domain.space_references import Finding, Reference
    from genie_assets.gateways.databricks.lakeview import Lakeview
    from genie_assets.gateways.databricks.metering import Meter
    from genie_assets.gateways.databricks.references import LiveReferences
    from genie_assets.gateways.databricks.sql_alerts import SqlAlerts
    from genie_assets.gateways.databricks.workspaces import Workspaces
    from genie_assets.gateways.genie.api import GenieApi
    from genie_assets.gateways.genie.sampling import GenieSampler
    from genie_assets.gateways.genie.space_writes import LiveSpaces
    from genie_assets.gateways.lakehouse.interface import Lakehouse
    from genie_assets.gateways.sql.regions import Lost
    from genie_assets.gateways.sql.sampling import StatementSampler
    from genie_assets.gateways.sql.system_tables import SystemTables
    from genie_assets.gateways.sql.volumes import Volumes
    from genie_assets.gateways.sql.warehouse import SqlWarehouse

_log = logging.getLogger(__name__)


class Clock:
    """The time. Tests hand in another one."""

    def now(self) -> dt.datetime:
        """The current time, UTC."""
        return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class RunBudget:
    """How long a run may ask the API; what is left then waits for the next run."""

    minutes: float

    def deadline(self) -> float:
        """The `time.monotonic()` second at which to stop, counted from now."""
        return time.monotonic() + self.minutes * 60


# As long as somebody uses them. A run makes its objects one by one, and they shall share one login.
_in_use: "WeakValueDictionary[Hashable, Workspaces]" = WeakValueDictionary()
_lock = threading.RLock()


def open_workspaces(settings: Settings, connection: DatabricksConnection) -> "Workspaces":
    """The workspaces, as the settings say they may be reached; those that do not run are not asked.

    What is opened in the same way while it is in use is the same object, with one login for all of a run.
    """
    with _lock:
        key = (connection, repr(settings))
        workspaces = _in_use.get(key)
        if workspaces is None:
            workspaces = _in_use[key] = _new_workspaces(settings, connection)
        return workspaces


@cache
def _meter() -> "Meter":
    """Of all workspaces of this process, which does one run: some are opened for one question only."""
    from genie_assets.gateways.databricks.metering import Meter

    return Meter()


def take_costs() -> Costs:
    """What this process has asked of Databricks since this was last asked."""
    return _meter().take()


def give_back_costs(costs: Costs) -> None:
    """Count costs that were taken and could not be noted: whoever asks next gets them."""
    _meter().add(costs)


def _new_workspaces(settings: Settings, connection: DatabricksConnection) -> "Workspaces":
    from genie_assets.gateways.databricks.principals import Tenant
    from genie_assets.gateways.databricks.retries import CallError
    from genie_assets.gateways.databricks.workspaces import Workspaces
    from genie_assets.gateways.sql.errors import WarehouseError

    def statuses() -> Mapping[str, str | None]:
        try:
            return open_system_tables(settings, connection).statuses()
        except (WarehouseError, CallError) as problem:
            _log.warning("Which workspaces run is not known, so that every one is asked: %s", problem)
            return {}

    return Workspaces(
        connection.home_url,
        token=connection.token,
        client_id=connection.client_id,
        client_secret=connection.client_secret,
        tenant=Tenant(connection.tenant_id, connection.authority) if connection.tenant_id else None,
        urls=settings.genie_workspace_urls,
        statuses=statuses,
        policy=HostPolicy(settings.genie_allowed_hosts),
        threads=settings.genie_threads,
        meter=_meter(),
    )


def open_lake(
    settings: Settings,
    connection: Callable[[], DatabricksConnection] | None = None,
    *,
    uri: str | None = None,
    storage_options: Mapping[str, str] | None = None,
) -> "Lakehouse":
    """The lakehouse; one in Unity Catalog is reached through the configured warehouse, at its first use.

    Args:
        settings: Where it is, and how new tables are laid out.
        connection: How to reach Databricks; by default as the settings say. Not asked for tables elsewhere.
        uri: Where it is, instead of what the settings say.
        storage_options: Credentials and endpoint of an object store.

    Raises:
        LakehouseError: no engine serves the URI.
    """
    from genie_assets.gateways.lakehouse.opening import open_lakehouse

    def databricks() -> "tuple[SqlWarehouse, Volumes]":
        from genie_assets.gateways.sql.volumes import Volumes

        found = connection() if connection else settings.databricks()
        workspaces = open_workspaces(settings, found)
        return open_warehouse(settings, found, workspaces), Volumes(workspaces.home)

    return open_lakehouse(
        uri or settings.genie_lakehouse,
        storage_options,
        databricks=databricks,
        layout=settings.genie_table_layout,
        made_up=settings.genie_made_up,
    )


def open_regional_warehouses(settings: Settings, workspaces: "Workspaces") -> "dict[str, SqlWarehouse]":
    """The SQL warehouses of further regions, by the name of each."""
    from genie_assets.gateways.sql.warehouse import SqlWarehouse

    return {
        name: SqlWarehouse(
            partial(workspaces.region, name, place.url),
            place.warehouse_id,
            timeout_seconds=settings.genie_region_seconds,
        )
        for name, place in settings.genie_regions.items()
    }


def open_warehouse(
    settings: Settings, connection: DatabricksConnection, workspaces: "Workspaces | None" = None
) -> "SqlWarehouse":
    """The configured SQL warehouse."""
    from genie_assets.gateways.sql.warehouse import SqlWarehouse

    workspaces = workspaces or open_workspaces(settings, connection)
    return SqlWarehouse(workspaces.home, connection.warehouse_id)


def open_dashboards(settings: Settings, connection: DatabricksConnection) -> "Lakeview":
    """The dashboards of the home workspace."""
    from genie_assets.gateways.databricks.lakeview import Lakeview

    return Lakeview(open_workspaces(settings, connection).home)


def open_sql_alerts(settings: Settings, connection: DatabricksConnection) -> "SqlAlerts":
    """The SQL alerts of the home workspace."""
    from genie_assets.gateways.databricks.sql_alerts import SqlAlerts

    return SqlAlerts(open_workspaces(settings, connection).home)


def open_genie_api(settings: Settings, connection: DatabricksConnection) -> "GenieApi":
    """The Genie API with the configured concurrency and starting pace. What does not run is not asked."""
    from genie_assets.gateways.databricks.pacing import Pacer
    from genie_assets.gateways.genie.api import GenieApi

    return GenieApi(
        open_workspaces(settings, connection),
        threads=settings.genie_threads,
        pacer_of=lambda _workspace_id: Pacer(settings.genie_requests_per_second),
    )


_SAMPLES_PER_SECOND = 10.0
"""Samples are in no hurry, and are taken beside whatever else runs."""


def open_samplers(
    settings: Settings, connection: DatabricksConnection, most_requests: int
) -> "tuple[GenieSampler, StatementSampler]":
    """What takes samples of the Genie API and of the SQL API.

    Args:
        settings: How workspaces may be reached, and how fast.
        connection: The login.
        most_requests: So many requests of the Genie API at most.
    """
    from genie_assets.gateways.databricks.pacing import Pacer
    from genie_assets.gateways.genie.sampling import GenieSampler
    from genie_assets.gateways.sql.sampling import StatementSampler

    workspaces = open_workspaces(settings, connection)
    pacer = Pacer(min(_SAMPLES_PER_SECOND, settings.genie_requests_per_second))
    return (
        GenieSampler(workspaces, pacer, most_requests),
        StatementSampler(workspaces.home, connection.warehouse_id),
    )


def open_live_spaces(
    settings: Settings, connection: DatabricksConnection, url_of: Callable[[str], str | None]
) -> "LiveSpaces":
    """The spaces as they are now, for who carries out plans.

    Args:
        settings: How workspaces may be reached.
        connection: The login.
        url_of: The address of a workspace that the settings do not name.
    """
    from genie_assets.gateways.genie.space_writes import LiveSpaces

    return LiveSpaces(open_workspaces(settings, connection), open_genie_api(settings, connection), url_of)


def home_finding(settings: Settings, connection: DatabricksConnection, reference: "Reference") -> "Finding":
    """What the home workspace tells our login of a table, a function or a warehouse."""
    from genie_assets.domain.space_references import finding
    from genie_assets.gateways.databricks.references import look_up

    return finding(reference, look_up(open_workspaces(settings, connection).home, reference))


def open_live_references(
    settings: Settings, connection: DatabricksConnection, url_of: Callable[[str], str | None]
) -> "LiveReferences":
    """The tables, functions and warehouses that spaces name, as they are now; parameters as above."""
    from genie_assets.gateways.databricks.references import LiveReferences

    return LiveReferences(open_workspaces(settings, connection), url_of)


def open_system_tables(
    settings: Settings,
    connection: DatabricksConnection,
    without: Collection[str] = (),
    lost: "Lost | None" = None,
) -> "SystemTables":
    """The system tables, read through the configured warehouse, and in further regions through theirs.

    Args:
        settings: Which regions there are, and which workspaces are looked at.
        connection: The login.
        without: Further regions that are not read.
        lost: Regions that could not be read lately, and who is told of such.
    """
    from genie_assets.gateways.databricks.identity import own_names
    from genie_assets.gateways.sql.regions import NONE_LOST
    from genie_assets.gateways.sql.system_tables import SystemTables

    workspaces = open_workspaces(settings, connection)
    warehouse = open_warehouse(settings, connection, workspaces)
    regional = open_regional_warehouses(settings, workspaces)

    def own_principals() -> tuple[str, ...]:
        known = (*settings.own_principals, *filter(None, [connection.client_id]))
        return known if connection.client_id else (*known, *own_names(workspaces.home()))

    return SystemTables(
        warehouse,
        further={name: each for name, each in regional.items() if name not in without},
        own_principals=own_principals,
        workspace_ids=settings.genie_workspaces,
        home_url=connection.home_url,
        note_statuses=workspaces.note_statuses,
        lost=lost or NONE_LOST,
    )
