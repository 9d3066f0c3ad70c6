"""The lines that an administrator runs to mend what `genie-assets doctor` found, for one principal.

Names come from outside: in SQL they are quoted as names, in a command as words of a shell.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from genie_assets.domain.sql_names import full_name, quoted
from genie_assets.setting_types import RegionalWarehouse

UNKNOWN_PRINCIPAL = "<application-id>"
UNKNOWN_METASTORE = "<metastore-id>"
UNKNOWN_WORKSPACE = "<workspace-id>"
SQL_ACCESS = "databricks-sql-access"
"""The entitlement without which neither statements nor the Genie API answer."""

NEW_TOKEN = "databricks tokens create --comment genie-assets --lifetime-seconds 7776000"  # noqa: S105 - makes one
SET_THE_CLOCK = "sudo timedatectl set-ntp true"
# What only those know who run it stands in angle brackets.
_SETTINGS = {
    "GENIE_LAKEHOUSE": "<folder>",
    "DATABRICKS_HOST": "https://<workspace>",
    "DATABRICKS_WAREHOUSE_ID": "<warehouse-id>",
    "DATABRICKS_CLIENT_ID": "<application-id>",
    "DATABRICKS_CLIENT_SECRET": "<secret>",
    "DATABRICKS_TOKEN": "<token>",
    "ARM_CLIENT_ID": "<application-id>",
    "ARM_CLIENT_SECRET": "<secret>",
    "ARM_TENANT_ID": "<tenant-id>",
}
# Service principals are named by their application id, everybody else by their name.
_APPLICATION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|<application-id>", re.IGNORECASE)


def grants_to_read(table: str, principal: str) -> tuple[str, ...]:
    """The statements that let a principal read one table.

    Args:
        table: Its full name, `catalog.schema.table`, one of those that we know.
        principal: Application id, or the name of a user, as Unity Catalog grants to.
    """
    catalog, schema, _ = table.split(".")
    to = f"TO {quoted(principal)};"
    return (
        f"GRANT USE CATALOG ON CATALOG {catalog} {to}",
        f"GRANT USE SCHEMA ON SCHEMA {catalog}.{schema} {to}",
        f"GRANT SELECT ON TABLE {table} {to}",
    )


def grants_to_write(schema: tuple[str, str], principal: str) -> tuple[str, ...]:
    """The statements that let a principal keep our tables in a schema, which is made where it is missing.

    Args:
        schema: Catalog and schema.
        principal: As above.
    """
    where, to = full_name(*schema), f"TO {quoted(principal)};"
    privileges = "USE SCHEMA, SELECT, MODIFY, CREATE TABLE, CREATE VOLUME, READ VOLUME, WRITE VOLUME"
    return (
        f"GRANT USE CATALOG ON CATALOG {quoted(schema[0])} {to}",
        f"CREATE SCHEMA IF NOT EXISTS {where};",
        f"GRANT {privileges} ON SCHEMA {where} {to}",
    )


def enabled(table: str, metastore_id: str, at: str = "") -> str:
    """The command that enables the system schema of a table; only an account administrator may run it.

    Args:
        table: Its full name, `system.schema.table`, one of those that we know.
        metastore_id: Of the metastore in which it is looked for.
        at: As for `permission`.
    """
    return f"{_at(at)}databricks system-schemas enable {shlex.quote(metastore_id)} {table.split('.')[1]}"


def setting(name: str, value: str | None = None) -> str:
    """The line of `.env`, or of the environment, that sets one of our settings.

    Args:
        name: One of those that are named above.
        value: What it is to be; without one, a mark says what goes there.
    """
    return f"{name}={shlex.quote(value) if value else _SETTINGS[name]}"


def region_setting(regions: Mapping[str, RegionalWarehouse], name: str, warehouse_id: str | None = None) -> str:
    """The line that corrects the warehouse of one region in GENIE_REGIONS, and leaves the others as they are.

    Args:
        regions: What it holds now.
        name: The region.
        warehouse_id: What its warehouse is to be; without one, a mark says what goes there, and for its host, too.
    """
    others = [f"{each}={place.address}" for each, place in regions.items() if each != name]
    if warehouse_id is None:
        return f"GENIE_REGIONS={','.join([*others, f'{name}=https://<workspace>/<warehouse-id>'])}"
    place = replace(regions[name], warehouse_id=warehouse_id)
    return f"GENIE_REGIONS={shlex.quote(','.join([*others, f'{name}={place.address}']))}"


def there(statement: str, place: RegionalWarehouse) -> str:
    """The command of Databricks' CLI that runs a statement in another region, whose grants are its own.

    Args:
        statement: SQL, as it is run in the home region.
        place: Where it is run.
    """
    text = statement.rstrip(";")
    body = json.dumps({"warehouse_id": place.warehouse_id, "statement": text, "wait_timeout": "50s"})
    return f"{_at(place.url)}databricks api post /api/2.0/sql/statements/ --json {shlex.quote(body)}"


def elsewhere(url: str | None, home_url: str) -> str:
    """The address that a command has to name; empty for the workspace to which commands go by themselves."""
    return url if url and url.rstrip("/") != home_url.rstrip("/") else ""


def _at(url: str) -> str:
    return f"DATABRICKS_HOST={shlex.quote(url)} " if url else ""


def entitled(own_id: str | None, principal: str, entitlement: str, at: str = "") -> str:
    """The command of Databricks' CLI that gives a principal an entitlement in a workspace.

    Args:
        own_id: The principal's id in the workspace, which is not its name; None if it is not known.
        principal: Its name.
        entitlement: Such as `databricks-sql-access`.
        at: As for `permission`.
    """
    kind = "ServicePrincipals" if _APPLICATION_ID.fullmatch(principal) else "Users"
    operation = {"op": "add", "path": "entitlements", "value": [{"value": entitlement}]}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
    path = f"/api/2.0/preview/scim/v2/{kind}/{quote(own_id, safe='') if own_id else '<id>'}"
    return f"{_at(at)}databricks api patch {shlex.quote(path)} --json {shlex.quote(json.dumps(body))}"


def assigned(own_id: str | None, workspace_id: str | None) -> str:
    """The command by which an account administrator lets a principal of the account into one of its workspaces.

    Args:
        own_id: The principal's id in the account, which is not its name; None if it is not known.
        workspace_id: Which workspace; None if it is not known.
    """
    who, where = shlex.quote(own_id or "<id>"), shlex.quote(workspace_id or UNKNOWN_WORKSPACE)
    body = shlex.quote(json.dumps({"permissions": ["USER"]}))
    return f"databricks account workspace-assignment update {where} {who} --json {body}"


def permission(kind: str, object_id: str, level: str, principal: str, at: str = "") -> str:
    """The command of Databricks' CLI that gives a principal a permission on a warehouse or a space.

    Args:
        kind: `warehouses` or `genie`.
        object_id: Which one.
        level: The permission, such as `CAN_USE`.
        principal: Whom.
        at: The address of the workspace, if it is not the one to which such commands go by themselves.
    """
    who = "service_principal_name" if _APPLICATION_ID.fullmatch(principal) else "user_name"
    body = json.dumps({"access_control_list": [{who: principal, "permission_level": level}]})
    path = f"/api/2.0/permissions/{kind}/{quote(object_id, safe='')}"
    return f"{_at(at)}databricks api patch {shlex.quote(path)} --json {shlex.quote(body)}"
