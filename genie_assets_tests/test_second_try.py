"""A test that fails by chance gets a second try, one that is broken fails."""

import subprocess
import sys
from pathlib import Path

import pytest

UNSTEADY = """
from pathlib import Path
def test_unsteady():
    first = not Path("tried").exists()
    Path("tried").touch()
    assert not first
"""
BROKEN = "\ndef test_broken():\n    assert False\n"


def second_try(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").touch()  # this is the project, not ours
    (folder / "test_these.py").write_text(text)
    command = [sys.executable, "-m", "genie_assets_tests.second_try", "-q", "-n", "1"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(Path.cwd())}
    )


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (UNSTEADY, 0, "Unsteady: failed beside others, passed alone:\n  test_these.py::test_unsteady"),
        (UNSTEADY + BROKEN, 1, "== 2 failed beside the others"),
        ("".join(BROKEN.replace("broken", f"broken{n}") for n in range(4)), 1, "4 failed"),
    ],
    ids=["unsteady", "broken", "many broken"],
)
def test_what_fails_is_tried_once_more_and_stays_failed_if_it_fails_again(tmp_path, text, code, said):
    done = second_try(tmp_path, text)
    assert done.returncode == code, done.stdout
    assert said in done.stdout
    assert ("beside the others" in done.stdout) == ("4 failed" not in done.stdout)
    assert ("Unsteady" in done.stdout) == (code == 0)
