"""What `benchmarks.lakehouse` lets a fresh process do: build a lake, and do the daily work on one.

Every task is a function from JSON to JSON, called by `benchmarks.worker`.
"""

import datetime as dt
import os
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, convert_to_deltalake, write_deltalake

from benchmarks.lakehouse_lakes import Population, build
from benchmarks.lakehouse_messages import rows_of
from benchmarks.lakehouse_sources import MemoryGenie, MemoryTables
from benchmarks.measuring import peak_rss_mb
from genie_assets.domain.tables import GENIE_API_MESSAGES, GENIE_SPACE_DETAILS, TABLES
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.audit_messages import discover
from genie_assets.pipeline.enriched_message_details import FoldReport, fold_day
from genie_assets.pipeline.fetch_report import FetchReport
from genie_assets.pipeline.genie_api_messages import fetch
from genie_assets.pipeline.inspection import day_state, enrichment_states, outdated_errors
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.twins import duplicate_keys

Spec = Mapping[str, Any]
T = TypeVar("T")

_DEADLINE_SECONDS = 3600
_DAYS_PER_WEEK = 7
# What takes a tenth of a second and changes nothing is measured so often in each process.
_REPEATED = 5


def build_lake(spec: Spec) -> dict[str, Any]:
    """A lake with the past of a population."""
    return {"messages": build(Path(spec["lakehouse"]), Population(**spec["population"]))}


def fetch_lake_day(spec: Spec) -> dict[str, Any]:
    """Fetch the last day again and again: when all of its messages are new, and when none is.

    Seconds until the first request would be made, for each; and per batch, those that the lakehouse took.
    """
    population = Population(**spec["population"])
    day = _Day(population, population.days - 1)
    lake = _warm(spec)
    written = _Written(lake)
    began = time.monotonic()
    report = day.fetch(written, "first")  # type: ignore[arg-type]
    _expect(report.tally.stored, len(day.asked), "messages stored")
    find_new = day.genie.seconds_to_first_request(began)
    find_none = []
    for _ in range(_REPEATED):
        began = time.monotonic()
        _expect(day.fetch(lake, "again").wanted, 0, "messages wanted again")
        find_none.append(day.genie.seconds_to_first_request(began))
    return {
        "find_new_seconds": find_new,
        "find_none_seconds": median(find_none),
        "batch_seconds": written.seconds / report.tally.batches,
    }


def fold_lake_day(spec: Spec) -> dict[str, Any]:
    """Fold the last day, fold it once more, check it; seconds of each, and the peak of memory after the first."""
    population = Population(**spec["population"])
    day = _Day(population, population.days - 1)
    lake = _warm(spec)
    fold_seconds, report = _timed(lambda: day.fold(lake, "first"))
    peak = peak_rss_mb()
    _expect((report.details.inserted, report.details.updated), (len(day.asked), 0), "rows folded")
    again_seconds, again = _timed(lambda: day.fold(lake, "again"))
    _expect(again.details.changed + again.attachments.changed, 0, "rows changed by folding again")
    check_seconds = median(_timed(lambda: day.check(lake))[0] for _ in range(_REPEATED))
    return {
        "fold_seconds": fold_seconds,
        "fold_again_seconds": again_seconds,
        "check_seconds": check_seconds,
        "peak_rss_mb": peak,
    }


def maintain_lake(spec: Spec) -> dict[str, Any]:
    """Maintain every table on the day after the last one, then once more."""
    after_last = Population(**spec["population"]).last_day + dt.timedelta(days=1)
    lake = open_lakehouse(spec["lakehouse"])
    before = _files(Path(spec["lakehouse"]))
    seconds, _ = _timed(lambda: _maintain(lake, after_last))
    once = _files(Path(spec["lakehouse"]))
    again_seconds, _ = _timed(lambda: _maintain(lake, after_last))
    return {
        "seconds": seconds,
        "again_seconds": again_seconds,
        "files_before": len(before),
        "files_after": len(once),
        "mb_before": sum(before.values()) / 1e6,
        "mb_after": sum(once.values()) / 1e6,
        "idempotent": int(once == _files(Path(spec["lakehouse"]))),
    }


def append_plain(spec: Spec) -> dict[str, Any]:
    """Append a hundred rows, without any code of ours, to a Delta table of so many files with a thousand rows."""
    folder, files = Path(spec["folder"]), spec["files"]
    thousand = Population(days=1, conversations=0, last_day_conversations=204, late=0, read_again=0).asked_on(0)
    rows = rows_of(GENIE_API_MESSAGES, thousand)
    if not DeltaTable.is_deltatable(str(folder)):
        folder.mkdir()
        # All files hold the same rows: links cost no room.
        pq.write_table(rows, folder / "0.parquet")
        for number in range(1, files):
            os.link(folder / "0.parquet", folder / f"{number}.parquet")
        convert_to_deltalake(str(folder))
        DeltaTable(str(folder)).create_checkpoint()
    seconds, _ = _timed(lambda: write_deltalake(DeltaTable(str(folder)), rows.slice(0, 100), mode="append"))
    return {"seconds": seconds, "files": len(DeltaTable(str(folder)).file_uris())}


def load_days(spec: Spec) -> dict[str, Any]:
    """Load a long time day by day into one lake, with short times into fresh lakes in between for comparison."""
    long, short = Population(**spec["long"]), Population(**spec["short"])
    with TemporaryDirectory(prefix="genie-benchmark-", dir=spec["folder"]) as folder:
        shorts, total = [], 0.0
        bounds = [long.days * part // spec["parts"] for part in range(spec["parts"] + 1)]
        for part, (start, end) in enumerate(pairwise(bounds)):
            total += _load(long, range(start, end), str(Path(folder, "long")))
            shorts.append(_load(short, range(short.days), str(Path(folder, f"short{part}"))))
    return {"long_seconds": total, "short_seconds": shorts, "peak_rss_mb": peak_rss_mb()}


def _load(population: Population, days: range, lakehouse: str) -> float:
    """Seconds that our side of it took."""
    lake, seconds = open_lakehouse(lakehouse), 0.0
    for number in days:
        day = _Day(population, number)
        taken, _ = _timed(lambda day=day: day.all_of_it(lake))  # type: ignore[misc]
        seconds += taken
        if number % _DAYS_PER_WEEK == _DAYS_PER_WEEK - 1:
            taken, _ = _timed(lambda day=day: _maintain(lake, day.date + dt.timedelta(days=1)))  # type: ignore[misc]
            seconds += taken
    return seconds


class _Day:
    """One day with all that Databricks says about it, and the work of the pipeline on it."""

    def __init__(self, population: Population, number: int) -> None:
        self.asked = population.asked_on(number)
        self.date = population.date(number)
        self._evening = dt.datetime.combine(self.date, dt.time(23, 50), dt.UTC)
        self.genie = MemoryGenie(self.asked, asked_at=self._evening)
        self.tables = MemoryTables(self.asked, population.read_again_on(number), self.date)

    def _clock(self) -> dt.datetime:
        return self._evening

    def _run(self, run_id: str) -> Run:
        return Run(self.date, run_id, self._clock, deadline=time.monotonic() + _DEADLINE_SECONDS)

    def fetch(self, lake: Lakehouse, run_id: str) -> FetchReport:
        return fetch(self._run(run_id), genie=self.genie, lake=lake)

    def fold(self, lake: Lakehouse, run_id: str) -> FoldReport:
        return fold_day(self._run(run_id), system_tables=self.tables, genie=self.genie, lake=lake)

    def check(self, lake: Lakehouse) -> None:
        """What the day's asset checks look up."""
        _expect(day_state(self.date, lake).accounting().lost, 0, "messages lost")
        _expect(bool(day_state(self.date, lake).rates()), True, "rates of workspaces")
        _expect(outdated_errors(self.date, lake), [], "outdated errors")
        _expect(any(duplicate_keys(self.date, lake).values()), False, "duplicate keys")
        _expect(enrichment_states(self.date, lake)["COMPLETE"], len(self.asked), "complete messages")

    def all_of_it(self, lake: Lakehouse) -> None:
        """What the daily job does."""
        discover(self._run("load"), system_tables=self.tables, lake=lake)
        _expect(self.fetch(lake, "load").tally.stored, len(self.asked), "messages stored")
        _expect(self.fold(lake, "load").details.inserted, len(self.asked), "messages folded")
        self.check(lake)


class _Written:
    """A lakehouse that knows how long its writes took."""

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._lake, name)
        if name not in ("append", "merge"):
            return found

        def timed(*args: Any, **kwargs: Any) -> Any:
            seconds, result = _timed(lambda: found(*args, **kwargs))
            self.seconds += seconds
            return result

        return timed


def _warm(spec: Spec) -> Lakehouse:
    """The lake, after a first look that loads what the engine loads only once."""
    lake = open_lakehouse(spec["lakehouse"])
    lake.read(GENIE_SPACE_DETAILS)
    return lake


def _maintain(lake: Lakehouse, today: dt.date) -> None:
    for table in TABLES:
        lake.maintain(table, today=today)


def _files(lakehouse: Path) -> dict[str, int]:
    """Every data file that the tables consist of, with its size in bytes."""
    found: dict[str, int] = {}
    for table in TABLES:
        delta = DeltaTable(str(lakehouse / "genie_analytics" / table.name))
        actions = pa.table(delta.get_add_actions(flatten=True))
        paths = [f"{table.name}/{path}" for path in actions["path"].to_pylist()]
        found.update(zip(paths, actions["size_bytes"].to_pylist(), strict=True))
    return found


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result


def _expect(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise RuntimeError(f"{what}: {found} instead of {expected}")


TASKS: Mapping[str, Callable[[Spec], dict[str, Any]]] = {
    "build_lake": build_lake,
    "fetch_lake_day": fetch_lake_day,
    "fold_lake_day": fold_lake_day,
    "maintain_lake": maintain_lake,
    "append_plain": append_plain,
    "load_days": load_days,
}
