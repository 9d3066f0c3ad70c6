"""What a deployment that nobody watches must not be set to: each such setting is one sentence.

Whatever is refused here works elsewhere, for a person who tries something. What is wrong everywhere is said where
the setting is read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

PRODUCTION = "production"
_REFUSED = f"which GENIE_PROFILE={PRODUCTION} refuses"
_PRINCIPAL = "of a service principal"
# A token is a person's: it ends with them, opens one workspace, and may do all that they may.
_TOKENS = {
    "databricks_token": f"set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET {_PRINCIPAL} instead",
    "genie_write_token": f"set GENIE_WRITE_CLIENT_ID and GENIE_WRITE_CLIENT_SECRET {_PRINCIPAL} instead",
}
_ADDRESSES = ("databricks_host", "azure_authority_host", "genie_alert_heartbeat_url")
# Channels that send a secret in the open, and their names where they do not.
_OPEN_CHANNELS = {"json": "jsons", "xml": "xmls", "form": "forms"}


def production_problems(settings: Mapping[str, Any]) -> list[str]:
    """What is unfit for production, one sentence each.

    Args:
        settings: All settings by field name; secrets are shown in no sentence.
    """
    return [f"{told}." for each in (_logins, _plain_http, _hosts, _tables, _channels) for told in each(settings)]


def _logins(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, cure in _TOKENS.items():
        if settings[name]:
            yield f"{name.upper()} is a personal access token, {_REFUSED}: {cure}"


def _plain_http(settings: Mapping[str, Any]) -> Iterator[str]:
    for name in _ADDRESSES:
        if _is_plain(settings[name]):
            yield f"{name.upper()} is a plain http address, {_REFUSED}: write https://"
    for workspace_id, url in settings["genie_workspace_urls"].items():
        if _is_plain(url):
            yield (
                f"GENIE_WORKSPACE_URLS gives workspace {workspace_id} a plain http address, {_REFUSED}: write https://"
            )
    for name, warehouse in settings["genie_regions"].items():
        if _is_plain(warehouse.url):
            yield f"GENIE_REGIONS gives region {name} a plain http address, {_REFUSED}: write https://"


def _hosts(settings: Mapping[str, Any]) -> Iterator[str]:
    for pattern in settings["genie_allowed_hosts"]:
        if any(mark in pattern for mark in "*?"):
            yield (
                f"GENIE_ALLOWED_HOSTS holds {pattern}, which lets hosts that nobody has named see the "
                f"credentials, {_REFUSED}: name each host as https://host"
            )
        elif not pattern.lower().startswith("https://"):
            yield (
                f"GENIE_ALLOWED_HOSTS holds {pattern}, which allows plain http, {_REFUSED}: write "
                f"https://{pattern.rpartition('://')[2]}"
            )


def _tables(settings: Mapping[str, Any]) -> Iterator[str]:
    place = settings["genie_lakehouse"]
    if "://" not in place and not place.startswith(("/", "~")):
        yield (
            f"GENIE_LAKEHOUSE is a relative path, another folder wherever a process starts, {_REFUSED}: write a "
            "whole path, or an address such as s3://bucket/folder or uc://catalog.schema"
        )
    if settings["genie_made_up"]:
        yield f"GENIE_MADE_UP says that the tables hold a made-up account, {_REFUSED}: unset it"


def _channels(settings: Mapping[str, Any]) -> Iterator[str]:
    secret = settings["genie_alert_channels"]
    schemes = {address.partition("://")[0].lower() for address in (_shown(secret) or "").split()}
    for scheme in sorted(schemes & _OPEN_CHANNELS.keys()):
        yield (
            f"GENIE_ALERT_CHANNELS holds an address that begins with {scheme}://, plain http, {_REFUSED}: "
            f"write {_OPEN_CHANNELS[scheme]}://"
        )


def _is_plain(url: Any) -> bool:
    return (_shown(url) or "").lower().startswith("http://")


def _shown(value: Any) -> str | None:
    text: str | None = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    return text
