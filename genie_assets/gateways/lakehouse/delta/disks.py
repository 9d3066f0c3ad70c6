"""A lakehouse on a disk of this machine: who may see it, whether it can be written, and what is wrong if not.

What is stored are users' questions, so nobody else gets to see them unless somebody decided that. The rule: a
folder that we make for a lakehouse, its root or `genie_analytics` in it, gives other users nothing, and gives its
group what the folder above gives its own if that is a shared one, which its group, and not everybody, may write.
What lies below needs no rights of its own, for nobody gets there. Folders that are there already stay as they are.
"""

import errno
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from genie_assets.gateways.lakehouse.errors import LakehouseError

TABLES_FOLDER = "genie_analytics"
_PROBE = ".genie-assets-probe-"
_PROBE_BYTES = 4096
_LEFT_BEHIND_SECONDS = 3600
_MIB = 1024 * 1024
_EFFECTIVE = os.access in os.supports_effective_ids

_ERROR_NUMBER = re.compile(r"\(os error (\d+)\)|\bOs \{ code: (\d+)")
# What is wrong with a path itself, of which the nearest folder that there is tells nothing.
_OF_THE_PATH = (errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP)
_PROBLEMS = {
    errno.ENOSPC: "is on a full disk: make room there and run this again",
    errno.EDQUOT: "is on a disk whose quota is used up: make room there and run this again",
    errno.EFBIG: "needs a file that is larger than this process may write: raise its limit (ulimit -f)",
    errno.EROFS: "is on a read-only file system: mount it for writing, or give GENIE_LAKEHOUSE another place",
    errno.ENOENT: "cannot be made: give GENIE_LAKEHOUSE a place where folders can be made",
    errno.ENAMETOOLONG: "is too long a path: give GENIE_LAKEHOUSE a shorter one",
    errno.ELOOP: "is a link that leads nowhere: mend it, or give GENIE_LAKEHOUSE another place",
    errno.EMFILE: "needs more open files than this process may have: raise its limit (ulimit -n)",
    errno.EIO: "is on a disk that fails (input/output error): check it before anything else is written",
}


def error_number(error: BaseException) -> int | None:
    """The operating system's number for what went wrong, also where the engine wraps it in a text."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    found = _ERROR_NUMBER.search(str(error))
    return int(found[1] or found[2]) if found else None


def problem(number: int, folder: Path) -> str:
    """What an error of the operating system means for a folder of the lakehouse, and what to do about it."""
    if file := file_in_the_way(folder):
        return file
    if number in (errno.EACCES, errno.EPERM):
        return _not_allowed(folder)
    words = _PROBLEMS.get(number, f"cannot be used ({os.strerror(number)})")
    return f"{folder} {words}"


def file_in_the_way(folder: Path) -> str | None:
    """What to do about a file that stands where the folder, or one above it, should be; None if there is none."""
    place = _nearest(folder)
    with suppress(OSError):
        if not stat.S_ISDIR(place.stat().st_mode):
            return f"{place} is a file where a folder should be: give GENIE_LAKEHOUSE the path of a folder"
    return None


def _not_allowed(folder: Path) -> str:
    place, me = _nearest(folder), os.geteuid()
    owner = place.stat().st_uid
    if me in (owner, 0):
        return f"{place} may not be used, even by {_user(me)}: look at its rights and attributes (ls -l, lsattr)"
    return (
        f"{place} belongs to the user {_user(owner)} and may not be used by {_user(me)}: change its owner or its "
        "rights, or run this as its owner"
    )


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that there is, as far as we may know."""
    for place in (folder, *folder.parents):
        with suppress(OSError):
            place.stat()
            return place
    return folder


def make_private(root: Path) -> None:
    """Make the lakehouse's root and the folder of its tables, where they are missing; see this module's rule.

    Raises:
        OSError: they cannot be made.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    for folder in (root, root / TABLES_FOLDER):
        above = folder.parent.stat().st_mode
        with suppress(FileExistsError):
            folder.mkdir(mode=stat.S_IRWXU)
            if above & stat.S_IWGRP and not above & stat.S_IWOTH:
                folder.chmod(above & (stat.S_ISGID | stat.S_IRWXG) | stat.S_IRWXU)


def names(folder: Path) -> list[str]:
    """The names of the folders in a folder, links left aside; none if it is not there.

    Raises:
        LakehouseError: it cannot be looked into.
    """
    try:
        return [place.name for place in folder.iterdir() if place.is_dir() and not place.is_symlink()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LakehouseError(f"GENIE_LAKEHOUSE: {problem(error.errno or 0, folder)}") from None


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it; one that is gone already is no failure.

    Raises:
        LakehouseError: it cannot be removed, or only a part of it.
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        if folder.exists():  # something in it went away at the same time
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise LakehouseError(f"GENIE_LAKEHOUSE: {problem(error.errno or 0, folder)}") from None


def obstacle(folder: Path, needed: int, kept_free: int) -> str | None:
    """A sentence if a table cannot be written: delta-rs would find out halfway, with pages on stderr.

    Args:
        folder: the table's folder; it need not exist.
        needed: how many bytes the write brings along.
        kept_free: how many bytes of the disk must be left beside them.
    """
    return _unwritable(folder) or _lack_of_room(folder, needed, kept_free)


def _unwritable(folder: Path) -> str | None:
    """A sentence if a table's folder is there and cannot be written, as one that another user made."""
    for place in (folder, folder / "_delta_log"):
        if os.access(place, os.W_OK | os.X_OK, effective_ids=_EFFECTIVE) or not place.exists():
            continue
        try:
            tempfile.TemporaryFile(dir=place).close()  # for the reason
        except OSError as error:
            return problem(error.errno or 0, place)
    return None


def _lack_of_room(folder: Path, needed: int, kept_free: int) -> str | None:
    disk = shutil.disk_usage(_nearest(folder))
    if disk.total and disk.free < kept_free + needed:  # some network disks tell nothing
        return (
            f"{folder} is on a full disk: {disk.free // _MIB} MiB are left, and {kept_free // _MIB} are kept "
            "free; make room there and run this again"
        )
    return None


def probe(root: Path, tables: Iterable[str], kept_free: int) -> bool:
    """Write and remove something in a lakehouse, or where it would be made; whether it is there already.

    Raises:
        LakehouseError: it can neither be written nor made.
    """
    place = _nearest(root / TABLES_FOLDER)
    try:
        with suppress(FileNotFoundError):
            (root / TABLES_FOLDER).stat()
        failure = _write_and_remove(place) or _lack_of_room(place, 0, kept_free)
        failure = failure or next(
            filter(None, (_unwritable(root / TABLES_FOLDER / name) for name in tables)), None
        )
    except OSError as error:
        failure = problem(error.errno or 0, root if error.errno in _OF_THE_PATH else place)
    if failure:
        raise LakehouseError(f"GENIE_LAKEHOUSE: {failure}")
    return root in (place, *place.parents)


def _write_and_remove(place: Path) -> str | None:
    """Do what a commit does; what cannot be done, or None."""
    _sweep(place)
    with tempfile.TemporaryDirectory(prefix=_PROBE, dir=place) as folder:
        file = Path(folder) / "written"
        with file.open("wb") as out:
            out.write(b"\0" * _PROBE_BYTES)
            out.flush()
            os.fsync(out.fileno())
        try:
            file.with_name("linked").hardlink_to(file)
        except OSError:
            return (
                f"{place} is on a file system without hard links, by which of two commits one is refused: give "
                "GENIE_LAKEHOUSE a disk of this machine, or an object store"
            )
    return None


def _sweep(place: Path) -> None:
    """Remove what a probe that was killed left behind."""
    for folder in place.glob(f"{_PROBE}*"):
        with suppress(OSError):
            if folder.stat().st_mtime < time.time() - _LEFT_BEHIND_SECONDS:
                shutil.rmtree(folder)


def open_to_others(root: Path) -> str | None:
    """A sentence if users who are neither the owner nor of the group can look into the tables; None if not."""
    tables = root / TABLES_FOLDER
    try:
        reachable = all(place.stat().st_mode & stat.S_IXOTH for place in (tables, *tables.parents))
    except OSError:
        return None  # there is nothing to see yet, or not even for us
    if not reachable:
        return None
    return f"{root} can be read by every user of this machine, users' questions included: chmod o-rwx {root}"
