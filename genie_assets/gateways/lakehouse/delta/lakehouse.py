"""The lakehouse as Delta files, on a disk or in an object store, written and read by delta-rs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from genie_assets.domain.questions import Filter, Newest, Rows
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.delta.commits import Change
from genie_assets.gateways.lakehouse.delta.disks import open_to_others
from genie_assets.gateways.lakehouse.delta.histories import Histories
from genie_assets.gateways.lakehouse.delta.limits import Limits
from genie_assets.gateways.lakehouse.delta.maintenance import maintain
from genie_assets.gateways.lakehouse.delta.merges import appended, filled, merged, replaced
from genie_assets.gateways.lakehouse.delta.object_stores import SCHEMES
from genie_assets.gateways.lakehouse.delta.reads import Selection
from genie_assets.gateways.lakehouse.delta.writes import DeltaStore
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Answers, Kept, Lakehouse
from genie_assets.gateways.lakehouse.refusals import COUNT
from genie_assets.gateways.lakehouse.results import MaintenanceReport, MergeResult

if TYPE_CHECKING:
    from genie_assets.gateways.lakehouse.reading import Reading

# delta-rs decodes a percent sign twice, cuts addresses at # and ?, so that in a bucket all tables would share one
# log, and aborts on brackets.
_UNUSABLE_IN_PATHS = frozenset("%#?[]\\^|") | frozenset(map(chr, range(32))) | {"\x7f"}
# Those that a working folder must not have either. What else is above is escaped, and comes through on a disk.
_UNREADABLE_FOLDER = re.compile(r"[\[\]\\^|]|%[0-9A-Fa-f]{2}")


def delta_root(uri: str) -> str:
    """The root folder's URI for delta-rs, without a slash at its end.

    Raises:
        LakehouseError: delta-rs serves no such URI.
    """
    scheme = urlsplit(uri).scheme if "://" in uri else ""
    if scheme in SCHEMES:
        _refuse_unusable(uri)
        return uri.rstrip("/")
    if scheme not in ("", "file") or not uri.strip():
        raise LakehouseError(
            f"GENIE_LAKEHOUSE: cannot use {scheme or 'an empty value'}; "
            "give a path or a file://, s3://, abfss:// or gs:// URI"
        )
    path = unquote(urlsplit(uri).path) if scheme == "file" else uri
    _refuse_unusable(path)
    absolute = Path(path).expanduser().absolute()
    if _UNREADABLE_FOLDER.search(str(absolute)):
        raise LakehouseError(
            f"GENIE_LAKEHOUSE: no table can be kept below {absolute}: delta-rs cannot open folders whose names "
            "have brackets, backslashes, ^, |, or % before two digits. Give a path that has none"
        )
    return absolute.as_uri().rstrip("/")


def _refuse_unusable(path: str) -> None:
    if unusable := sorted(_UNUSABLE_IN_PATHS.intersection(path)):
        raise LakehouseError(f"GENIE_LAKEHOUSE: the path must not contain any of {unusable}")


class DeltaLakehouse(Lakehouse):
    """Tables as Delta files under `<root>/genie_analytics/<table>`."""

    def __init__(
        self,
        root: str,
        storage_options: Mapping[str, str] | None = None,
        *,
        made_up: bool = False,
        limits: Limits = Limits(),  # noqa: B008 - it never changes
    ) -> None:
        self._histories = Histories()
        self._store = DeltaStore(root, storage_options, limits, made_up=made_up, opened=self._histories.looked_at)

    def exists(self, table: Table) -> bool:
        """Whether the table was ever written."""
        return self.version(table) is not None

    def prepare(self, table: Table) -> None:
        """Make the table exist with all columns of this version."""
        self._store.commit(table, lambda _delta: Change(None))

    def version(self, table: Table) -> int | None:
        """Number of the table's latest commit; None if it does not exist."""
        with self._store.failures_named(table):
            delta = self._store.open(table)
            return None if delta is None else delta.version()

    def _rows(
        self, rows: Rows, columns: Sequence[str], newest: Newest | None, distinct: bool, limit: int | None
    ) -> pa.Table:
        return Selection(self._store, rows).rows(columns, choice=newest, once=distinct, limit=limit)

    def _count(self, rows: Rows, by: Sequence[str], flags: Mapping[str, Filter], at_least: int) -> pa.Table:
        counts = Selection(self._store, rows, flags).count(by)
        return counts.filter(pc.greater_equal(counts[COUNT], at_least))

    def _append(self, table: Table, rows: pa.Table) -> None:
        if table.course is None:
            self._store.commit(table, lambda delta: appended(delta, rows), needs=rows.nbytes)
            return
        histories = self._histories
        made = self._store.commit(table, lambda delta: histories.added(delta, table, rows), needs=rows.nbytes)
        histories.noted(table, made)

    def _replace_day(self, table: Table, day: date, rows: pa.Table) -> bool:
        return self._store.commit(table, lambda delta: replaced(delta, table, day, rows), needs=rows.nbytes)

    def _merge(self, table: Table, rows: pa.Table, gone: pa.Table) -> MergeResult:
        return self._store.commit(table, lambda delta: merged(delta, table, rows, gone), needs=rows.nbytes)

    def _fill(self, table: Table, rows: pa.Table, column: str) -> None:
        self._store.commit(table, lambda delta: filled(delta, table, rows, column), needs=rows.nbytes)

    def ask(self, reading: "Reading", *, limit: int) -> pa.Table:
        """Run a reading statement in this process; see `Lakehouse.ask`."""
        with self.session() as answers:
            return answers(reading, limit=limit)

    @contextmanager
    def session(self, kept: Kept = MappingProxyType({})) -> Iterator[Answers]:
        """A database in this process for some statements; see `Lakehouse.session`."""
        from genie_assets.gateways.lakehouse.delta.embedded import session
        from genie_assets.gateways.lakehouse.delta.sources import source_of

        with session(source_of(self._store), kept) as answers:
            yield answers

    def keep(self, name: str, data: bytes) -> str:
        """Keep a file beside the tables; see `Lakehouse.keep`."""
        return self._store.keep(name, data)

    def kept_json(self, name: str) -> Any:
        """What a kept file says; see `Lakehouse.kept_json`."""
        return self._store.kept_json(name)

    def maintain(self, table: Table, *, today: date) -> MaintenanceReport:
        """Compact closed days, vacuum, shorten the log; see `Lakehouse.maintain`."""
        return maintain(self._store, table, today)

    def names_beginning(self, beginning: str) -> list[str]:
        """Names of the folders beside our tables that begin so; see `Lakehouse.names_beginning`."""
        return self._store.names_beginning(beginning)

    def _drop(self, table: Table) -> None:
        self._store.drop(table)

    def probe(self) -> bool:
        """Prove that tables can be written, and say whether there are some already."""
        return self._store.probe()

    def open_to_others(self) -> str | None:
        """A sentence that says which other users of this machine can read the tables; None if none can."""
        root = self._store.local_root
        return None if root is None else open_to_others(root)
