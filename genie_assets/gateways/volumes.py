"""Files in Unity Catalog volumes, through the Files API."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from genie_assets.gateways.retries import CallError, Retries
from genie_assets.gateways.transport import WorkspaceHttp

_FILES, _DIRECTORIES = "/api/2.0/fs/files", "/api/2.0/fs/directories"
_GONE = 404

T = TypeVar("T")


class Volumes:
    """The volumes that one workspace shows. Safe to share by threads.

    Paths are absolute: `/Volumes/<catalog>/<schema>/<volume>/…`. Every method makes its call again after passing
    trouble and raises CallError for what does not pass.

    Args:
        connect: Gives the connection to the workspace (`Workspaces.home`).
        retries: How passing trouble is met.
    """

    def __init__(self, connect: Callable[[], WorkspaceHttp], *, retries: Retries | None = None) -> None:
        self._connect = connect
        self._retries = retries or Retries()

    def upload(self, path: str, data: bytes) -> bool:
        """Write a whole file, with the folders above it; False if there is no such volume.

        Args:
            path: The file's path; a file that is there already is replaced.
            data: Its content.
        """
        address, query = _FILES + _quoted(path), {"overwrite": "true"}

        def put() -> None:
            self._connect().send("PUT", address, query=query, data=data)

        # It is not documented that a file brings its folder along.
        return self._unless_gone(put) or (self._make_folder(path.rpartition("/")[0]) and self._unless_gone(put))

    def names(self, path: str) -> list[str] | None:
        """Names of the files and folders in a folder; None if the folder does not exist."""
        try:
            return list(self._names(path))
        except CallError as failed:
            if failed.error.http_status == _GONE:
                return None
            raise

    def delete_file(self, path: str) -> bool:
        """Delete a file; False if it is gone already."""
        return self._unless_gone(lambda: self._connect().send("DELETE", _FILES + _quoted(path)))

    def delete_folder(self, path: str) -> bool:
        """Delete an empty folder; False if it is gone already."""
        return self._unless_gone(lambda: self._connect().send("DELETE", _DIRECTORIES + _quoted(path)))

    def _make_folder(self, path: str) -> bool:
        """Make a folder with those above it; False if there is no such volume."""
        return self._unless_gone(lambda: self._connect().send("PUT", _DIRECTORIES + _quoted(path)))

    def _names(self, path: str) -> Iterator[str]:
        address, token = _DIRECTORIES + _quoted(path), ""
        seen: set[str] = set()
        while token not in seen:
            seen.add(token)
            query = {"page_token": token} if token else {}
            page = self._again(partial(self._page, address, query))
            for entry in page.get("contents") or []:
                yield str(entry.get("path")).rstrip("/").rpartition("/")[2]
            token = str(page.get("next_page_token") or "")

    def _page(self, address: str, query: Mapping[str, str]) -> dict[str, Any]:
        return self._connect().call("GET", address, query=query)

    def _unless_gone(self, attempt: Callable[[], None]) -> bool:
        try:
            self._again(attempt)
        except CallError as failed:
            if failed.error.http_status == _GONE:
                return False
            raise
        return True

    def _again(self, attempt: Callable[[], T]) -> T:
        return self._retries.call(attempt)


def _quoted(path: str) -> str:
    return quote(path, safe="/")
