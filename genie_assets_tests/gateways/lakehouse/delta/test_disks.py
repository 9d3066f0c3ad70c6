"""Disks that cannot be used: one sentence at once and nothing else, and a later run finds everything as it was.

Scripts run in a namespace of their own, so that what they mount is gone with them; permissions bind them although
the tests may run as root, because they become another user.
"""

import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from genie_assets.domain.tables import TABLES
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import MONDAY, NOTES, authors, note

# Every script says what it does with `tell`; what has to be imported is imported before a user is changed.
PRELUDE = """
import json, os, pathlib, resource, signal, subprocess, sys
import pwd, tempfile
from datetime import timedelta
import deltalake, pandas
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.delta.lakehouse import DeltaLakehouse, delta_root
from genie_assets.gateways.lakehouse.delta.limits import Limits
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import LEDGER, MONDAY, NOTES, WEDNESDAY, note

root = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
MIB = 1024 * 1024

def tell(use):
    try:
        print(json.dumps(use()))
    except LakehouseError as error:
        assert error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)
        print(error)

def lake():
    return open_lakehouse(str(root / "lake"))

def append(author, table=NOTES, **cells):
    return lambda: lake().append(table, table.frame([note(author, **cells)]))

def authors():
    return sorted(lake().read(NOTES)["author"])

def change():
    return lake().merge(NOTES, NOTES.frame([note("first", text="changed")])).changed

def maintain():
    return lake().maintain(NOTES, today=WEDNESDAY).days_compacted

def mount(*options):
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(root)], check=True)

def become_another():
    # Another user may not see where the packages lie: what is imported late is imported now.
    with tempfile.TemporaryDirectory() as folder:
        warm = open_lakehouse(folder)
        warm.append(NOTES, NOTES.frame([note("first")]))
        warm.merge(NOTES, NOTES.frame([note("first", text="changed")]))
        warm.read(NOTES)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
"""


def told(script: str, root: Path) -> list[str]:
    """What a script says, line by line; nothing may be on stderr."""
    namespace = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    run = subprocess.run(
        [*namespace, sys.executable, "-c", PRELUDE + script, str(root)], capture_output=True, text=True
    )
    assert (run.stderr, run.returncode) == ("", 0)
    return run.stdout.replace(str(root), "ROOT").splitlines()


@pytest.fixture
def open_root() -> Iterator[Path]:
    """A folder that every user may look into, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_full_disk_is_said_before_anything_is_written_and_a_later_run_goes_on(tmp_path: Path) -> None:
    script = """
mount("-o", "size=90m")
tell(append("first"))
tell(append("second"))
filler = root / "filler"
filler.write_bytes(bytes(60 * MIB))
tell(append("third"))
tell(change)
tell(append("other", LEDGER))
tell(maintain)
tell(lambda: lake().probe())
tell(authors)
filler.unlink()
tell(append("third"))
tell(change)
tell(maintain)
tell(authors)
"""
    full = r"is on a full disk: \d+ MiB are left, and 64 are kept free; make room there and run this again"
    expected = [
        "1",
        "1",
        *[f"notes: ROOT/lake/genie_analytics/notes {full}"] * 2,
        f"ledger: ROOT/lake/genie_analytics/ledger {full}",
        f"notes: ROOT/lake/genie_analytics/notes {full}",
        f"GENIE_LAKEHOUSE: ROOT/lake/genie_analytics {full}",
        r'\["first", "second"\]',
        "1",
        "1",
        "1",
        r'\["first", "second", "third"\]',
    ]
    lines = told(script, tmp_path)
    assert [line for line, pattern in zip(lines, expected, strict=True) if not re.fullmatch(pattern, line)] == []


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("mount('-o', 'size=2m')", "is on a full disk: make room there and run this again"),
        (
            "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000,) * 2)",
            "needs a file that is larger than this process may write: raise its limit (ulimit -f)",
        ),
    ],
    ids=["no space", "file size"],
)
def test_a_disk_that_fills_up_during_a_write_loses_no_confirmed_row(
    tmp_path: Path, limit: str, words: str
) -> None:
    """Others write to the disk as well, so looking first is not enough. Rust's panics then fill stderr."""
    script = f"""
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
brim = DeltaLakehouse(delta_root(str(root / "lake")), limits=Limits(kept_free=0))
{limit}
texts = [os.urandom(40_000).hex() for _ in range(40)]
confirmed = []
for number, text in enumerate(texts):
    try:
        brim.append(NOTES, NOTES.frame([note("a", number, text=text * (number + 1))]))
        confirmed.append(number)
    except LakehouseError as error:
        print(error)
        break
print(sorted(lake().read(NOTES)["number"]) == confirmed, bool(confirmed))
tell(lambda: lake().version(NOTES) == len(confirmed))
"""
    place = "ROOT/lake/genie_analytics/notes"
    lines = told(script, tmp_path)
    possible = {
        f"notes: {place} {words}",
        f"notes: {place} is on a full disk: 0 MiB are left, and 0 are kept free; ",
    }
    assert any(lines[0].startswith(sentence) for sentence in possible)
    assert lines[1:] == ["True True", "true"]


def test_a_commit_whose_entry_finds_no_room_is_no_conflict(tmp_path: Path) -> None:
    """It would be tried again for a minute, and others blamed for it."""
    script = """
tell(append("a"))
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
many = NOTES.frame([note("b", day=MONDAY + timedelta(days=number)) for number in range(40)])
tell(lambda: lake().append(NOTES, many))
tell(authors)
"""
    assert told(script, tmp_path) == [
        "1",
        "notes: ROOT/lake/genie_analytics/notes needs a file that is larger than this process may write: raise "
        "its limit (ulimit -f)",
        '["a"]',
    ]


@pytest.mark.parametrize("what", ["read-only", "foreign"])
def test_a_lakehouse_that_may_only_be_read_is_read_and_every_write_says_why(open_root: Path, what: str) -> None:
    protect = {
        "read-only": "mount('-o', 'remount,ro')",
        "foreign": "os.chmod(root, 0o755)\nfor place in root.rglob('*'): place.chmod(0o555)\nbecome_another()",
    }
    script = f"""
mount("-o", "size=90m")
tell(append("first"))
tell(append("second"))
{protect[what]}
tell(authors)
tell(append("third"))
tell(change)
tell(append("other", LEDGER))
tell(maintain)
tell(lambda: lake().probe())
tell(authors)
"""
    words = {
        "read-only": "is on a read-only file system: mount it for writing, or give GENIE_LAKEHOUSE another place",
        "foreign": r"(belongs to the user \w+ and )?may not be used.*: (change|look at) its .*",
    }[what]
    expected = [
        "1",
        "1",
        r'\["first", "second"\]',
        *[f"notes: ROOT/lake/genie_analytics/notes {words}"] * 2,
        f"ledger: ROOT/lake/genie_analytics(/ledger)? {words}",
        f"notes: ROOT/lake/genie_analytics/notes {words}",
        f"GENIE_LAKEHOUSE: ROOT/lake/genie_analytics {words}",
        r'\["first", "second"\]',
    ]
    lines = told(script, open_root)
    assert [line for line, pattern in zip(lines, expected, strict=True) if not re.fullmatch(pattern, line)] == []


def no_folders_here(tmp_path: Path) -> Path:
    return Path("/proc/genie")


def below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("x")
    return tmp_path / "file" / "lake"


def at_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("x")
    return tmp_path / "file"


def at_a_device(tmp_path: Path) -> Path:
    return Path("/dev/full")


def name_too_long(tmp_path: Path) -> Path:
    return tmp_path / ("x" * 300)


def at_a_link_to_itself(tmp_path: Path) -> Path:
    (tmp_path / "link").symlink_to(tmp_path / "link")
    return tmp_path / "link"


IS_FILE = "{file} is a file where a folder should be: give GENIE_LAKEHOUSE the path of a folder"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (no_folders_here, "{tables} cannot be made: give GENIE_LAKEHOUSE a place where folders can be made"),
        (below_a_file, IS_FILE),
        (at_a_file, IS_FILE),
        (at_a_device, IS_FILE.replace("{file}", "/dev/full")),
        (name_too_long, "{tables} is too long a path: give GENIE_LAKEHOUSE a shorter one"),
        (
            at_a_link_to_itself,
            "{tables} is a link that leads nowhere: mend it, or give GENIE_LAKEHOUSE another place",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_place_where_no_lakehouse_can_be_is_said_when_it_is_probed_and_when_it_is_written(
    tmp_path: Path, place: object, said: str
) -> None:
    root = place(tmp_path)  # type: ignore[operator]
    lake = open_lakehouse(str(root))
    with pytest.raises(LakehouseError) as written:
        lake.append(NOTES, NOTES.frame([note("a")]))
    tables = root / "genie_analytics" / "notes"
    assert str(written.value) == "notes: " + said.format(tables=tables, file=tmp_path / "file")
    with pytest.raises(LakehouseError) as probed:
        lake.probe()
    assert str(probed.value) == "GENIE_LAKEHOUSE: " + said.format(tables=root, file=tmp_path / "file")


def everything(folder: Path) -> dict[str, int]:
    return {str(place): place.lstat().st_mtime_ns for place in folder.rglob("*") if place.is_file()}


@pytest.mark.parametrize("state", ["nothing", "a folder", "tables"])
def test_a_probe_says_whether_the_lakehouse_is_there_and_leaves_nothing_behind(tmp_path: Path, state: str) -> None:
    root = tmp_path / "new" / "lake"
    lake = open_lakehouse(str(root))
    if state == "a folder":
        root.mkdir(parents=True)
    if state == "tables":
        lake.append(NOTES, NOTES.frame([note("a")]))
    before, names = everything(tmp_path), sorted(map(str, tmp_path.rglob("*")))
    assert lake.probe() == (state != "nothing")
    assert (everything(tmp_path), sorted(map(str, tmp_path.rglob("*")))) == (before, names)


def test_what_a_killed_probe_left_is_removed_by_the_next_one_and_that_of_one_at_work_is_not(
    tmp_path: Path,
) -> None:
    lake = open_lakehouse(str(tmp_path))
    dead, at_work = tmp_path / ".genie-assets-probe-dead", tmp_path / ".genie-assets-probe-new"
    for folder in (dead, at_work):
        folder.mkdir()
        (folder / "written").write_bytes(b"x")
    os.utime(dead, (time.time() - 7200,) * 2)
    lake.probe()
    assert [place.name for place in tmp_path.iterdir()] == [at_work.name]


def test_a_probe_finds_one_table_that_somebody_else_made(open_root: Path) -> None:
    """As after one run with sudo."""
    script = """
from genie_assets.domain.tables import TABLES
lake().prepare(TABLES[3])
os.chmod(root, 0o777)
for place in root.rglob("*"): place.chmod(0o777)
(root / "lake/genie_analytics" / TABLES[3].name / "_delta_log").chmod(0o555)
become_another()
tell(lambda: lake().probe())
"""
    (line,) = told(script, open_root)
    words = f"GENIE_LAKEHOUSE: ROOT/lake/genie_analytics/{TABLES[3].name}/_delta_log .*may not be used"
    assert re.match(words, line)


def rights(folder: Path) -> str:
    return f"{stat.S_IMODE(folder.stat().st_mode):o}"


@pytest.mark.parametrize(
    ("above", "root", "tables"),
    [
        ("755", None, "700"),
        ("755", "755", "700"),
        ("755", "2775", "2770"),
        ("2770", None, "2770"),
        ("777", None, "700"),
    ],
)
def test_what_we_make_is_private_and_a_groups_folder_stays_the_groups(
    open_root: Path, above: str, root: str | None, tables: str
) -> None:
    """Tables hold users' questions. delta-rs makes its files for all to read, so nobody else may get to them."""
    folder = open_root / "above" / "lake"
    folder.parent.mkdir()
    folder.parent.chmod(int(above, 8))
    if root is not None:
        folder.mkdir()
        folder.chmod(int(root, 8))
    lake = open_lakehouse(str(folder))
    lake.append(NOTES, NOTES.frame([note("a")]))
    assert rights(folder.parent) == above
    assert rights(folder) == (root or tables)
    assert rights(folder / "genie_analytics") == tables
    assert lake.open_to_others() is None
    assert lake.append(NOTES, NOTES.frame([note("b")])) == 1


def test_nobody_else_can_read_what_we_write(open_root: Path) -> None:
    script = """
os.umask(0o022)
tell(append("a"))
tell(append("other", LEDGER))
files = [place for place in root.rglob("*") if place.is_file()]
print(len(files) > 3)
become_another()
print([place for place in files if os.access(place, os.R_OK)])
"""
    # Without another user to become, the rights themselves have to do.
    assert told(script, open_root)[:3] == ["1", "1", "True"]
    if os.geteuid() == 0:
        assert told(script, open_root)[3:] == ["[]"]


def test_a_lakehouse_that_was_made_for_all_to_read_is_reported_and_left_as_it_is(open_root: Path) -> None:
    (open_root / "genie_analytics").mkdir()
    lake: Lakehouse = open_lakehouse(str(open_root))
    assert lake.append(NOTES, NOTES.frame([note("a", day=MONDAY)])) == 1
    assert rights(open_root / "genie_analytics") == "755"
    words = "can be read by every user of this machine, users' questions included: chmod o-rwx"
    assert lake.open_to_others() == f"{open_root} {words} {open_root}"
    open_root.chmod(0o750)
    assert lake.open_to_others() is None
    assert authors(lake.read(NOTES)) == ["a"]
    assert open_lakehouse(str(open_root / "nothing here")).open_to_others() is None
