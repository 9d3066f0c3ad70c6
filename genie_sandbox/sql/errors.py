"""Why a statement cannot run, told the way Databricks tells it."""


class SqlError(Exception):
    """A statement that fails; the message begins with an error condition in brackets."""

    def __init__(self, condition: str, message: str, error_code: str = "BAD_REQUEST") -> None:
        super().__init__(f"[{condition}] {message}")
        self.error_code = error_code


def unsupported(what: str) -> SqlError:
    """The error for SQL that Databricks runs and this warehouse does not."""
    return SqlError("UNSUPPORTED_FEATURE", f"The sandbox's warehouse does not support {what}.")


def not_found(name: str) -> SqlError:
    """The error for a table or view that does not exist."""
    return SqlError(
        "TABLE_OR_VIEW_NOT_FOUND",
        f"The table or view {name} cannot be found. "
        f"Verify the spelling and correctness of the schema and catalog.",
    )
