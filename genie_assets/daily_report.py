"""The asset `observability_report` and its job: the report anew each day, beside the tables."""

import os
from typing import Any

import dagster as dg

from genie_assets.assets import EVERY_DAY
from genie_assets.domain.report_document import Request
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.published_report import REPORT, make_report
from genie_assets.placement import Placement
from genie_assets.settings import load_settings
from genie_assets.wiring import Clock

NAME, JOB = "observability_report", "genie_report"
# Where a web server shows the folder of the report, if one does: `genie-assets dev` does.
URL = "GENIE_REPORT_URL"
DESCRIPTION = "One page that shows who uses Genie, for what, how well it works, and what is missing."


def build_report(place: Placement) -> dg.AssetsDefinition:
    """The asset. It belongs to no day: a run of a day does not make it."""
    link = os.environ.get(URL)
    metadata: dict[str, Any] = {"report": dg.MetadataValue.url(link)} if link else {}
    # A server of reports has another port each time: what a run noted would lead nowhere, and hide the one of now.
    opened = f"[Open the report]({link})\n\n" if link else ""

    @dg.asset(
        key=place.key(NAME),
        deps=[place.key("enriched_message_details"), place.key("genie_space_details")],
        group_name=place.group or "genie",
        owners=list(place.owners),
        kinds={"html"},
        description=f"{opened}{DESCRIPTION}",
        metadata=metadata,
        freshness_policy=EVERY_DAY,
    )
    def observability_report(
        genie_lake: dg.ResourceParam[Lakehouse], genie_clock: dg.ResourceParam[Clock]
    ) -> dg.MaterializeResult:
        """Make the report of the last settled days, and keep it beside the tables."""
        settings = load_settings()
        request = Request(
            now=genie_clock.now(),
            time_zone=settings.genie_time_zone,
            with_names=settings.genie_report_names,
            with_texts=settings.genie_report_texts,
        )
        made = make_report(genie_lake, request, made_up=settings.genie_made_up)
        address = genie_lake.keep(REPORT, made.data)
        return dg.MaterializeResult(
            metadata={
                # A path and no link: no browser follows one from a page of Dagster's into a file.
                "kept_at": dg.MetadataValue.path(address),
                "size_bytes": len(made.data),
                "days_shown": max((each["days"] for each in made.document["periods"]), default=0),
                "spaces_shown": len(made.document["inventory"]),
            }
        )

    return observability_report
