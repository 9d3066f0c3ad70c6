"""`genie-assets load`: days and spaces, in this process, without webserver or daemon."""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from genie_assets.commands.days import Day
from genie_assets.commands.interrupts import apart, under_way
from genie_assets.commands.places import (
    configured_lake,
    dagster_home,
    read_settings,
    refuse_the_other_kind,
)
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.terminal import paragraph, readable
from genie_assets.domain.numbers import form, many
from genie_assets.domain.worklist import Verdict

if TYPE_CHECKING:
    from genie_assets.commands.run_events import RunOutcome
    from genie_assets.commands.running import Runner

_DEFAULT_DAYS = 30
_HISTORY = "query history"


class _WrongDaysError(click.ClickException):
    """One sentence about days that cannot be loaded; that is wrong usage."""

    exit_code = click.UsageError.exit_code


@click.command(short_help="Load days and spaces.")
@click.option(
    "--from",
    "first",
    type=Day(),
    metavar=Day.name,
    help="First UTC day. [default: 29 days before the last one]",
)
@click.option("--to", "last", type=Day(), metavar=Day.name, help="Last UTC day. [default: today]")
@one_sentence
def load(first: dt.date | None, last: dt.date | None) -> None:
    """Load days in this process, one after the other, back up the spaces, and check what is broken.

    A day that fails does not keep the next from being loaded. Checks that fail are told, and change no exit code.
    """
    settings = read_settings()
    today = dt.datetime.now(dt.UTC).date()
    days = _days(first, last, today=today, first_day=settings.genie_first_day)
    home, began = dagster_home(), dt.datetime.now(dt.UTC)
    with under_way("the load"):
        from genie_assets.commands.preflight import check_connection
        from genie_assets.commands.running import Runner

        # What would fail every day is said once. A look may take minutes, and no signal ends it there.
        lake = apart(configured_lake)
        apart(lambda: check_connection(settings))
        apart(lambda: refuse_the_other_kind(lake))
        runner = Runner(home)
        try:
            said: set[str] = set()
            failed = [f"{day}" for day in days if not _load_day(runner, day, said)]
            failed += [] if _back_up_spaces(runner, began) else ["the spaces"]
            _check(runner)
        finally:
            runner.close()
    if failed:
        raise click.ClickException(f"Not everything could be loaded: {', '.join(failed)}.")


def _days(first: dt.date | None, last: dt.date | None, *, today: dt.date, first_day: dt.date) -> list[dt.date]:
    """The days to load.

    Raises:
        _WrongDaysError: there is no such day, or none in this order.
    """
    end = last or today
    start = first or max(first_day, end - dt.timedelta(days=_DEFAULT_DAYS - 1))
    for option, day in (("--to", end), ("--from", start)):
        if day > today:
            raise _WrongDaysError(f"{option} {day} lies in the future: today, {today} (UTC), is the last day.")
        if day < first_day:
            raise _WrongDaysError(f"{option} {day} lies before {first_day}, the first day (GENIE_FIRST_DAY).")
    if start > end:
        raise _WrongDaysError(f"--from {start} lies after --to {end}.")
    return [start + dt.timedelta(days=each) for each in range((end - start).days + 1)]


def _load_day(runner: "Runner", day: dt.date, said: set[str]) -> bool:
    """Load one day and say in one line how it went.

    Args:
        runner: Runs it.
        day: The day.
        said: What was said of days before and holds for this one, too; it grows.
    """
    done = _run(runner, "genie_daily", f"{day}", day)
    if done is None:
        return False
    line = f"{day}  {told(done.metadata['genie_api_messages'])}"
    line += told_of_the_log(done.metadata.get("audit_messages", {}))
    line += told_of_the_fold(done.metadata.get("enriched_message_details", {}), said)
    if done.problems:
        line += f"; {len(done.problems)} of {len(done.checks)} checks failed: {', '.join(sorted(done.problems))}"
    click.echo(_row(line))
    return True


def _row(line: str) -> str:
    """One line for programs; on a terminal, all that belongs to a day stands right of it."""
    return paragraph(line, others=" " * 12)


def told(numbers: Mapping[str, Any]) -> str:
    """What became of the wanted messages of a day, and what came besides; what is 0 is left out behind `failed`.

    Args:
        numbers: The metadata of `genie_api_messages`.
    """
    line = f"wanted {numbers['wanted']}, stored {numbers['stored']}, failed {numbers['failed']}"
    # They fail though they are not among the wanted.
    verdicts = getattr(numbers.get("verdicts"), "records", ())
    unusable = sum(each.data["count"] for each in verdicts if each.data["verdicts"] == Verdict.BAD_REFERENCE)
    if unusable:
        line += f" ({unusable} cannot be asked for)"
    besides = {
        "stored before": numbers["answered"] - numbers["stored"],
        "deleted": numbers["found_deleted"],
        "left for the next run": numbers["not_attempted"],
        "brought along": numbers["brought_along"],
    }
    return "; ".join([line, *(f"{count} {words}" for words, count in besides.items() if count)])


def told_of_the_log(numbers: Mapping[str, Any]) -> str:
    """What the audit log may show of questions that cannot be found: without a word, the day would look quiet.

    Args:
        numbers: The metadata of `audit_messages`.
    """
    count = numbers.get("unknown", 0)
    return (
        f"; {many(count, 'event')} that may ask something {form(count, 'names', 'name')} no message"
        if count
        else ""
    )


def told_of_the_fold(numbers: Mapping[str, Any], said: set[str]) -> str:
    """What the fold of a day lacks for want of a grant: its check fails only once it has waited for days.

    Args:
        numbers: The metadata of `enriched_message_details`.
        said: What was said of days before: the same grant is missing on all of them, and is told with the first.
    """
    if "query_history" not in numbers or _HISTORY in said:
        return ""
    said.add(_HISTORY)
    return f"; {_HISTORY} cannot be read (said once: see `genie-assets doctor`)"


def _back_up_spaces(runner: "Runner", since: dt.datetime) -> bool:
    """Back up the spaces; those that the days have read since then are not read a second time."""
    from genie_assets.assets import but_for_those_read_since
    from genie_assets.placement import Placement

    done = _run(runner, "genie_spaces", "spaces", config=but_for_those_read_since(Placement(), since))
    if done is None:
        return False
    numbers = done.metadata["genie_space_details"]
    click.echo(f"spaces      {numbers['spaces']}, readable {numbers['readable']}")
    return True


def _check(runner: "Runner") -> None:
    """What is broken over all days, one line each."""
    done = _run(runner, "genie_standing_checks", "checks")
    for name, sentence in sorted(done.problems.items()) if done else ():
        said = readable(sentence or "its page in the UI has more")
        click.secho(_row(f"check {name} failed: {said}"), fg="yellow")


def _run(
    runner: "Runner",
    job: str,
    title: str,
    day: dt.date | None = None,
    config: Mapping[str, Any] = MappingProxyType({}),
) -> "RunOutcome | None":
    """What the run left; None if it failed, which is said."""
    from genie_assets.commands.running import RunFailedError

    try:
        return runner.run(job, day, config)
    except RunFailedError as problem:
        click.secho(_row(f"{title:<10}  {readable(problem)}"), fg="red", err=True)
        return None
