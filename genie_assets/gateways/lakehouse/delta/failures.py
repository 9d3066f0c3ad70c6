"""The failures of delta-rs in one sentence each: what is wrong with the table, and what to do about it.

The engine's own texts show values of rows, addresses with passwords and Rust's backtraces. They are read here, and
passed on nowhere: not in the sentence, nor as its cause.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from deltalake.exceptions import DeltaError

from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.delta.disks import error_number, file_in_the_way, problem
from genie_assets.gateways.lakehouse.delta.folders import LOG, damage_of_log
from genie_assets.gateways.lakehouse.delta.object_stores import failure_of_store
from genie_assets.gateways.lakehouse.errors import LakehouseError

# What delta-rs says when another writer was faster. Its other failed commits have nothing to do with others.
_OVERTAKEN = re.compile(
    r"concurrent transaction|changed since last commit|existing table version|Failed to commit transaction"
    r"|maximum commit attempts|Invalid table version"
    # An entry that was just made is gone, or hidden behind a checkpoint that others made.
    r"|Requested snapshot version \d+ is not available",
    re.IGNORECASE,
)
_LOST_FILE = re.compile(
    r"(?:metadata for file|Object at location) [^\n]*?((?:[\w-]+=[^/\s]+/)?[^/\s]+\.parquet)\b"
    r".*(?:not found|range was invalid|Corrupt|Invalid Parquet)",
    re.DOTALL,
)
_FEATURES = re.compile(r"Unsupported table features required: \[([\w, ]+)\]|Feature '(\w+)' is not supported")
_VERSION = re.compile(
    r"Unsupported minimum \w+ version|not support (?:reader|writer) version|catalog-managed table"
)
_ABOUT_THE_LOG = re.compile(r"Kernel error|delta.log|checkpoint", re.IGNORECASE)
# "Kernel error: Json error: …": of the engine's own words these cannot hold a value.
_KINDS = re.compile(r"(?:\A|(?<=: ))([A-Z][A-Za-z]+(?: [A-Za-z]+)? error)(?=: )")
_PANIC = "PanicException"


class LostCommitError(DeltaError):
    """A commit was made, and the table does not hold it: its number is one of those before the last checkpoint."""


class BusyError(LakehouseError):
    """Other writers kept the table so busy that a write found no moment for its commit."""


def was_overtaken(error: BaseException) -> bool:
    """Whether other writers were faster: their commits conflict, or those since ours began are cleaned up."""
    if not isinstance(error, DeltaError):
        return False
    if isinstance(error, LostCommitError) or log_was_shortened(error):
        return True
    return error_number(error) is None and _OVERTAKEN.search(str(error)) is not None


def log_was_shortened(error: BaseException) -> bool:
    """Whether an entry of the log went away between being listed and being read; a newer checkpoint covers it."""
    text = str(error)
    return isinstance(error, DeltaError) and "/_delta_log/" in text and "not found" in text


@contextmanager
def failures_named(table: Table, folder: Path | None) -> Iterator[None]:
    """Turn the engine's failures into a LakehouseError that names the table.

    Args:
        table: what is read or written.
        folder: where it lies, if that is on a disk of this machine.
    """
    try:
        yield
    except (DeltaError, pa.lib.ArrowException, OSError) as error:
        failure = _named(table, folder, error)
    except BaseException as error:
        # Rust's panics are no Exceptions.
        if type(error).__name__ != _PANIC:
            raise
        failure = LakehouseError(f"{table.name}: the engine for Delta files broke down ({_PANIC}); run this again")
    else:
        return
    raise failure from None


def _named(table: Table, folder: Path | None, error: Exception) -> LakehouseError:
    if was_overtaken(error) and not log_was_shortened(error):
        return BusyError(f"{table.name}: other writers left no room for it within a minute; run this again")
    return LakehouseError(f"{table.name}: {_explained(folder, error)}")


def _explained(folder: Path | None, error: Exception) -> str:
    text = str(error)
    if lost := _LOST_FILE.search(text):
        return (
            f"the data file {lost[1]}, which the table's log names, is gone or damaged: restore it from a backup, "
            "or take it out of the log with deltalake's DeltaTable.repair() and load its day again"
        )
    if failure := failure_of_store(error):
        return failure
    if folder is not None and (file := file_in_the_way(folder / LOG)):
        return file
    if folder is not None and (number := error_number(error)) is not None:
        return problem(number, folder)
    if found := _FEATURES.search(text):
        names = sorted((found[1] or found[2]).split(", "))
        return _too_new(f"features of Delta ({', '.join(names)})")
    if _VERSION.search(text):
        return _too_new("a version of Delta, or a catalog,")
    if "append-only" in text:
        return "somebody has made the table append-only: unset its property delta.appendOnly"
    if "failed validation check" in text:
        return "a row breaks a constraint that somebody has added to the table, so nothing was stored: drop it"
    if folder is not None and _ABOUT_THE_LOG.search(text) and (damage := damage_of_log(folder)):
        return damage
    kinds = ", ".join([type(error).__name__, *_KINDS.findall(text)])
    return f"the storage failed ({kinds})"


def _too_new(what: str) -> str:
    return (
        f"another engine made the table need {what} that this one cannot use: nothing was changed; copy its rows "
        "into a table without them, or keep the lakehouse in Unity Catalog (uc://)"
    )
