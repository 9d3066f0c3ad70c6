"""Rows on their way into tables: Parquet files in a volume, deleted as soon as they are stored."""

import io
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.lakehouse.unity.ports import Volumes

_TIME = "%Y%m%dT%H%M%SZ"
_FOLDER = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{32}")
# No statement takes that long: what is older belongs to a run that was killed.
_LEFT_BEHIND = timedelta(days=1)
# A folder is named by its time, so a process that lives for long needs a younger one every now and then.
_FOLDER_LIFE = timedelta(hours=1)

_log = logging.getLogger(__name__)


class Staging:
    """The staging volume. Safe to share by threads.

    Args:
        volumes: Gives the way to volumes.
        place: Where the volume is.
        now: The current time, UTC.
    """

    def __init__(
        self,
        volumes: Callable[[], Volumes],
        place: Place,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._volumes, self._root, self._now = volumes, place.volume_path, now
        self._lock = threading.Lock()
        self._folder, self._since, self._files = "", datetime.min.replace(tzinfo=UTC), 0
        self._swept = False

    @contextmanager
    def staged(self, rows: pa.Table, create_volume: Callable[[], None]) -> Iterator[str]:
        """Keep rows in a file while a statement reads them.

        Args:
            rows: What to write.
            create_volume: Makes the volume where there is none.

        Yields:
            The file's path.

        Raises:
            CallError: the file could not be written.
        """
        self._sweep_once()
        buffer = io.BytesIO()
        pq.write_table(rows, buffer, compression="zstd")
        path = self._next_path()
        if not self._volumes().upload(path, buffer.getvalue()):
            create_volume()
            if not self._volumes().upload(path, buffer.getvalue()):
                text = "The staging volume was created and cannot be found."
                raise CallError(FetchError(ErrorClass.NOT_FOUND, text))
        try:
            yield path
        finally:
            self._drop(path)

    def probe(self) -> bool:
        """Write a file, list it and delete it again; False if there is no volume.

        Raises:
            CallError: one of these was refused.
        """
        folder = self._new_folder()
        if not self._volumes().upload(f"{folder}/probe", b"\0"):
            return False
        try:
            self._volumes().names(folder)  # takes READ VOLUME, as do the statements that read such files
        finally:
            self._volumes().delete_file(f"{folder}/probe")
            self._volumes().delete_folder(folder)
        return True

    def sweep(self) -> int:
        """Remove what runs that were killed more than a day ago left behind; the number of their files."""
        count = 0
        for name in self._volumes().names(self._root) or ():
            found = _FOLDER.fullmatch(name)
            if found and datetime.strptime(found[1], _TIME).replace(tzinfo=UTC) < self._now() - _LEFT_BEHIND:
                folder = f"{self._root}/{name}"
                files = self._volumes().names(folder) or []
                for file in files:
                    count += self._volumes().delete_file(f"{folder}/{file}")
                self._volumes().delete_folder(folder)
        return count

    def _sweep_once(self) -> None:
        with self._lock:
            swept, self._swept = self._swept, True
        if not swept:
            with suppress(CallError):  # a leftover must not keep rows from being stored
                self.sweep()

    def _next_path(self) -> str:
        with self._lock:
            if self._now() - self._since > _FOLDER_LIFE:
                self._since, self._files = self._now(), 0
                self._folder = self._new_folder()
            self._files += 1
            return f"{self._folder}/{self._files}.parquet"

    def _new_folder(self) -> str:
        return f"{self._root}/{self._now().strftime(_TIME)}-{uuid4().hex}"

    def _drop(self, path: str) -> None:
        try:
            self._volumes().delete_file(path)
        except CallError as failed:
            _log.warning("A staged file could not be deleted and is left to the next sweep: %s", failed)
