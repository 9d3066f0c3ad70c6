"""Run tests, and what failed beside the others once more by itself.

`python -m genie_assets_tests.second_try ARGUMENTS`, which are those of pytest. Tests of pauses, deadlines and
signals need a machine that has time for them. One that fails while two cores do the work of eight says nothing;
one that fails by itself, too, does. Both tries are shown whole, unsteady tests are named at the end, and when
many fail, nothing is tried again.
"""

import subprocess
import sys
from collections.abc import Sequence

import pytest

# More failures than this are no accident.
MOST = 3


class Failures:
    """A plugin of pytest's that notes which tests failed, of all workers."""

    def __init__(self) -> None:
        self.tests: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest for each phase of a test."""
        if report.failed and report.nodeid not in self.tests:
            self.tests.append(report.nodeid)


def run(arguments: Sequence[str]) -> int:
    """Run the tests that pytest's arguments choose; the exit code is pytest's of the last try."""
    failures = Failures()
    code = pytest.main([*arguments], plugins=[failures])
    if code != pytest.ExitCode.TESTS_FAILED or not 0 < len(failures.tests) <= MOST:
        return int(code)
    print(f"\n== {len(failures.tests)} failed beside the others; once more, by themselves", flush=True)
    code = subprocess.run([sys.executable, "-m", "pytest", "-n", "0", *failures.tests], check=False).returncode
    if code == pytest.ExitCode.OK:
        print("\nUnsteady: failed beside others, passed alone:", *failures.tests, sep="\n  ", flush=True)
    return int(code)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
