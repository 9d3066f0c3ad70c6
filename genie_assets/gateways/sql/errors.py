"""How a statement can fail, told apart: what to do about it, and whether it may work in a moment."""

import re

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.scrubbing import one_line, scrub

_SHOWN_CHARACTERS = 1_000

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
_ENTITLEMENT = re.compile(r"\bentitlements?\b", re.IGNORECASE)
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
        error_class: The class of the failure, if it was the call that failed, and not the statement.
    """

    def __init__(
        self,
        message: str,
        *,
        condition: str | None = None,
        passing: bool = False,
        error_class: ErrorClass | None = None,
    ) -> None:
        super().__init__(message)
        self.condition = condition
        self.passing = passing
        self.error_class = error_class


_FAILED = "FAILED"


def refused_statement(code: str, message: str, warehouse_id: str, state: str = _FAILED) -> WarehouseError:
    """The error for a statement that the server answered with FAILED, or with a state that is new.

    Args:
        code: The API's `error_code`.
        message: The server's words, with the error condition in brackets.
        warehouse_id: The warehouse that was asked.
        state: The state.
    """
    text, code = shown_reason(message), code.upper()
    found = _CONDITION.search(text)
    what = "refused a statement" if state == _FAILED else f"shows a statement in the unknown state {_shown(state)}"
    return WarehouseError(
        f"The SQL warehouse {warehouse_id} {what}: {text}{_advice(f'{code} {text}'.upper())}",
        condition=found[1] if found else (code or None),
        passing=code in PASSING_CODES or _CONFLICT.search(text) is not None,
    )


def shown_reason(message: str) -> str:
    """What a server says, as one scrubbed line that is not too long."""
    return _shown(message) or "no reason given"


def _shown(text: str) -> str:
    return one_line(scrub(text), _SHOWN_CHARACTERS)


def failed_call(error: FetchError, warehouse_id: str) -> WarehouseError:
    """The error for a call of the SQL API that failed: one sentence that names the setting most likely wrong."""
    beginnings = {
        ErrorClass.AUTH: "Databricks did not accept our login (DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, "
        "or DATABRICKS_TOKEN)",
        ErrorClass.NETWORK: "The workspace at DATABRICKS_HOST cannot be reached",
        ErrorClass.TIMEOUT: "The workspace at DATABRICKS_HOST did not answer in time",
        ErrorClass.PERMISSION: f"Our principal may not use the SQL warehouse {warehouse_id} "
        "(DATABRICKS_WAREHOUSE_ID): grant it CAN USE",
        ErrorClass.NOT_FOUND: f"There is no SQL warehouse {warehouse_id} (DATABRICKS_WAREHOUSE_ID) "
        "at DATABRICKS_HOST",
        ErrorClass.CONFIG: "DATABRICKS_HOST cannot be used",
        ErrorClass.BAD_REFERENCE: f"Databricks did not take a statement for the SQL warehouse {warehouse_id} "
        "(DATABRICKS_WAREHOUSE_ID)",
        ErrorClass.RATE_LIMITED: "Databricks limits our rate of statements",
        ErrorClass.BAD_PAYLOAD: "The answer at DATABRICKS_HOST is not one of Databricks' SQL API",
        ErrorClass.TOO_BIG: "The answer at DATABRICKS_HOST is bigger than any of Databricks' SQL API",
    }
    if error.error_class is ErrorClass.PERMISSION and is_unentitled(error.message):
        beginnings[ErrorClass.PERMISSION] = (
            "Our principal lacks an entitlement of the workspace at DATABRICKS_HOST"
        )
    beginning = beginnings.get(error.error_class, "Databricks failed to run a statement")
    return WarehouseError(f"{beginning}: {error.message}", error_class=error.error_class)


def is_permission(condition: str | None) -> bool:
    """Whether an error condition says that a grant is missing."""
    return any(mark in (condition or "") for mark in ("PERMISSION", "INSUFFICIENT", "PRIVILEGE", "ACCESS_DENIED"))


def is_unentitled(text: str) -> bool:
    """Whether a refusal speaks of an entitlement of the workspace, which no grant on a warehouse replaces."""
    return _ENTITLEMENT.search(text) is not None


def is_closed_to_us(condition: str | None) -> bool:
    """Whether an error condition says that a table cannot be read until somebody grants or enables it."""
    missing = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "CATALOG_NOT_FOUND")
    return is_permission(condition) or any(mark in (condition or "") for mark in missing)


def _advice(text: str) -> str:
    if "TABLE_OR_VIEW_NOT_FOUND" in text or "SCHEMA_NOT_FOUND" in text:
        return " Is the system schema enabled, and is USE SCHEMA and SELECT on it granted to our principal?"
    if "PERMISSION" in text or "INSUFFICIENT" in text or "NOT AUTHORIZED" in text:
        return " Grant USE CATALOG, USE SCHEMA and SELECT on it to our principal."
    return ""
