"""How a deployment reaches the outside world. Assets get plain gateway objects and see no Dagster type.

Every setting of theirs is read when a run starts, never at import: the definitions load without any, and no secret
gets into the snapshot that the UI serves. Their keys begin with `genie_`, so that a project with a resource called
`databricks` can take them in beside its own.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dagster as dg
from dagster_databricks import DatabricksClientResource
from dagster_databricks.resources import OauthCredentials
from dagster_deltalake import AzureConfig, GcsConfig, LocalConfig, S3Config
from pydantic import Field

from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.logins import DatabricksConnection
from genie_assets.lost_regions import lost_in_run
from genie_assets.pool import pool_problem
from genie_assets.run_costs import begin_noting, note_costs
from genie_assets.settings import Settings, SettingsError, load_settings
from genie_assets.wiring import Clock, RunBudget, open_genie_api, open_lake, open_system_tables

Login = Callable[[], DatabricksConnection]
# What each is called in Dagster, by the name under which `build_defs` takes another one.
KEYS = {
    "databricks": "genie_databricks",
    "genie": "genie_api",
    "system_tables": "genie_system_tables",
    "lake": "genie_lake",
    "budget": "genie_budget",
    "clock": "genie_clock",
}


def build_resources(**overrides: Any) -> dict[str, Any]:
    """The resources by their keys.

    Args:
        overrides: Others instead of ours, by the names in `KEYS`.

    Raises:
        TypeError: if a name is none of these.
    """
    if unknown := sorted(overrides.keys() - KEYS.keys()):
        raise TypeError(
            f"build_defs() knows no resource called {', '.join(unknown)}: choose from {', '.join(KEYS)}"
        )
    databricks = overrides.get("databricks") or databricks_from_environment()
    ours = {
        "databricks": databricks,
        "genie": GenieApiResource(databricks=databricks),
        "system_tables": SystemTablesResource(databricks=databricks),
        "lake": LakehouseResource(databricks=databricks),
        "budget": RunBudgetResource(),
        "clock": Clock(),
    }
    chosen = ours | {name: resource for name, resource in overrides.items() if resource is not None}
    named = {KEYS[name]: resource for name, resource in chosen.items()}
    return {**named, "genie_login": LoginResource(databricks=databricks)}


class RunBudgetResource(dg.ConfigurableResource[RunBudget]):
    """The time budget of a run."""

    minutes: float | None = Field(default=None, gt=0, description="Default: the setting GENIE_RUN_MINUTES.")

    def create_resource(self, context: dg.InitResourceContext) -> RunBudget:  # noqa: D102
        return RunBudget(self.minutes or load_settings().genie_run_minutes)


class _Metered:
    """What is asked through a resource is noted at the run, while it goes on and once it is given back."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Dagster calls it before anything is asked."""
        begin_noting(context)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Dagster calls it whether or not the run succeeded."""
        note_costs(context)


class LakehouseResource(_Metered, dg.ConfigurableResource[Lakehouse]):
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


class GenieApiResource(_Metered, dg.ConfigurableResource[GenieApi]):
    """The Genie API of all workspaces."""

    databricks: dg.ResourceDependency[DatabricksClientResource]

    def create_resource(self, context: dg.InitResourceContext) -> GenieApi:  # noqa: D102
        # Said where it can be mended, when a run begins: the instance is another one's.
        if context.instance and context.log and (problem := pool_problem(context.instance)):
            context.log.warning(problem)
        settings = load_settings()
        return open_genie_api(settings, credentials(self.databricks, settings))


class SystemTablesResource(_Metered, dg.ConfigurableResource[SystemTables]):
    """Databricks' system tables, read through a SQL warehouse."""

    databricks: dg.ResourceDependency[DatabricksClientResource]

    def create_resource(self, context: dg.InitResourceContext) -> SystemTables:  # noqa: D102
        settings, lost = load_settings(), None
        if settings.genie_regions and context.instance and context.run:
            lost = lost_in_run(context.instance, context.run.run_id)
        return open_system_tables(settings, credentials(self.databricks, settings), lost=lost)


class LoginResource(_Metered, dg.ConfigurableResource[Login]):
    """How to log in, for assets that reach the home workspace in a way of their own.

    They do not ask for Databricks' own resource: Dagster has the SDK make a client of it for each of their steps,
    which asks the workspace where to log in, without a timeout and uncounted.
    """

    databricks: dg.ResourceDependency[DatabricksClientResource]

    def create_resource(self, context: dg.InitResourceContext) -> Login:  # noqa: D102
        return lambda: credentials(self.databricks, load_settings())


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
        SettingsError: naming the environment variable that is missing or contradicts another one, or the part of
            the resource that we cannot use.
    """
    if databricks.credentials_strategy is not None:
        raise SettingsError(
            "The Databricks resource logs in with a credentials_strategy, which genie-assets does not use: give "
            "it a token, oauth_credentials or azure_credentials."
        )
    overrides: dict[str, Any] = {}
    if databricks.host:
        overrides["databricks_host"] = databricks.host
    if databricks.token:
        overrides["databricks_token"] = databricks.token
    if databricks.oauth_credentials:
        overrides["databricks_client_id"] = databricks.oauth_credentials.client_id
        overrides["databricks_client_secret"] = databricks.oauth_credentials.client_secret
    azure = databricks.azure_credentials
    if azure:
        overrides["databricks_client_id"] = azure.azure_client_id
        overrides["databricks_client_secret"] = azure.azure_client_secret
    chosen = load_settings(**overrides) if overrides else settings
    connection = chosen.databricks()
    if not azure:
        return connection
    return replace(connection, tenant_id=azure.azure_tenant_id, authority=chosen.azure_authority_host)
