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
    tables = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, rows in result.rows.items():
        tables.add_row(name, f"[bold]{rows:,}[/] rows")
    facts = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, value in _facts(result):
        facts.add_row(name, value)
    console.print()
    console.print(Panel(tables, title="genie_analytics", title_align="left", border_style="blue", expand=False))
    console.print(Panel(facts, title="30 days of Genie", title_align="left", border_style="blue", expand=False))
    for problem in result.differences[:5]:
        console.print(f"[red]✗[/] {problem}", highlight=False)
    console.print(f"Tables  {result.lakehouse}/genie_analytics", highlight=False)
    console.print(
        "Next    [bold]make dev[/] opens the Dagster UI on these tables; README.md shows how to point it at"
    )
    console.print("        your own workspace.")


def _facts(result: DemoResult) -> list[tuple[str, str]]:
    account, rate = result.accounting, result.success_rate
    statuses = sorted(result.statuses.items(), key=lambda item: -item[1])
    failed = [name for name, passed in result.checks.items() if not passed]
    errors = ", ".join(f"{name} {count}" for name, count in sorted(result.errors_by_class.items()))
    return [
        ("messages in the audit log", f"[bold]{account.discovered:,}[/]"),
        ("  stored", f"{account.stored:,}"),
        ("  open errors", f"{account.open_errors}  [dim]{errors}[/]"),
        ("  deleted before they could be read", f"{account.deleted}"),
        ("  pending", f"{account.pending}"),
        ("status", "  ".join(f"{name} {count:,}" for name, count in statuses[:4])),
        ("success rate", "unknown" if rate is None else f"{rate:.2%}"),
        ("requests", f"{result.message_requests:,} for messages, {result.space_requests:,} for spaces"),
        ("checks", _checks(len(result.checks), failed)),
        (
            "compared with the truth",
            "[green]equal, row by row[/]" if not result.differences else _different(result),
        ),
        ("time", f"{result.seconds:.0f} s"),
    ]


def _checks(total: int, failed: list[str]) -> str:
    if not failed:
        return f"[green]{total} of {total} passed[/]"
    return f"{total - len(failed)} of {total} passed; [yellow]{', '.join(failed)}[/] points at what is broken"


def _different(result: DemoResult) -> str:
    return f"[red]{len(result.differences)} differences[/]"
