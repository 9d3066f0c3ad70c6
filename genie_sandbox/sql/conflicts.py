"""Delta's rules for two writes at once: when the second one is refused, and with which words.

Optimistic concurrency on the isolation level WriteSerializable, which is Databricks' default, for tables without
row-level concurrency: partitions are what is compared, and what was added without reading anything is in nobody's
way. Files that statistics would have left out count as read, so that rather more is refused than on Databricks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlglot import exp

from genie_sandbox.sql.catalog import Name
from genie_sandbox.sql.errors import SqlError
from genie_sandbox.sql.partitions import PartitionValues, rules_out

Action = Mapping[str, Any]
_SQLSTATE = "2D521"
_DOCS = "https://docs.databricks.com/optimizations/isolation-level.html"
_RETRY = f"Please retry the operation. Refer to {_DOCS} for more information. SQLSTATE: {_SQLSTATE}"


@dataclass(frozen=True)
class Reads:
    """What a write has read of the table that it changes: nothing, or where all `conditions` may hold.

    The conditions are about partition columns only; without any it has read the whole table.
    """

    something: bool = True
    conditions: Sequence[exp.Expression] = ()

    def touch(self, values: PartitionValues) -> bool:
        """Whether rows of a partition belong to what was read."""
        return self.something and not any(rules_out(condition, values) for condition in self.conditions)


NOTHING_READ = Reads(something=False)
ALL_READ = Reads()


@dataclass(frozen=True)
class Commit:
    """The actions of one commit of a table's log."""

    actions: Sequence[Action]

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """What the commit says about itself."""
        return next((action["commitInfo"] for action in self.actions if "commitInfo" in action), {})

    @property
    def added(self) -> list[Mapping[str, Any]]:
        """Its added files."""
        return [action["add"] for action in self.actions if action.get("add")]

    @property
    def removed(self) -> set[str]:
        """The paths of its removed files."""
        return {action["remove"]["path"] for action in self.actions if action.get("remove")}

    @property
    def changes_data(self) -> bool:
        """Whether rows differ after it: not if it only put them into other files."""
        files = [action.get("add") or action.get("remove") for action in self.actions]
        return any(file.get("dataChange", True) for file in files if file)

    def has(self, kind: str) -> bool:
        """Whether it has an action of a kind, such as `metaData`."""
        return any(action.get(kind) for action in self.actions)


@dataclass(frozen=True)
class Attempt:
    """A write that is about to be committed: `read_files` are the paths that `reads` amounted to."""

    table: Name
    commit: Commit
    reads: Reads
    read_files: frozenset[str]

    def conflict_with(self, winner: Commit, version: int) -> SqlError | None:
        """Why it cannot follow another commit, `version`, which it has not seen; None if it can."""
        if winner.has("protocol"):
            return _changed("DELTA_PROTOCOL_CHANGED", "ProtocolChangedException: The protocol version", winner)
        if winner.has("metaData"):
            return _changed("DELTA_METADATA_CHANGED", "MetadataChangedException: The metadata", winner)
        return self._unseen_rows(winner, version) or self._lost_files(winner, version)

    def _unseen_rows(self, winner: Commit, version: int) -> SqlError | None:
        # Whoever only moves rows to other files misses none, and blind appends count as if they came later.
        if not self.commit.changes_data or winner.info.get("isBlindAppend"):
            return None
        added = [file for file in winner.added if file.get("dataChange", True)]
        unseen = next((file for file in added if self.reads.touch(file.get("partitionValues") or {})), None)
        if unseen is None:
            return None
        partition = ", ".join(f"{name}={value}" for name, value in (unseen.get("partitionValues") or {}).items())
        hint = (
            f"The concurrent operation modified data in partition [{partition}] that should have been read by "
            f"this operation. "
        )
        return SqlError(
            "DELTA_CONCURRENT_APPEND." + ("WITH_PARTITION_HINT" if partition else "WITHOUT_HINT"),
            f"Transaction conflict detected. A concurrent {_operation(winner)} added data to table "
            f"{_plain(self.table)} committed at version {version}. {hint if partition else ''}{_RETRY}",
        )

    def _lost_files(self, winner: Commit, version: int) -> SqlError | None:
        removed = f"Transaction conflict detected, a concurrent {_operation(winner)} deleted data from table "
        removed += f"{_plain(self.table)} (committed at version {version}) that this transaction "
        if winner.removed & self.read_files:
            return SqlError("DELTA_CONCURRENT_DELETE_READ.WITHOUT_HINT", f"{removed}read. {_RETRY}")
        if winner.removed & self.commit.removed:
            return SqlError(
                "DELTA_CONCURRENT_DELETE_DELETE.WITHOUT_HINT", f"{removed}attempted to delete. {_RETRY}"
            )
        return None


def _changed(condition: str, what: str, winner: Commit) -> SqlError:
    return SqlError(
        condition,
        f"{what} of the Delta table has been changed by a concurrent update ({_operation(winner)}). "
        f"Please try the operation again. Refer to {_DOCS} for more details. SQLSTATE: {_SQLSTATE}",
    )


def _operation(commit: Commit) -> str:
    return str(commit.info.get("operation", "WRITE"))


def _plain(table: Name) -> str:
    return f"{table.catalog}.{table.schema}.{table.name}"
