"""How the demo looks on a terminal: progress while it works, a summary at the end."""

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from genie_assets.demo import DemoResult


class ConsoleProgress:
    """Progress bars on a terminal; plain lines where the output goes to a file or a log."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description:<46}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("[dim]{task.fields[note]}[/]"),
            console=console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> "ConsoleProgress":
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def stage(self, title: str, steps: int) -> None:
        """A new stage of so many steps begins."""
        self._task = self._bars.add_task(title, total=steps, note="")
        if not self._console.is_terminal:
            self._console.print(title)

    def step(self, text: str) -> None:
        """One step is done."""
        if self._task is not None:
            self._bars.update(self._task, advance=1, note=text)
        if not self._console.is_terminal:
            self._console.print(f"  {text}", highlight=False)


def print_summary(result: DemoResult, console: Console) -> None:
    """A short summary of the demo, and what to do next."""
    console.print()
    console.print(_panel("genie_analytics, rows", [(name, f"{rows:,}") for name, rows in result.rows.items()]))
    console.print(_panel("30 days of Genie", _facts(result)))
    for problem in result.differences[:5]:
        console.print(f"[red]✗[/] {problem}", highlight=False)
    folder = "" if result.lakehouse.startswith("uc:") else "/genie_analytics"
    console.print(f"Tables  {result.lakehouse}{folder}", highlight=False)
    console.print("Next    [bold]make dev[/] opens the Dagster UI on these tables.")
    console.print("        README.md shows how to point it at your own workspace.")


def _panel(title: str, rows: list[tuple[str, str]]) -> Panel:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(min_width=36)
    table.add_column(min_width=24)
    for row in rows:
        table.add_row(*row)
    return Panel(table, title=title, title_align="left", border_style="blue", expand=False)


def _facts(result: DemoResult) -> list[tuple[str, str]]:
    account, rate = result.accounting, result.success_rate
    statuses = sorted(result.statuses.items(), key=lambda item: -item[1])
    errors = sorted(result.errors_by_class.items())
    failed = [name for name, passed in result.checks.items() if not passed]
    return [
        ("messages in the audit log", f"[bold]{account.discovered:,}[/]"),
        ("  stored", f"{account.stored:,}"),
        *((f"[dim]    {name}[/]", f"[dim]{count:,}[/]") for name, count in statuses),
        ("  open errors", f"{account.open_errors:,}"),
        *((f"[dim]    {name}[/]", f"[dim]{count:,}[/]") for name, count in errors),
        ("  deleted before they could be read", f"{account.deleted:,}"),
        ("  pending", f"{account.pending:,}"),
        ("success rate", "unknown" if rate is None else f"{rate:.2%}"),
        ("requests for messages", f"{result.message_requests:,}"),
        ("requests for spaces", f"{result.space_requests:,}"),
        ("checks passed", f"{len(result.checks) - len(failed)} of {len(result.checks)}"),
        *(("[dim]    not passed[/]", f"[yellow]{name}[/]") for name in failed),
        ("compared with the truth", _comparison(len(result.differences))),
        ("time", f"{result.seconds:.0f} s"),
    ]


def _comparison(differences: int) -> str:
    return f"[red]{differences:,} differences[/]" if differences else "[green]equal, row by row[/]"
