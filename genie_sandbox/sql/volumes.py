"""Volumes: the local folders behind `/Volumes/<catalog>/<schema>/<volume>/…`."""

from pathlib import Path

from genie_sandbox.sql.catalog import Catalog, Name
from genie_sandbox.sql.errors import SqlError

ROOT = "/Volumes/"
_VOLUME_PARTS = 3


class BadPathError(ValueError):
    """A path that is not inside a volume."""


class NoVolumeError(LookupError):
    """A path of a volume that does not exist."""


class ClosedVolumeError(PermissionError):
    """A path of a volume that whoever asks may not read, or not write."""


class Volumes:
    """Finds the local file of a path in a volume; nothing outside the volumes can be reached."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def local(self, path: str, principal: str, privilege: str) -> Path:
        """The local path of `path`, which need not exist.

        Args:
            path: A path in a volume.
            principal: Who asks.
            privilege: What that takes: READ VOLUME or WRITE VOLUME.

        Raises:
            BadPathError: if `path` is not inside a volume, or tries to leave it.
            NoVolumeError: if the volume does not exist.
            ClosedVolumeError: if the principal lacks the privilege.
        """
        if not path.startswith(ROOT):
            raise BadPathError(f"{path} is not below {ROOT}")
        parts = path[len(ROOT) :].rstrip("/").split("/")
        if len(parts) < _VOLUME_PARTS or any(part in {"", ".", ".."} or "\0" in part for part in parts):
            raise BadPathError(f"{path} is not a path inside a volume")
        name = Name(*(part.lower() for part in parts[:_VOLUME_PARTS]))
        folder = self._catalog.volume_folder(name)
        self._refuse(name, principal, privilege if folder else None)
        if folder is None:
            raise NoVolumeError(f"The volume {name} does not exist.")
        local = folder.joinpath(*parts[_VOLUME_PARTS:])
        if not local.resolve().is_relative_to(folder.resolve()):
            raise BadPathError(f"{path} is not a path inside a volume")
        return local

    def _refuse(self, name: Name, principal: str, privilege: str | None) -> None:
        """Without a privilege, only the way is looked at."""
        securable, privileges = name.securable("VOLUME"), self._catalog.privileges
        try:
            privileges.require_way(principal, securable)
            if privilege:
                privileges.require(principal, privilege, securable)
        except SqlError as refused:
            raise ClosedVolumeError(str(refused).partition("] ")[2]) from None

    def existing(self, path: str, principal: str) -> Path:
        """The local path of a file or folder that a statement reads.

        Raises:
            SqlError: if it does not exist, lies outside the volumes, or may not be read.
        """
        try:
            local = self.local(path, principal, "READ VOLUME")
        except ClosedVolumeError as error:
            raise SqlError("INSUFFICIENT_PERMISSIONS", str(error)) from None
        except BadPathError as error:
            raise SqlError("INVALID_PATH", f"{error}; only files in volumes can be read.") from None
        except NoVolumeError as error:
            raise SqlError("VOLUME_NOT_FOUND", str(error)) from None
        if not local.exists():
            raise SqlError("PATH_NOT_FOUND", f"Path does not exist: {path}.")
        return local
