"""How rows look: a table or one block a row for people, JSON or CSV for programs.

Cells hold anything that users of Genie wrote. For people they are made harmless; programs get them as they are, in
JSON with escapes for what has no shape of its own.
"""

import csv
import datetime as dt
import io
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TextIO

import click
import pyarrow as pa
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from genie_assets.commands.terminal import json_line, readable
from genie_assets.domain.numbers import many

_LONGEST_CELL = 60
# Wide enough for anything: what is not printed on a terminal is not folded.
_UNFOLDED = 100_000
_BLANKS_BETWEEN = 2
_PADDING = re.compile(r" +$", re.MULTILINE)


def show(rows: pa.Table, form: str) -> None:
    """Print rows in the form `table`, `json` (one object a line) or `csv`.

    Raises:
        click.ClickException: JSON cannot tell two columns of one name apart.
    """
    if form == "json":
        _refuse_twins(rows.column_names)
        for row in _records(rows):
            click.echo(json_line(dict(zip(rows.column_names, map(_for_json, row), strict=True))))
    elif form == "csv":
        _print_csv(rows)
    else:
        _print_table(rows)


def overview(tables: Mapping[str, str], views: Mapping[str, str]) -> None:
    """Print which tables and views there are."""
    console = _console()
    for title, listed in (("Views", views), ("Tables", tables)):
        console.print(Text(title, style="bold"))
        grid = Table(box=SIMPLE_HEAD, show_header=False, show_edge=False)
        grid.add_column(no_wrap=True, style="cyan")
        grid.add_column()
        for name, description in listed.items():
            grid.add_row(name, Text(description))
        console.print(grid)
        console.print()
    console.print("Columns: genie-assets sql --list NAME", highlight=False)


def columns(description: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Print what a table or view says, and its columns."""
    console = _console()
    console.print(Text(description), end="\n\n")
    grid = Table(box=SIMPLE_HEAD, show_header=False, show_edge=False)
    grid.add_column(no_wrap=True, style="cyan")
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column()
    for name, type_, meaning in rows:
        grid.add_row(name, type_, Text(meaning))
    console.print(grid)


class _WithoutPadding(io.TextIOWrapper):
    """The output without the blanks at the ends of lines that fill a table: nobody sees them but programs."""

    def __init__(self, output: TextIO) -> None:
        super().__init__(io.BytesIO(), encoding=output.encoding)  # rich draws what that can hold
        self._output = output

    def write(self, text: str) -> int:
        """Whole lines, as rich writes them."""
        return self._output.write(_PADDING.sub("", text))

    def flush(self) -> None:
        """Pass it on."""
        self._output.flush()


def _console() -> Console:
    if sys.stdout.isatty():
        return Console()
    return Console(width=_UNFOLDED, file=_WithoutPadding(sys.stdout))


def _records(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    for batch in rows.to_batches(max_chunksize=1_000):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _refuse_twins(names: Iterable[str]) -> None:
    if twins := [name for name, count in Counter(names).items() if count > 1]:
        raise click.ClickException(f"Two columns are called {readable(twins[0])}: give one another name with AS.")


def _for_json(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _for_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_for_json(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _print_csv(rows: pa.Table) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.column_names)
    for row in _records(rows):
        cells = [_for_json(cell) for cell in row]
        writer.writerow(
            [json.dumps(cell, ensure_ascii=False) if isinstance(cell, list | dict) else cell for cell in cells]
        )
    lines = text.getvalue()
    if sys.stdout.isatty():  # somebody looks at it
        lines = "\n".join(readable(line, longest=len(line) * 10 + 10) for line in lines.splitlines()) + "\n"
    click.echo(lines, nl=False, color=True)  # what looks like a colour is a part of a cell


def _print_table(rows: pa.Table) -> None:
    console = _console()
    cells = [[_shown(cell) for cell in row] for row in _records(rows)]
    names = [readable(name, longest=_LONGEST_CELL) for name in rows.column_names]
    widths = [max(len(text) for text in column) for column in zip(names, *cells, strict=True)]
    if cells and sum(widths) + _BLANKS_BETWEEN * len(widths) > console.width:
        _print_blocks(console, names, cells)
    else:
        grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for name, field in zip(names, rows.schema, strict=True):
            grid.add_column(Text(name), justify="right" if _is_number(field.type) else "left", no_wrap=True)
        for row in cells:
            grid.add_row(*map(_styled, row))
        console.print(grid)
    console.print(many(len(cells), "row"), style="dim", highlight=False)


def _print_blocks(console: Console, names: list[str], cells: list[list[str]]) -> None:
    """One block for each row: what does not fit beside each other stands below each other."""
    longest = max(map(len, names))
    for number, row in enumerate(cells, 1):
        console.print(f"── row {number:,} ──", style="dim", highlight=False)
        for name, cell in zip(names, row, strict=True):
            console.print(Text(name.ljust(longest), style="cyan") + "  " + _styled(cell), soft_wrap=False)


def _styled(cell: str) -> Text:
    return Text(cell, style="dim" if cell == "NULL" else "")


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)
    plain = _for_json(value)
    if isinstance(value, dt.datetime):
        plain = str(plain).replace("T", " ").removesuffix("Z")
    if isinstance(plain, list | dict):
        plain = json.dumps(plain, ensure_ascii=False)
    return readable(plain, longest=_LONGEST_CELL)


def _is_number(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))
