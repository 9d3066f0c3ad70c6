"""`python -m benchmarks.lakehouse`: does the daily work stay as cheap when the lake holds millions of messages?

The same day is fetched, folded and checked in a lake of millions and in one of thousands, by turns and each time
in fresh processes on a fresh copy; a number is the median of the ratios of neighbours, so what else the machine
does matters little. Databricks is in memory: no request is made.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.lakehouse_lakes import Population, clone
from benchmarks.measuring import Goal, Worker, command, in_a_process, report

_FLAT = Goal("<=", 1.3)


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    big: Population
    small: Population
    repetitions: int
    plain_files: tuple[int, int]  # of a thousand rows, in the plain tables to compare with
    long: Population  # loaded day by day
    short_days: int  # of the same kind, to compare with
    parts: int  # of the long load, with a short one after each


def _usual(days: int, conversations: int) -> Population:
    """Days that are all alike."""
    return Population(days, conversations, conversations, late=0, read_again=conversations // 20)


FULL = Sizes(
    # 3 M and 2 k messages, and a day of 8,000 of which 1 % belong to conversations of earlier days. As many old
    # messages are read again as the small lake has days, so that both are asked about the same number of days.
    big=Population(days=365, conversations=1_648, last_day_conversations=1_600, late=80, read_again=29),
    small=Population(days=30, conversations=14, last_day_conversations=1_600, late=80, read_again=29),
    repetitions=5,
    plain_files=(3_000, 10),
    long=_usual(days=100, conversations=2_000),
    short_days=10,
    parts=3,
)
QUICK = Sizes(
    big=Population(days=30, conversations=200, last_day_conversations=60, late=3, read_again=3),
    small=Population(days=10, conversations=14, last_day_conversations=60, late=3, read_again=3),
    repetitions=1,
    plain_files=(30, 3),
    long=_usual(days=7, conversations=40),
    short_days=1,
    parts=1,
)


def measure(sizes: Sizes, worker: Worker = in_a_process) -> Iterator[bool]:
    """Measure and print everything; yields for each number whether its goal is met."""
    with TemporaryDirectory(prefix="genie-benchmark-") as name:
        folder = Path(name)
        yield from day_in_big_and_small_lakes(sizes, folder, worker)
        yield from plain_engine(sizes, folder, worker)
        yield from long_load(sizes, folder, worker)


def day_in_big_and_small_lakes(sizes: Sizes, folder: Path, worker: Worker) -> Iterator[bool]:
    """Fetch, fold and check the same day by turns in both lakes; then maintain the big one."""
    lakes = {"big": sizes.big, "small": sizes.small}
    for name, population in lakes.items():
        built = worker("build_lake", _spec(folder / name, population))
        yield report(f"messages_before_{name}", built["messages"])
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for repetition in range(sizes.repetitions):
        for name in sorted(lakes, reverse=bool(repetition % 2)):
            rmtree(folder / f"{name}-work", ignore_errors=True)
            spec = _spec(clone(folder / name, folder / f"{name}-work"), lakes[name])
            found[name].append(worker("fetch_lake_day", spec) | worker("fold_lake_day", spec))
    yield from _tell_days(found["big"], found["small"])
    yield from maintenance(_spec(folder / "big-work", sizes.big), worker)
    for name in lakes:
        rmtree(folder / name)
        rmtree(folder / f"{name}-work")


def _tell_days(big: list[dict[str, Any]], small: list[dict[str, Any]]) -> Iterator[bool]:
    def ratio(seconds: str) -> float:
        return median(b[seconds] / s[seconds] for b, s in zip(big, small, strict=True))

    def middle(name: str) -> float:
        return median(each[name] for each in big)

    yield report("fold_day_3m_vs_10k", ratio("fold_seconds"), _FLAT)
    yield report("fold_day_again_3m_vs_10k", ratio("fold_again_seconds"), _FLAT)
    yield report("find_new_3m_vs_10k", ratio("find_new_seconds"), _FLAT)
    yield report("find_none_3m_vs_10k", ratio("find_none_seconds"), _FLAT)
    yield report("append_batch_3m_vs_10k", ratio("batch_seconds"), Goal("<=", 1.5))
    yield report("check_day_3m_vs_10k", ratio("check_seconds"), _FLAT)
    yield report("fold_peak_rss_mb", max(each["peak_rss_mb"] for each in big), Goal("<", 700))
    for name in ("fold", "fold_again", "find_new", "find_none", "batch", "check"):
        yield report(f"{name}_seconds_3m", middle(f"{name}_seconds"))


def maintenance(spec: dict[str, Any], worker: Worker) -> Iterator[bool]:
    """Maintain the big lake after its last day, twice."""
    done = worker("maintain_lake", spec)
    yield report("weekly_maintenance_idempotent", done["idempotent"], Goal(">=", 1))
    for name in ("files_before", "files_after", "mb_before", "mb_after", "seconds", "again_seconds"):
        yield report(f"weekly_maintenance_{name}", done[name])


def plain_engine(sizes: Sizes, folder: Path, worker: Worker) -> Iterator[bool]:
    """A hundred rows appended to a table as the engine makes it by itself, by turns to a big and a small one."""
    many, few = sizes.plain_files
    ratios = []
    for _ in range(sizes.repetitions):
        seconds = {}
        for files in (many, few):
            seconds[files] = worker("append_plain", {"folder": str(folder / f"plain{files}"), "files": files})
        ratios.append(seconds[many]["seconds"] / seconds[few]["seconds"])
    yield report("append_batch_3m_vs_10k_plain_engine", median(ratios))
    for files in sizes.plain_files:
        rmtree(folder / f"plain{files}")


def long_load(sizes: Sizes, folder: Path, worker: Worker) -> Iterator[bool]:
    """Day by day from the audit log to the checks, with weekly maintenance: does a message stay as cheap?"""
    spec = {
        "folder": str(folder),
        "long": asdict(sizes.long),
        "short": asdict(replace(sizes.long, days=sizes.short_days)),
        "parts": sizes.parts,
    }
    done = worker("load_days", spec)
    times_as_long = sizes.long.days / sizes.short_days
    ratio = done["long_seconds"] / (times_as_long * median(done["short_seconds"]))
    yield report("million_messages_seconds_ratio", ratio, Goal("<=", 1.2))
    yield report("million_messages_seconds", done["long_seconds"])
    yield report("million_peak_rss_mb", done["peak_rss_mb"], Goal("<", 1_500))


def _spec(lakehouse: Path, population: Population) -> dict[str, Any]:
    return {"lakehouse": str(lakehouse), "population": asdict(population)}


main = command("the lakehouse", lambda quick: measure(QUICK if quick else FULL))

if __name__ == "__main__":
    main()
