"""Every table of `genie_analytics`, defined once.

The Delta tables, the DDL in `sql/genie_observability_schema.sql`, the column descriptions in the Dagster UI and
the data dictionary in `docs/` all come from here; the view `messages` and what the fold keeps of a statement's
execution follow from what a column says of itself. Types carry Spark SQL's names; all times are UTC; a
`*_timestamp` of type LONG is epoch milliseconds; unknown is NULL, never 0 or an empty string.
"""

from genie_assets.domain.table import Column, ColumnType, Table, records
from genie_assets.domain.tables_around_messages import (
    AGENT_CONVERSATION_LOOKS,
    AGENT_CONVERSATIONS,
    AGENT_FETCH_ERRORS,
    AGENT_ITEMS,
    COMMENT_FETCH_ERRORS,
    MESSAGE_COMMENT_LOOKS,
    MESSAGE_COMMENTS,
)
from genie_assets.domain.tables_of_evaluations import (
    EVALUATION_FETCH_ERRORS,
    GENIE_EVALUATION_RESULTS,
    GENIE_EVALUATION_RUNS,
)
from genie_assets.domain.tables_of_messages import (
    GENIE_API_MESSAGES,
    GENIE_CONVERSATION_DAYS,
    GENIE_DELETIONS,
    GENIE_MESSAGE_LOOKS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    MESSAGE_FETCH_ATTEMPTS,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.domain.tables_of_runs import (
    GENIE_DAY_LOADS,
    GENIE_FETCH_RUNS,
    GENIE_RUN_COSTS,
    RECONCILED_CONVERSATIONS,
    RECONCILED_SPACES,
)
from genie_assets.domain.tables_of_spaces import (
    GENIE_SPACE_APPLIES,
    GENIE_SPACE_DETAILS,
    GENIE_SPACE_EVENTS,
    GENIE_SPACE_PERMISSIONS,
    GENIE_SPACE_VERSIONS,
    SPACE_FETCH_ERRORS,
)

__all__ = [
    "AGENT_CONVERSATIONS",
    "AGENT_CONVERSATION_LOOKS",
    "AGENT_FETCH_ERRORS",
    "AGENT_ITEMS",
    "COMMENT_FETCH_ERRORS",
    "EVALUATION_FETCH_ERRORS",
    "GENIE_API_MESSAGES",
    "GENIE_CONVERSATION_DAYS",
    "GENIE_DAY_LOADS",
    "GENIE_DELETIONS",
    "GENIE_EVALUATION_RESULTS",
    "GENIE_EVALUATION_RUNS",
    "GENIE_FETCH_RUNS",
    "GENIE_MESSAGES_TO_FETCH",
    "GENIE_MESSAGE_LOOKS",
    "GENIE_RUN_COSTS",
    "GENIE_SPACE_APPLIES",
    "GENIE_SPACE_DETAILS",
    "GENIE_SPACE_EVENTS",
    "GENIE_SPACE_PERMISSIONS",
    "GENIE_SPACE_VERSIONS",
    "MESSAGE_ATTACHMENTS",
    "MESSAGE_COMMENTS",
    "MESSAGE_COMMENT_LOOKS",
    "MESSAGE_DETAILS",
    "MESSAGE_FETCH_ATTEMPTS",
    "MESSAGE_FETCH_ERRORS",
    "RECONCILED_CONVERSATIONS",
    "RECONCILED_SPACES",
    "SPACE_FETCH_ERRORS",
    "TABLES",
    "Column",
    "ColumnType",
    "Table",
    "beside",
    "records",
]

TABLES: tuple[Table, ...] = (
    GENIE_MESSAGES_TO_FETCH,
    GENIE_DELETIONS,
    GENIE_DAY_LOADS,
    GENIE_API_MESSAGES,
    GENIE_MESSAGE_LOOKS,
    GENIE_CONVERSATION_DAYS,
    GENIE_FETCH_RUNS,
    MESSAGE_FETCH_ERRORS,
    MESSAGE_FETCH_ATTEMPTS,
    MESSAGE_DETAILS,
    MESSAGE_ATTACHMENTS,
    GENIE_SPACE_DETAILS,
    GENIE_SPACE_VERSIONS,
    SPACE_FETCH_ERRORS,
    GENIE_SPACE_APPLIES,
    GENIE_SPACE_PERMISSIONS,
    GENIE_SPACE_EVENTS,
    RECONCILED_SPACES,
    RECONCILED_CONVERSATIONS,
    MESSAGE_COMMENTS,
    MESSAGE_COMMENT_LOOKS,
    COMMENT_FETCH_ERRORS,
    AGENT_CONVERSATIONS,
    AGENT_ITEMS,
    AGENT_CONVERSATION_LOOKS,
    AGENT_FETCH_ERRORS,
    GENIE_EVALUATION_RUNS,
    GENIE_EVALUATION_RESULTS,
    EVALUATION_FETCH_ERRORS,
    GENIE_RUN_COSTS,
)


def beside(main: Table) -> list[Table]:
    """The tables that the asset of a table fills besides it."""
    return [table for table in TABLES if table.asset == main.asset and table is not main]
