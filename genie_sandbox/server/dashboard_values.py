"""What a dashboard of the sandbox is, and how the API shows it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

ENDING = ".lvdash.json"


@dataclass(frozen=True)
class Published:
    """What viewers see: a copy of the draft as it was."""

    warehouse_id: str
    embed_credentials: bool
    display_name: str
    at: int

    @property
    def time(self) -> str:
        """When it was published, as the API writes it."""
        return _rfc3339(self.at)


@dataclass(frozen=True)
class Dashboard:
    """A dashboard; times are epoch ms. What is trashed lies in the trash of whoever threw it away."""

    workspace_id: str
    dashboard_id: str
    display_name: str
    parent_path: str
    serialized_dashboard: str
    warehouse_id: str
    etag: int
    created_at: int
    updated_at: int
    is_trashed: bool = False
    published: Published | None = None
    grants: tuple[tuple[str, str, str], ...] = ()  # kind of principal, its name, level

    @property
    def path(self) -> str:
        """Where its file is."""
        return f"{self.parent_path.rstrip('/')}/{self.display_name}{ENDING}"

    def body(self) -> dict[str, Any]:
        """The dashboard as the API shows it."""
        return self.summary() | {
            "path": self.path,
            "parent_path": self.parent_path,
            "update_time": _rfc3339(self.updated_at),
            "etag": str(self.etag),
            "serialized_dashboard": self.serialized_dashboard,
        }

    def summary(self) -> dict[str, Any]:
        """The dashboard as the list shows it."""
        shown = {
            "dashboard_id": self.dashboard_id,
            "display_name": self.display_name,
            "create_time": _rfc3339(self.created_at),
            "lifecycle_state": "TRASHED" if self.is_trashed else "ACTIVE",
        }
        return shown | ({"warehouse_id": self.warehouse_id} if self.warehouse_id else {})


def _rfc3339(at_ms: int) -> str:
    moment = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
