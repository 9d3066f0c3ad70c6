"""`python -m benchmarks.run`: every benchmark, one after the other."""

import sys

import click

from benchmarks import fetch, lakehouse, report


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: shows that it works, proves nothing.")
def main(quick: bool) -> None:
    """Measure everything. Ends with status 1 if a goal is missed, unless it is quick."""
    results = [
        *fetch.measure(fetch.QUICK if quick else fetch.FULL),
        *lakehouse.measure(lakehouse.QUICK if quick else lakehouse.FULL),
        *report.measure(report.QUICK if quick else report.FULL),
    ]
    sys.exit(not (quick or all(results)))


if __name__ == "__main__":
    main()
