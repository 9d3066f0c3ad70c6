"""Files in Unity Catalog volumes, through the Files API."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.transport import WorkspaceHttp

_FILES, _DIRECTORIES = "/api/2.0/fs/files", "/api/2.0/fs/directories"

T = TypeVar("T")


class Volumes:
    """The volumes that one workspace shows. Safe to share by threads.

    Paths are absolute: `/Volumes/<catalog>/<schema>/<volume>/…`. Every method makes its call again after passing
    trouble and raises CallError for what does not pass.

    Args:
        connect: Gives the connection to the workspace (`Workspaces.home`).
        retries: How passing trouble is met.
        most_pages: Of a thousand names each; a list that goes on and on is broken.
    """

    def __init__(
        self, connect: Callable[[], WorkspaceHttp], *, retries: Retries | None = None, most_pages: int = 10_000
    ) -> None:
        self._connect, self._most_pages = connect, most_pages
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

    def json_of(self, path: str) -> dict[str, Any] | None:
        """The JSON object that a file holds; None if there is no such file."""
        try:
            return self._again(lambda: self._connect().call("GET", _FILES + _quoted(path)))
        except CallError as failed:
            if _is_gone(failed):
                return None
            raise

    def names(self, path: str) -> list[str] | None:
        """Names of the files and folders in a folder; None if the folder does not exist."""
        try:
            return list(self._names(path))
        except CallError as failed:
            if _is_gone(failed):
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
            if len(seen) > self._most_pages:
                raise _bad_list(f"does not end after {self._most_pages} pages")
            query = {"page_token": token} if token else {}
            page = self._again(partial(self._page, address, query))
            yield from _names_of(page)
            token = page.get("next_page_token") or ""
            if not isinstance(token, str):
                raise _bad_list("names a next page that is not text")

    def _page(self, address: str, query: Mapping[str, str]) -> dict[str, Any]:
        return self._connect().call("GET", address, query=query)

    def _unless_gone(self, attempt: Callable[[], None]) -> bool:
        try:
            self._again(attempt)
        except CallError as failed:
            if _is_gone(failed):
                return False
            raise
        return True

    def _again(self, attempt: Callable[[], T]) -> T:
        return self._retries.call(attempt)


def _names_of(page: Mapping[str, Any]) -> Iterator[str]:
    contents = page.get("contents") or []
    if not isinstance(contents, list) or ("contents" not in page and page.keys() - {"next_page_token"}):
        raise _bad_list("is not one of names")
    for entry in contents:
        path = entry.get("path") if isinstance(entry, dict) else None
        name = path.rstrip("/").rpartition("/")[2] if isinstance(path, str) else ""
        # A name goes back into the paths of what is deleted.
        if name not in ("", ".", ".."):
            yield name


def _bad_list(what: str) -> CallError:
    return CallError(
        FetchError(ErrorClass.BAD_PAYLOAD, f"The list of a folder in a volume {what}.", http_status=200)
    )


def _is_gone(failed: CallError) -> bool:
    """Whether it is Databricks that says so: a bare 404 may come from anything on the way."""
    return failed.error.error_class is ErrorClass.NOT_FOUND and bool(failed.error.error_code)


def _quoted(path: str) -> str:
    return quote(path, safe="/")
