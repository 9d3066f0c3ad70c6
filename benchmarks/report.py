"""`python -m benchmarks.report`: what the report of a whole year costs over a lake of millions of messages.

A lake of three million messages in 365 days is filled as `report_lakes` says; then fresh processes make the
report of all its days, as `genie-assets report --from` does, and the usual one of the last weeks.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.lakehouse_lakes import Population
from benchmarks.measuring import Goal, Worker, command, in_a_process, report


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    population: Population


def _sizes(days: int, conversations: int) -> Sizes:
    return Sizes(Population(days, conversations, conversations, late=0, read_again=0))


FULL = _sizes(365, 1_648)
QUICK = _sizes(40, 20)


def measure(sizes: Sizes, worker: Worker = in_a_process) -> Iterator[bool]:
    """Measure and print everything; yields for each number whether its goal is met."""
    with TemporaryDirectory(prefix="genie-benchmark-") as folder:
        lake = Path(folder, "lake")
        yield report("report_messages", build(lake, sizes.population))
        spec = {"lakehouse": str(lake), "population": asdict(sizes.population)}
        year = worker("make_report", spec | {"whole": True})
        yield report("report_of_a_year_seconds", year["seconds"], Goal("<", 60))
        yield report("report_of_a_year_cpu_seconds", year["cpu_seconds"])
        yield report("report_of_a_year_peak_rss_mb", year["peak_rss_mb"], Goal("<", 1_536))
        yield report("report_of_a_year_page_mb", year["page_mb"], Goal("<", 5))
        usual = worker("make_report", spec | {"whole": False})
        yield report("report_of_the_last_weeks_seconds", usual["seconds"])
        yield report("report_of_the_last_weeks_page_mb", usual["page_mb"], Goal("<", 2))


def build(lake: Path, population: Population) -> int:
    """Fill the lake; how many messages it holds."""
    from benchmarks.report_lakes import build as fill

    return fill(lake, population)


def make_report(spec: Mapping[str, Any]) -> dict[str, float]:
    """Make a report, of the whole time or of the usual periods."""
    from benchmarks.lakehouse_messages import FIRST_DAY
    from benchmarks.worker import Used
    from genie_assets.domain.report_document import Request
    from genie_assets.gateways.lakehouse.opening import open_lakehouse
    from genie_assets.pipeline.published_report import make_report as made_of

    after = Population(**spec["population"]).last_day + dt.timedelta(days=2)
    request = Request(
        now=dt.datetime.combine(after, dt.time(5, 30), dt.UTC),
        time_zone="Europe/Berlin",
        with_texts=True,
        first_day=FIRST_DAY if spec["whole"] else None,
    )
    used = Used()
    made = made_of(open_lakehouse(spec["lakehouse"]), request)
    return {**used.numbers(), "page_mb": len(made.data) / 1e6}


main = command("the report", lambda quick: measure(QUICK if quick else FULL))

if __name__ == "__main__":
    main()
