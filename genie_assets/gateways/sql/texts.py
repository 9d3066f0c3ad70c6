"""The SQL texts of `sql/`: one file per statement that is sent to a warehouse."""

from functools import cache
from pathlib import Path
from string import Template

_ROOM = Path(__file__).resolve().parents[2]
# An installed package carries the folder inside; a checkout has it beside the package.
_FOLDERS = (_ROOM / "sql", _ROOM.parent / "sql")


@cache
def sql_text(name: str) -> str:
    """The statement in `sql/<name>.sql`.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    for folder in _FOLDERS:
        path = folder / f"{name}.sql"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"sql/{name}.sql")


def sql_from_template(name: str, **parts: str) -> str:
    """The statement in `sql/<name>.sql` with `parts` in the places that are marked `${part}`.

    Args:
        name: The file's path below `sql`, without `.sql`.
        parts: SQL: quoted identifiers, lists of them, conditions. Values travel as parameters instead.

    Raises:
        FileNotFoundError: if there is no such file.
        KeyError: if a place is left without its part.
    """
    return Template(sql_text(name)).substitute(parts)


@cache
def sql_names(folder: str) -> tuple[str, ...]:
    """Names of the statements in `sql/<folder>`, sorted.

    Raises:
        FileNotFoundError: if there is no such folder.
    """
    for room in _FOLDERS:
        if names := tuple(sorted(path.stem for path in (room / folder).glob("*.sql"))):
            return names
    raise FileNotFoundError(f"sql/{folder}")
