"""Databricks' Files API for volumes."""

import base64
import binascii
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from genie_sandbox.account import ADMINISTRATOR
from genie_sandbox.responses import ApiError, to_json
from genie_sandbox.sql.engine import SailEngine
from genie_sandbox.sql.http import ASKING_PRINCIPAL, answering
from genie_sandbox.sql.volumes import BadPathError, ClosedVolumeError, NoVolumeError, Volumes

_FILES = "/api/2.0/fs/files"
_DIRECTORIES = "/api/2.0/fs/directories"
_LARGEST_PAGE = 1000
_OCTETS = "application/octet-stream"


class FileRoutes:
    """Handlers of the API for the volumes of one engine."""

    def __init__(self, engine: SailEngine) -> None:
        self._volumes: Volumes = engine.volumes
        self._scratch = engine.scratch

    def routes(self) -> list[Route]:
        """The routes of files and directories."""
        return [
            _route(_FILES, self._upload, "PUT"),
            _route(_FILES, self._download, "GET"),  # Starlette lets GET answer HEAD, without the body
            _route(_FILES, self._delete, "DELETE"),
            _route(_DIRECTORIES, self._make_directory, "PUT"),
            _route(_DIRECTORIES, self._list, "GET"),
            _route(_DIRECTORIES, self._delete_directory, "DELETE"),
        ]

    async def _upload(self, request: Request) -> Response:
        path, local = self._local(request, _FILES)
        if local.is_dir() or request.url.path.endswith("/"):
            raise ApiError(400, f"{path} is a directory.", "BAD_REQUEST")
        if local.exists() and request.query_params.get("overwrite", "false").lower() != "true":
            raise ApiError(409, f"The file being created already exists: {path}", "ALREADY_EXISTS")
        # Written aside first: a broken upload must leave no half file, and readers see the old or the new one.
        self._scratch.mkdir(parents=True, exist_ok=True)
        part = self._scratch / uuid4().hex
        try:
            with part.open("wb") as file:
                async for block in request.stream():
                    file.write(block)
            _make_parents(local, path)
            part.replace(local)
        finally:
            part.unlink(missing_ok=True)
        return Response(status_code=204)

    async def _download(self, request: Request) -> Response:
        path, local = self._local(request, _FILES)
        if not local.is_file():
            raise _no_such("file", path)
        return FileResponse(local, media_type=_OCTETS, headers={"last-modified": _http_date(local)})

    async def _delete(self, request: Request) -> Response:
        path, local = self._local(request, _FILES)
        if not local.is_file():
            raise _no_such("file", path)
        local.unlink()
        return Response(status_code=204)

    async def _make_directory(self, request: Request) -> Response:
        path, local = self._local(request, _DIRECTORIES)
        if local.is_file():
            raise ApiError(409, f"{path} is a file.", "ALREADY_EXISTS")
        _make_parents(local / "x", path)
        return Response(status_code=204)

    async def _delete_directory(self, request: Request) -> Response:
        path, local = self._local(request, _DIRECTORIES)
        if not local.is_dir():
            raise _no_such("directory", path)
        if any(local.iterdir()):
            raise ApiError(400, f"The directory {path} is not empty.", "DIRECTORY_NOT_EMPTY")
        local.rmdir()
        return Response(status_code=204)

    async def _list(self, request: Request) -> Response:
        path, local = self._local(request, _DIRECTORIES)
        if not local.is_dir():
            raise _no_such("directory", path)
        size = _page_size(request.query_params.get("page_size"))
        after = _last_name(request.query_params.get("page_token"))
        entries = sorted(entry for entry in local.iterdir() if entry.name > after)
        answer: dict[str, Any] = {"contents": [_described(path, entry) for entry in entries[:size]]}
        if len(entries) > size:
            answer["next_page_token"] = base64.urlsafe_b64encode(entries[size - 1].name.encode()).decode()
        return Response(to_json(answer), media_type="application/json")

    def _local(self, request: Request, prefix: str) -> tuple[str, Path]:
        # Decoded here, per segment and once: an encoded slash or dot must not become structure.
        raw: bytes = request.scope["raw_path"].split(b"?")[0][len(prefix) :]
        segments = [unquote_to_bytes(segment) for segment in raw.rstrip(b"/").split(b"/")]
        path = b"/".join(segments).decode("utf-8", "replace")
        if any(b"/" in segment for segment in segments):
            raise ApiError(400, f"Invalid path: {path} holds an encoded slash.")
        principal = request.scope.get(ASKING_PRINCIPAL, ADMINISTRATOR)
        privilege = "READ VOLUME" if request.method in {"GET", "HEAD"} else "WRITE VOLUME"
        try:
            return path, self._volumes.local(path, principal, privilege)
        except ClosedVolumeError as error:
            raise ApiError(403, str(error)) from None
        except BadPathError as error:
            raise ApiError(400, f"Invalid path: {error}.") from None
        except NoVolumeError as error:
            raise ApiError(404, str(error), "NOT_FOUND") from None


def _route(prefix: str, handler: Any, method: str) -> Route:
    return Route(prefix + "/{path:path}", answering(handler), methods=[method])


def _make_parents(local: Path, path: str) -> None:
    try:
        local.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ApiError(409, f"A parent of {path} is a file.", "ALREADY_EXISTS") from None


def _no_such(kind: str, path: str) -> ApiError:
    return ApiError(404, f"The {kind} being accessed is not found: {path}", "NOT_FOUND")


def _described(directory: str, entry: Path) -> dict[str, Any]:
    stat = entry.stat()
    described: dict[str, Any] = {
        "path": f"{directory}/{entry.name}",
        "name": entry.name,
        "is_directory": entry.is_dir(),
        "last_modified": int(stat.st_mtime * 1000),
    }
    if not entry.is_dir():
        described["file_size"] = stat.st_size
    return described


def _page_size(text: str | None) -> int:
    try:
        size = int(text or _LARGEST_PAGE)
    except ValueError:
        size = -1
    if size < 0:
        raise ApiError(400, "page_size must be a number.")
    return min(size or _LARGEST_PAGE, _LARGEST_PAGE)


def _last_name(token: str | None) -> str:
    try:
        return base64.b64decode(token or "", altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ApiError(400, "page_token is not one of this API.") from None


def _http_date(local: Path) -> str:
    return format_datetime(datetime.fromtimestamp(local.stat().st_mtime, UTC), usegmt=True)
