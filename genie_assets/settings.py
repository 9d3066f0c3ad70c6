"""Every setting, once: its environment variable, its rule, and one clear sentence for each way to get it wrong.

Nothing is read when this module is imported; `load_settings` reads the environment when it is called. Dagster's
commands and ours put what `.env` holds into the environment first.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from genie_assets.gateways.databricks.profiles import ProfileError, not_told, read_profile
from genie_assets.logins import (
    NO_HOST,
    NO_WAREHOUSE,
    WHERE_SETTINGS_ARE,
    DatabricksConnection,
    authentication_problem,
    azure_problem,
)
from genie_assets.production import PRODUCTION, production_problems
from genie_assets.setting_types import (
    Address,
    Day,
    Folder,
    Group,
    Hours,
    Id,
    Ids,
    Layout,
    Names,
    Patterns,
    Place,
    ProfileName,
    Regions,
    Secret,
    SecretUrl,
    TimeZone,
    Token,
    Url,
    Urls,
    limit,
    number,
)


class SettingsError(Exception):
    """A setting is missing or wrong. The message names its environment variable and says what to do."""


_OF_A_PROFILE = {
    "host": "databricks_host",
    "warehouse_id": "databricks_warehouse_id",
    "token": "databricks_token",
    "client_id": "databricks_client_id",
    "client_secret": "databricks_client_secret",
    "azure_client_id": "arm_client_id",
    "azure_client_secret": "arm_client_secret",
    "azure_tenant_id": "arm_tenant_id",
}
_LOGIN = tuple(_OF_A_PROFILE.values())[2:]


class Settings(BaseSettings):
    """The settings. Each field is the environment variable of the same name in upper case.

    Use `load_settings`; it turns every problem into a `SettingsError`.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    genie_profile: ProfileName = "development"
    """What is demanded of the settings: `production` refuses what only a person who tries something may use."""

    databricks_host: Address = None
    """The workspace that holds the SQL warehouse."""
    databricks_client_id: Id = None
    """Application id of the service principal that reads (OAuth)."""
    databricks_client_secret: Secret = None
    """Its OAuth secret."""
    databricks_token: Token = None
    """A personal access token, instead of client id and secret."""
    databricks_config_profile: Group = None
    """The profile of `.databrickscfg` that tells what of host, warehouse and login is not set here."""
    databricks_config_file: Group = None
    """That file, if it is not `~/.databrickscfg`."""
    arm_client_id: Id = None
    """Application id of a service principal of Azure, where no other login is set."""
    arm_client_secret: Secret = None
    """Its secret."""
    arm_tenant_id: Id = None
    """Its directory."""
    azure_authority_host: Address = None
    """Where an Azure service principal logs in, if not where all tenants of the workspace's cloud do."""
    databricks_warehouse_id: Id = None
    """The SQL warehouse that reads the system tables, and keeps ours if they are in Unity Catalog."""
    genie_lakehouse: Place = ".genie/lakehouse"
    """Where the tables are: a path, `s3://…`, `abfss://…`, `gs://…` or `uc://catalog.schema`."""
    genie_table_layout: Layout = "partitioned"
    """How tables in Unity Catalog are laid out when they are created: by day, or by liquid clustering."""
    genie_workspaces: Ids = ()
    """Ids of the workspaces to look at; empty means all that the audit log shows."""
    genie_workspace_urls: Urls = {}
    """Addresses by workspace id, for workspaces that `system.access.workspaces_latest` lacks."""
    genie_regions: Regions = {}
    """SQL warehouses of further regions, whose audit log and query history are read as well."""
    genie_region_seconds: Annotated[float, number(1, 3600, float)] = 300.0
    """Seconds that a statement may take in a further region. A cold warehouse needs minutes to start."""
    genie_allowed_hosts: Patterns = ()
    """Hosts besides Databricks' own that may be sent our credentials."""
    genie_own_principals: Names = ()
    """Principals whose reads are not usage: those of this pipeline."""
    genie_threads: Annotated[int, number(1, 64, int)] = 16
    """Requests in flight per workspace."""
    genie_requests_per_second: Annotated[float, number(0.1, 1000, float)] = 50.0
    """Rate at which a workspace is first asked; it then follows what the workspace allows, from run to run."""
    genie_run_minutes: Annotated[float, number(1, 24 * 60, float)] = 50.0
    """Time after which a run stops fetching and leaves the rest to the next one."""
    genie_first_day: Day = dt.date(2025, 1, 1)
    """First UTC day that can be loaded. A fixed date: every process must know the same days."""
    genie_made_up: bool = False
    """The tables hold a made-up account. Only the demo says so."""
    genie_settled_days: Annotated[int, number(1, 30, int)] = 3
    """Closed days that are looked at again for late audit and history rows."""
    genie_lookback_days: Annotated[int, number(1, 365, int)] = 30
    """Days back of which nothing may be missing: what waits there, or changes there, is run by itself."""
    genie_new_rows_minutes: Annotated[int, number(0, 60, int)] = 0
    """Minutes between two looks for new rows of the audit log; 0 looks for none between the hourly loads."""
    genie_reconcile: Annotated[float, number(0, 1, float)] = 0.15
    """Share of the spaces whose conversations are walked each night, all of them once a week; 0 walks none."""

    genie_report_texts: bool = False
    """Whether the report shows questions and comments."""
    genie_report_names: bool = False
    """Whether the report shows users by their e-mail addresses; without it, by pseudonyms."""
    genie_time_zone: TimeZone = "UTC"
    """The zone of the hours of the day in the report, and of the quiet hours of alerts."""

    genie_dashboard_folder: Folder = None
    """Workspace folder in which the AI/BI dashboard is deployed each day; without it, only by hand."""
    genie_dashboard_viewers: Group = None
    """Group of the workspace that may view that dashboard."""

    genie_alert_channels: SecretStr | None = None
    """Where alerts are sent to: addresses as apprise spells them, separated by blanks."""
    genie_alert_heartbeat_url: SecretUrl = None
    """What is asked after each good tick of the sensor `alerts`, so that its silence is noticed."""
    genie_alert_quiet_hours: Hours = None
    """From when to when no alert is sent, in `genie_time_zone`."""
    genie_alert_remind_hours: Annotated[float, number(1, 168, float)] = 24.0
    """Hours until the first reminder of what is still broken; each further one takes twice as long."""
    genie_sql_alert_emails: Names = ()
    """Users whom the SQL alert tells that the tables stand still; with any, it is deployed each day."""
    genie_sql_alert_destinations: Ids = ()
    """Notification destinations that it tells, by their ids; the same."""
    genie_dagster_url: Url = None
    """The address of Dagster's webserver, for the links in alerts."""

    genie_telemetry: bool = False
    """Whether runs send what they measured to an OpenTelemetry receiver (OTEL_EXPORTER_OTLP_ENDPOINT)."""

    genie_budget_warehouse_seconds: Annotated[float | None, limit(1, 10_000_000, float)] = None
    """Seconds that statements of this pipeline may take a UTC day before a check warns; without it, none does."""
    genie_budget_requests: Annotated[int | None, limit(1, 1_000_000_000, int)] = None
    """Requests that this pipeline may send to Databricks a UTC day before a check warns; without it, none does."""

    genie_allow_space_writes: bool = False
    """Whether `genie-assets spaces apply` may change spaces."""
    genie_write_client_id: Id = None
    """Application id of the service principal that changes spaces, if it is another one."""
    genie_write_client_secret: Secret = None
    """Its OAuth secret."""
    genie_write_token: Token = None
    """A personal access token for changing spaces, instead of client id and secret."""

    @property
    def own_principals(self) -> tuple[str, ...]:
        """All principals whose reads are not usage: the configured ones and the one we log in as."""
        own = (*self.genie_own_principals, *filter(None, [self.databricks_client_id]))
        return tuple(dict.fromkeys(own))

    @property
    def alert_channels(self) -> tuple[str, ...]:
        """The addresses of the channels, each a secret."""
        return tuple((_reveal(self.genie_alert_channels) or "").split())

    @property
    def heartbeat(self) -> str | None:
        """The address that is asked after each good tick, a secret."""
        return _reveal(self.genie_alert_heartbeat_url)

    def databricks(self) -> DatabricksConnection:
        """How to reach Databricks.

        Raises:
            SettingsError: if the host, the credentials or the warehouse are missing, or the credentials are
                given twice, or the profile that is named cannot be used. Apart from this, no setting is required.
        """
        settings = self._with_profile()
        secret, token = _reveal(settings.databricks_client_secret), _reveal(settings.databricks_token)
        azure = {
            "ARM_CLIENT_ID": settings.arm_client_id,
            "ARM_CLIENT_SECRET": _reveal(settings.arm_client_secret),
            "ARM_TENANT_ID": settings.arm_tenant_id,
        }
        is_azures = any(azure.values()) and not (settings.databricks_client_id or secret or token)
        problems = [
            None if settings.databricks_host else NO_HOST,
            None if settings.databricks_warehouse_id else NO_WAREHOUSE,
            azure_problem(azure)
            if is_azures
            else authentication_problem(settings.databricks_client_id, secret, token),
            _region_at_home(settings),
            _untold(settings),
        ]
        if not settings.databricks_host or not settings.databricks_warehouse_id or any(problems):
            raise SettingsError(" ".join([*filter(None, problems), WHERE_SETTINGS_ARE]))
        connection = DatabricksConnection(settings.databricks_host, settings.databricks_warehouse_id)
        if not is_azures:
            return replace(connection, client_id=settings.databricks_client_id, client_secret=secret, token=token)
        return replace(
            connection,
            client_id=azure["ARM_CLIENT_ID"],
            client_secret=azure["ARM_CLIENT_SECRET"],
            tenant_id=azure["ARM_TENANT_ID"],
            authority=settings.azure_authority_host,
        )

    def _with_profile(self) -> "Settings":
        """With what the profile says of what is not set; it is not read if nothing is missing."""
        if not _is_left_to_profile(self):
            return self
        login = [getattr(self, name) for name in _LOGIN]
        try:
            profile = read_profile(self.databricks_config_profile, self.databricks_config_file)
            told = {**profile.place, **({} if any(login) else profile.login())}
        except ProfileError as problem:
            text = str(problem)
        else:
            names = {field: key for key, field in _OF_A_PROFILE.items() if key in told}
            missing = {field: told[key] for field, key in names.items() if not getattr(self, field)}
            try:
                # The same rules as for settings, those of production among them.
                read = load_settings(**missing)
                return self.model_copy(update={field: getattr(read, field) for field in missing})
            except SettingsError as problem:
                text = f"The profile {profile.name} of {profile.file} cannot be used: {problem}"
        raise SettingsError(text)

    def writing(self) -> DatabricksConnection:
        """How to reach Databricks in order to change spaces: with a login of its own, if there is one.

        Raises:
            SettingsError: as for `databricks`, or that login is given by halves or twice.
        """
        usual = self.databricks()
        client_id, token = self.genie_write_client_id, _reveal(self.genie_write_token)
        secret = _reveal(self.genie_write_client_secret)
        if not (client_id or secret or token):
            return usual
        if problem := authentication_problem(client_id, secret, token):
            raise SettingsError(problem.replace("DATABRICKS_", "GENIE_WRITE_"))
        return replace(usual, client_id=client_id, client_secret=secret, token=token, tenant_id=None)


def _is_left_to_profile(settings: Settings) -> bool:
    """Whether a profile is named, and host, warehouse or every login is to come from it."""
    is_named = settings.databricks_config_profile or settings.databricks_config_file
    has_login = any(getattr(settings, name) for name in _LOGIN)
    is_whole = settings.databricks_host and settings.databricks_warehouse_id and has_login
    return bool(is_named and not is_whole)


def _untold(settings: Settings) -> str | None:
    """One sentence if the profile was read, and something is missing all the same."""
    if not _is_left_to_profile(settings):
        return None
    return not_told(settings.databricks_config_profile, settings.databricks_config_file)


def _region_at_home(settings: Settings) -> str | None:
    """One sentence if a further region is given the warehouse of home: it would look well, and not be read."""
    home = settings.databricks_host, settings.databricks_warehouse_id
    for name, place in settings.genie_regions.items():
        if (place.url, place.warehouse_id) == home:
            return (
                f"GENIE_REGIONS gives the region {name} the warehouse of DATABRICKS_HOST, which reads its own "
                "region only: name one of a workspace there."
            )
    return None


def _reveal(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def load_settings(**values: Any) -> Settings:
    """Read the settings from the environment.

    Args:
        values: Settings by field name that win over the environment.

    Raises:
        SettingsError: with one sentence per wrong setting.
    """
    try:
        settings = Settings(**values)
    except ValidationError as error:
        # The validation error knows the values, secrets included: it must not even be the cause.
        problems = [_sentence(item) for item in error.errors(include_input=False, include_url=False)]
    else:
        is_production = settings.genie_profile == PRODUCTION
        problems = production_problems(dict(settings)) if is_production else []
        if not problems:
            return settings
    raise SettingsError(" ".join(problems))


def _sentence(item: Mapping[str, Any]) -> str:
    variable = str(item["loc"][0]).upper() if item["loc"] else "A setting"
    return f"{variable} {item['msg'].removeprefix('Value error, ')}."
