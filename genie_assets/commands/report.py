"""`genie-assets report`: the report, made now."""

from datetime import UTC, date, datetime
from pathlib import Path

import click

from genie_assets.commands.days import Day
from genie_assets.commands.extras import require
from genie_assets.commands.places import configured_lake, read_settings, reason
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.terminal import readable, shown_place


@click.command(short_help="Write a page that shows what happens.")
@click.option("--from", "first_day", type=Day(), metavar=Day.name, help="First UTC day of the longest period.")
@click.option(
    "--to",
    "last_day",
    type=Day(),
    metavar=Day.name,
    help="UTC day with which all periods end; by default, the last settled one.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; by default, the report lies beside the tables.",
)
@click.option("--demo", is_flag=True, help="Of the demo's tables.")
@one_sentence
def report(first_day: date | None, last_day: date | None, out: Path | None, demo: bool) -> None:
    """Write one HTML file that shows who uses Genie, for what, how well it works, and what is missing.

    It opens in any browser and needs no network. Questions are shown if GENIE_REPORT_TEXTS is true, and users by
    their addresses if GENIE_REPORT_NAMES is; else users have pseudonyms.
    """
    if first_day and last_day and first_day > last_day:
        raise click.ClickException("--from is a day after --to: exchange them.")
    require("report", "sql")
    from genie_assets.domain.report_document import Request
    from genie_assets.domain.tables import TABLES
    from genie_assets.pipeline.published_report import REPORT, make_report

    settings = read_settings()
    if demo:
        from genie_assets.commands.errors import demo_lake

        lake, uri = demo_lake()
        if not any(lake.exists(table) for table in TABLES):
            raise click.ClickException(f"There is no demo at {readable(uri)}: `genie-assets demo` makes one.")
    else:
        lake, uri = configured_lake(), settings.genie_lakehouse
    request = Request(
        now=datetime.now(UTC),
        time_zone=settings.genie_time_zone,
        with_names=settings.genie_report_names,
        # What is asked in the demo is nobody's secret.
        with_texts=settings.genie_report_texts or demo,
        first_day=first_day,
        last_day=last_day,
    )
    made = make_report(lake, request, made_up=demo or settings.genie_made_up)
    if not made.document["periods"]:
        click.echo(f"No day is loaded in {shown_place(uri)} yet: the report says so, and nothing else.", err=True)
    if out is None:
        click.echo(lake.keep(REPORT, made.data))
        return
    _write(out, made.data)
    click.echo(out.absolute().as_uri())


def _write(out: Path, data: bytes) -> None:
    try:
        out.touch(mode=0o600)
        out.write_bytes(data)
    except OSError as problem:
        raise click.ClickException(f"{out} cannot be written: {reason(problem)}.") from None
