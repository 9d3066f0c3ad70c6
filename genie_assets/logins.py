"""How Databricks is reached and logged in to, and what is said where the settings for it do not suffice."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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


NO_HOST = "DATABRICKS_HOST is not set: set it to the address of your workspace, such as https://host."
NO_WAREHOUSE = (
    "DATABRICKS_WAREHOUSE_ID is not set: set it to the id of the SQL warehouse that reads the system tables."
)
WHERE_SETTINGS_ARE = (
    "Settings are read from the environment and from .env in the working folder; `genie-assets init` writes one."
)


def authentication_problem(client_id: str | None, secret: str | None, token: str | None) -> str | None:
    """What is wrong with a login of Databricks' own: missing, given by halves or twice; None if nothing is."""
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
        "or DATABRICKS_TOKEN, or DATABRICKS_CONFIG_PROFILE; DATABRICKS_AUTH_TYPE is not read."
    )


def azure_problem(login: Mapping[str, str | None]) -> str | None:
    """Which of the variables of an Azure service principal is missing; None if none is."""
    missing = " and ".join(name for name, value in login.items() if not value)
    if not missing:
        return None
    return f"{missing} is not set: set {', '.join(login)} together, or DATABRICKS_TOKEN alone."
