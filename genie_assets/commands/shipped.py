"""The files that a deployment starts from: at the top of a checkout, and in every installed package."""

from pathlib import Path

ENVIRONMENT = ".env.example"
INSTANCE = "dagster.yaml"
WORKSPACE = "workspace.yaml"

_PACKAGE = Path(__file__).resolve().parents[1]
# An installed package carries them inside (`package_dir` in setup.cfg); a checkout has them beside the package.
_FOLDERS = (_PACKAGE / "shipped", _PACKAGE.parent)


def shipped(name: str) -> Path:
    """Where one of the files is.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    for folder in _FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(name)
