"""`python -m benchmarks.unattended`: what is promised of a deployment that nobody looks after. Takes an hour."""

from collections.abc import Iterator

from benchmarks import unattended_day, workspaces
from benchmarks.measuring import command


def measure(quick: bool) -> Iterator[bool]:
    """Measure everything; whether each goal is met."""
    yield from workspaces.measure(workspaces.QUICK if quick else workspaces.FULL)
    yield from unattended_day.measure(minutes=2 if quick else 60)


main = command("a deployment that is left alone", measure)

if __name__ == "__main__":
    main()
