"""Folders by names that Sail can open: below one whose name has blanks or umlauts it finds no table."""

import re
import tempfile
import threading
from pathlib import Path

_PLAIN = re.compile(r"[\w.=~@+-]*", re.ASCII)


def plain_path(path: str) -> str:
    """A path to the same place in which every name is plain: below a link to the folder that is called otherwise.

    Args:
        path: An absolute path.
    """
    parts = Path(path).parts
    odd = [number for number, part in enumerate(parts[1:], start=1) if not _PLAIN.fullmatch(part)]
    if not odd:
        return path
    behind = odd[-1] + 1
    return str(_LINKS.to(Path(*parts[:behind])).joinpath(*parts[behind:]))


class _Links:
    """Links to folders, in a folder of their own that goes with this process; never what they lead to."""

    def __init__(self) -> None:
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._known: dict[Path, Path] = {}
        self._lock = threading.Lock()

    def to(self, folder: Path) -> Path:
        """The link to a folder."""
        with self._lock:
            if folder not in self._known:
                self._home = self._home or tempfile.TemporaryDirectory(prefix="genie-sandbox-links-")
                link = Path(self._home.name, str(len(self._known)))
                link.symlink_to(folder)
                self._known[folder] = link
            return self._known[folder]


_LINKS = _Links()
