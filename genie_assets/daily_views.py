"""The asset `observability_views` and its job: in Unity Catalog the views are made and kept current each day."""

import dagster as dg

from genie_assets.assets import EVERY_DAY
from genie_assets.domain.views import needed
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.results import ViewsKept
from genie_assets.gateways.sql.views import shipped_views
from genie_assets.placement import Placement

NAME, JOB = "observability_views", "genie_views"
DESCRIPTION = (
    "The views over the tables, each with the question that it answers. In Unity Catalog they are made and kept "
    "current; over files they are worked out whenever they are asked."
)
NOTHING_TO_MAKE = (
    "Over files no views need be made: `genie-assets sql` and the report work them out when they are asked."
)


def build_views(place: Placement) -> dg.AssetsDefinition:
    """The asset. It belongs to no day: a run of a day does not make it."""

    @dg.asset(
        key=place.key(NAME),
        deps=[place.key("enriched_message_details"), place.key("genie_space_details")],
        group_name=place.group or "genie",
        owners=list(place.owners),
        kinds={"sql", "view"},
        description=DESCRIPTION,
        freshness_policy=EVERY_DAY,
    )
    def observability_views(
        context: dg.AssetExecutionContext, genie_lake: dg.ResourceParam[Lakehouse]
    ) -> dg.MaterializeResult:
        """Make the views that there are not, and change those of ours that have another text.

        Raises:
            Failure: some views were refused, and all others were looked after.
        """
        views = shipped_views()
        kept = genie_lake.keep_views(needed(views, views))
        if kept is None:
            context.log.info(NOTHING_TO_MAKE)
            return dg.MaterializeResult(metadata={"views": dg.MetadataValue.md(NOTHING_TO_MAKE)})
        if kept.left_alone:
            context.log.warning(
                "What is not ours has the name of a view, and is left alone: %s. Drop or rename it, and the next "
                "run makes the view.",
                ", ".join(kept.left_alone),
            )
        if kept.refused:
            raise dg.Failure(
                f"{len(kept.refused)} of {len(views)} views could not be made or changed. "
                f"{'; '.join(kept.refused.values())}",
                metadata=_metadata(kept),
                allow_retries=False,
            )
        return dg.MaterializeResult(metadata=_metadata(kept))

    return observability_views


def _metadata(kept: ViewsKept) -> dict[str, dg.MetadataValue]:
    counts = {"created": kept.created, "changed": kept.changed, "unchanged": kept.unchanged}
    names = {"left_alone": kept.left_alone, "refused": list(kept.refused)}
    return {name: dg.MetadataValue.int(len(found)) for name, found in counts.items()} | {
        name: dg.MetadataValue.text(", ".join(found)) for name, found in names.items() if found
    }
