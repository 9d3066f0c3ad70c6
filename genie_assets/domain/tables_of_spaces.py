"""Spaces: what each is, was, may be used by, and what was done to it."""

from genie_assets.domain.columns import COURSE, FAILURE, INGESTION, audit, ours, space
from genie_assets.domain.table import Table

_SPACE_CONFIGURATION = (
    space("workspace_id!", "STRING", "Workspace of the space."),
    space("space_id!", "STRING", "Genie space."),
    space("title", "STRING", "Title."),
    space("description", "STRING", "Description."),
    space("warehouse_id", "STRING", "Warehouse that runs its SQL."),
    space("parent_path", "STRING", "Workspace folder."),
    space("etag", "STRING", "The API's version tag."),
    space(
        "serialized_space",
        "STRING",
        "The configuration as it came; of texts that say the same, the first one.",
        is_document=True,
    ),
    ours(
        "config_hash",
        "STRING",
        "SHA-256 of serialized_space without what is empty, whatever the order of its named objects.",
    ),
    space("create_time", "TIMESTAMP", "Creation, where the API tells it."),
    space("update_time", "TIMESTAMP", "Last change, where the API tells it."),
)

# What is told about the configuration; at the end of both tables, where columns are added.
_CONFIGURATION_NOTES = (
    ours("is_escaped", "BOOLEAN", "Half characters in it, which UTF-8 cannot hold, stand escaped as in JSON."),
    ours("section_hashes", "STRING", "A short hash of each section that it has, as a JSON object."),
)

GENIE_SPACE_DETAILS = Table(
    name="genie_space_details",
    asset="genie_space_details",
    row="space, latest good state",
    description="Every known space's configuration: the latest one that could be read.",
    key=("workspace_id", "space_id"),
    statistics=("workspace_id", "space_id"),
    columns=(
        *_SPACE_CONFIGURATION,
        ours("is_trashed", "BOOLEAN", "The space was read before and is gone now."),
        ours("first_seen_timestamp", "TIMESTAMP", "First look at this space."),
        ours("last_seen_timestamp", "TIMESTAMP", "Last good look, kept to half a day."),
        ours("api_fetch_status", "STRING", "SUCCESS, or the error class of the last look."),
        ours("api_fetch_error", "STRING", "Scrubbed text of that error."),
        *_CONFIGURATION_NOTES,
        space(
            "made_by",
            "STRING",
            "PEOPLE: the newer list of agents shows it, which leaves out what integrations such as dashboards "
            "made. UNLISTED: that list, read to its end, shows others of the workspace and not this one, which "
            "the older list shows; most likely a dashboard or another integration made it, which is no proof. "
            "NULL: not known.",
        ),
        space("tags", "STRING", "Its tags, as a JSON object of key to value; {} for none, NULL where not known."),
        *INGESTION,
    ),
)

GENIE_SPACE_VERSIONS = Table(
    name="genie_space_versions",
    asset="genie_space_details",
    row="distinct configuration of a space over time",
    description="The history of every space: each distinct configuration and when it was in force.",
    key=("workspace_id", "space_id", "config_hash", "valid_from"),
    statistics=("workspace_id", "space_id", "valid_from"),
    columns=(
        *_SPACE_CONFIGURATION,
        ours("valid_from!", "TIMESTAMP", "First look that found this configuration."),
        ours("valid_to", "TIMESTAMP", "First look that found another one; NULL while in force."),
        *_CONFIGURATION_NOTES,
        ours("changed_sections", "ARRAY<STRING>", "What differs from the version before; NULL for the first one."),
        *INGESTION,
    ),
)

SPACE_FETCH_ERRORS = Table(
    name="space_fetch_errors",
    asset="genie_space_details",
    row="space that could not be read",
    description="The error ledger of spaces: why one could not be read, when it is tried again, how it ended.",
    key=("workspace_id", "space_id"),
    statistics=("workspace_id", "space_id", "next_retry_timestamp"),
    bookkeeping=("ingestion_batch_id",),
    columns=(
        space("workspace_id!", "STRING", "Workspace of the space."),
        space("space_id!", "STRING", "Genie space."),
        *FAILURE,
        *COURSE,
    ),
)

GENIE_SPACE_APPLIES = Table(
    name="genie_space_applies",
    asset="genie_space_details",
    row="apply of a plan to a space",
    description="What `genie-assets spaces apply` did to spaces: who, when, from what, to what, and how it ended.",
    key=("apply_id",),
    statistics=("apply_id", "started_timestamp"),
    bookkeeping=(),
    columns=(
        ours("apply_id!", "STRING", "Names this apply."),
        ours("workspace_id", "STRING", "Workspace of the space."),
        ours("space_id", "STRING", "The space; of a new one, as soon as it is known."),
        ours("title", "STRING", "Its title, as planned."),
        ours("action", "STRING", "restore, promote or import."),
        ours("source", "STRING", "Where the wanted state came from."),
        ours("plan_hash", "STRING", "SHA-256 of all that the plan says."),
        ours("applied_by", "STRING", "Who was logged in, as far as Databricks tells it."),
        ours("started_timestamp", "TIMESTAMP", "When it began."),
        ours("finished_timestamp", "TIMESTAMP", "When it ended; NULL if it never did."),
        ours("result", "STRING", "BEGUN, APPLIED, ALREADY, PARTLY, REFUSED, UNVERIFIED or UNKNOWN."),
        ours("message", "STRING", "What was said about it, with secrets scrubbed."),
        ours("etag_before", "STRING", "The version tag that was reviewed."),
        ours("config_hash_before", "STRING", "Hash of the configuration that was reviewed; NULL for a new space."),
        ours("config_hash_after", "STRING", "Hash of the configuration that was planned."),
        ours(
            "permissions",
            "STRING",
            "What became of the planned permissions: APPLIED, ALREADY, CHANGED (by others since), NOT SET or "
            "UNVERIFIED; NULL where none were planned or come to.",
        ),
    ),
)

GENIE_SPACE_PERMISSIONS = Table(
    name="genie_space_permissions",
    asset="genie_space_details",
    row="access of a principal to a space over time",
    description="Who may do what with a space, since when and until when, by its access list.",
    key=("workspace_id", "space_id", "principal_type", "principal", "valid_from"),
    statistics=("workspace_id", "space_id", "valid_from"),
    columns=(
        space("workspace_id!", "STRING", "Workspace of the space."),
        space("space_id!", "STRING", "Genie space."),
        space("principal_type!", "STRING", "USER, GROUP or SERVICE_PRINCIPAL."),
        space("principal!", "STRING", "E-mail address, name of the group, or application id."),
        space("permission_level", "STRING", "The highest level: CAN_VIEW, CAN_RUN, CAN_EDIT or CAN_MANAGE."),
        space("is_inherited", "BOOLEAN", "All that gives this level is inherited, from a folder or a role."),
        ours("previous_level", "STRING", "Level before this one; NULL if there was none."),
        ours("is_widened", "BOOLEAN", "More than before; false for what the first look at the space found."),
        ours("valid_from!", "TIMESTAMP", "First look that found it."),
        ours("valid_to", "TIMESTAMP", "First look that found it changed or gone; NULL while in force."),
        *INGESTION,
    ),
)

GENIE_SPACE_EVENTS = Table(
    name="genie_space_events",
    asset="audit_messages",
    row="event of the audit log that changed a space",
    description="Who made, changed, trashed, deleted or restored which space, and when.",
    key=("workspace_id", "event_id"),
    statistics=("workspace_id", "space_id", "event_id"),
    bookkeeping=("ingestion_timestamp",),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the space."),
        audit("space_id!", "STRING", "Genie space; a new one where one was made or copied."),
        audit("event_id!", "STRING", "Names the event."),
        audit("event_time!", "TIMESTAMP", "When it was done."),
        audit("action_name!", "STRING", "The action as Databricks calls it."),
        ours("event!", "STRING", "CREATED, UPDATED, TRASHED, DELETED or RESTORED."),
        audit("actor", "STRING", "Who did it: e-mail address or application id."),
        ours("ingestion_timestamp", "TIMESTAMP", "When this row was written."),
    ),
)
