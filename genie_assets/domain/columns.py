"""The words in which columns are written, one for each source of values, and columns that several tables share."""

from functools import partial

from genie_assets.domain.table import Column, ColumnType, Source


def _column(
    source: Source,
    name: str,
    type_: ColumnType,
    description: str,
    *,
    of_attachment: bool = False,
    is_document: bool = False,
) -> Column:
    """A column; a `!` at the end of its name marks NOT NULL. One parameter for each thing that a column says."""
    nullable = not name.endswith("!")
    return Column(name.removesuffix("!"), type_, description, nullable, source, of_attachment, is_document)


# One word for each source; what the API says of a message and of one of its attachments are two.
api = partial(_column, "api")
attachment = partial(_column, "api", of_attachment=True)
execution = partial(_column, "history", of_attachment=True)
audit = partial(_column, "audit")
ledger = partial(_column, "ledger")
space = partial(_column, "spaces")
ours = partial(_column, "ours")

INGESTION = (
    ours("ingestion_batch_id", "STRING", "The atomic batch that wrote this row."),
    ours("ingestion_timestamp", "TIMESTAMP", "When this row was written."),
)

# When a fold first found the statement: a later fold does not move it. Not known of what older versions found.
STATEMENT_SEEN = ours(
    "query_first_seen_timestamp",
    "TIMESTAMP",
    "When its statement was first found in query history; NULL if that was not noted.",
    of_attachment=True,
)

# What both error ledgers say: how the last attempt failed, and how it went before and after.
FAILURE = (
    ledger("error_type", "STRING", "AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED."),
    ledger("error_class", "STRING", "The finer class under error_type, for example NOT_FOUND or BAD_PAYLOAD."),
    ledger("error_message", "STRING", "What went wrong, with secrets scrubbed."),
    ledger("error_timestamp", "TIMESTAMP", "Last failure."),
    ledger("retry_count", "INT", "Failed attempts after the first."),
    ledger("resolved", "BOOLEAN", "No further attempt is needed."),
)
COURSE = (
    ledger("first_error_timestamp", "TIMESTAMP", "First failure."),
    ledger("next_retry_timestamp", "TIMESTAMP", "Earliest next attempt; NULL when none will be made."),
    ledger("resolved_timestamp", "TIMESTAMP", "When it was resolved."),
    ledger("resolution", "STRING", "FETCHED, DELETED, CLOSED or LEFT_OUT; GAVE_UP while parked; NULL while open."),
    ledger("http_status", "INT", "HTTP status, where it is known."),
    ledger("error_code", "STRING", "Databricks' error_code, where the answer had one."),
    ours("ingestion_batch_id", "STRING", "The atomic batch that wrote this row."),
)
