"""Which lines mend what a look at Databricks found: chosen by what failed, with our own principal in them."""

import os
import re
import shlex
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from genie_assets.commands.cures import (
    NEW_TOKEN,
    SQL_ACCESS,
    UNKNOWN_METASTORE,
    UNKNOWN_PRINCIPAL,
    assigned,
    elsewhere,
    enabled,
    entitled,
    grants_to_read,
    grants_to_write,
    permission,
    region_setting,
    setting,
    there,
)
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.regions import HOME
from genie_assets.domain.sql_names import schema_in
from genie_assets.gateways.databricks.identity import metastore_id, own_id, own_names, warehouse_ids
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.databricks.transport import WorkspaceHttp
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.sql.errors import WarehouseError, is_closed_to_us, is_permission, is_unentitled
from genie_assets.logins import DatabricksConnection
from genie_assets.setting_types import RegionalWarehouse
from genie_assets.settings import Settings

T = TypeVar("T")

_MOST_WAREHOUSES = 10  # that are named where ours is not there
_WAREHOUSE_ID = re.compile(r"[0-9a-zA-Z_-]{1,64}")
_OF_THE_HOST = frozenset({ErrorClass.NETWORK, ErrorClass.TIMEOUT, ErrorClass.CONFIG, ErrorClass.BAD_PAYLOAD})


def of_a_folder(lakehouse: str, problem: BaseException | None) -> tuple[str, ...]:
    """For a lakehouse on a disk that could not be written: it is made ours, or is to be elsewhere.

    Only the folder itself is made anybody's: those above it may be the system's.
    """
    folder = Path(lakehouse.removeprefix("file://")).absolute()
    if not isinstance(problem, LakehouseError) or "://" in lakehouse.removeprefix("file://"):
        return ()
    place = next((each for each in (folder, *folder.parents) if os.access(each, os.F_OK)), folder)
    if not place.is_dir() or os.geteuid() in (0, place.stat().st_uid):
        return (setting("GENIE_LAKEHOUSE"),)
    if place == folder:
        return (f"sudo chown -R {os.geteuid()} {shlex.quote(str(folder))}",)
    return (f"sudo install -d -m 700 -o {os.geteuid()} {shlex.quote(str(folder))}",)


def missing_settings(settings: Settings) -> tuple[str, ...]:
    """The lines that set what is not set of how Databricks is reached; none where a profile is to say it."""
    if settings.databricks_config_profile or settings.databricks_config_file:
        return ()
    place = {
        "DATABRICKS_HOST": settings.databricks_host,
        "DATABRICKS_WAREHOUSE_ID": settings.databricks_warehouse_id,
    }
    ours = {
        "DATABRICKS_CLIENT_ID": settings.databricks_client_id,
        "DATABRICKS_CLIENT_SECRET": settings.databricks_client_secret,
    }
    azures = {
        "ARM_CLIENT_ID": settings.arm_client_id,
        "ARM_CLIENT_SECRET": settings.arm_client_secret,
        "ARM_TENANT_ID": settings.arm_tenant_id,
    }
    login = azures if any(azures.values()) and not any(ours.values()) else ours
    wanted = place if settings.databricks_token else place | login
    return tuple(setting(name) for name, value in wanted.items() if not value)


class Cures:
    """The lines that give our principal what it was refused, or correct the setting that is wrong.

    Args:
        connection: The login.
        workspaces: How they are reached.
        regions: Warehouses of further regions.
    """

    def __init__(
        self,
        connection: DatabricksConnection,
        workspaces: Workspaces,
        regions: Mapping[str, RegionalWarehouse] = MappingProxyType({}),
    ) -> None:
        self._connection, self._workspaces, self._regions = connection, workspaces, regions
        self._metastores: dict[str, str] = {}  # by region

    @cached_property
    def principal(self) -> str:
        """Who is logged in, as rights are granted to; asked only where the settings do not say it."""
        if self._connection.client_id:
            return self._connection.client_id
        return next(iter(self._told(own_names) or ()), UNKNOWN_PRINCIPAL)

    @property
    def home_url(self) -> str:
        """The workspace to which commands go that name none."""
        return self._connection.home_url

    def of_table(self, table: str, problem: BaseException | None, region: str = HOME) -> tuple[str, ...]:
        """For a system table that could not be read in a region, whose metastore has grants of its own."""
        if not isinstance(problem, WarehouseError) or not is_closed_to_us(problem.condition):
            return ()
        place, grants = self._regions.get(region), grants_to_read(table, self.principal)
        if place is not None:
            grants = tuple(there(each, place) for each in grants)
        if is_permission(problem.condition):
            return grants
        # A schema that is not enabled has no tables, whatever is granted; a missing grant is told as one.
        at = "" if place is None else elsewhere(place.url, self.home_url)
        return (enabled(table, self._metastore_of(region), at), *grants)

    def _metastore_of(self, region: str) -> str:
        if region not in self._metastores:
            told = self._told(metastore_id, region)
            self._metastores[region] = told or UNKNOWN_METASTORE
        return self._metastores[region]

    def of_table_in_regions(self, table: str, problems: Mapping[str, BaseException]) -> tuple[str, ...]:
        """The same where some regions could not read it, each with its problem."""
        return tuple(line for name, problem in problems.items() for line in self.of_table(table, problem, name))

    def of_region(self, name: str, problem: BaseException | None) -> tuple[str, ...]:
        """For the first statement in a further region: host, warehouse, or the right to use it."""
        place = self._regions[name]
        told = problem.error if isinstance(problem, CallError) else problem
        error_class = told.error_class if isinstance(told, WarehouseError | FetchError) else None
        if error_class is ErrorClass.PERMISSION:
            return self._to_use(place.warehouse_id, problem, name, elsewhere(place.url, self.home_url))
        if error_class is ErrorClass.AUTH:
            return self._to_be_let_in()
        if error_class in _OF_THE_HOST:
            return (region_setting(self._regions, name),)
        return self._other_warehouses(error_class, partial(region_setting, self._regions, name), name)

    def of_lakehouse(self, place: str, problem: BaseException | None) -> tuple[str, ...]:
        """For a lakehouse in Unity Catalog that could not be written."""
        schema = schema_in(place)
        is_mended = isinstance(problem, LakehouseError) and problem.lacks_grants
        return grants_to_write(schema, self.principal) if schema and is_mended else ()

    def of_workspace(self, workspace_id: str, url: str | None, problem: FetchError) -> tuple[str, ...]:
        """For a workspace that does not list its spaces."""
        if problem.error_class is ErrorClass.AUTH:
            return self._to_be_let_in(workspace_id)
        if problem.error_class is not ErrorClass.PERMISSION or not is_unentitled(problem.message):
            return ()
        try:
            ours = own_id(self._workspaces.http(workspace_id, url))
        except CallError:
            ours = None
        return (entitled(ours, self.principal, SQL_ACCESS, elsewhere(url, self.home_url)),)

    def of_warehouse(self, problem: BaseException | None) -> tuple[str, ...]:
        """For the first statement: login, host, warehouse, or the right to use it."""
        error_class = problem.error_class if isinstance(problem, WarehouseError) else None
        if error_class is ErrorClass.PERMISSION:
            return self._to_use(self._connection.warehouse_id, problem)
        if error_class is ErrorClass.AUTH:
            if self._connection.token:
                return (NEW_TOKEN, setting("DATABRICKS_TOKEN"))
            return (setting("ARM_CLIENT_SECRET" if self._connection.tenant_id else "DATABRICKS_CLIENT_SECRET"),)
        if error_class in _OF_THE_HOST:
            return (setting("DATABRICKS_HOST"),)
        return self._other_warehouses(error_class, partial(setting, "DATABRICKS_WAREHOUSE_ID"))

    def _to_be_let_in(self, workspace_id: str | None = None) -> tuple[str, ...]:
        """For a login that the home workspace took, and another one did not."""
        if self._connection.token:  # opens its own workspace only
            names = ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET")
            return ("DATABRICKS_TOKEN=", *map(setting, names))
        return (assigned(self._told(own_id), workspace_id),)

    def _to_use(
        self, warehouse_id: str, problem: BaseException | None, region: str = HOME, at: str = ""
    ) -> tuple[str, ...]:
        """The right to use a warehouse, or any at all; `at` is where it is, if that has to be named."""
        if is_unentitled(str(problem)):
            return (entitled(self._told(own_id, region), self.principal, SQL_ACCESS, at),)
        return (permission("warehouses", warehouse_id, "CAN_USE", self.principal, at),)

    def _other_warehouses(
        self, error_class: ErrorClass | None, line: Callable[[str | None], str], region: str = HOME
    ) -> tuple[str, ...]:
        """Where a warehouse is not there, a line for each that we may see: one of them is the right one."""
        if error_class not in (ErrorClass.NOT_FOUND, ErrorClass.BAD_REFERENCE):
            return ()
        told = self._told(warehouse_ids, region) or ()
        seen = [each for each in told if _WAREHOUSE_ID.fullmatch(each)][:_MOST_WAREHOUSES]
        return tuple(map(line, seen)) or (line(None),)

    def _told(self, ask: Callable[[WorkspaceHttp], T], region: str = HOME) -> T | None:
        """What the workspace says through which a region is read; None if it does not."""
        try:
            if region == HOME:
                return ask(self._workspaces.home())
            return ask(self._workspaces.region(region, self._regions[region].url))
        except CallError:
            return None
