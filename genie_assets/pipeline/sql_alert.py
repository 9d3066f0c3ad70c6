"""Deploying the SQL alert: it is looked for by its name, and brought up to date in place.

Nothing is remembered here: after a kill between any two steps the next deployment finds what is there.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from genie_assets.domain.sql_alert import Step, changes, judge


class SqlAlertError(RuntimeError):
    """The alert is not deployed. The message is one sentence that says what to do."""


class Alerts(Protocol):
    """The alerts of a workspace, as `gateways.databricks.sql_alerts` has them."""

    def named(self, name: str) -> list[dict[str, Any]]:
        """All alerts of a name, the oldest first."""

    def create(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Make an alert."""

    def update(self, alert_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Change these fields of an alert."""


class DeployedAlert(NamedTuple):
    """What was done, and what is there now; others of its name are left alone."""

    step: Step
    alert: Mapping[str, Any]
    others: int


def deploy(alerts: Alerts, wanted: Mapping[str, Any], *, force: bool = False) -> DeployedAlert:
    """Make the alert, or bring the oldest of its name up to date.

    Raises:
        SqlAlertError: somebody changed its query by hand.
    """
    there = alerts.named(wanted["display_name"])
    found = there[0] if there else None
    step = judge(found, wanted, force=force)
    if step is Step.REFUSE:
        raise SqlAlertError(
            f'The query of the alert "{wanted["display_name"]}" was changed by hand: `genie-assets alerts deploy '
            "--force` replaces it; its threshold, times and subscribers stay in any case."
        )
    if found is None:
        return DeployedAlert(step, alerts.create(wanted), 0)
    if step is Step.UPDATE:
        found = alerts.update(str(found["id"]), changes(found, wanted))
    return DeployedAlert(step, found, len(there) - 1)
