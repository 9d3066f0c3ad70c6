"""`python -m benchmarks.run`: every benchmark, one after the other."""

from collections.abc import Iterator

from benchmarks import fetch, lakehouse, report
from benchmarks.measuring import command


def measure(quick: bool) -> Iterator[bool]:
    """Measure everything; whether each goal is met."""
    yield from fetch.measure(fetch.QUICK if quick else fetch.FULL)
    yield from lakehouse.measure(lakehouse.QUICK if quick else lakehouse.FULL)
    yield from report.measure(report.QUICK if quick else report.FULL)


main = command("everything", measure)

if __name__ == "__main__":
    main()
