"""Tables whose log is lost or damaged: refused in every use, with what was found, and nothing is changed."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from genie_assets.gateways.lakehouse.delta import tables as delta_tables
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.lakehouse.results import MergeResult
from genie_assets_tests.gateways.lakehouse.examples import MONDAY, NOTES, TUESDAY, WEDNESDAY, authors, note

USES: dict[str, Callable[[Lakehouse], Any]] = {
    "version": lambda lake: lake.version(NOTES),
    "read": lambda lake: lake.read(NOTES),
    "count": lambda lake: lake.count(NOTES),
    "append": lambda lake: lake.append(NOTES, NOTES.frame([note("z")])),
    "merge": lambda lake: lake.merge(NOTES, NOTES.frame([note("z")])),
    "replace_day": lambda lake: lake.replace_day(NOTES, MONDAY, NOTES.frame([note("z")])),
    "prepare": lambda lake: lake.prepare(NOTES),
    "maintain": lambda lake: lake.maintain(NOTES, today=WEDNESDAY),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def folder(root: Path) -> Path:
    """A table of three commits on two days."""
    lake = open_lakehouse(str(root))
    for number, day in enumerate((MONDAY, TUESDAY, TUESDAY)):
        lake.append(NOTES, NOTES.frame([note(f"a{number}", number, day)]))
    return root / "genie_analytics" / "notes"


def entry(folder: Path, number: int) -> Path:
    return folder / "_delta_log" / f"{number:020}.json"


def content(folder: Path) -> dict[str, Any]:
    return {str(place): place.is_file() and place.read_bytes() for place in sorted(folder.rglob("*"))}


def grow(folder: Path) -> None:
    """Commit until there is a checkpoint."""
    lake = open_lakehouse(str(folder.parents[1]))
    for number in range(3, 22):
        lake.append(NOTES, NOTES.frame([note(f"a{number}", number)]))
    assert list((folder / "_delta_log").glob("*.checkpoint.parquet"))


def no_log(folder: Path) -> None:
    shutil.rmtree(folder / "_delta_log")


def empty_log(folder: Path) -> None:
    no_log(folder)
    (folder / "_delta_log").mkdir()


def only_a_checkpoint_pointer(folder: Path) -> None:
    shutil.rmtree(folder)
    (folder / "_delta_log").mkdir(parents=True)
    (folder / "_delta_log" / "_last_checkpoint").write_text('{"version":19,"size":1}')


def files_of_somebody_else(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "export\n\x1b[31m.parquet").write_bytes(b"PAR1")


def cut_log(folder: Path) -> None:
    entry(folder, 0).unlink()
    entry(folder, 1).unlink()


def gap(folder: Path) -> None:
    entry(folder, 2).unlink()


def no_checkpoint_and_cut(folder: Path) -> None:
    grow(folder)
    for checkpoint in (folder / "_delta_log").glob("*.checkpoint.parquet"):
        checkpoint.unlink()
    cut_log(folder)


def pointer_to_nothing(folder: Path) -> None:
    grow(folder)
    for checkpoint in (folder / "_delta_log").glob("*.checkpoint.parquet"):
        checkpoint.unlink()


def empty_last_entry(folder: Path) -> None:
    entry(folder, 3).write_bytes(b"")


def empty_entry_before_the_last(folder: Path) -> None:
    entry(folder, 2).write_bytes(b"")


def last_entry_of_zeros(folder: Path) -> None:
    entry(folder, 3).write_bytes(b"\0" * entry(folder, 3).stat().st_size)


def half_a_last_entry(folder: Path) -> None:
    whole = entry(folder, 3).read_bytes()
    entry(folder, 3).write_bytes(whole[: len(whole) // 2])


def empty_only_entry(folder: Path) -> None:
    shutil.rmtree(folder)
    (folder / "_delta_log").mkdir(parents=True)
    entry(folder, 0).write_bytes(b"")


def file_for_a_table(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("x")


def file_for_a_log(folder: Path) -> None:
    no_log(folder)
    (folder / "_delta_log").write_text("x")


def file_for_all_tables(folder: Path) -> None:
    shutil.rmtree(folder.parent)
    folder.parent.write_text("x")


HOLDS = (
    r"{folder} holds files such as '{name}', and no log .*: restore _delta_log from a backup, or move them away .*"
)
CUT = r"{folder}/_delta_log/0{{19}}{number}\.json is cut off, .*: "
REMOVE = "remove that file, and load the days of its time again"
IS_FILE = "{folder} is a file where a folder should be: give GENIE_LAKEHOUSE the path of a folder"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (no_log, HOLDS.replace("{name}", "day=2026-03-02")),
        (empty_log, HOLDS.replace("{name}", "day=2026-03-02")),
        (
            only_a_checkpoint_pointer,
            "{folder}/_delta_log has lost its entries: restore it from a backup, or move .*",
        ),
        (files_of_somebody_else, HOLDS.replace("{name}", r"export\\n\\x1b\[31m\.parquet")),
        (
            cut_log,
            "{folder}/_delta_log begins with entry 2, and there is no checkpoint .*: restore it from a backup",
        ),
        (gap, "{folder}/_delta_log lacks entries such as 2: restore it from a backup"),
        (
            no_checkpoint_and_cut,
            "{folder}/_delta_log begins with entry 2, and there is no checkpoint .*: restore it.*",
        ),
        (pointer_to_nothing, "{folder}/_delta_log has no usable checkpoint, .* names one: remove that file"),
        (empty_last_entry, CUT.replace("{number}", "3") + REMOVE),
        (empty_entry_before_the_last, CUT.replace("{number}", "2") + "restore it from a backup"),
        (last_entry_of_zeros, CUT.replace("{number}", "3") + REMOVE),
        (half_a_last_entry, CUT.replace("{number}", "3") + REMOVE),
        (empty_only_entry, CUT.replace("{number}", "0") + REMOVE),
        (file_for_a_table, IS_FILE),
        (file_for_a_log, IS_FILE.replace("{folder}", "{folder}/_delta_log")),
        (file_for_all_tables, IS_FILE.replace("{folder}", "{above}")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_lost_or_damaged_log_is_refused_in_every_use_and_nothing_changes(
    folder: Path, root: Path, damage: Callable[[Path], None], said: str
) -> None:
    """Taken for a table never written, it would read as empty, be made anew, and lose its files to maintenance."""
    damage(folder)
    before = content(root)
    for use in USES.values():
        with pytest.raises(LakehouseError) as refused:
            use(open_lakehouse(str(root)))
        expected = "notes: " + said.format(folder=folder, above=folder.parent)
        assert re.fullmatch(expected, str(refused.value)), str(refused.value)
        assert content(root) == before


def test_a_lakehouse_that_wrote_before_sees_that_an_entry_was_cut_off_since(folder: Path, root: Path) -> None:
    """It keeps its tables open, and another writer's commit is the one that is cut off."""
    lake, other = open_lakehouse(str(root)), open_lakehouse(str(root))
    lake.append(NOTES, NOTES.frame([note("b")]))
    other.append(NOTES, NOTES.frame([note("c")]))
    entry(folder, 5).write_bytes(b"")
    with pytest.raises(LakehouseError, match=r"5\.json is cut off"):
        lake.append(NOTES, NOTES.frame([note("d")]))


@pytest.mark.parametrize("damage", [empty_last_entry, half_a_last_entry, empty_only_entry, pointer_to_nothing])
def test_what_the_refusal_says_brings_the_table_back(
    folder: Path, root: Path, damage: Callable[[Path], None]
) -> None:
    damage(folder)
    lake = open_lakehouse(str(root))
    with pytest.raises(LakehouseError, match="remove that file") as refused:
        lake.read(NOTES)
    named = [word for word in str(refused.value).split() if word.endswith(".json")]
    (Path(named[0]) if named else folder / "_delta_log" / "_last_checkpoint").unlink()
    lefts: dict[Any, int] = {empty_only_entry: 0, pointer_to_nothing: 22}
    left = lefts.get(damage, 2)
    assert len(lake.read(NOTES)) == left
    assert lake.append(NOTES, NOTES.frame([note("new")])) == 1
    assert len(lake.read(NOTES)) == left + 1


def test_a_lost_entry_that_a_checkpoint_has_covered_does_not_stop_a_table_that_works(
    folder: Path, root: Path
) -> None:
    empty_entry_before_the_last(folder)
    DeltaTable(folder.as_uri()).create_checkpoint()
    assert len(open_lakehouse(str(root)).read(NOTES)) == 2


NOTHING_YET: dict[str, tuple[str, ...]] = {
    "no folder": (),
    "an empty folder": ("genie_analytics/notes/",),
    "an empty log": ("genie_analytics/notes/_delta_log/",),
    "an entry without its name": ("genie_analytics/notes/_delta_log/00000000000000000000.json#1",),
    "an entry without its name, the other way": ("genie_analytics/notes/_delta_log/_commit_0a-1b.json.tmp",),
    "what a file browser leaves": (
        "genie_analytics/notes/.DS_Store",
        "genie_analytics/notes/_delta_log/.DS_Store",
    ),
}


@pytest.mark.parametrize("state", NOTHING_YET)
def test_what_a_writer_leaves_that_was_killed_while_it_made_a_table_is_no_table(root: Path, state: str) -> None:
    for name in NOTHING_YET[state]:
        place = root / name
        (place if name.endswith("/") else place.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            place.write_bytes(b"")
    lake = open_lakehouse(str(root))
    assert (lake.version(NOTES), len(lake.read(NOTES))) == (None, 0)
    assert lake.maintain(NOTES, today=WEDNESDAY).version_after is None
    assert lake.merge(NOTES, NOTES.frame([note("a")])) == MergeResult(inserted=1)
    assert authors(lake.read(NOTES)) == ["a"]


# Makes tables in children that are killed at some moment of it; the first and the last of them are not.
KILLED = """
import os, signal, sys, time
import deltalake, pandas
from genie_assets.gateways.lakehouse.delta import lakehouse as delta
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import NOTES, note
frame = NOTES.frame([note("a", number, text="x" * 1000) for number in range(50)])
whole = 0
for number in range(41):
    ready, begun = os.pipe()
    child = os.fork()
    if not child:
        os.write(begun, b"!")
        open_lakehouse(f"{sys.argv[1]}/{number}").append(NOTES, frame)
        os._exit(0)
    os.read(ready, 1)
    begin = time.monotonic()
    if number % 40:
        time.sleep(whole * number / 40)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    whole = whole or time.monotonic() - begin
"""


@pytest.mark.slow
def test_a_first_write_that_is_killed_at_any_moment_leaves_all_or_nothing_and_no_refusal(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=True)
    rows = []
    for number in range(41):
        lake = open_lakehouse(str(tmp_path / str(number)))
        rows.append(len(lake.read(NOTES)))
        assert lake.append(NOTES, NOTES.frame([note("b")])) == 1
        assert len(lake.read(NOTES)) == rows[-1] + 1
    assert set(rows) == {0, 50}


def test_a_table_that_another_writer_makes_while_we_look_is_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not found at first, and then there are files: they have a log by now."""
    looked: list[str] = []

    def late(uri: str, **options: Any) -> DeltaTable:
        looked.append(uri)
        if len(looked) == 1:
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(delta_tables, "DeltaTable", DeltaTable)
                open_lakehouse(str(root)).append(NOTES, NOTES.frame([note("a")]))
            raise TableNotFoundError("no files in log segment")
        return DeltaTable(uri, **options)

    monkeypatch.setattr(delta_tables, "DeltaTable", late)
    assert authors(open_lakehouse(str(root)).read(NOTES)) == ["a"]


@pytest.mark.parametrize("content_of_file", [None, b"", b"PAR1 and then nothing"])
def test_a_lost_data_file_is_named_and_stops_nothing_but_its_own_rows(
    folder: Path, root: Path, content_of_file: bytes | None
) -> None:
    lost = next(folder.glob("day=2026-03-02/*.parquet"))
    lost.unlink() if content_of_file is None else lost.write_bytes(content_of_file)
    lake = open_lakehouse(str(root))
    for use in (lambda: lake.read(NOTES), lambda: lake.merge(NOTES, NOTES.frame([note("a0", 0, text="new")]))):
        with pytest.raises(LakehouseError) as refused:
            use()
        assert f"notes: the data file day=2026-03-02/{lost.name}, which" in str(refused.value)
    assert authors(lake.read(NOTES, days=[TUESDAY])) == ["a1", "a2"]
    assert lake.append(NOTES, NOTES.frame([note("new", day=MONDAY)])) == 1
    # What can be tidied up is, although Monday's files cannot be joined.
    with pytest.raises(LakehouseError, match=f"the data file day=2026-03-02/{lost.name}"):
        lake.maintain(NOTES, today=WEDNESDAY)
    files = DeltaTable(folder.as_uri()).file_uris()
    assert sorted(uri.split("/")[-2] for uri in files) == ["day=2026-03-02"] * 2 + ["day=2026-03-03"]
    lost.unlink(missing_ok=True)
    DeltaTable(folder.as_uri()).repair()
    assert authors(lake.read(NOTES)) == ["a1", "a2", "new"]


def old(file: Path, days: int) -> None:
    then = time.time() - timedelta(days=days).total_seconds()
    os.utime(file, (then, then))


def test_files_that_a_table_cannot_have_left_survive_maintenance(
    folder: Path, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A table that was made over old files, by a version that took them for nothing; and somebody's notes."""
    before = next(folder.glob("day=2026-03-02/*.parquet"))
    notes, half = folder / "notes.csv", folder / "draft#1"
    for file in (notes, half):
        file.write_text("a")
    kept = folder / "kept.zstd.parquet"
    shutil.copy(before, kept)
    for file in (notes, half, kept):
        old(file, days=30)
    lake = open_lakehouse(str(root))
    assert lake.maintain(NOTES, today=WEDNESDAY).files_vacuumed == 0
    assert all(file.exists() for file in (notes, half, kept))
    assert "notes: 2 files that this table's writers cannot have left are kept" in caplog.text
    assert authors(lake.read(NOTES)) == ["a0", "a1", "a2"]
