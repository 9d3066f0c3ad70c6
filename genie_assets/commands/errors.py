"""`genie-assets errors`: the error ledgers by hand."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

import click

from genie_assets.commands.error_lines import Row, Shown, counted, json_lines, listed
from genie_assets.commands.places import DEMO_FOLDER, configured_lake, read_settings
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.terminal import readable, shown_place
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.side_ledgers import SIDE_LEDGERS, SideLedger
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS

if TYPE_CHECKING:
    from genie_assets.domain.tables import Table
    from genie_assets.gateways.lakehouse.interface import Lakehouse

_SENSOR = "The sensor retry_open_errors, if it is on, runs their days again."
_WITHOUT_IT_DEMO = "It is switched on in the UI: genie-assets dev --demo"
_WITHOUT_IDS = (
    "cannot be tried again, because the audit log names their messages without usable ids. A later event that "
    "completes the ids has them tried by itself; `genie-assets errors close --class BAD_REFERENCE` settles them."
)
_WITHOUT_RUN = "which no run loads: set that to an earlier day, or close them."
_NO_DEMO = "`genie-assets demo` makes them."
_NO_LEDGER = (
    "Is GENIE_LAKEHOUSE right? `genie-assets load` loads days into it; the demo's errors are shown with --demo."
)


@click.group(short_help="Show, requeue or close what cannot be read.")
def errors() -> None:
    """Show the messages that cannot be read, have them tried again, or close them.

    With --of the same for what lies around messages: comments, agents' steps, evaluations.
    """


def _known_class(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is None or name.upper() in ErrorClass.__members__:
        return name and name.upper()
    raise click.BadParameter(f"there is no class {readable(name)}; the classes are {', '.join(ErrorClass)}.")


def _selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments by which all commands choose errors."""
    for add in (
        click.option(
            "--of",
            "of_what",
            type=click.Choice([each.name for each in SIDE_LEDGERS]),
            help="Not of messages, but of what lies around them; ids are then those of these things.",
        ),
        click.option("--demo", is_flag=True, help="Errors of the demo, which has tables of its own."),
        click.option("--workspace", "workspace_id", metavar="ID", help="Only errors of this workspace."),
        click.option(
            "--class",
            "error_class",
            metavar="CLASS",
            callback=_known_class,
            help=f"Only errors of this class: {', '.join(ErrorClass)}.",
        ),
        click.argument("message_ids", nargs=-1),
    ):
        command = add(command)
    return command


@errors.command("list", short_help="Show open errors.")
@_selection
@click.option("--limit", type=click.IntRange(1), help="Errors to show one by one.  [default: 20; with --json all]")
@click.option("--json", "as_json", is_flag=True, help="All that is known of each error, one JSON object a line.")
@one_sentence
def list_errors(limit: int | None, as_json: bool, demo: bool, of_what: str | None, **selection: Any) -> None:
    """Show open errors, the oldest first, and what each class of them asks of you."""
    from genie_assets.pipeline.errors_by_hand import open_rows
    from genie_assets.pipeline.names import space_titles

    of, table = _chosen(of_what)
    lake, place = _ledger(demo, table)
    rows, now = open_rows(lake, table, **selection), dt.datetime.now(dt.UTC)
    titles = {} if as_json else space_titles(lake, (row["workspace_id"] for row in rows))
    for line in json_lines(rows[:limit]) if as_json else listed(rows, Shown(place, limit or 20, now, of), titles):
        click.echo(line)
    _refuse_unknown(rows, selection["message_ids"], place, table)


@errors.command("requeue", short_help="Have errors tried again now.")
@_selection
@click.option("--all", "everything", is_flag=True, help="All open errors.")
@one_sentence
def requeue_errors(everything: bool, demo: bool, of_what: str | None, **selection: Any) -> None:
    """Make errors due now; the sensor retry_open_errors, or a run of their day, tries them again.

    Those of --of are tried again by the next run of their job.
    """
    from genie_assets.pipeline.errors_by_hand import open_rows, requeue

    if not (any(selection.values()) or everything):
        raise click.UsageError("Name messages, a --class, a --workspace, or --all.")
    of, table = _chosen(of_what)
    lake, place = _ledger(demo, table)
    rows = open_rows(lake, table, **selection)
    if of is not None:
        due = requeue(lake, rows, dt.datetime.now(dt.UTC), table)
        click.echo(f"Due now: {counted(due)}.")
        if due:
            click.echo(f"The next run of the job {of.job} tries them again.")
        _refuse_unknown(rows, selection["message_ids"], place, table)
        return
    # The demo's days are its own affair: it loads whichever it has.
    first_day = dt.date.min if demo else read_settings().genie_first_day
    runnable = [row for row in rows if row["event_date"] and row["event_date"] >= first_day]
    due = requeue(lake, runnable, dt.datetime.now(dt.UTC))
    click.echo(f"Due now: {counted(due)}.")
    if due:
        click.echo(f"{_SENSOR} {_WITHOUT_IT_DEMO if demo else _without_it(due)}")
    _refuse_unknown(rows, selection["message_ids"], place, table)
    problems = []
    if without_ids := len(runnable) - len(due):
        problems.append(f"{without_ids:,} more {_WITHOUT_IDS}")
    if without_run := len(rows) - len(runnable):
        problems.append(f"{without_run:,} more are of days before GENIE_FIRST_DAY ({first_day}), {_WITHOUT_RUN}")
    if problems:
        raise click.ClickException(" ".join(problems))


@errors.command("close", short_help="Settle errors for good.")
@_selection
@one_sentence
def close_errors(demo: bool, of_what: str | None, **selection: Any) -> None:
    """Close errors of messages that nobody misses: they are not asked for again unless they change."""
    from genie_assets.pipeline.errors_by_hand import close, open_rows

    if not any(selection.values()):
        raise click.UsageError("Name messages, a --class, or a --workspace. What is closed is not opened again.")
    of, table = _chosen(of_what)
    if of is not None and not of.can_be_closed:
        raise click.ClickException(
            f"Errors of {of.name} cannot be closed: each run of {of.job} looks at them again by itself. Trash the "
            "space, or leave its workspace out with GENIE_WORKSPACES."
        )
    lake, place = _ledger(demo, table)
    closed = close(lake, open_rows(lake, table, **selection), dt.datetime.now(dt.UTC), table)
    click.echo(f"Closed: {counted(closed)}.")
    if closed:
        things = "messages" if of is None else of.things[1]
        click.echo(f"Their {things} are not asked for again unless they change.")
    _refuse_unknown(closed, selection["message_ids"], place, table)


def _without_it(due: Collection[Row]) -> str:
    days = sorted(row["event_date"] for row in due)
    return f"Without it: genie-assets load --from {days[0]} --to {days[-1]}"


def _chosen(of_what: str | None) -> "tuple[SideLedger | None, Table]":
    """Which ledger is meant: one around messages, or that of messages."""
    of = next((each for each in SIDE_LEDGERS if each.name == of_what), None)
    return of, MESSAGE_FETCH_ERRORS if of is None else of.table


def _ledger(demo: bool, table: "Table") -> "tuple[Lakehouse, str]":
    """The lakehouse with the ledger, and where it is. One without a ledger is no lakehouse without errors."""
    from genie_assets.domain.tables import TABLES

    lake, place = chosen_lake(demo)
    if not lake.exists(MESSAGE_FETCH_ERRORS) and not lake.exists(table):
        there = [table.name for table in TABLES if lake.exists(table)]
        found = f"of our tables only {', '.join(there)} are there" if there else "none of our tables is there"
        raise click.ClickException(
            f"There is no error ledger at {place}: {found}. {_NO_DEMO if demo else _NO_LEDGER}"
        )
    return lake, place


def chosen_lake(demo: bool) -> "tuple[Lakehouse, str]":
    """The demo's lakehouse or the configured one, and where it is, for people to read."""
    return demo_lake() if demo else (configured_lake(), shown_place(read_settings().genie_lakehouse))


def demo_lake() -> "tuple[Lakehouse, str]":
    """The lakehouse of the demo that ran last, and where it is."""
    from genie_assets.commands.demo_place import DemoPlace
    from genie_assets.wiring import open_lake

    uri = DemoPlace(DEMO_FOLDER.absolute()).last_tables().lakehouse
    return open_lake(read_settings().model_copy(update={"genie_lakehouse": uri, "genie_made_up": True})), uri


def _refuse_unknown(rows: Iterable[Row], message_ids: Collection[str], place: str, table: "Table") -> None:
    found = {row[table.key[-1]] for row in rows}
    if unknown := [readable(each) for each in message_ids if each not in found]:
        raise click.ClickException(f"In {place} there is no such open error of: {', '.join(unknown)}.")
