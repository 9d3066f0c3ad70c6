"""What the sandbox's server needs from an SQL engine, and how it gets one.

The server knows this interface only; the engine's heavy libraries are imported when SQL is really wanted.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Protocol

from starlette.routing import BaseRoute

from genie_sandbox.account import Account
from genie_sandbox.sql.holds import Holds


class SqlEngine(Protocol):
    """A SQL warehouse with its volumes. All methods are called from outside the event loop."""

    @property
    def holds(self) -> Holds:
        """Where writes stand still."""

    def start(self) -> None:
        """Make the engine ready to run statements; it may take seconds."""

    def stop(self) -> None:
        """End what `start` began; harmless when it was never started."""

    def advance(self, at_ms: int) -> None:
        """Show the system-table rows that arrived by `at_ms` (ms UTC), which never goes back."""


def sail_engine(
    account: Account, folder: Path, workspace_urls: Mapping[str, str], clock_ms: int
) -> tuple[SqlEngine, list[BaseRoute]]:
    """The engine over `account` (not started) with the routes of its statements and files API.

    Args:
        account: the account whose system tables it serves.
        folder: where the engine keeps tables and volumes across restarts.
        workspace_urls: base URL by workspace id, without a trailing slash.
        clock_ms: rows that arrived by then are visible from the start (ms UTC).

    Raises:
        ImportError: when the sandbox's SQL libraries are not installed.
    """
    engine_module = import_module("genie_sandbox.sql.engine")
    routes_module = import_module("genie_sandbox.sql.routes")
    engine: SqlEngine = engine_module.SailEngine(account, folder, dict(workspace_urls), clock_ms)
    return engine, list(routes_module.routes(engine))
