"""What a user has who has no checkout, the wheel, installed beside our dependencies; and a desk with a space."""

import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genie_assets_tests.workers import made_once

if TYPE_CHECKING:
    from genie_assets_tests.e2e.desk import Desk
    from genie_sandbox.client import SandboxProcess

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


@pytest.fixture(scope="module")
def desk_sandbox(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[SandboxProcess]":
    """The sandbox of the desks of a file."""
    # Tests without a desk do not wait for what it imports.
    from genie_assets_tests.e2e.desk import account_of_a_desk

    with account_of_a_desk(tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture
def desk(desk_sandbox: "SandboxProcess", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Desk]":
    """A desk whose space was edited badly."""
    from genie_assets_tests.e2e.desk import desk_in

    with desk_in(desk_sandbox, tmp_path, monkeypatch) as one:
        yield one
