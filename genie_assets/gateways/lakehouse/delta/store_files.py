"""Single files in an object store, which delta-rs lists and writes only while all threads stand still.

Its handler of files keeps Python's lock while it waits for the store. So a child process does it: this module, run
with the store's options on its input, so that no secret is among its arguments.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from genie_assets.gateways.lakehouse.delta.object_stores import failure_of_store
from genie_assets.gateways.lakehouse.errors import LakehouseError

_PROBE = ".genie-assets-probe"
# The store's own patience is 20 s per request.
_SECONDS = 90


def names_in(uri: str, options: Mapping[str, str]) -> list[str]:
    """The names of files and folders directly in a folder; none if there is no such folder.

    Raises:
        LakehouseError: the store cannot be asked.
    """
    return list(_asked("names", uri, options))


def write_and_remove(uri: str, options: Mapping[str, str]) -> None:
    """Write a small file into a folder and remove it.

    Raises:
        LakehouseError: the store refused one of both, or cannot be asked.
    """
    _asked("probe", uri, options)


def remove_all(uri: str, options: Mapping[str, str]) -> None:
    """Remove every file below a folder; none is no failure.

    Raises:
        LakehouseError: the store refused one of them, or cannot be asked.
    """
    _asked("remove", uri, options)


def write(uri: str, options: Mapping[str, str], name: str, data: bytes) -> None:
    """Write a file into a folder, over one of that name.

    Raises:
        LakehouseError: the store refused it, or cannot be asked.
    """
    _asked("write", uri, options, name=name, data=base64.b64encode(data).decode())


def text_of(uri: str, options: Mapping[str, str], name: str) -> str | None:
    """What a file in a folder says; None if there is none.

    Raises:
        LakehouseError: the store cannot be asked.
    """
    found = _asked("read", uri, options, name=name)
    return found[0] if found else None


def _asked(what: str, uri: str, options: Mapping[str, str], **more: str) -> Any:
    question = json.dumps({"what": what, "uri": uri, "options": dict(options), **more})
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", __name__], input=question, capture_output=True, text=True, timeout=_SECONDS
        )
        answer = json.loads(child.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        answer = {"failure": "the object store does not answer"}
    if failure := answer.get("failure"):
        raise LakehouseError(f"GENIE_LAKEHOUSE: {failure}")
    return answer["found"]


def _answer(
    what: str, uri: str, options: Mapping[str, str], name: str = _PROBE, data: str = "AA=="
) -> dict[str, Any]:
    """What the child process says: what was found, or a failure."""
    from deltalake._internal import DeltaFileSystemHandler

    try:
        files: Any = DeltaFileSystemHandler(uri, dict(options), None)
        if what == "names":
            return {"found": [info.base_name for info in files.get_file_info_selector("", True, False)]}
        if what == "remove":
            for info in files.get_file_info_selector("", True, True):
                if info.is_file:
                    files.delete_file(info.path)
            return {"found": []}
        if what == "read":
            if name not in {info.base_name for info in files.get_file_info_selector("", True, False)}:
                return {"found": []}
            return {"found": [files.open_input_file(name).read().decode("utf-8", "replace")]}
        stream = files.open_output_stream(name, None)
        stream.write(base64.b64decode(data))
        stream.close()
        if what == "probe":
            files.delete_file(name)
    except Exception as error:  # noqa: BLE001 - the parent says it, in one sentence
        return {"failure": failure_of_store(error) or f"the object store failed ({type(error).__name__})"}
    return {"found": []}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_answer(**json.load(sys.stdin))))
