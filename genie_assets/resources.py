"""How a deployment reaches the outside world. Assets get plain gateway objects and see no Dagster type.

Every setting is read when a run starts, never at import: the definitions load without any, and no secret gets into
the snapshot that the UI serves.
"""

import datetime as dt
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster_databricks import DatabricksClientResource
from dagster_databricks.resources import OauthCredentials
from dagster_deltalake import AzureConfig, GcsConfig, LocalConfig, S3Config
from pydantic import Field

from genie_assets.gateways.genie_api import GenieApi
from genie_assets.gateways.hosts import HostPolicy
from genie_assets.gateways.identity import own_names
from genie_assets.gateways.lakehouse import Lakehouse, open_lakehouse
from genie_assets.gateways.pacing import Pacer
from genie_assets.gateways.system_tables import SystemTables
from genie_assets.gateways.volumes import Volumes
from genie_assets.gateways.warehouse import SqlWarehouse
from genie_assets.gateways.workspaces import Workspaces
from genie_assets.settings import DatabricksConnection, Settings, load_settings


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


class RunBudgetResource(dg.ConfigurableResource[RunBudget]):
    """The time budget of a run."""

    minutes: float | None = Field(default=None, gt=0, description="Default: the setting GENIE_RUN_MINUTES.")

    def create_resource(self, context: dg.InitResourceContext) -> RunBudget:  # noqa: D102
        return RunBudget(self.minutes or load_settings().genie_run_minutes)


class LakehouseResource(dg.ConfigurableResource[Lakehouse]):
    """Where the tables are."""

    databricks: dg.ResourceDependency[DatabricksClientResource | None] = None  # type: ignore[assignment]
    uri: str | None = Field(default=None, description="Default: the setting GENIE_LAKEHOUSE.")
    storage: LocalConfig | S3Config | AzureConfig | GcsConfig = Field(
        discriminator="provider",
        default=LocalConfig(),
        description="Credentials and endpoint of the object store, unless the environment has them.",
    )

    def create_resource(self, context: dg.InitResourceContext) -> Lakehouse:  # noqa: D102
        options = self.storage.str_dict()
        options.pop("provider")
        settings = load_settings()

        def connection() -> DatabricksConnection:
            return credentials(self.databricks or databricks_from_environment(), settings)

        return open_lake(settings, connection, uri=self.uri, storage_options=options)


class GenieApiResource(dg.ConfigurableResource[GenieApi]):
    """The Genie API of all workspaces."""

    databricks: dg.ResourceDependency[DatabricksClientResource]

    def create_resource(self, context: dg.InitResourceContext) -> GenieApi:  # noqa: D102
        settings = load_settings()
        return open_genie_api(settings, credentials(self.databricks, settings))


class SystemTablesResource(dg.ConfigurableResource[SystemTables]):
    """Databricks' system tables, read through a SQL warehouse."""

    databricks: dg.ResourceDependency[DatabricksClientResource]

    def create_resource(self, context: dg.InitResourceContext) -> SystemTables:  # noqa: D102
        settings = load_settings()
        return open_system_tables(settings, credentials(self.databricks, settings))


def databricks_from_environment() -> DatabricksClientResource:
    """Databricks' own resource with whatever credentials the environment has, by reference and not by value."""
    configured: dict[str, Any] = {}
    if os.environ.get("DATABRICKS_HOST"):
        configured["host"] = dg.EnvVar("DATABRICKS_HOST")
    if os.environ.get("DATABRICKS_TOKEN"):
        configured["token"] = dg.EnvVar("DATABRICKS_TOKEN")
    elif os.environ.get("DATABRICKS_CLIENT_ID") and os.environ.get("DATABRICKS_CLIENT_SECRET"):
        configured["oauth_credentials"] = OauthCredentials(
            client_id=dg.EnvVar("DATABRICKS_CLIENT_ID"), client_secret=dg.EnvVar("DATABRICKS_CLIENT_SECRET")
        )
    return DatabricksClientResource(**configured)


def credentials(databricks: DatabricksClientResource, settings: Settings) -> DatabricksConnection:
    """How to log in: as the Databricks resource says, with the settings for what it leaves open.

    Raises:
        SettingsError: naming the environment variable that is missing or contradicts another one.
    """
    overrides: dict[str, Any] = {}
    if databricks.host:
        overrides["databricks_host"] = databricks.host
    if databricks.token:
        overrides["databricks_token"] = databricks.token
    if databricks.oauth_credentials:
        overrides["databricks_client_id"] = databricks.oauth_credentials.client_id
        overrides["databricks_client_secret"] = databricks.oauth_credentials.client_secret
    return load_settings(**overrides).databricks() if overrides else settings.databricks()


def open_workspaces(settings: Settings, connection: DatabricksConnection) -> Workspaces:
    """The workspaces, as the settings say they may be reached."""
    return Workspaces(
        connection.home_url,
        token=connection.token,
        client_id=connection.client_id,
        client_secret=connection.client_secret,
        urls=settings.genie_workspace_urls,
        policy=HostPolicy(settings.genie_allowed_hosts),
        threads=settings.genie_threads,
    )


def open_lake(
    settings: Settings,
    connection: Callable[[], DatabricksConnection] | None = None,
    *,
    uri: str | None = None,
    storage_options: Mapping[str, str] | None = None,
) -> Lakehouse:
    """The lakehouse; one in Unity Catalog is reached through the configured warehouse, at its first use.

    Args:
        settings: Where it is, and how new tables are laid out.
        connection: How to reach Databricks; by default as the settings say. Not asked for tables elsewhere.
        uri: Where it is, instead of what the settings say.
        storage_options: Credentials and endpoint of an object store.

    Raises:
        LakehouseError: no engine serves the URI.
    """

    def databricks() -> tuple[SqlWarehouse, Volumes]:
        found = connection() if connection else settings.databricks()
        workspaces = open_workspaces(settings, found)
        return SqlWarehouse(workspaces.home, found.warehouse_id), Volumes(workspaces.home)

    return open_lakehouse(
        uri or settings.genie_lakehouse,
        storage_options,
        databricks=databricks,
        layout=settings.genie_table_layout,
    )


def open_genie_api(settings: Settings, connection: DatabricksConnection) -> GenieApi:
    """The Genie API with the configured concurrency and starting pace."""
    workspaces = open_workspaces(settings, connection)
    return GenieApi(
        workspaces,
        threads=settings.genie_threads,
        pacer_of=lambda _workspace_id: Pacer(settings.genie_requests_per_second),
    )


def open_system_tables(settings: Settings, connection: DatabricksConnection) -> SystemTables:
    """The system tables, read through the configured warehouse."""
    workspaces = open_workspaces(settings, connection)
    warehouse = SqlWarehouse(workspaces.home, connection.warehouse_id)

    def own_principals() -> tuple[str, ...]:
        known = (*settings.own_principals, *filter(None, [connection.client_id]))
        return known if connection.client_id else (*known, *own_names(workspaces.home()))

    return SystemTables(
        warehouse,
        own_principals=own_principals,
        workspace_ids=settings.genie_workspaces,
        home_url=connection.home_url,
    )
