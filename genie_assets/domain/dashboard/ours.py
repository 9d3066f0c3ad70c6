"""Our dashboard, whole: its pages, its datasets, and the filters that reach all of them."""

from collections.abc import Mapping

from genie_assets.domain.dashboard import datasets as ds
from genie_assets.domain.dashboard.comparison import COMPARISON
from genie_assets.domain.dashboard.deployment import WantedDashboard
from genie_assets.domain.dashboard.options import SPACE_OPTIONS, WORKSPACE_OPTIONS
from genie_assets.domain.dashboard.page_adoption import ADOPTION
from genie_assets.domain.dashboard.page_configuration import CONFIGURATION
from genie_assets.domain.dashboard.page_conversations import CONVERSATIONS
from genie_assets.domain.dashboard.page_executive import EXECUTIVE
from genie_assets.domain.dashboard.page_failures import FAILURES
from genie_assets.domain.dashboard.page_feedback import FEEDBACK
from genie_assets.domain.dashboard.page_health import HEALTH
from genie_assets.domain.dashboard.page_latency import LATENCY
from genie_assets.domain.dashboard.page_quality import QUALITY
from genie_assets.domain.dashboard.page_spaces import SPACES
from genie_assets.domain.dashboard.page_usage import USAGE
from genie_assets.domain.dashboard.widgets import choice, period
from genie_assets.domain.dashboard.words import Dashboard, Dataset, Page

TITLE = "Genie observability"
NO_SCHEMA = "A dashboard reads tables in Unity Catalog: set GENIE_LAKEHOUSE to uc://catalog.schema."
_DATASETS: tuple[Dataset, ...] = (
    ds.LOADED,
    COMPARISON,
    ds.ACTIVITY,
    ds.TURNS,
    ds.REACH,
    ds.CONVERSATIONS,
    ds.TURN_TEXTS,
    ds.SIGNALS,
    ds.INVENTORY,
    ds.COMPLETENESS,
    ds.OPEN_ERRORS,
    WORKSPACE_OPTIONS,
    SPACE_OPTIONS,
)
# Datasets that a filter does not reach, because their rows have no such column; their pages say so.
UNREACHED: Mapping[str, tuple[str, ...]] = {
    "period": ("inventory", "errors_now", "workspace_options", "space_options"),
    "workspace": ("loaded", "workspace_options"),
    "space": ("loaded", "reach", "completeness_days", "workspace_options", "space_options"),
}
_FILTERS = Page(
    "filters",
    "Filters",
    (
        (period("filter_period", ds.PERIOD, _DATASETS),),
        (choice("filter_workspace", ds.WORKSPACE, _DATASETS, WORKSPACE_OPTIONS, "workspace"),),
        (choice("filter_space", ds.SPACE, _DATASETS, SPACE_OPTIONS, "space"),),
    ),
    is_of_filters=True,
)
DASHBOARD = Dashboard(
    TITLE,
    _DATASETS,
    (
        EXECUTIVE,
        USAGE,
        ADOPTION,
        SPACES,
        CONVERSATIONS,
        QUALITY,
        FAILURES,
        LATENCY,
        FEEDBACK,
        CONFIGURATION,
        HEALTH,
        _FILTERS,
    ),
)


def wanted_dashboard(
    warehouse_id: str,
    catalog: str,
    schema: str,
    *,
    folder: str,
    display_name: str = TITLE,
    embeds_credentials: bool = False,
) -> WantedDashboard:
    """Our dashboard over the views of a schema. It has more than five parameters, as each is an option."""
    content = DASHBOARD.json(catalog, schema)
    return WantedDashboard(display_name, folder, warehouse_id, content, embeds_credentials)
