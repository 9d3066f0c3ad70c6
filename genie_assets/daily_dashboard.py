"""The asset `observability_dashboard` and its job: the AI/BI dashboard deployed each day, for those who want that.

There is neither unless the setting GENIE_DASHBOARD_FOLDER says where it shall lie. It deploys as
`genie-assets dashboard deploy` does, and never replaces what a person changed.
"""

from typing import Any

import dagster as dg

from genie_assets.domain.dashboard.deployment import DEPLOYED_DASHBOARDS, address
from genie_assets.domain.dashboard.ours import NO_SCHEMA, wanted_dashboard
from genie_assets.domain.sql_names import schema_in
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.dashboard import DashboardError, Deployment, deployed, in_its_place
from genie_assets.placement import Placement
from genie_assets.resources import Login
from genie_assets.settings import Settings, load_settings
from genie_assets.wiring import Clock, open_dashboards

NAME, JOB = DEPLOYED_DASHBOARDS.asset, "genie_dashboard"
DESCRIPTION = "The AI/BI dashboard over the views, deployed and published. What a person changed is not replaced."


def is_wanted(settings: Settings) -> bool:
    """Whether the dashboard is deployed each day."""
    return settings.genie_dashboard_folder is not None


def build_dashboard(place: Placement) -> dg.AssetsDefinition:
    """The asset. It belongs to no day: a run of a day does not make it."""

    @dg.asset(
        key=place.key(NAME),
        deps=[place.key("observability_views")],
        group_name=place.group or "genie",
        owners=list(place.owners),
        kinds={"databricks"},
        description=DESCRIPTION,
    )
    def observability_dashboard(
        genie_lake: dg.ResourceParam[Lakehouse],
        genie_clock: dg.ResourceParam[Clock],
        genie_login: dg.ResourceParam[Login],
    ) -> dg.MaterializeResult:
        """Deploy the dashboard, or bring it up to date in place.

        Raises:
            Failure: a person changed it, or it cannot be made where it shall lie.
        """
        settings = load_settings()
        schema = schema_in(settings.genie_lakehouse)
        if schema is None:
            raise dg.Failure(NO_SCHEMA, allow_retries=False)
        connection = genie_login()
        asked = wanted_dashboard(connection.warehouse_id, *schema, folder=settings.genie_dashboard_folder or "")
        dashboards = open_dashboards(settings, connection)
        try:
            wanted = in_its_place(asked, deployed(genie_lake))
            done = Deployment(dashboards, genie_lake, wanted, genie_clock.now()).run(
                settings.genie_dashboard_viewers
            )
        except DashboardError as problem:
            raise dg.Failure(str(problem), allow_retries=False) from None
        there: dict[str, Any] = {
            "dashboard": dg.MetadataValue.url(
                address(connection.home_url, done.dashboard.dashboard_id, published=True)
            ),
            "path": dg.MetadataValue.text(done.dashboard.path),
            "deployment": dg.MetadataValue.text(done.step.value),
            "published_anew": dg.MetadataValue.bool(done.is_published_anew),
        }
        return dg.MaterializeResult(metadata=there)

    return observability_dashboard
