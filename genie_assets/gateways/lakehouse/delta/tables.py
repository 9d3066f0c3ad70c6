"""Opening and creating Delta tables: where they lie, what is there, and of which kind they are.

Nothing is written to a table that exists, but what it lacks of its definition; all else is written in `writes`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from genie_assets.domain.tables import TABLES, Table
from genie_assets.gateways.lakehouse.delta import disks, store_files
from genie_assets.gateways.lakehouse.delta.definitions import extended, properties_of, schema_of
from genie_assets.gateways.lakehouse.delta.failures import failures_named, log_was_shortened
from genie_assets.gateways.lakehouse.delta.folders import is_made_meanwhile, refuse_cut_entries
from genie_assets.gateways.lakehouse.delta.limits import Limits
from genie_assets.gateways.lakehouse.delta.object_stores import store_options
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.marks import described, is_made_up, mark, refuse_other_kind


class DeltaTables:
    """The Delta tables under one root. Threads may share it: an open table has one user at a time.

    Args:
        root: URI of the folder, or of the part of a bucket, that holds the lakehouse.
        storage_options: credentials and endpoints of an object store.
        limits: how far it goes.
        made_up: whether the tables hold a made-up account; those of the other kind are refused.
        opened: told of each table that is opened, and of each that is not there.
    """

    def __init__(
        self,
        root: str,
        storage_options: Mapping[str, str] | None,
        limits: Limits,
        *,
        made_up: bool = False,
        opened: Callable[[Table, DeltaTable | None], object],
    ) -> None:
        self._root, self._limits, self._made_up, self._told = root, limits, made_up, opened
        self._options = store_options(root, storage_options)
        self._knows_neighbours = False

    @property
    def local_root(self) -> Path | None:
        """The lakehouse's folder, if it lies on a disk of this machine."""
        address = urlsplit(self._root)
        return Path(unquote(address.path)) if address.scheme == "file" else None

    def local_folder(self, table: Table) -> Path | None:
        """The table's folder, if it lies on a disk of this machine."""
        root = self.local_root
        return None if root is None else root / disks.TABLES_FOLDER / table.name

    def failures_named(self, table: Table) -> AbstractContextManager[None]:
        """Turn the engine's failures with a table into a LakehouseError."""
        return failures_named(table, self.local_folder(table))

    def open(self, table: Table) -> DeltaTable | None:
        """The table as it is now; None if it was never written. Any other failure is an error, never None.

        Raises:
            LakehouseError: the table's log is lost or damaged, or the table is of the other kind.
        """
        delta = self._opened(table)
        if delta is not None:
            if folder := self.local_folder(table):
                refuse_cut_entries(table, folder, delta.version())
            self._refuse_other_kind(table, delta)
        self._told(table, delta)
        return delta

    def created(self, table: Table) -> DeltaTable:
        """A table that was not found, made; or as somebody else has made it meanwhile.

        Raises:
            LakehouseError: tables of the other kind are in this lakehouse.
        """
        self._refuse_other_neighbours(table)
        if root := self.local_root:
            disks.make_private(root)
        marked = described(table, self._made_up)
        try:
            return DeltaTable.create(
                self._uri(table),
                schema_of(table),
                mode="error",
                partition_by=[table.partitioned_by] if table.partitioned_by else [],
                name=table.name,
                description=marked.description,
                configuration={**properties_of(table, on_disk=root is not None), **mark(self._made_up)},
                storage_options=self._options,
                raise_if_key_not_exists=not self._made_up,
            )
        except DeltaError:
            delta = self.open(table)
            if delta is None:
                raise
            return self.extended(table, delta)  # another process created it in the meantime

    def extended(self, table: Table, delta: DeltaTable) -> DeltaTable:
        """The table with what an older version of it lacks; see `definitions.extended`."""
        return extended(table, delta, on_disk=self.local_root is not None)

    def _place(self, *below: str) -> str:
        """The lakehouse, or what lies below its root, for people: a path, or a URI without a password."""
        root = str(self.local_root) if self.local_root else re.sub(r"//[^/@]*:[^/@]*@", "//", self._root)
        return "/".join([root, *below])

    def _uri(self, table: Table) -> str:
        return f"{self._root}/{disks.TABLES_FOLDER}/{table.name}"

    def _opened(self, table: Table) -> DeltaTable | None:
        attempts = Retrying(
            retry=retry_if_exception(
                lambda error: log_was_shortened(error) or isinstance(error, _MadeMeanwhileError)
            ),
            wait=wait_random_exponential(multiplier=0.02, max=1),
            stop=stop_after_attempt(self._limits.opening_attempts),
            reraise=True,
        )
        return attempts(lambda: self._found(table))

    def _found(self, table: Table) -> DeltaTable | None:
        try:
            return DeltaTable(self._uri(table), storage_options=self._options)
        except TableNotFoundError:
            place = self._place(disks.TABLES_FOLDER, table.name)
            if is_made_meanwhile(table, place, lambda below: self._names(table, below)):
                raise _MadeMeanwhileError(f"{table.name}: {place} has a log that cannot be read") from None
            return None

    def _names(self, table: Table, below: str) -> Sequence[str]:
        if folder := self.local_folder(table):
            # delta-rs also says "not found" of a folder that it may not look into.
            try:
                return [place.name for place in (folder / below).iterdir()]
            except FileNotFoundError:
                return []
        if table.name not in self._prefixes:
            return []
        return store_files.names_in(f"{self._uri(table)}/{below}".rstrip("/"), self._options)

    @cached_property
    def _prefixes(self) -> frozenset[str]:
        """Names below which the object store had anything when a table was first not found: asking takes long."""
        return frozenset(store_files.names_in(f"{self._root}/{disks.TABLES_FOLDER}", self._options))

    def _refuse_other_kind(self, table: Table, delta: DeltaTable) -> None:
        found = is_made_up(delta.metadata().configuration)
        refuse_other_kind(table, self._place(), wanted=self._made_up, found=found)

    def _refuse_other_neighbours(self, table: Table) -> None:
        """LakehouseError if tables of the other kind are in this lakehouse, where one of ours would be made."""
        if not self._knows_neighbours:
            neighbours = (each for each in TABLES if each.name != table.name)
            if found := next(filter(None, map(self._readable, neighbours)), None):
                self._refuse_other_kind(*found)
        self._knows_neighbours = True

    def _readable(self, table: Table) -> tuple[Table, DeltaTable] | None:
        with suppress(LakehouseError, DeltaError, OSError):  # one that is damaged says so when it is used
            delta = self._opened(table)
            return None if delta is None else (table, delta)
        return None


class _MadeMeanwhileError(LakehouseError):
    """A table that was not found has a log by now."""
