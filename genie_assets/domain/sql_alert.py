"""The SQL alert that fires when the tables stand still: Databricks watches, whatever has become of Dagster.

Every load of a day notes itself in `genie_day_loads`, on a quiet account once for each new day. So the newest note
of a pipeline that works is hardly more than a day old.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from genie_assets.domain.sql_names import full_name
from genie_assets.domain.tables import GENIE_DAY_LOADS

# A day, and a morning in which whoever looks after it may have stopped it on purpose.
HOURS_STILL = 30.0
# Behind the hourly run, at a time at which the warehouse is awake anyway: four statements a day.
SCHEDULE = {"quartz_cron_schedule": "0 25 0/6 * * ?", "timezone_id": "UTC", "pause_status": "UNPAUSED"}
NO_SCHEMA = "A SQL alert reads tables in Unity Catalog: set GENIE_LAKEHOUSE to uc://catalog.schema."
_COLUMN = "hours_still"
_MARK = re.compile(r"^/\* genie-assets ([0-9a-f]{12}) \*/\n")


class Step(StrEnum):
    """What is done about the alert."""

    CREATE = auto()
    UPDATE = auto()
    KEEP = auto()
    REFUSE = auto()


@dataclass(frozen=True)
class Subscribers:
    """Who is told when it fires: addresses of users, and ids of the workspace's notification destinations."""

    emails: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()

    def as_entries(self) -> list[dict[str, str]]:
        """As Databricks spells them."""
        users = [{"user_email": each} for each in self.emails]
        return users + [{"destination_id": each} for each in self.destinations]


def name_of(catalog: str, schema: str) -> str:
    """What the alert is called, and found by."""
    return f"genie-assets: the tables of {catalog}.{schema} stand still"


def table_of(catalog: str, schema: str) -> str:
    """The table that the alert reads, as SQL names it."""
    return full_name(catalog, schema, GENIE_DAY_LOADS.name)


def query_of(catalog: str, schema: str) -> str:
    """How many hours ago the newest load was noted; a million if none ever was."""
    text = (
        "SELECT coalesce((unix_timestamp(current_timestamp()) - unix_timestamp(max(last_load_timestamp)))"
        f" / 3600.0, 1000000.0) AS {_COLUMN}\nFROM {table_of(catalog, schema)}"
    )
    return f"/* genie-assets {_hash(text)} */\n{text}"


def wanted_alert(catalog: str, schema: str, warehouse_id: str, subscribers: Subscribers) -> dict[str, Any]:
    """The alert as it is made."""
    return {
        "display_name": name_of(catalog, schema),
        "query_text": query_of(catalog, schema),
        "warehouse_id": warehouse_id,
        "evaluation": {
            "source": {"name": _COLUMN, "aggregation": "MAX"},
            "comparison_operator": "GREATER_THAN",
            "threshold": {"value": {"double_value": HOURS_STILL}},
            "empty_result_state": "ERROR",
            "notification": {"notify_on_ok": True, "subscriptions": subscribers.as_entries()},
        },
        "schedule": dict(SCHEDULE),
    }


def judge(found: Mapping[str, Any] | None, wanted: Mapping[str, Any], *, force: bool) -> Step:
    """What to do: threshold, times and subscribers are a person's to change; a query changed by hand is kept."""
    if found is None:
        return Step.CREATE
    if not changes(found, wanted):
        return Step.KEEP
    is_same = found.get("query_text") == wanted["query_text"]
    return Step.UPDATE if force or is_same or _is_ours(str(found.get("query_text"))) else Step.REFUSE


def changes(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that an update sends, by their names: what it reads and where, and subscribers that it lacks."""
    changed = {name: wanted[name] for name in ("query_text", "warehouse_id") if found.get(name) != wanted[name]}
    evaluation = found.get("evaluation") or wanted["evaluation"]
    notified = evaluation.get("notification") or {}
    there: Sequence[Mapping[str, Any]] = notified.get("subscriptions") or []
    asked = wanted["evaluation"]["notification"]["subscriptions"]
    missing = [each for each in asked if not any(each.items() <= one.items() for one in there)]
    if missing:
        changed["evaluation"] = {**evaluation, "notification": {**notified, "subscriptions": [*there, *missing]}}
    return changed


def _is_ours(query: str) -> bool:
    mark = _MARK.match(query)
    return mark is not None and mark[1] == _hash(query[mark.end() :])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
