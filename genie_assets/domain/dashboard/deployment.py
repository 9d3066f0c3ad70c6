"""What a deployment does with what it finds: the rule, the values that it looks at, and what it remembers."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from genie_assets.domain.columns import ours
from genie_assets.domain.table import Table

ENDING = ".lvdash.json"
READING_LEVELS = frozenset({"CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"})

DEPLOYED_DASHBOARDS = Table(
    name="deployed_dashboards",
    asset="observability_dashboard",
    row="dashboard that was deployed from here",
    description="Which dashboard is ours, and what was last deployed: so it is found wherever it was moved to.",
    key=("name",),
    bookkeeping=("deployed_timestamp",),
    columns=(
        ours("name!", "STRING", "What the deployment is called here."),
        ours("dashboard_id", "STRING", "Databricks' id; NULL while it is being made."),
        ours("folder", "STRING", "The folder that was asked for."),
        ours("display_name", "STRING", "The name that was asked for."),
        ours("etag", "STRING", "Databricks' tag of what was deployed."),
        ours("stored_hash", "STRING", "Hash of what Databricks said it stored."),
        ours("wanted_hash", "STRING", "Hash of what was sent."),
        ours("pending_hash", "STRING", "Hash of what is being sent; equal to wanted_hash when that has worked."),
        ours("deployed_timestamp", "TIMESTAMP", "When this row was written."),
    ),
)


@dataclass(frozen=True)
class StoredDashboard:
    """A dashboard as Databricks has it; `content` is its JSON."""

    dashboard_id: str
    display_name: str
    path: str
    warehouse_id: str
    etag: str
    content: Mapping[str, Any]
    updated_at: str
    is_trashed: bool = False


@dataclass(frozen=True)
class Publication:
    """What viewers see of a dashboard."""

    warehouse_id: str
    embeds_credentials: bool
    published_at: str


@dataclass(frozen=True)
class Grant:
    """A level that somebody has on a dashboard, of itself or from a folder above it."""

    principal: str
    is_group: bool
    level: str
    is_inherited: bool


@dataclass(frozen=True)
class WantedDashboard:
    """What is to be deployed."""

    display_name: str
    folder: str
    warehouse_id: str
    content: Mapping[str, Any]
    embeds_credentials: bool = False

    @property
    def path(self) -> str:
        """Where its file is to be."""
        return f"{self.folder.rstrip('/')}/{self.display_name}{ENDING}"


class Step(StrEnum):
    """What is done with the draft."""

    CREATE = auto()
    UPDATE = auto()
    KEEP = auto()
    REFUSE = auto()


def judge(
    wanted: WantedDashboard, found: StoredDashboard | None, remembered: Mapping[str, Any] | None, *, force: bool
) -> Step:
    """What to do with the draft.

    A draft that is as we left it is ours to change, wherever it lies and whatever it is called by now. One that
    differs from what we left, or that we do not remember, was changed by a person: it is replaced by force only.

    Args:
        wanted: What is to be deployed.
        found: What is there, not trashed.
        remembered: The row of the last deployment.
        force: Replace what a person changed.
    """
    if found is None:
        return Step.CREATE
    is_ours = _is_as_we_left_it(found, remembered)
    is_same_place = found.warehouse_id == wanted.warehouse_id
    is_same = content_hash(found.content) == content_hash(wanted.content)
    if not is_same and is_ours and remembered:
        # Databricks may write a dashboard in its own way: then what it stored is what we sent.
        is_same = remembered["wanted_hash"] == content_hash(wanted.content)
    if is_same:
        return Step.KEEP if is_same_place else Step.UPDATE
    return Step.UPDATE if is_ours or force else Step.REFUSE


def _is_as_we_left_it(found: StoredDashboard, remembered: Mapping[str, Any] | None) -> bool:
    if remembered is None or remembered["dashboard_id"] not in (None, found.dashboard_id):
        return False
    if remembered["etag"] == found.etag and remembered["dashboard_id"] is not None:
        return True
    return content_hash(found.content) in (remembered["stored_hash"], remembered["pending_hash"])


def needs_publishing(draft: StoredDashboard, published: Publication | None, wanted: WantedDashboard) -> bool:
    """Whether viewers see something else than the draft, or with other rights than wanted."""
    if published is None or published.embeds_credentials != wanted.embeds_credentials:
        return True
    if published.warehouse_id != wanted.warehouse_id:
        return True
    changed, shown = _moment(draft.updated_at), _moment(published.published_at)
    return changed is None or shown is None or shown < changed


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def content_hash(content: Mapping[str, Any]) -> str:
    """The hash of a dashboard's JSON, whatever the order of its keys; what Databricks adds does not count."""
    pages = [{"pageType": "PAGE_TYPE_CANVAS", "layout": [], **page} for page in content.get("pages", ())]
    whole = {"datasets": [], **content, "pages": pages}
    return hashlib.sha256(json.dumps(whole, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def lets_read(grants: tuple[Grant, ...], group: str) -> bool:
    """Whether a group may see the dashboard."""
    return any(each.is_group and each.principal == group and each.level in READING_LEVELS for each in grants)


def address(home_url: str, dashboard_id: str, *, published: bool) -> str:
    """Where a browser finds it: what viewers see, or the draft.

    Args:
        home_url: The workspace's address, with `?o=` where a host has many.
        dashboard_id: Its id.
        published: What viewers see.
    """
    base, _, query = home_url.partition("?")
    path = f"dashboardsv3/{dashboard_id}/published" if published else f"sql/dashboardsv3/{dashboard_id}"
    return f"{base.rstrip('/')}/{path}" + (f"?{query}" if query else "")
