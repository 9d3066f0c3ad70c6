"""A deployment that is left alone for a day, in an hour: do its processes grow?

Webserver, daemon and code location with all schedules and sensors on, by a clock that runs 24 times as fast.
"""

import datetime as dt
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measuring import Goal, report
from genie_assets_tests.e2e.day_by_the_clock import HOURS, FastClock, left_alone, made_up, ms, problems, runs_of
from genie_assets_tests.e2e.deployment import Service

_PACE = 24
_STEP_SECONDS = 5.0
# Of an hour, the minutes 10 to 20, when everything was used once, are compared with the last ten.
_PART = 1 / 6


def measure(
    minutes: float, pace: int = _PACE, begins: dt.time | None = None, may_grow: float = 1.05
) -> Iterator[bool]:
    """Measure for so many minutes; whether each goal is met.

    Args:
        minutes: How long.
        pace: Of the clock.
        begins: At which time of its day; by default now.
        may_grow: What the last sixth of the time may need, as a share of the second one's memory.
    """
    with TemporaryDirectory(prefix="genie-benchmark-") as name:
        folder = Path(name)
        clock = FastClock(folder, pace, begins)
        # So that at the end everything has been there for some hours.
        hours = minutes * pace / 60
        account = made_up(clock.tick() + dt.timedelta(hours=hours - max(2.0, hours / 4) - HOURS))
        with left_alone(folder, clock, account, GENIE_FIRST_DAY=account.first_day) as (deployment, sandbox):
            memory: dict[str, list[tuple[float, float]]] = defaultdict(list)
            began = time.monotonic()
            while (minute := (time.monotonic() - began) / 60) < minutes:
                sandbox.set_clock(ms(clock.tick()))
                for service, mb in memory_of(deployment.services).items():
                    memory[service].append((minute, mb))
                time.sleep(_STEP_SECONDS)
            differences = problems(account, sandbox, str(folder / "lakehouse"), ms(clock.tick()))
        runs = runs_of(folder / "home")
    for service, seen in memory.items():
        early = statistics.median(mb for minute, mb in seen if _PART <= minute / minutes < 2 * _PART)
        late = statistics.median(mb for minute, mb in seen if minute / minutes >= 1 - _PART)
        report(f"{service}_mb", late)
        yield report(f"{service}_mb_at_the_end_to_first", late / early, Goal("<=", may_grow))
    report("runs", sum(runs.values()))
    # A busy machine starts a run too late for Dagster's patience; what it was to do, later ones do.
    report("runs_failed", sum(count for name, count in runs.items() if "FAILURE" in name))
    yield report("differences_from_the_truth", len(differences), Goal("<=", 0))


def memory_of(services: Mapping[str, Service]) -> dict[str, float]:
    """Resident memory of each process, MB; what it started for a while does not count."""
    found = {}
    for name, service in services.items():
        assert service.process is not None
        status = Path(f"/proc/{service.process.pid}/status").read_text(encoding="ascii")
        (line,) = (each for each in status.splitlines() if each.startswith("VmRSS:"))
        found[name] = int(line.split()[1]) / 1024
    return found
