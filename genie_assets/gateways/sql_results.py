"""The result of a statement, chunk by chunk: which one follows, and the rows behind a presigned link."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.exchange import answer_error, exchange
from genie_assets.gateways.retries import CallError
from genie_assets.gateways.sql_errors import WarehouseError
from genie_assets.gateways.transport import CONNECT_SECONDS, pooled_session

_LINK_READ_SECONDS = 60.0


def next_chunk(chunk: Mapping[str, Any]) -> int | None:
    """The chunk that follows. With links, it is the last link that names it."""
    for named in (chunk, *reversed(chunk.get("external_links") or ())):
        if named.get("next_chunk_index") is not None:
            return int(named["next_chunk_index"])
        path = urlsplit(str(named.get("next_chunk_internal_link") or "")).path
        if path.rpartition("/")[2].isdecimal():
            return int(path.rpartition("/")[2])
    return None


def linked_rows(link: Mapping[str, Any]) -> list[list[Any]]:
    """The rows behind a presigned link. It carries its own right: our login is not sent along.

    Raises:
        CallError: the store failed, in passing or not.
        WarehouseError: the link was refused.
    """
    url, headers = str(link.get("external_link")), link.get("http_headers") or {}
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, "A link to a result is not https."))
    with pooled_session(url, 1) as session:
        answer = exchange(
            session, "GET", url, timeout=(CONNECT_SECONDS, _LINK_READ_SECONDS), secrets=(url,), headers=headers
        )
    if answer.status != 200:
        failed = answer_error(answer, dt.datetime.now(dt.UTC), url)
        if failed.transient:
            raise failed
        raise WarehouseError(f"A link to a result of the SQL warehouse was refused: {failed.error.message}")
    try:
        rows = json.loads(answer.body)
    except ValueError:
        rows = None
    if not isinstance(rows, list):
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, "A linked result is not JSON."), transient=True)
    return rows
