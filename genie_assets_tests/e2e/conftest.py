"""What a user has who has no checkout: the wheel, installed beside our dependencies."""

import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from genie_assets_tests.workers import made_once

CHECKOUT = Path(__file__).resolve().parents[2]


def tracked(*folders: str) -> list[str]:
    """Files of the checkout that git knows, as a clone would have them."""
    listed = run(["git", "ls-files", "-z", *folders], cwd=CHECKOUT)
    return [name for name in listed.split("\0") if name and (CHECKOUT / name).is_file()]


def run(command: Sequence[str | Path], cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the checkout that holds only what git knows."""
    (built,) = (made_once(tmp_path_factory, "wheel", _build) / "dist").glob("*.whl")
    return built


def _build(copy: Path) -> None:
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, copy / name)
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation"], cwd=copy)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of a fresh environment: the wheel, and our dependencies but not the checkout."""
    return made_once(tmp_path_factory, "environment", lambda folder: _install(wheel, folder)) / ".venv/bin"


def _install(wheel: Path, place: Path) -> None:
    folder = place / ".venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel], folder)
    lend_dependencies(folder)


def lend_dependencies(folder: Path) -> None:
    """Let an environment find our packages behind its own."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # A folder named in a .pth file lends its packages, but its own .pth files, the editable install, do not count.
    dependencies = folder / "lib" / version / "site-packages" / "dependencies.pth"
    dependencies.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
