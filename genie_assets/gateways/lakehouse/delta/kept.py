"""Files of ours beside the tables: on a disk readable by their owner only, in a bucket as its rights say."""

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from genie_assets.gateways.lakehouse.beside import FILES_FOLDER
from genie_assets.gateways.lakehouse.delta import disks, store_files
from genie_assets.gateways.lakehouse.errors import LakehouseError


def keep(root: str, local_root: Path | None, options: Mapping[str, str], name: str, data: bytes) -> str:
    """Write a file whole or not at all; its address.

    Raises:
        LakehouseError: it cannot be written.
    """
    address = f"{root}/{FILES_FOLDER}/{name}"
    if local_root is None:
        store_files.write(f"{root}/{FILES_FOLDER}", options, name, data)
        return address
    try:
        _write_aside(local_root, name, data)
    except OSError as problem:
        raise LakehouseError(
            f"GENIE_LAKEHOUSE: {name} cannot be written into {local_root / FILES_FOLDER} "
            f"({os.strerror(problem.errno or 0)})"
        ) from None
    return address


def kept_json(root: str, local_root: Path | None, options: Mapping[str, str], name: str) -> Any:
    """What a kept file says as JSON; None if there is none, or if it is no JSON."""
    with suppress(ValueError):
        if local_root is None:
            text = store_files.text_of(f"{root}/{FILES_FOLDER}", options, name)
            return None if text is None else json.loads(text)
        with suppress(OSError):
            return json.loads((local_root / FILES_FOLDER / name).read_bytes())
    return None


def _write_aside(root: Path, name: str, data: bytes) -> None:
    disks.make_private(root)
    folder = root / FILES_FOLDER
    folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)
    part = folder / f".{uuid4().hex}"
    try:
        # Others must not read it, not even while it is being written.
        part.touch(mode=stat.S_IRUSR | stat.S_IWUSR, exist_ok=False)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / name)
    finally:
        part.unlink(missing_ok=True)
