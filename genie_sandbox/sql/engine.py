"""The warehouse of a sandbox account, put together."""

import shutil
import threading
from collections.abc import Mapping
from pathlib import Path

from genie_sandbox.account import Account
from genie_sandbox.sql.catalog import SYSTEM, Catalog, Session
from genie_sandbox.sql.holds import Holds
from genie_sandbox.sql.sail import Sail
from genie_sandbox.sql.statements import Limits, Statements
from genie_sandbox.sql.system_tables import TABLES, SystemTables
from genie_sandbox.sql.volumes import Volumes
from genie_sandbox.sql.warehouse import Warehouse


class SailEngine:
    """The SQL warehouse: real Delta tables below `folder`, queried by Sail in a process of its own.

    Args:
        account: the account whose system tables are served.
        folder: where tables, views and volumes outlive this process.
        workspace_urls: base URL by workspace id, without a trailing slash.
        clock_ms: rows of system tables that arrived by then are visible from the start (ms UTC).
        limits: sizes of results and links.
    """

    def __init__(
        self,
        account: Account,
        folder: Path,
        workspace_urls: Mapping[str, str],
        clock_ms: int,
        limits: Limits | None = None,
    ) -> None:
        folder = folder.resolve()
        self.warehouse_id = account.warehouse_id
        self.limits = limits or Limits()
        self.catalog = Catalog(folder, account.principal.application_id)
        self.volumes = Volumes(self.catalog)
        self.holds = Holds()
        self._sail = Sail()
        self.scratch = folder / "scratch"
        self._system = SystemTables(account, folder / "system", workspace_urls)
        self._statements: Statements | None = None
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        for region in self._system.regions:
            for table in TABLES:
                name = Session(region=region).name(SYSTEM, table.schema_name, table.name)
                self.catalog.add_system_table(name, self._system.path(table, region))

    def region_of(self, workspace_id: str) -> str:
        """The region whose system tables a statement sees that is sent to this workspace."""
        return self._system.region_of(workspace_id)

    @property
    def statements(self) -> Statements:
        """The statements of the running engine; RuntimeError before `start` and after `stop`."""
        if self._statements is None:
            raise RuntimeError("The SQL engine is not running.")
        return self._statements

    def start(self) -> None:
        """Write the system tables and start Sail; takes a second or two."""
        with self._lock:
            shutil.rmtree(self.scratch, ignore_errors=True)  # what a killed process left behind
            self._system.create(self._clock_ms)
            self._sail.start()
            self._statements = Statements(
                Warehouse(self.catalog, self.volumes, self._sail, self.scratch, self.holds), self.limits
            )

    def stop(self) -> None:
        """End statements and Sail; harmless when they were never started."""
        with self._lock:
            if self._statements:
                self.holds.release()
                self._statements.stop()
                self._statements = None
            self._sail.stop()

    def advance(self, at_ms: int) -> None:
        """Show the rows of system tables that arrived by `at_ms` (ms UTC)."""
        with self._lock:
            self._clock_ms = max(self._clock_ms, at_ms)
            if self._statements:
                self._system.advance(self._clock_ms)
