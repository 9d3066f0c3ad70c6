"""The asset `standing_still_alert` and its job: the SQL alert kept as it shall be, for those who want that.

There is neither unless a setting says who is told: GENIE_SQL_ALERT_EMAILS or GENIE_SQL_ALERT_DESTINATIONS. It
deploys as `genie-assets alerts deploy` does: an alert that somebody trashed is made again, and what a person
changed is kept.
"""

from typing import Any

import dagster as dg

from genie_assets.domain.sql_alert import NO_SCHEMA, Subscribers, wanted_alert
from genie_assets.domain.sql_names import schema_in
from genie_assets.pipeline.sql_alert import SqlAlertError, deploy
from genie_assets.placement import Placement
from genie_assets.resources import Login
from genie_assets.settings import Settings, load_settings
from genie_assets.wiring import open_sql_alerts

NAME, JOB = "standing_still_alert", "genie_sql_alert"
DESCRIPTION = (
    "The SQL alert of Databricks that fires when the tables stand still, whatever has become of Dagster. "
    "Threshold, times, subscribers and a query that a person changed are kept."
)


def is_wanted(settings: Settings) -> bool:
    """Whether the alert is deployed each day."""
    return bool(settings.genie_sql_alert_emails or settings.genie_sql_alert_destinations)


def subscribers(settings: Settings) -> Subscribers:
    """Who is told, as the settings say."""
    return Subscribers(settings.genie_sql_alert_emails, settings.genie_sql_alert_destinations)


def build_sql_alert(place: Placement) -> dg.AssetsDefinition:
    """The asset. It belongs to no day: a run of a day does not make it."""

    @dg.asset(
        key=place.key(NAME),
        deps=[place.key("audit_messages")],
        group_name=place.group or "genie",
        owners=list(place.owners),
        kinds={"databricks"},
        description=DESCRIPTION,
    )
    def standing_still_alert(genie_login: dg.ResourceParam[Login]) -> dg.MaterializeResult:
        """Make the alert, or bring it up to date in place.

        Raises:
            Failure: a person changed its query, or the tables are not in Unity Catalog.
        """
        settings = load_settings()
        schema = schema_in(settings.genie_lakehouse)
        if schema is None:
            raise dg.Failure(NO_SCHEMA, allow_retries=False)
        connection = genie_login()
        wanted = wanted_alert(*schema, connection.warehouse_id, subscribers(settings))
        try:
            done = deploy(open_sql_alerts(settings, connection), wanted)
        except SqlAlertError as problem:
            raise dg.Failure(str(problem), allow_retries=False) from None
        told = done.alert["evaluation"]["notification"].get("subscriptions") or []
        there: dict[str, Any] = {
            "alert": dg.MetadataValue.text(str(done.alert["display_name"])),
            "deployment": dg.MetadataValue.text(done.step.value),
            "subscribers": len(told),
            "others_of_its_name": done.others,
        }
        return dg.MaterializeResult(metadata=there)

    return standing_still_alert
