"""What the Statement Execution API answers: read with care, into what the rest may rely on.

Anything may answer in the place of a warehouse. Whatever the shape of its JSON, it is a statement or a chunk of a
result, or one sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from genie_assets.gateways.sql.errors import WarehouseError

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Link:
    """Where rows can be fetched: a presigned address, never to be shown, and the headers that go with it."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    chunk_index: int | None = None
    row_count: int | None = None


@dataclass(frozen=True)
class Chunk:
    """A part of a result: rows, or links to them, and which chunk follows."""

    rows: list[list[Any]] = field(default_factory=list)
    links: tuple[Link, ...] = ()
    following: int | None = None


@dataclass(frozen=True)
class Statement:
    """A statement as the API shows it."""

    state: str
    statement_id: str | None = None
    error_code: str = ""
    message: str = ""
    columns: tuple[Json, ...] = ()
    total_rows: int | None = None
    is_truncated: bool = False
    first: Chunk = field(default_factory=Chunk)

    @property
    def known_id(self) -> str:
        """Its id.

        Raises:
            WarehouseError: the answer names none.
        """
        return self.statement_id if self.statement_id else _refuse("statement_id", "there")


def statement_of(answer: Json) -> Statement:
    """Read the answer to a statement that was sent, or looked at again.

    Raises:
        WarehouseError: it is none.
    """
    status, manifest = _object(answer, "status"), _object(answer, "manifest")
    error = _object(status, "error")
    state = _text(status, "state")
    if not state:
        _refuse("status", "that of a statement")
    columns = _objects(_object(manifest, "schema"), "columns")
    truncated = manifest.get("truncated")
    if not isinstance(truncated, bool | None):
        _refuse("truncated", "true or false")
    return Statement(
        state=state,
        statement_id=_text(answer, "statement_id") or None,
        error_code=_text(error, "error_code"),
        message=_text(error, "message"),
        columns=columns,
        total_rows=_count(manifest, "total_row_count"),
        is_truncated=bool(truncated),
        first=chunk_of(_object(answer, "result")),
    )


def chunk_of(answer: Json) -> Chunk:
    """Read one chunk of a result.

    Raises:
        WarehouseError: it is none, or holds fewer rows than it says.
    """
    rows = rows_of(answer.get("data_array"), "data_array")
    links = _objects(answer, "external_links")
    if not links and answer.get("data_array") is not None:
        check_row_count(rows, _count(answer, "row_count"))
    return Chunk(rows, tuple(map(_link, links)), _following(answer, links))


def rows_of(value: Any, name: str) -> list[list[Any]]:
    """Rows as the API sends them: lists in a list. None is no rows.

    Raises:
        WarehouseError: it is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        _refuse(name, "a list of rows")
    return value


def check_row_count(rows: list[list[Any]], expected: int | None) -> None:
    """See that as many rows came as were announced, if they were.

    Raises:
        WarehouseError: it was another number.
    """
    if expected is not None and len(rows) != expected:
        raise WarehouseError(f"The SQL warehouse sent {len(rows)} of {expected} rows of a part of a result.")


def _link(link: Json) -> Link:
    url, headers = _text(link, "external_link"), _object(link, "http_headers")
    if not url:
        _refuse("external_link", "an address")
    if not all(isinstance(value, str) for value in headers.values()):
        _refuse("http_headers", "texts")
    return Link(url, headers, _count(link, "chunk_index"), _count(link, "row_count"))


def _following(chunk: Json, links: tuple[Json, ...]) -> int | None:
    """The chunk that follows. With links, it is the last link that names it."""
    for named in (chunk, *reversed(links)):
        index = _count(named, "next_chunk_index")
        if index is not None:
            return index
        path = _text(named, "next_chunk_internal_link").partition("?")[0]
        last = path.rpartition("/")[2]
        if last.isascii() and last.isdecimal() and len(last) < 10:
            return int(last)
    return None


def _object(answer: Json, name: str) -> Json:
    value = answer.get(name)
    if value is None:
        return {}
    return value if isinstance(value, dict) else _refuse(name, "an object")


def _objects(answer: Json, name: str) -> tuple[Json, ...]:
    value = answer.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        _refuse(name, "a list of objects")
    return tuple(value)


def _text(answer: Json, name: str) -> str:
    value = answer.get(name)
    if value is None:
        return ""
    return value if isinstance(value, str) else _refuse(name, "text")


def _count(answer: Json, name: str) -> int | None:
    """A number of things. 64-bit numbers may come as text."""
    value = answer.get(name)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if value is None:
        return None
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return value if is_count else _refuse(name, "a number of things")


def _refuse(name: str, what: str) -> NoReturn:
    raise WarehouseError(
        f"What answers at DATABRICKS_HOST is not Databricks' SQL API: in its answer, {name} is not {what}."
    )
