"""A folder for one command at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@contextmanager
def taken(folder: Path, command: str) -> Iterator[None]:
    """Have a folder alone for the block, however the process ends.

    Args:
        folder: The folder, which is there.
        command: The command that has it, for the sentence that the next one says.

    Raises:
        click.ClickException: another process has it.
    """
    # The lock goes with the process; no child inherits it.
    with (folder / "in_use_by.txt").open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            user = handle.read(200).strip() or "another process"
            raise click.ClickException(
                f"{folder} is in use by {user}: end that first, or wait until it has ended."
            ) from None
        except OSError:  # a file system without locks
            pass
        handle.truncate(0)
        handle.write(f"`genie-assets {command}` (process {os.getpid()})")
        handle.flush()
        yield
