"""What delta-rs cannot do, each in one sentence at once, without the values and addresses of its own texts."""

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from genie_assets.gateways.lakehouse.delta import merges as engine
from genie_assets.gateways.lakehouse.delta.lakehouse import DeltaLakehouse, delta_root
from genie_assets.gateways.lakehouse.delta.limits import Limits
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import MONDAY, NOTES, WEDNESDAY, authors, note

SECRET = "Zyx-the-users-own-words"

WRITES: dict[str, Callable[[Lakehouse], Any]] = {
    "append": lambda lake: lake.append(NOTES, NOTES.frame([note("z", text=SECRET)])),
    "insert": lambda lake: lake.merge(NOTES, NOTES.frame([note("z", text=SECRET)])),
    "update": lambda lake: lake.merge(NOTES, NOTES.frame([note("a", text=SECRET)])),
    "replace_day": lambda lake: lake.replace_day(NOTES, MONDAY, NOTES.frame([note("z", text=SECRET)])),
    "maintain": lambda lake: lake.maintain(NOTES, today=WEDNESDAY),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table with two files on one day."""
    lake = open_lakehouse(str(tmp_path))
    lake.append(NOTES, NOTES.frame([note("a")]))
    lake.append(NOTES, NOTES.frame([note("b")]))
    return tmp_path / "genie_analytics" / "notes"


def refusal(folder: Path, use: Callable[[Lakehouse], Any], limits: Limits | None = None) -> str:
    """What is said, after checking that nothing else comes along with it."""
    with pytest.raises(LakehouseError) as refused:
        use(DeltaLakehouse(delta_root(str(folder.parents[1])), limits=limits or Limits()))
    assert refused.value.__cause__ is None
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    return str(refused.value)


def demand(folder: Path, **protocol: Any) -> None:
    """Make the table one of another engine's."""
    first = folder / "_delta_log" / f"{0:020}.json"
    lines = [json.loads(line) for line in first.read_text().splitlines()]
    for line in lines:
        if "protocol" in line:
            line["protocol"] = protocol
    first.write_text("".join(json.dumps(line) + "\n" for line in lines))


# Each would be tried again for a minute as if another writer were at fault.
@pytest.mark.timeout(40)
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    ("features", "named"),
    [(["rowTracking", "domainMetadata"], "DomainMetadata, RowTracking"), (["clustering"], "ClusteredTable")],
)
def test_a_feature_that_only_others_can_write_is_named_at_once_and_the_rows_stay_readable(
    folder: Path, write: str, features: list[str], named: str
) -> None:
    demand(folder, minReaderVersion=1, minWriterVersion=7, writerFeatures=features)
    said = refusal(folder, WRITES[write])
    assert said.startswith(f"notes: another engine made the table need features of Delta ({named}) that this one ")
    assert authors(open_lakehouse(str(folder.parents[1])).read(NOTES)) == ["a", "b"]


@pytest.mark.parametrize(
    ("protocol", "named"),
    [
        ({"minReaderVersion": 9, "minWriterVersion": 9}, "a version of Delta"),
        (
            {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": ["newThing"],
                "writerFeatures": ["newThing"],
            },
            "features of Delta (newThing)",
        ),
    ],
)
def test_a_table_that_only_others_can_read_is_said_to_be_one(
    folder: Path, protocol: dict[str, Any], named: str
) -> None:
    demand(folder, **protocol)
    for use in (lambda lake: lake.read(NOTES), *WRITES.values()):
        assert refusal(folder, use).startswith(f"notes: another engine made the table need {named}")


@pytest.mark.timeout(40)
def test_a_table_that_somebody_made_append_only_is_said_at_once(folder: Path) -> None:
    DeltaTable(str(folder)).alter.set_table_properties({"delta.appendOnly": "true"})
    said = "notes: somebody has made the table append-only: unset its property delta.appendOnly"
    assert refusal(folder, WRITES["update"]) == said


@pytest.mark.parametrize("write", ["append", "insert"])
def test_a_constraint_of_somebody_else_is_said_without_the_row_that_breaks_it(folder: Path, write: str) -> None:
    """delta-rs shows a preview of such rows."""
    DeltaTable(str(folder)).alter.add_constraint({"short": "author <> 'z'"})
    said = "notes: a row breaks a constraint that somebody has added to the table, so nothing was stored: drop it"
    assert refusal(folder, WRITES[write]) == said


# What delta-rs says of conflicts, all of which a second attempt can solve.
CONFLICTS = (
    "Commit failed: a concurrent transactions added new data.\nHelp: This transaction's query must be rerun",
    "Commit failed: a concurrent transaction deleted data this operation read.\nHelp: …",
    "Commit failed: a concurrent transaction deleted the same data your transaction deletes.\nHelp: …",
    "Metadata changed since last commit.",
    "Protocol changed since last commit: …",
    "Concurrent transaction failed.",
    "Failed to commit transaction: 15",
    "Tried committing existing table version: 7",
    "Transaction failed: exceeded maximum commit attempts",
    "Requested snapshot version 2 is not available: no new commits were found after existing snapshot version 1",
)


@pytest.mark.parametrize("text", CONFLICTS)
def test_a_conflict_is_tried_again_and_others_are_only_blamed_when_it_never_ends(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    write, failures = engine.write_deltalake, [CommitFailedError(text)] * 2

    def busy(*args: Any, **options: Any) -> None:
        if failures:
            raise failures.pop()
        write(*args, **options)

    monkeypatch.setattr(engine, "write_deltalake", busy)
    assert WRITES["append"](open_lakehouse(str(folder.parents[1]))) == 1
    failures.extend([CommitFailedError(text)] * 1000)
    assert refusal(folder, WRITES["append"], Limits(commit_seconds=0.2)) == (
        "notes: other writers left no room for it within a minute; run this again"
    )


class PanicException(BaseException):
    """As Rust's panics are called, which are no Exceptions."""


def test_a_panic_of_the_engine_is_a_sentence_and_other_things_that_are_no_exceptions_pass(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def panic(*args: Any, **options: Any) -> None:
        raise raised

    raised: BaseException = PanicException(f"called `Option::unwrap()` on {SECRET}")
    with monkeypatch.context() as broken:
        broken.setattr(engine, "write_deltalake", panic)
        assert refusal(folder, WRITES["append"]).startswith("notes: the engine for Delta files broke down")
        raised = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            WRITES["append"](open_lakehouse(str(folder.parents[1])))
    assert WRITES["append"](open_lakehouse(str(folder.parents[1]))) == 1
