"""Writes that overlap: each changes a private copy of its table, and what it changed is then committed or refused.

The copy has the table's log as it was when the write began, and links to its files; engines that know nothing of
each other write into it. Only the commit is done alone, by `conflicts`' rules.
"""

import json
import os
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pyarrow as pa
from deltalake import DeltaTable
from sqlglot import exp

from genie_sandbox.sql.catalog import Name, TableEntry
from genie_sandbox.sql.conflicts import NOTHING_READ, Attempt, Commit, Reads
from genie_sandbox.sql.errors import not_found
from genie_sandbox.sql.holds import Holds

_LOG = "_delta_log"
_TABLE = "t"
"""A link to the table itself beside its private copies: links by way of it are so short that they cost nothing."""
_CHECKPOINT_EVERY = 10


class Transactions:
    """Begins writes, and commits one at a time to each table.

    Args:
        scratch: a folder for private copies, on the same file system as the tables.
        holds: where writes stand still.
    """

    def __init__(self, scratch: Path, holds: Holds) -> None:
        self.holds = holds
        self._scratch = scratch
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._homes: dict[str, Path] = {}

    @contextmanager
    def alone(self, location: str) -> Iterator[None]:
        """Nobody else commits to the table at `location` inside the block."""
        with self._lock:
            lock = self._locks[location]
        with lock:
            yield

    @contextmanager
    def begin(self, name: Name, entry: TableEntry, statement: str) -> Iterator["Transaction"]:
        """A write of a kind of `holds.WRITES` begins; its private copy lives as long as the block."""
        self.holds.pass_by("before_read", statement, name.name)
        folder = self._home(entry.location) / uuid4().hex
        try:
            with self.alone(entry.location):
                if not (Path(entry.location) / _LOG).is_dir():
                    raise not_found(str(name))
                before = DeltaTable(entry.location)
                _copy(before, Path(entry.location), folder)
            yield Transaction(self, name, (statement, before), Path(entry.location), folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _home(self, location: str) -> Path:
        """Where the private copies of a table lie."""
        with self._lock:
            home = self._homes.get(location)
            if home is None:
                home = self._homes[location] = self._scratch / f"writes-{len(self._homes)}"
                home.mkdir(parents=True)
                (home / _TABLE).symlink_to(location)
            return home


class Transaction:
    """A write on its way. What it writes goes to `folder`, a Delta table of its own.

    `before` is the table as it was when the write began.
    """

    def __init__(
        self, transactions: Transactions, name: Name, begun: tuple[str, DeltaTable], location: Path, folder: Path
    ) -> None:
        self._transactions = transactions
        self._name = name
        self._statement, self.before = begun
        self._version = self.before.version()
        self._location = location
        self.folder = str(folder)

    def table(self) -> DeltaTable:
        """The private copy as it is now."""
        return DeltaTable(self.folder)

    def redirect(self, statement: exp.Expression) -> bool:
        """Let a rewritten statement use the private copy instead of the table, in place; whether it did."""
        mentions = [table for table in statement.find_all(exp.Table) if table.name == str(self._location)]
        for table in mentions:
            table.set("this", exp.to_identifier(self.folder, quoted=True))
        return bool(mentions)

    def is_written(self) -> bool:
        """Whether the private copy has been changed."""
        return bool(_versions(Path(self.folder), self._version))

    def commit(self, reads: Reads) -> dict[str, Any]:
        """Make the change that of the table. The result are its metrics, nothing if there is nothing to change.

        Raises:
            SqlError: if a write that was committed meanwhile is in the way; then the table is left as it is.
        """
        mine = [_read(Path(self.folder), version) for version in _versions(Path(self.folder), self._version)]
        commit = Commit([action for one in mine for action in one.actions])
        if not commit.actions:
            return {}
        holds, place = self._transactions.holds, (self._statement, self._name.name)
        try:
            holds.pass_by("before_commit", *place)
            with self._transactions.alone(str(self._location)):
                self._commit(commit, reads)
        except BaseException:
            self._remove_files(commit)
            raise
        holds.pass_by("after_commit", *place)
        return dict(commit.info.get("operationMetrics", {}))

    def _commit(self, commit: Commit, reads: Reads) -> None:
        if not (self._location / _LOG).is_dir():
            raise not_found(str(self._name))
        others = _versions(self._location, self._version)
        attempt = Attempt(self._name, commit, reads, self._read_files(reads) if others else frozenset())
        for version in others:
            problem = attempt.conflict_with(_read(self._location, version), version)
            if problem:
                raise problem
        for file in commit.added:
            _move(file["path"], Path(self.folder), self._location)
        latest = max(others, default=self._version) + 1
        _write(self._location, latest, [self._described(action, commit, reads) for action in commit.actions])
        if latest % _CHECKPOINT_EVERY == 0:
            DeltaTable(str(self._location)).create_checkpoint()

    def _described(self, action: Any, commit: Commit, reads: Reads) -> Any:
        """The action; the commit's own description says what Delta's writers say for those that come after."""
        if "commitInfo" not in action:
            return action
        told = {
            "timestamp": int(time.time() * 1000),
            "readVersion": self._version,
            "isolationLevel": "WriteSerializable",
            "isBlindAppend": reads is NOTHING_READ and not commit.removed,
        }
        return {"commitInfo": {**action["commitInfo"], **told}}

    def _read_files(self, reads: Reads) -> frozenset[str]:
        if not reads.something:
            return frozenset()
        columns = self.before.metadata().partition_columns
        files = pa.table(self.before.get_add_actions(flatten=True)).to_pylist()
        return frozenset(
            file["path"]
            for file in files
            if reads.touch({name: _text(file.get(f"partition.{name}")) for name in columns})
        )

    def _remove_files(self, commit: Commit) -> None:
        for file in commit.added:
            (Path(self.folder) / unquote(file["path"])).unlink(missing_ok=True)


def _copy(table: DeltaTable, location: Path, folder: Path) -> None:
    """Make a private copy of a table in `folder`."""
    version, log = table.version(), folder / _LOG
    log.mkdir(parents=True)
    since = _last_checkpoint(location / _LOG)
    for entry in os.scandir(location / _LOG):
        number = entry.name.partition(".")[0]
        wanted = number.isdigit() and since <= int(number) <= version and not entry.name.endswith(".crc")
        if wanted or entry.name == "_last_checkpoint":
            os.link(entry.path, log / entry.name)
    parts = {path.partition("/")[0] for path in pa.table(table.get_add_actions())["path"].to_pylist()}
    for part in map(unquote, parts):
        (folder / part).symlink_to(Path("..", _TABLE, part))


def _last_checkpoint(log: Path) -> int:
    file = log / "_last_checkpoint"
    return int(json.loads(file.read_text(encoding="utf-8"))["version"]) if file.exists() else 0


def _versions(location: Path, after: int) -> list[int]:
    """The versions of a table's log later than one of them."""
    names = (entry.name.partition(".") for entry in os.scandir(location / _LOG))
    return sorted(int(name) for name, _, kind in names if kind == "json" and name.isdigit() and int(name) > after)


def _read(location: Path, version: int) -> Commit:
    lines = (location / _LOG / f"{version:020}.json").read_text(encoding="utf-8").splitlines()
    return Commit([json.loads(line) for line in lines if line.strip()])


def _write(location: Path, version: int, actions: list[Any]) -> None:
    """Add a commit to the log, whole or not at all."""
    path = location / _LOG / f"{version:020}.json"
    part = path.with_name(f".{uuid4().hex}.tmp")
    part.write_text("\n".join(json.dumps(action, separators=(",", ":")) for action in actions), encoding="utf-8")
    part.rename(path)


def _move(path: str, folder: Path, location: Path) -> None:
    source, target = folder / unquote(path), location / unquote(path)
    if not target.exists():  # in a partition that the table has, it was written to its place
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
