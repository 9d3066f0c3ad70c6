"""How a statement can fail, told apart: what to do about it, and whether it may work in a moment."""

import re

from genie_assets.gateways.scrubbing import scrub

PASSING_CODES = frozenset(
    {
        "ABORTED",
        "TEMPORARILY_UNAVAILABLE",
        "WORKSPACE_TEMPORARILY_UNAVAILABLE",
        "SERVICE_UNDER_MAINTENANCE",
        "RESOURCE_EXHAUSTED",
        "DEADLINE_EXCEEDED",
        "INTERNAL_ERROR",
        "IO_ERROR",
    }
)

# As `[TABLE_OR_VIEW_NOT_FOUND] …`; Unity Catalog also writes `PERMISSION_DENIED: …`, with the name of an exception
# before it or without, and `[… ErrorClass=… …]`.
_CONDITION = re.compile(
    r"(?:\[|\bErrorClass=|^|Exception: )([A-Z][A-Z0-9]*_[A-Z0-9_]+(?:\.[A-Z0-9_]+)*)(?=[\]: ])"
)
# Another writer was faster: Delta's error conditions, and the exceptions that older runtimes name.
_CONFLICT = re.compile(
    r"DELTA_CONCURRENT_\w+|DELTA_METADATA_CHANGED|DELTA_PROTOCOL_CHANGED"
    r"|\b(?:Concurrent(?:Append|DeleteRead|DeleteDelete|Transaction|Write)|MetadataChanged|ProtocolChanged)Exception"
)


class WarehouseError(Exception):
    """A statement could not be run or its result not be read. The message is scrubbed and says what to do.

    Args:
        message: What went wrong.
        condition: Databricks' error condition, such as TABLE_OR_VIEW_NOT_FOUND, or else the API's error code; None
            if the server named neither.
        passing: The same statement may work in a moment.
    """

    def __init__(self, message: str, *, condition: str | None = None, passing: bool = False) -> None:
        super().__init__(message)
        self.condition = condition
        self.passing = passing


def refused_statement(code: str, message: str, warehouse_id: str) -> WarehouseError:
    """The error for a statement that the server answered with FAILED.

    Args:
        code: The API's `error_code`.
        message: The server's words, with the error condition in brackets.
        warehouse_id: The warehouse that was asked.
    """
    text, code = scrub(message or "no reason given"), code.upper()
    found = _CONDITION.search(text)
    return WarehouseError(
        f"The SQL warehouse {warehouse_id} refused a statement: {text}{_advice(f'{code} {text}'.upper())}",
        condition=found[1] if found else (code or None),
        passing=code in PASSING_CODES or _CONFLICT.search(text) is not None,
    )


def is_permission(condition: str | None) -> bool:
    """Whether an error condition says that a grant is missing."""
    return any(mark in (condition or "") for mark in ("PERMISSION", "INSUFFICIENT", "PRIVILEGE", "ACCESS_DENIED"))


def _advice(text: str) -> str:
    if "TABLE_OR_VIEW_NOT_FOUND" in text or "SCHEMA_NOT_FOUND" in text:
        return " Is the system schema enabled, and is USE SCHEMA and SELECT on it granted to our principal?"
    if "PERMISSION" in text or "INSUFFICIENT" in text or "NOT AUTHORIZED" in text:
        return " Grant USE CATALOG, USE SCHEMA and SELECT on it to our principal."
    return ""
