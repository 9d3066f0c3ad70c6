"""What a setting may be: each kind of value with its rule, and one clear sentence for each way to get it wrong."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from genie_assets.domain.regions import HOME
from genie_assets.gateways.databricks.hosts import HostPolicy, UnusableUrl, normalise_url, read_address
from genie_assets.gateways.databricks.pasting import flaw
from genie_assets.production import PRODUCTION


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


def number(low: float, high: float, kind: type[int] | type[float]) -> BeforeValidator:
    """A number from `low` to `high`, both included."""

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


def limit(low: float, high: float, kind: type[int] | type[float]) -> BeforeValidator:
    """The same, or no limit."""
    named = number(low, high, kind).func

    def check(value: Any) -> Any:
        return None if value is None else named(value)  # type: ignore[call-arg]

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


def _profile(value: Any) -> Any:
    if value not in ("development", PRODUCTION):
        raise ValueError(f"must be development or {PRODUCTION}")
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


@dataclass(frozen=True)
class RegionalWarehouse:
    """A SQL warehouse that reads the system tables of its region."""

    url: str  # of its workspace, `https://host` or `https://host/?o=<its id>`
    warehouse_id: str

    @property
    def address(self) -> str:
        """As GENIE_REGIONS spells it."""
        host, mark, query = self.url.partition("?")
        return f"{host.rstrip('/')}/{self.warehouse_id}{mark}{query}"


# As a warehouse's own page shows its path; the id alone does as well.
_HTTP_PATH = "/sql/1.0/warehouses/"
_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")


def _regions(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    regions: dict[str, RegionalWarehouse] = {}
    for item in _items(value):
        name, _, place = item.partition("=")
        if not (_REGION.fullmatch(name) and place):
            raise ValueError(
                "must hold pairs such as us=https://host/warehouse_id, separated by commas; a name is made of "
                "letters, digits and hyphens"
            )
        if name.lower() in (HOME, *map(str.lower, regions)):
            whose = "the name of DATABRICKS_HOST's own region" if name.lower() == HOME else "named twice"
            raise ValueError(f"holds the region {name}, which is {whose}")
        warehouse = _regional_warehouse(name, place)
        # The one would be shown in health though nobody reads it.
        if twin := next((each for each in regions if regions[each] == warehouse), None):
            raise ValueError(f"gives the regions {twin} and {name} the same SQL warehouse: each has its own")
        regions[name] = warehouse
    return regions


def _regional_warehouse(name: str, place: str) -> RegionalWarehouse:
    address, mark, query = place.partition("?")
    host, _, warehouse_id = address.replace(_HTTP_PATH, "/", 1).rpartition("/")
    # What stands between two slashes is the host, where nothing follows it.
    if not warehouse_id or host.endswith((":/", "/")) or not host:
        raise ValueError(f"names no SQL warehouse for the region {name}: write https://host/warehouse_id")
    if problem := flaw(warehouse_id):
        raise ValueError(problem)
    try:
        return RegionalWarehouse(normalise_url(f"{host}/{mark}{query}"), warehouse_id)
    except UnusableUrl as error:
        raise ValueError(f"has no usable address for the region {name}; {error}") from None


def _host_patterns(value: Any) -> Any:
    patterns = _items(value)
    try:
        HostPolicy(patterns)
    except UnusableUrl as error:
        raise ValueError(f"must hold patterns such as *.example.com or 127.0.0.1:8080; {error}") from None
    return patterns


ProfileName = Annotated[str, BeforeValidator(_profile)]
Layout = Annotated[Literal["partitioned", "liquid"], BeforeValidator(_layout)]
Id = Annotated[str | None, _exact()]
Token = Annotated[SecretStr | None, _exact()]
Secret = Annotated[SecretStr | None, _exact(blanks=True)]
Place = Annotated[str, _exact(blanks=True, letters=True)]
# The last one is asked first.
Ids = Annotated[tuple[str, ...], NoDecode, _exact(), BeforeValidator(_items)]
Names = Annotated[tuple[str, ...], NoDecode, _exact(letters=True), BeforeValidator(_items)]
Address = Annotated[str | None, BeforeValidator(_address)]
Url = Annotated[str | None, BeforeValidator(_web_address)]
SecretUrl = Annotated[SecretStr | None, BeforeValidator(_web_address)]
Hours = Annotated[tuple[dt.time, dt.time] | None, NoDecode, BeforeValidator(_quiet_hours)]
Urls = Annotated[Mapping[str, str], NoDecode, BeforeValidator(_workspace_urls)]
Regions = Annotated[Mapping[str, RegionalWarehouse], NoDecode, BeforeValidator(_regions)]
Patterns = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_host_patterns)]
Day = Annotated[dt.date, BeforeValidator(_day)]
TimeZone = Annotated[str, BeforeValidator(_time_zone)]
Folder = Annotated[str | None, BeforeValidator(_folder)]
Group = Annotated[str | None, _exact(blanks=True, letters=True)]
