"""Writing the sandbox's small state files so that a crash leaves the old or the new one, never a half."""

import os
from pathlib import Path


def replace_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write `text` (UTF-8) to `path` in one step, with the file permissions `mode`."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    draft.touch(mode=mode)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
