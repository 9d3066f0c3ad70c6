"""How the demo looks on a terminal: progress while it works, a summary at the end."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from genie_assets.commands.demo_result import DemoResult
from genie_assets.commands.places import FOLDER, FORMER_DEMO
from genie_assets.commands.shipped import WORKSPACE, shipped
from genie_assets.domain.numbers import form, many
from genie_assets.domain.sql_names import schema_in

_COLUMNS, _BLANKS, _FRAME = (36, 24), 2, 4  # characters: least widths, after each column, around both
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven")


class ConsoleProgress:
    """Progress bars on a terminal; plain lines where the output goes to a file, a log or a dumb terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._is_live = console.is_terminal and not console.is_dumb_terminal
        self._bars = Progress(
            SpinnerColumn("line" if console.options.ascii_only else "dots", finished_text="[green]✓[/]"),
            TextColumn("{task.description:<46}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("[dim]{task.fields[note]}[/]"),
            console=console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> "ConsoleProgress":
        if self._is_live:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_live:
            self._bars.stop()

    def stage(self, title: str, steps: int) -> None:
        """A new stage of so many steps begins."""
        self._task = self._bars.add_task(title, total=steps, note="")
        if not self._is_live:
            self._console.print(title, highlight=False)

    def step(self, text: str) -> None:
        """One step is done."""
        if self._task is not None:
            self._bars.update(self._task, advance=1, note=escape(text))
        if not self._is_live:
            self._console.print(f"  {escape(text)}", highlight=False)


def print_summary(result: DemoResult, console: Console) -> None:
    """A short summary of the demo, what is wrong on purpose and what is not, and what to do next."""
    console.print()
    rows_of_tables = [(name, f"{rows:,}") for name, rows in result.rows.items()]
    console.print(_panel("genie_analytics, rows", rows_of_tables, console.width))
    console.print(_panel(f"{many(result.days, 'day')} of Genie", _facts(result), console.width))
    _print_planted(result, console)
    for problem in result.problems[:5]:
        console.print(f"[red]✗[/] {escape(problem)}", highlight=False)
    if len(result.problems) > 5:
        console.print(f"[red]✗[/] and {many(len(result.problems) - 5, 'more problem')}", highlight=False)
    _print_next(result, console)


def _print_planted(result: DemoResult, console: Console) -> None:
    """Say of each check that fails on purpose which fault is planted for it, and what one would do about that."""
    expected = {name: why for name, why in result.expected_failures.items() if name in result.failed_checks}
    if not expected:
        return
    number = _NUMBERS[len(expected)] if len(expected) < len(_NUMBERS) else str(len(expected))
    checks = form(len(expected), "check fails", "checks fail")
    console.print(
        f"{number.capitalize()} {checks} on purpose: faults are planted in the made-up account to be found.",
        style="bold",
    )
    for name, why in expected.items():
        console.print(f"[yellow]{name}[/]  {escape(why)}", highlight=False)
    if "no_open_errors_left" in expected:
        for planted in result.planted_errors:
            for text, indent in (
                (f"{planted.error_class}: {planted.why}.", 2),
                (f"What to do: {planted.what_to_do}", 4),
            ):
                console.print(Padding(escape(text), (0, 0, 0, indent)), highlight=False)
        console.print("  `genie-assets errors list --demo` shows them one by one.", highlight=False)
    console.print()


def _print_next(result: DemoResult, console: Console) -> None:
    is_checkout = shipped(WORKSPACE).parent == Path.cwd()
    folder = "/genie_analytics" if schema_in(result.tables.lakehouse) is None else ""
    if is_checkout:
        dev, account = "make dev", "README.md shows how to point it at your own workspace."
    else:
        dev, account = "genie-assets dev --demo", "[bold]genie-assets init[/] begins with your own workspace."
    lines = [
        f"Tables  {escape(result.tables.lakehouse)}{folder}",
        "        made up, and marked so: an account's rows are never mixed with them",
        f"Report  {escape(result.report)}",
        f"Next    [bold]{dev}[/] opens the Dagster UI on them.",
        f"        {account}",
    ]
    if FORMER_DEMO.exists():
        lines.append(
            f"Note    A former version kept the demo in {FOLDER}/lakehouse, dagster and sandbox. Unless an "
            f"account's tables are there, too, remove these three and {FORMER_DEMO}."
        )
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _panel(title: str, rows: list[tuple[str, str]], width: int) -> Panel:
    # Of a table that is broader than the terminal the last column is cut off, and that one has the numbers.
    is_roomy = sum(_COLUMNS) + 2 * _BLANKS + _FRAME <= width
    table = Table(box=None, padding=(0, _BLANKS, 0, 0), show_header=False)
    for least in _COLUMNS:
        table.add_column(min_width=least if is_roomy else None)
    for row in rows:
        table.add_row(*row)
    return Panel(table, title=title, title_align="left", border_style="blue", expand=False)


def _facts(result: DemoResult) -> list[tuple[str, str]]:
    account, rate = result.accounting, result.success_rate
    statuses = sorted(result.statuses.items(), key=lambda item: -item[1])
    errors = sorted(result.errors_by_class.items())
    failed = result.failed_checks
    return [
        ("messages in the audit log", f"[bold]{account.discovered:,}[/]"),
        ("  stored", f"{account.stored:,}"),
        *((f"[dim]    {escape(name)}[/]", f"[dim]{count:,}[/]") for name, count in statuses),
        ("  open errors", f"{account.open_errors:,}"),
        *((f"[dim]    {escape(name)}[/]", f"[dim]{count:,}[/]") for name, count in errors),
        ("  deleted before they could be read", f"{account.deleted:,}"),
        ("  pending", f"{account.pending:,}"),
        ("success rate", "unknown" if rate is None else f"{rate:.2%}"),
        ("requests for messages", f"{result.message_requests:,}"),
        ("requests for spaces", f"{result.space_requests:,}"),
        ("checks passed", f"{len(result.checks) - len(failed)} of {len(result.checks)}"),
        *(("[dim]    not passed[/]", _failed_check(name, result)) for name in failed),
        ("compared with the truth", _comparison(len(result.differences))),
        ("time", f"{result.seconds:.0f} s"),
    ]


def _failed_check(name: str, result: DemoResult) -> str:
    return f"[yellow]{name}[/], on purpose" if name in result.expected_failures else f"[red]{name}[/]"


def _comparison(differences: int) -> str:
    return f"[red]{many(differences, 'difference')}[/]" if differences else "[green]equal, row by row[/]"
