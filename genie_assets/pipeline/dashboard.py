"""Deploying the dashboard: it is looked for by its id, then by its path, and brought up to date in place.

Every step can be the last one: whatever a kill leaves behind, the next deployment finds, and never makes a second
dashboard. What was there is remembered before it is changed.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from genie_assets.domain.dashboard.deployment import (
    DEPLOYED_DASHBOARDS,
    Grant,
    Publication,
    Step,
    StoredDashboard,
    WantedDashboard,
    content_hash,
    judge,
    lets_read,
    needs_publishing,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse

_NAME = "genie_observability"
_MOST_TURNS = 4  # others deploy, too, and each of them once


class DashboardError(RuntimeError):
    """The dashboard is not deployed. The message is one sentence that says what to do."""


class Dashboards(Protocol):
    """The dashboards of a workspace, as `gateways.databricks.lakeview` has them."""

    def get(self, dashboard_id: str) -> StoredDashboard | None:
        """A dashboard, trashed ones included."""

    def at(self, path: str, *, patient: bool = False) -> StoredDashboard | None:
        """The dashboard whose file is there."""

    def make_folder(self, path: str) -> None:
        """Make a folder."""

    def create(self, wanted: WantedDashboard) -> StoredDashboard | None:
        """Make a dashboard; None if its path is taken."""

    def update(self, found: StoredDashboard, wanted: WantedDashboard) -> StoredDashboard | None:
        """Change a draft; None if it was changed since it was read."""

    def published(self, dashboard_id: str) -> Publication | None:
        """What viewers see."""

    def publish(self, dashboard_id: str, wanted: WantedDashboard) -> None:
        """Show viewers the draft."""

    def grants(self, dashboard_id: str) -> tuple[Grant, ...] | None:
        """Who may do what; None if that is not told to us."""

    def let_read(self, dashboard_id: str, group: str) -> bool:
        """Let a group see it; False if there is none."""


@dataclass(frozen=True)
class Deployed:
    """What a deployment did, and what is there now."""

    step: Step
    dashboard: StoredDashboard
    is_published_anew: bool
    grants: tuple[Grant, ...] | None


@dataclass(frozen=True)
class Deployment:
    """One deployment: where, of what, and whether what a person changed is replaced."""

    dashboards: Dashboards
    lake: Lakehouse
    wanted: WantedDashboard
    now: dt.datetime
    force: bool = False

    def run(self, viewers: str | None = None) -> Deployed:
        """Bring draft and publication up to date, and let a group see it.

        Args:
            viewers: The group; None changes nothing for anybody.

        Raises:
            DashboardError: a person changed it, or there is no such group.
        """
        step, stored = self._brought_up_to_date()
        published = self.dashboards.published(stored.dashboard_id)
        is_due = needs_publishing(stored, published, self.wanted)
        if is_due:
            self.dashboards.publish(stored.dashboard_id, self.wanted)
        grants = self.dashboards.grants(stored.dashboard_id)
        if viewers and not lets_read(grants or (), viewers):
            if not self.dashboards.let_read(stored.dashboard_id, viewers):
                raise DashboardError(
                    f"The dashboard is deployed, but there is no group {viewers} in this workspace that could see "
                    "it: name another one with --viewers."
                )
            grants = self.dashboards.grants(stored.dashboard_id)
        return Deployed(step, stored, is_due, grants)

    def _brought_up_to_date(self) -> tuple[Step, StoredDashboard]:
        patient = False
        for _ in range(_MOST_TURNS):
            remembered = deployed(self.lake)
            found = found_dashboard(self.dashboards, remembered, self.wanted.path, patient=patient)
            step = judge(self.wanted, found, remembered, force=self.force)
            if step is Step.REFUSE:
                raise DashboardError(self._refusal(found, remembered))
            stored = self._done(step, found, remembered)
            if stored is not None:
                self._remember(stored)
                return step, stored
            # Somebody was faster: what is there now is looked at again.
            patient = True
        raise DashboardError(
            f"{self.wanted.path} could not be written: others changed it at the same time, or something else lies "
            "there. Deploy again, or choose another --name."
        )

    def _done(
        self, step: Step, found: StoredDashboard | None, remembered: Mapping[str, Any] | None
    ) -> StoredDashboard | None:
        if step is Step.KEEP:
            return found
        self._announce(found, remembered)
        if found is not None:
            return self.dashboards.update(found, self.wanted)
        self.dashboards.make_folder(self.wanted.folder)
        return self.dashboards.create(self.wanted)

    def _announce(self, found: StoredDashboard | None, remembered: Mapping[str, Any] | None) -> None:
        """Remember what is about to be sent: after a kill it is known to be ours."""
        known = remembered if remembered and found and remembered["dashboard_id"] == found.dashboard_id else {}
        self._write({**known, "pending_hash": content_hash(self.wanted.content)})

    def _remember(self, stored: StoredDashboard) -> None:
        wanted = content_hash(self.wanted.content)
        self._write(
            {
                "dashboard_id": stored.dashboard_id,
                "etag": stored.etag,
                "stored_hash": content_hash(stored.content),
                "wanted_hash": wanted,
                "pending_hash": wanted,
            }
        )

    def _write(self, values: Mapping[str, Any]) -> None:
        asked = {"folder": self.wanted.folder, "display_name": self.wanted.display_name}
        row = {**values, **asked, "name": _NAME, "deployed_timestamp": self.now}
        self.lake.merge(DEPLOYED_DASHBOARDS, DEPLOYED_DASHBOARDS.frame([row]))

    def _refusal(self, found: StoredDashboard | None, remembered: Mapping[str, Any] | None) -> str:
        path = found.path if found else self.wanted.path
        is_known = bool(found and remembered and remembered["dashboard_id"] == found.dashboard_id)
        what = "was changed by hand since it was deployed" if is_known else "was not deployed from this lakehouse"
        return (
            f"The dashboard {path} {what}: `genie-assets dashboard diff` shows what a deployment would change, "
            "and `genie-assets dashboard deploy --force` replaces it."
        )


def deployed(lake: Lakehouse) -> dict[str, Any] | None:
    """What is remembered of the last deployment."""
    return next((row for row in lake.records(DEPLOYED_DASHBOARDS) if row["name"] == _NAME), None)


def found_dashboard(
    dashboards: Dashboards, remembered: Mapping[str, Any] | None, path: str, *, patient: bool = False
) -> StoredDashboard | None:
    """Our dashboard, wherever it was moved; else what lies at its path. What is trashed is not there."""
    known = dashboards.get(remembered["dashboard_id"]) if remembered and remembered["dashboard_id"] else None
    if known is not None and not known.is_trashed:
        return known
    found = dashboards.at(path, patient=patient)
    return None if found is None or found.is_trashed else found


def in_its_place(wanted: WantedDashboard, remembered: Mapping[str, Any] | None) -> WantedDashboard:
    """The same with the folder of the last deployment, if none is asked for.

    Raises:
        DashboardError: there is none.
    """
    folder = wanted.folder or (remembered["folder"] if remembered else "")
    if not folder:
        raise DashboardError(
            "Where shall the dashboard lie? Name a folder that its viewers may open, such as "
            "--folder '/Shared/Genie observability'; later deployments remember it."
        )
    return replace(wanted, folder=folder.removeprefix("/Workspace").rstrip("/") or "/")
