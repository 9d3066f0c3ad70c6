"""AI/BI dashboards of the sandbox and the folders that they lie in: drafts, publications, paths, who may see them.

What is stored is not looked into: Databricks, too, stores a dashboard that it cannot draw.
"""

import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from genie_sandbox.files import replace_text
from genie_sandbox.responses import ApiError
from genie_sandbox.server.access import access_list, granted
from genie_sandbox.server.dashboard_values import ENDING, Dashboard, Published

_CANVAS = "PAGE_TYPE_CANVAS"
_LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")


@dataclass
class _Kept:
    dashboards: dict[tuple[str, str], Dashboard] = field(default_factory=dict)
    folders: set[tuple[str, str]] = field(default_factory=set)


class Dashboards:
    """Every dashboard by workspace, and the folders; kept in `folder`, if there is one, beyond a restart."""

    def __init__(self, caller: str, warehouse_id: str, folder: Path | None = None) -> None:
        self._caller, self._warehouse_id = caller, warehouse_id
        self._kept = _Kept()
        self._file = folder / "dashboards.json" if folder else None
        if self._file and self._file.exists():
            self._load(json.loads(self._file.read_text(encoding="utf-8")))

    def get(self, workspace_id: str, dashboard_id: str) -> Dashboard:
        """A dashboard, trashed ones included; ApiError if there is none."""
        found = self._kept.dashboards.get((workspace_id, dashboard_id))
        if found is None:
            raise ApiError(404, f"Unable to find dashboard [{dashboard_id}]")
        return found

    def listed(self, workspace_id: str, *, trashed: bool) -> list[Dashboard]:
        """The workspace's dashboards, oldest first."""
        return [
            each
            for (owner, _), each in self._kept.dashboards.items()
            if owner == workspace_id and (trashed or not each.is_trashed)
        ]

    def at(self, workspace_id: str, path: str) -> Dashboard | None:
        """The dashboard whose file is there."""
        return next((each for each in self.listed(workspace_id, trashed=False) if each.path == path), None)

    def has_folder(self, workspace_id: str, path: str) -> bool:
        """Whether there is such a folder."""
        homes = {"/", "/Shared", "/Users", f"/Users/{self._caller}"}
        return path in homes or (workspace_id, path) in self._kept.folders

    def make_folder(self, workspace_id: str, path: str) -> None:
        """Make a folder and those above it; ApiError if a file is in the way."""
        while path not in ("", "/"):
            if self.at(workspace_id, path):
                raise ApiError(400, f"The path {path} is not a folder.", "RESOURCE_ALREADY_EXISTS")
            self._kept.folders.add((workspace_id, path))
            path = path.rpartition("/")[0]
        self._save()

    def create(self, workspace_id: str, wanted: dict[str, Any], rebound: dict[str, str], now: int) -> Dashboard:
        """Make a dashboard.

        Args:
            workspace_id: Where.
            wanted: The request's body.
            rebound: `catalog` and `schema` that are written over each dataset's own.
            now: The time, ms.

        Raises:
            ApiError: the body is unusable, the folder is missing, or the path is taken.
        """
        name = _text(wanted, "display_name")
        if not name:
            raise ApiError(400, "Field 'display_name' is required.")
        parent = canonical(_text(wanted, "parent_path") or f"/Users/{self._caller}")
        if not self.has_folder(workspace_id, parent):
            raise ApiError(404, f"Path ({parent}) doesn't exist.")
        made = Dashboard(
            workspace_id=workspace_id,
            dashboard_id=secrets.token_hex(16),
            display_name=name,
            parent_path=parent,
            serialized_dashboard=_stored(_text(wanted, "serialized_dashboard") or "{}", rebound),
            warehouse_id=_text(wanted, "warehouse_id"),
            etag=1_000_000 + now % 1_000_000,
            created_at=now,
            updated_at=now,
        )
        self._refuse_taken(made)
        return self._put(made)

    def update(
        self, workspace_id: str, dashboard_id: str, wanted: dict[str, Any], rebound: dict[str, str], now: int
    ) -> Dashboard:
        """Change a draft: a `warehouse_id` that is left out is cleared, other fields are kept; see `create`."""
        old = self._active(workspace_id, dashboard_id)
        if wanted.get("etag") not in (None, str(old.etag)):
            raise ApiError(409, f"dashboard [{dashboard_id}] was changed meanwhile: its etag differs", "ABORTED")
        text = _text(wanted, "serialized_dashboard") or old.serialized_dashboard
        new = replace(
            old,
            display_name=_text(wanted, "display_name") or old.display_name,
            serialized_dashboard=_stored(text, rebound),
            warehouse_id=_text(wanted, "warehouse_id"),
            etag=old.etag + 1,
            updated_at=max(now, old.updated_at + 1),
        )
        if new.path != old.path:
            self._refuse_taken(new)
        return self._put(new)

    def trash(self, workspace_id: str, dashboard_id: str) -> None:
        """Throw a dashboard away, with its publication."""
        old = self._active(workspace_id, dashboard_id)
        trash = f"/Users/{self._caller}/Trash"
        self._put(replace(old, is_trashed=True, parent_path=trash, published=None, etag=old.etag + 1))

    def publish(self, workspace_id: str, dashboard_id: str, wanted: dict[str, Any], now: int) -> Published:
        """Copy the draft for the viewers; ApiError if the warehouse is unknown."""
        old = self._active(workspace_id, dashboard_id)
        warehouse_id = _text(wanted, "warehouse_id") or old.warehouse_id
        if warehouse_id and warehouse_id != self._warehouse_id:
            raise ApiError(400, f"Warehouse {warehouse_id} does not exist", "RESOURCE_DOES_NOT_EXIST")
        embed = wanted.get("embed_credentials")
        # Viewers read with the publisher's rights unless he says otherwise.
        shown = Published(warehouse_id, embed is not False, old.display_name, max(now, old.updated_at))
        self._put(replace(old, published=shown))
        return shown

    def unpublish(self, workspace_id: str, dashboard_id: str) -> None:
        """Take the publication away; ApiError if there is none."""
        self.published(workspace_id, dashboard_id)
        self._put(replace(self.get(workspace_id, dashboard_id), published=None))

    def published(self, workspace_id: str, dashboard_id: str) -> Published:
        """The publication; ApiError if there is none."""
        found = self.get(workspace_id, dashboard_id).published
        if found is None:
            raise ApiError(404, f"Unable to find published dashboard [{dashboard_id}]")
        return found

    def move(self, workspace_id: str, path: str, to: str) -> Dashboard:
        """What a person does in the workspace's file browser; no API call moves a dashboard."""
        found = self.at(workspace_id, path)
        if found is None:
            raise ValueError(f"no dashboard is at {path}")
        parent, _, name = to.removesuffix(ENDING).rpartition("/")
        self.make_folder(workspace_id, parent)
        return self._put(replace(found, parent_path=parent, display_name=name))

    def permissions(self, workspace_id: str, dashboard_id: str) -> dict[str, Any]:
        """Who may do what with a dashboard; what its folder grants comes with it."""
        found = self.get(workspace_id, dashboard_id)
        inherited = [("group_name", "admins", "CAN_MANAGE")]
        if f"{found.parent_path}/".startswith("/Shared/"):
            inherited.append(("group_name", "users", "CAN_MANAGE"))
        own = ("service_principal_name", self._caller, "CAN_MANAGE")
        return {
            "object_id": f"/dashboards/{dashboard_id}",
            "object_type": "dashboard",
            "access_control_list": access_list((own, *found.grants), inherited),
        }

    def grant(self, workspace_id: str, dashboard_id: str, entries: Any, *, only: bool) -> None:
        """Grant levels to principals, and with `only` take all others away; ApiError for one that is unknown."""
        found = self.get(workspace_id, dashboard_id)
        self._put(replace(found, grants=granted(found.grants, entries, levels=_LEVELS, only=only)))

    def _active(self, workspace_id: str, dashboard_id: str) -> Dashboard:
        found = self.get(workspace_id, dashboard_id)
        if found.is_trashed:
            state = "lifecycle state [TRASHED] is not among the accepted states [Set(ACTIVE)]"
            raise ApiError(403, f"dashboard [{dashboard_id}] {state}")
        return found

    def _refuse_taken(self, wanted: Dashboard) -> None:
        if self.at(wanted.workspace_id, wanted.path):
            name = wanted.display_name + ENDING
            text = f"A node with name '{name}' already exists under the specified parent"
            raise ApiError(409, text, "ALREADY_EXISTS")

    def _put(self, dashboard: Dashboard) -> Dashboard:
        self._kept.dashboards[dashboard.workspace_id, dashboard.dashboard_id] = dashboard
        self._save()
        return dashboard

    def _save(self) -> None:
        if self._file:
            dashboards = [asdict(each) for each in self._kept.dashboards.values()]
            replace_text(self._file, json.dumps({"dashboards": dashboards, "folders": sorted(self._kept.folders)}))

    def _load(self, kept: dict[str, Any]) -> None:
        self._kept.folders = {(owner, path) for owner, path in kept["folders"]}
        for item in kept["dashboards"]:
            published = Published(**item["published"]) if item["published"] else None
            grants = tuple((kind, name, level) for kind, name, level in item["grants"])
            one = Dashboard(**{**item, "published": published, "grants": grants})
            self._kept.dashboards[one.workspace_id, one.dashboard_id] = one


def canonical(path: str) -> str:
    """A path without the prefix of workspace files and without a slash at its end."""
    return path.removeprefix("/Workspace").rstrip("/") or "/"


def _stored(text: str, rebound: dict[str, str]) -> str:
    """The text as it is stored; as it was sent, but for what Databricks writes into it."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ApiError(400, "failed to parse serialized dashboard")
    if content:
        for page in content.get("pages", ()):
            page.setdefault("pageType", _CANVAS)
            if page.get("layout") == []:
                del page["layout"]
        for dataset in content.get("datasets", ()):
            dataset.update(rebound)
    return json.dumps(content) + "\n"


def _text(wanted: dict[str, Any], name: str) -> str:
    value = wanted.get(name)
    if value is not None and not isinstance(value, str):
        problem = f"Could not parse request object: Expected Scalar value for String field '{name}'"
        raise ApiError(400, problem, "MALFORMED_REQUEST")
    return value or ""
