"""Pages of the sandbox's lists: sizes as Databricks allows them, and tokens that only their own list takes."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from zlib import crc32

from genie_sandbox.account import AgentItem
from genie_sandbox.responses import ApiError

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

Item = TypeVar("Item")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """What a caller asked for: `start` is an index into the whole list, hidden items included."""

    list_name: str
    start: int
    size: int
    repeat: bool = False  # the next token leads back to this page

    @classmethod
    def of(
        cls, query: Mapping[str, str], list_name: str, limit: int | None = None, repeat: bool = False
    ) -> "Page":
        """Read `page_size` and `page_token`; the server gives at most `limit` items even if more are asked for.

        Raises:
            ApiError: 400 when either is not acceptable.
        """
        size = _page_size(query.get("page_size", ""))
        token = query.get("page_token", "")
        start = _position(token, list_name) if token else 0
        return cls(list_name, start, min(size, limit or size), repeat)

    def cut(self, items: Sequence[Item], show: Callable[[Item], Row | None]) -> tuple[list[Row], str | None]:
        """The page's items that `show` does not hide by None, and the token of the next page if there is one."""
        rows: list[Row] = []
        for index in range(self.start, len(items)):
            row = show(items[index])
            if row is None:
                continue
            if len(rows) == self.size:
                return rows, _token(self.start if self.repeat else index, self.list_name)
            rows.append(row)
        return rows, _token(self.start, self.list_name) if self.repeat else None


def items_page(
    items: Sequence[AgentItem], query: Mapping[str, str], now_ms: int, limit: int | None = None
) -> dict[str, Any]:
    """A page of an agent's steps, as this list pages: behind the step that `after` names.

    Raises:
        ApiError: 400 for a limit, an order or an `after` that is none.
    """
    wanted, order = query.get("limit", "100"), query.get("order", "asc")
    if not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= MAX_PAGE_SIZE):
        raise ApiError(400, f"limit must be a number from 1 to {MAX_PAGE_SIZE}, not {wanted[:20]!r}.")
    if order not in ("asc", "desc"):
        raise ApiError(400, "order must be asc or desc.")
    shown = [item.body for item in items if item.at <= now_ms][:: 1 if order == "asc" else -1]
    ids = [body["id"] for body in shown]
    if after := query.get("after", ""):
        if after not in ids:
            raise ApiError(400, "after names no item of this conversation.")
        shown = shown[ids.index(after) + 1 :]
    page = shown[: min(int(wanted), limit or MAX_PAGE_SIZE)]
    # Databricks leaves out what is empty.
    return {"object": "list", **({"data": page, "last_id": page[-1]["id"]} if page else {})}


def _page_size(text: str) -> int:
    if not text:
        return DEFAULT_PAGE_SIZE
    if not text.isascii() or not text.isdigit() or int(text) > MAX_PAGE_SIZE:
        raise ApiError(400, f"page_size must be a number from 0 to {MAX_PAGE_SIZE}, not {text[:20]!r}.")
    return int(text) or DEFAULT_PAGE_SIZE


def _token(position: int, list_name: str) -> str:
    return base64.urlsafe_b64encode(f"{position}:{_fingerprint(list_name)}".encode()).decode()


def _position(token: str, list_name: str) -> int:
    try:
        position, _, fingerprint = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
    except ValueError:
        position = fingerprint = ""
    if fingerprint != _fingerprint(list_name) or not position.isdecimal():
        raise ApiError(400, "page_token is not valid for this list.")
    return int(position)


def _fingerprint(list_name: str) -> str:
    return f"{crc32(list_name.encode('utf-8', 'surrogatepass')):08x}"
