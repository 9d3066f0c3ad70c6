"""Tables in Markdown, of cells that are Markdown already. How text from outside becomes one, `showing` knows."""

from collections.abc import Iterable, Sequence


def markdown_table(titles: Sequence[str], rows: Iterable[Sequence[str]], rules: Sequence[str] = ()) -> str:
    """The lines of a table, without an end of line behind the last.

    Args:
        titles: Of the columns.
        rows: As many cells each.
        rules: How the columns are aligned; to the left where nothing is said.
    """
    lines = [titles, rules or ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
