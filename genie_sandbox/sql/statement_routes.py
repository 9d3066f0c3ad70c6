"""Databricks' Statement Execution API."""

import asyncio
import datetime as dt
import json
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from genie_sandbox.account import ADMINISTRATOR
from genie_sandbox.responses import ApiError, to_json
from genie_sandbox.sql.binding import Parameters, parameters_of
from genie_sandbox.sql.catalog import DEFAULT_CATALOG, DEFAULT_SCHEMA, Session
from genie_sandbox.sql.engine import SailEngine
from genie_sandbox.sql.errors import SqlError
from genie_sandbox.sql.http import ASKED_WORKSPACE, ASKING_PRINCIPAL, answering
from genie_sandbox.sql.presigned import PRESIGNED_PREFIX
from genie_sandbox.sql.results import Chunk
from genie_sandbox.sql.statements import TERMINAL, Job, Order, Statements

_PATH = "/api/2.0/sql/statements"
_LONGEST_STATEMENT = 16 << 20
_SHORTEST_WAIT, _LONGEST_WAIT = 5, 50
_WAREHOUSE_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class _Link:
    """What a presigned link leads to. The API's own credentials open nothing here, and are refused."""

    statement_id: str
    index: int  # of the chunk, which is forgotten with its statement: kept results would fill the memory
    expires_at: dt.datetime


class StatementRoutes:
    """Handlers of the API for one engine."""

    def __init__(self, engine: SailEngine) -> None:
        self._engine = engine
        self._links: OrderedDict[str, _Link] = OrderedDict()  # oldest first

    def routes(self) -> list[Route]:
        """The routes, presigned links included."""
        one = _PATH + "/{statement_id}"
        return [
            Route(_PATH, answering(self._execute), methods=["POST"]),
            Route(_PATH + "/", answering(self._execute), methods=["POST"]),
            Route(one, answering(self._poll), methods=["GET"]),
            Route(one + "/cancel", answering(self._cancel), methods=["POST"]),
            Route(one + "/result/chunks/{index:int}", answering(self._chunk), methods=["GET"]),
            Route(PRESIGNED_PREFIX + "{token}", self._download, methods=["GET"]),
        ]

    @property
    def _statements(self) -> Statements:
        try:
            return self._engine.statements
        except RuntimeError as error:
            raise ApiError(503, str(error)) from None

    async def _execute(self, request: Request) -> Response:
        body = await _json(request)
        self._check_warehouse(body.get("warehouse_id"))
        wait = _wait_seconds(body.get("wait_timeout", "10s"))
        on_timeout = _one_of(body, "on_wait_timeout", "CONTINUE", "CANCEL")
        region = self._engine.region_of(request.scope.get(ASKED_WORKSPACE, ""))
        principal = request.scope.get(ASKING_PRINCIPAL, ADMINISTRATOR)
        job = self._statements.submit(_order(body, region, principal))
        if wait and not await _ended(job, wait) and on_timeout == "CANCEL":
            await asyncio.to_thread(self._statements.cancel, job)
        return self._answer(request, job, show_pending=not wait)

    async def _poll(self, request: Request) -> Response:
        return self._answer(request, self._job(request))

    async def _cancel(self, request: Request) -> Response:
        job = self._job(request)
        if job.state not in TERMINAL:
            await asyncio.to_thread(self._statements.cancel, job)
        return Response(b"{}", media_type="application/json")

    async def _chunk(self, request: Request) -> Response:
        job = self._job(request)
        if job.result is None:
            raise ApiError(400, f"Statement {job.statement_id} has no result: it is {job.state}.", "BAD_REQUEST")
        index = request.path_params["index"]
        if index >= len(job.result.chunks):
            raise ApiError(400, f"Statement {job.statement_id} has no chunk {index}.")
        return _sent(self._result(request, job, job.result.chunks[index]))

    async def _download(self, request: Request) -> Response:
        self._drop_expired()
        chunk = self._linked_chunk(request.path_params["token"])
        if "authorization" in request.headers:
            return Response(
                "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>",
                400,
                media_type="application/xml",
            )
        if chunk is None:
            return Response(
                "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
                403,
                media_type="application/xml",
            )
        body = json.dumps(chunk.rows, ensure_ascii=False).encode()
        return Response(body, media_type="application/json")

    def _linked_chunk(self, token: str) -> Chunk | None:
        link = self._links.get(token)
        if link is None or link.expires_at <= dt.datetime.now(dt.UTC):
            return None
        job = self._statements.get(link.statement_id)
        return job.result.chunks[link.index] if job and job.result else None

    def _check_warehouse(self, warehouse_id: Any) -> None:
        if not warehouse_id:
            raise ApiError(400, "warehouse_id is required.")
        if warehouse_id == self._engine.warehouse_id:
            return
        if not isinstance(warehouse_id, str) or not _WAREHOUSE_ID.fullmatch(warehouse_id):
            raise ApiError(400, f"{warehouse_id} is not a valid endpoint id.")
        raise ApiError(404, f"SQL warehouse {warehouse_id} does not exist.")

    def _job(self, request: Request) -> Job:
        statement_id = request.path_params["statement_id"]
        job = self._statements.get(statement_id)
        if job is None:
            raise ApiError(404, f"The statement {statement_id} was not found.", "NOT_FOUND")
        return job

    def _answer(self, request: Request, job: Job, *, show_pending: bool = False) -> Response:
        state = "PENDING" if show_pending else job.state
        status: dict[str, Any] = {"state": state}
        answer: dict[str, Any] = {"statement_id": job.statement_id, "status": status}
        if state == "FAILED":
            status["error"] = {"error_code": job.error_code, "message": job.message}
        if state == "SUCCEEDED" and job.result is not None:
            answer["manifest"] = job.result.manifest("JSON_ARRAY")
            first = job.result.chunks[0] if job.result.chunks else None
            answer["result"] = self._result(request, job, first) if first else {}
        return _sent(answer)

    def _result(self, request: Request, job: Job, chunk: Chunk) -> dict[str, Any]:
        following: dict[str, Any] = {}
        if job.result is not None and chunk.index + 1 < len(job.result.chunks):
            link = f"{_PATH}/{job.statement_id}/result/chunks/{chunk.index + 1}"
            following = {"next_chunk_index": chunk.index + 1, "next_chunk_internal_link": link}
        if job.order.disposition == "INLINE":
            return {**chunk.head(), **following, "data_array": chunk.rows}
        return {"external_links": [{**chunk.head(), **following, **self._linked(request, job, chunk)}]}

    def _linked(self, request: Request, job: Job, chunk: Chunk) -> dict[str, Any]:
        self._drop_expired()
        token = secrets.token_urlsafe(32)
        expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self._engine.limits.link_seconds)
        self._links[token] = _Link(job.statement_id, chunk.index, expires_at)
        return {
            "byte_count": chunk.byte_count,
            "external_link": f"{request.url.scheme}://{request.url.netloc}{PRESIGNED_PREFIX}{token}",
            "expiration": expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }

    def _drop_expired(self) -> None:
        now = dt.datetime.now(dt.UTC)
        while self._links and next(iter(self._links.values())).expires_at <= now:
            self._links.popitem(last=False)


async def _ended(job: Job, seconds: float) -> bool:
    await asyncio.wait([asyncio.wrap_future(job.done)], timeout=seconds)
    return job.state in TERMINAL


def _order(body: dict[str, Any], region: str, principal: str) -> Order:
    statement = body.get("statement")
    if not isinstance(statement, str) or not statement.strip():
        raise ApiError(400, "statement is required.")
    if len(statement.encode("utf-8", "replace")) > _LONGEST_STATEMENT:
        raise ApiError(400, "The statement text is longer than 16 MiB.")
    disposition = _one_of(body, "disposition", "INLINE", "EXTERNAL_LINKS")
    file_format = _one_of(body, "format", "JSON_ARRAY", "ARROW_STREAM", "CSV")
    if file_format != "JSON_ARRAY":
        reason = "cannot be inline" if disposition == "INLINE" else "is not supported by the sandbox's warehouse"
        raise ApiError(400, f"The format {file_format} {reason}.")
    return Order(
        statement,
        Session(body.get("catalog") or DEFAULT_CATALOG, body.get("schema") or DEFAULT_SCHEMA, region, principal),
        _parameters(body.get("parameters") or []),
        disposition,
        _positive(body, "row_limit"),
        _positive(body, "byte_limit"),
    )


def _parameters(items: Any) -> Parameters:
    if not isinstance(items, list) or not all(isinstance(item, dict) and item.get("name") for item in items):
        raise ApiError(400, "parameters must be a list of objects with a name.")
    try:
        return parameters_of(items)
    except SqlError as error:
        raise ApiError(400, str(error)) from None


def _one_of(body: dict[str, Any], name: str, default: str, *others: str) -> str:
    value = body.get(name) or default
    if value not in {default, *others}:
        raise ApiError(400, f"{name} must be one of {', '.join((default, *others))}.")
    return str(value)


def _positive(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number <= 0:
        raise ApiError(400, f"{name} must be a positive number.")
    return number


def _wait_seconds(text: Any) -> int:
    match = re.fullmatch(r"(\d{1,3})s", str(text))
    seconds = int(match[1]) if match else -1
    if seconds != 0 and not _SHORTEST_WAIT <= seconds <= _LONGEST_WAIT:
        raise ApiError(400, 'wait_timeout must be "0s" or between "5s" and "50s".')
    return seconds


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, "The request's body is not a JSON object.", "MALFORMED_REQUEST")
    return body


def _sent(answer: dict[str, Any]) -> Response:
    return Response(to_json(answer), media_type="application/json")
