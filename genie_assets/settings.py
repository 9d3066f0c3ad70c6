"""Every setting, once: its environment variable, its rule, and one clear sentence for each way to get it wrong.

Nothing is read when this module is imported; `load_settings` reads the environment when it is called. Dagster's
commands and ours put what `.env` holds into the environment first.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from genie_assets.gateways.databricks.hosts import HostPolicy, UnusableUrl, normalise_url, read_address
from genie_assets.gateways.databricks.pasting import flaw


class SettingsError(Exception):
    """A setting is missing or wrong. The message names its environment variable and says what to do."""


@dataclass(frozen=True)
class DatabricksConnection:
    """How to reach Databricks. Either `token` is set, or `client_id` and `client_secret` are.

    With a `tenant_id` these are an Azure service principal's, which logs in at Microsoft Entra ID: at `authority`,
    or where the tenants of the workspace's cloud do.
    """

    home_url: str  # the workspace that holds the warehouse, `https://host` or `https://host/?o=<its id>`
    warehouse_id: str
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    tenant_id: str | None = None
    authority: str | None = None


def _exact(*, blanks: bool = False, letters: bool = False) -> BeforeValidator:
    """What has to be exact: a text, a secret one or several, without what copy and paste leaves behind."""

    def check(value: Any) -> Any:
        shown = value.get_secret_value() if isinstance(value, SecretStr) else value
        for text in shown if isinstance(shown, tuple) else (shown,):
            problem = flaw(text, blanks=blanks, letters=letters) if isinstance(text, str) else None
            if problem:
                raise ValueError(problem)
        return value

    return BeforeValidator(check)


def _items(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _number(low: float, high: float, kind: type[int] | type[float]) -> BeforeValidator:
    def check(value: Any) -> Any:
        try:
            number = kind(value)
        except (TypeError, ValueError):
            number = None
        if number is None or not low <= number <= high:
            shape = "a whole number" if kind is int else "a number"
            raise ValueError(f"must be {shape} from {low:g} to {high:g}")
        return number

    return BeforeValidator(check)


def _day(value: Any) -> Any:
    try:
        return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError("must be a UTC day such as 2026-01-31") from None


def _layout(value: Any) -> Any:
    if value not in ("partitioned", "liquid"):
        raise ValueError("must be partitioned or liquid")
    return value


def _time_zone(value: Any) -> Any:
    name = value.strip() if isinstance(value, str) else value
    try:
        # What is no name of a zone, such as a path, is refused there, too.
        ZoneInfo(name)
    except (TypeError, ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError("must be the name of a time zone, such as UTC or Europe/Berlin") from None
    return name


def _quiet_hours(value: Any) -> Any:
    if value is None or isinstance(value, tuple):
        return value
    try:
        begin, end = (dt.time.fromisoformat(part.strip()) for part in str(value).split("-"))
    except ValueError:
        raise ValueError("must be two times such as 22:00-07:00") from None
    if begin == end or begin.tzinfo or end.tzinfo:
        raise ValueError("must be two different times without a zone, such as 22:00-07:00")
    return begin, end


def _web_address(value: Any) -> Any:
    """What is opened or asked as it is; a secret is not shown in the sentence about it."""
    if value is None:
        return None
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    try:
        parts = urlsplit(text.strip())
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or any(char.isspace() or not char.isprintable() for char in text.strip()):
        raise ValueError("must be a whole address such as https://host/path")
    return text.strip()


def _folder(value: Any) -> Any:
    if value is None:
        return None
    if not str(value).strip().startswith("/"):
        raise ValueError("must be a whole path, such as /Shared/Genie observability")
    return str(value).strip()


def _address(value: Any) -> Any:
    if value is None:
        return None
    try:
        return normalise_url(str(value))
    except UnusableUrl as error:
        raise ValueError(f"must be the address of a workspace such as https://host; {error}") from None


def _workspace_urls(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    urls = {}
    for item in _items(value):
        workspace_id, separator, url = item.partition("=")
        if not (separator and workspace_id and url):
            raise ValueError("must hold pairs such as 1234567890=https://host, separated by commas")
        if problem := flaw(workspace_id):
            raise ValueError(problem)
        try:
            address = read_address(url)
        except UnusableUrl as error:
            raise ValueError(f"has no usable address for workspace {workspace_id}; {error}") from None
        if address.workspace_id not in (None, workspace_id):
            raise ValueError(f"gives workspace {workspace_id} the address of workspace {address.workspace_id}")
        urls[workspace_id] = str(address)
    return urls


def _host_patterns(value: Any) -> Any:
    patterns = _items(value)
    try:
        HostPolicy(patterns)
    except UnusableUrl as error:
        raise ValueError(f"must hold patterns such as *.example.com or 127.0.0.1:8080; {error}") from None
    return patterns


_Layout = Annotated[Literal["partitioned", "liquid"], BeforeValidator(_layout)]
_Id = Annotated[str | None, _exact()]
_Token = Annotated[SecretStr | None, _exact()]
_Secret = Annotated[SecretStr | None, _exact(blanks=True)]
_Place = Annotated[str, _exact(blanks=True, letters=True)]
# The last one is asked first.
_Ids = Annotated[tuple[str, ...], NoDecode, _exact(), BeforeValidator(_items)]
_Names = Annotated[tuple[str, ...], NoDecode, _exact(letters=True), BeforeValidator(_items)]
_Address = Annotated[str | None, BeforeValidator(_address)]
_Url = Annotated[str | None, BeforeValidator(_web_address)]
_SecretUrl = Annotated[SecretStr | None, BeforeValidator(_web_address)]
_Hours = Annotated[tuple[dt.time, dt.time] | None, NoDecode, BeforeValidator(_quiet_hours)]
_Urls = Annotated[Mapping[str, str], NoDecode, BeforeValidator(_workspace_urls)]
_Patterns = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_host_patterns)]


class Settings(BaseSettings):
    """The settings. Each field is the environment variable of the same name in upper case.

    Use `load_settings`; it turns every problem into a `SettingsError`.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    databricks_host: _Address = None
    """The workspace that holds the SQL warehouse."""
    databricks_client_id: _Id = None
    """Application id of the service principal that reads (OAuth)."""
    databricks_client_secret: _Secret = None
    """Its OAuth secret."""
    databricks_token: _Token = None
    """A personal access token, instead of client id and secret."""
    arm_client_id: _Id = None
    """Application id of a service principal of Azure, where no other login is set."""
    arm_client_secret: _Secret = None
    """Its secret."""
    arm_tenant_id: _Id = None
    """Its directory."""
    azure_authority_host: _Address = None
    """Where an Azure service principal logs in, if not where all tenants of the workspace's cloud do."""
    databricks_warehouse_id: _Id = None
    """The SQL warehouse that reads the system tables, and keeps ours if they are in Unity Catalog."""
    genie_lakehouse: _Place = ".genie/lakehouse"
    """Where the tables are: a path, `s3://…`, `abfss://…`, `gs://…` or `uc://catalog.schema`."""
    genie_table_layout: _Layout = "partitioned"
    """How tables in Unity Catalog are laid out when they are created: by day, or by liquid clustering."""
    genie_workspaces: _Ids = ()
    """Ids of the workspaces to look at; empty means all that the audit log shows."""
    genie_workspace_urls: _Urls = {}
    """Addresses by workspace id, for workspaces that `system.access.workspaces_latest` lacks."""
    genie_allowed_hosts: _Patterns = ()
    """Hosts besides Databricks' own that may be sent our credentials."""
    genie_own_principals: _Names = ()
    """Principals whose reads are not usage: those of this pipeline."""
    genie_threads: Annotated[int, _number(1, 64, int)] = 16
    """Requests in flight per workspace."""
    genie_requests_per_second: Annotated[float, _number(0.1, 1000, float)] = 50.0
    """Rate at which a workspace is first asked; it then follows what the workspace allows, from run to run."""
    genie_run_minutes: Annotated[float, _number(1, 24 * 60, float)] = 50.0
    """Time after which a run stops fetching and leaves the rest to the next one."""
    genie_first_day: Annotated[dt.date, BeforeValidator(_day)] = dt.date(2025, 1, 1)
    """First UTC day that can be loaded. A fixed date: every process must know the same days."""
    genie_made_up: bool = False
    """The tables hold a made-up account. Only the demo says so."""
    genie_settled_days: Annotated[int, _number(1, 30, int)] = 3
    """Closed days that are looked at again for late audit and history rows."""
    genie_lookback_days: Annotated[int, _number(1, 365, int)] = 30
    """Days back of which nothing may be missing: what waits there, or changes there, is run by itself."""
    genie_reconcile: Annotated[float, _number(0, 1, float)] = 0.0
    """Share of the spaces whose conversations are walked each night, all of them once a week; 0 walks none."""

    genie_report_texts: bool = False
    """Whether the report shows questions and comments."""
    genie_report_names: bool = False
    """Whether the report shows users by their e-mail addresses; without it, by pseudonyms."""
    genie_time_zone: Annotated[str, BeforeValidator(_time_zone)] = "UTC"
    """The zone of the hours of the day in the report, and of the quiet hours of alerts."""

    genie_dashboard_folder: Annotated[str | None, BeforeValidator(_folder)] = None
    """Workspace folder in which the AI/BI dashboard is deployed each day; without it, only by hand."""
    genie_dashboard_viewers: Annotated[str | None, _exact(blanks=True, letters=True)] = None
    """Group of the workspace that may view that dashboard."""

    genie_alert_channels: SecretStr | None = None
    """Where alerts are sent to: addresses as apprise spells them, separated by blanks."""
    genie_alert_heartbeat_url: _SecretUrl = None
    """What is asked after each good tick of the sensor `alerts`, so that its silence is noticed."""
    genie_alert_quiet_hours: _Hours = None
    """From when to when no alert is sent, in `genie_time_zone`."""
    genie_alert_remind_hours: Annotated[float, _number(1, 168, float)] = 24.0
    """Hours until the first reminder of what is still broken; each further one takes twice as long."""
    genie_dagster_url: _Url = None
    """The address of Dagster's webserver, for the links in alerts."""

    genie_allow_space_writes: bool = False
    """Whether `genie-assets spaces apply` may change spaces."""
    genie_write_client_id: _Id = None
    """Application id of the service principal that changes spaces, if it is another one."""
    genie_write_client_secret: _Secret = None
    """Its OAuth secret."""
    genie_write_token: _Token = None
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
                given twice. Apart from this, no setting is required.
        """
        secret, token = _reveal(self.databricks_client_secret), _reveal(self.databricks_token)
        azure = {
            "ARM_CLIENT_ID": self.arm_client_id,
            "ARM_CLIENT_SECRET": _reveal(self.arm_client_secret),
            "ARM_TENANT_ID": self.arm_tenant_id,
        }
        is_azures = any(azure.values()) and not (self.databricks_client_id or secret or token)
        problems = [
            None if self.databricks_host else _NO_HOST,
            None if self.databricks_warehouse_id else _NO_WAREHOUSE,
            _azure_problem(azure)
            if is_azures
            else _authentication_problem(self.databricks_client_id, secret, token),
        ]
        if not self.databricks_host or not self.databricks_warehouse_id or any(problems):
            raise SettingsError(" ".join([*filter(None, problems), _WHERE_SETTINGS_ARE]))
        connection = DatabricksConnection(self.databricks_host, self.databricks_warehouse_id)
        if not is_azures:
            return replace(connection, client_id=self.databricks_client_id, client_secret=secret, token=token)
        return replace(
            connection,
            client_id=azure["ARM_CLIENT_ID"],
            client_secret=azure["ARM_CLIENT_SECRET"],
            tenant_id=azure["ARM_TENANT_ID"],
            authority=self.azure_authority_host,
        )

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
        if problem := _authentication_problem(client_id, secret, token):
            raise SettingsError(problem.replace("DATABRICKS_", "GENIE_WRITE_"))
        return replace(usual, client_id=client_id, client_secret=secret, token=token, tenant_id=None)


def _reveal(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


_NO_HOST = "DATABRICKS_HOST is not set: set it to the address of your workspace, such as https://host."
_NO_WAREHOUSE = (
    "DATABRICKS_WAREHOUSE_ID is not set: set it to the id of the SQL warehouse that reads the system tables."
)
_WHERE_SETTINGS_ARE = (
    "Settings are read from the environment and from the file .env in the working folder; `genie-assets init` "
    "writes one to fill in."
)


def _authentication_problem(client_id: str | None, secret: str | None, token: str | None) -> str | None:
    if token and (client_id or secret):
        return (
            "DATABRICKS_TOKEN and DATABRICKS_CLIENT_ID/DATABRICKS_CLIENT_SECRET are both set: "
            "unset one of the two ways to log in."
        )
    if token or (client_id and secret):
        return None
    if client_id:
        return "DATABRICKS_CLIENT_ID is set without DATABRICKS_CLIENT_SECRET: set both, or DATABRICKS_TOKEN alone."
    if secret:
        return "DATABRICKS_CLIENT_SECRET is set without DATABRICKS_CLIENT_ID: set both, or DATABRICKS_TOKEN alone."
    return (
        "No credentials are set: set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET of a service principal, "
        "or DATABRICKS_TOKEN. Profiles of .databrickscfg are not read."
    )


def _azure_problem(login: Mapping[str, str | None]) -> str | None:
    missing = " and ".join(name for name, value in login.items() if not value)
    if not missing:
        return None
    return f"{missing} is not set: set {', '.join(login)} together, or DATABRICKS_TOKEN alone."


def load_settings(**values: Any) -> Settings:
    """Read the settings from the environment.

    Args:
        values: Settings by field name that win over the environment.

    Raises:
        SettingsError: with one sentence per wrong setting.
    """
    try:
        return Settings(**values)
    except ValidationError as error:
        # The validation error knows the values, secrets included: it must not even be the cause.
        problems = [_sentence(item) for item in error.errors(include_input=False, include_url=False)]
    raise SettingsError(" ".join(problems))


def _sentence(item: Mapping[str, Any]) -> str:
    variable = str(item["loc"][0]).upper() if item["loc"] else "A setting"
    return f"{variable} {item['msg'].removeprefix('Value error, ')}."
