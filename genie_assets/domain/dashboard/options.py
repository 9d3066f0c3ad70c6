"""What the filters of workspaces and spaces let people choose from."""

from genie_assets.domain.dashboard.datasets import WORKSPACE, chosen
from genie_assets.domain.dashboard.words import Dataset

WORKSPACE_OPTIONS = Dataset(
    "workspace_options",
    "Workspaces to choose from",
    "SELECT '<ALL>' AS workspace\n"
    "UNION ALL\n"
    "SELECT CONCAT(COALESCE(workspace_name, 'Workspace'), ' | ', workspace_id) AS workspace\n"
    "FROM workspaces\nORDER BY workspace",
    ("workspace",),
    (),
    ("workspaces",),
)

SPACE_OPTIONS = Dataset(
    "space_options",
    "Spaces to choose from",
    "SELECT '<ALL>' AS space\n"
    "UNION ALL\n"
    "SELECT CONCAT(COALESCE(space_name, 'Space'), ' | ', workspace_id, '/', space_id) AS space\n"
    f"FROM space_inventory\nWHERE {chosen(WORKSPACE)}\nORDER BY space",
    ("space",),
    (WORKSPACE,),
    ("space_inventory",),
)
