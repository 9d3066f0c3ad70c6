"""The wheel works outside the checkout: everything that is imported or read lies inside it."""

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def tracked(*folders: str) -> list[str]:
    """Files of the checkout that git knows, as a clone would have them."""
    listed = run(["git", "ls-files", "-z", *folders], cwd=CHECKOUT)
    return [name for name in listed.split("\0") if name and (CHECKOUT / name).is_file()]


def run(command: list[str | Path], cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the checkout that holds only what git knows."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, copy / name)
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation"], cwd=copy)
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a fresh environment in `.venv`: the wheel, and our dependencies but not the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / ".venv", symlinks=True)
    python = folder / ".venv/bin/python"
    run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel], cwd=folder)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # A folder named in a .pth file lends its packages, but its own .pth files, the editable install, do not count.
    dependencies = folder / ".venv/lib" / version / "site-packages" / "dependencies.pth"
    dependencies.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_every_sql_text_and_no_test(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {name for name in tracked("genie_assets") if name.endswith((".py", "py.typed"))}
    texts = {f"genie_assets/{name}" for name in tracked("sql") if name.endswith(".sql")}
    assert inside == modules | texts


@pytest.mark.slow
def test_the_installed_package_is_the_wheel_and_not_the_checkout(elsewhere):
    where = run([elsewhere / ".venv/bin/python", "-c", "import genie_assets as g; print(g.__file__)"], elsewhere)
    assert Path(where.strip()).is_relative_to(elsewhere)


@pytest.mark.slow
def test_the_definitions_load_outside_the_checkout(elsewhere):
    python = elsewhere / ".venv/bin/python"
    run([python, "-m", "dagster", "definitions", "validate", "-m", "genie_assets.definitions"], elsewhere)


@pytest.mark.slow
def test_the_command_line_answers_outside_the_checkout(elsewhere):
    shown = run([elsewhere / ".venv/bin/genie-assets", "--help"], elsewhere)
    assert "demo" in shown


@pytest.mark.slow
def test_every_sql_text_is_found_outside_the_checkout(elsewhere):
    names = [name.removeprefix("sql/").removesuffix(".sql") for name in tracked("sql") if name.endswith(".sql")]
    script = (
        "import sys; from genie_assets.gateways.sql_texts import sql_text; print(*map(sql_text, sys.argv[1:]))"
    )
    shown = run([elsewhere / ".venv/bin/python", "-c", script, *names], elsewhere)
    for name in names:
        assert (CHECKOUT / f"sql/{name}.sql").read_text(encoding="utf-8").strip() in shown


def test_no_package_is_forgotten():
    """`find:` cannot be used beside the mapping of `sql/`, so a new package must be listed by hand."""
    setup = ConfigParser()
    setup.read(CHECKOUT / "setup.cfg", encoding="utf-8")
    listed = set(setup["options"]["packages"].split())
    folders = {str(Path(name).parent) for name in tracked("genie_assets") if name.endswith(".py")}
    assert listed == {folder.replace("/", ".") for folder in folders} | {"genie_assets.sql"}
