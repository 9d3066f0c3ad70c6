"""The sandbox's own switches, on every port below `/_sandbox/`: clocks, tokens, faults, holds and counters."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from genie_sandbox.server.engine import SqlEngine
from genie_sandbox.server.faults import FaultBook
from genie_sandbox.server.oauth import Gatekeeper
from genie_sandbox.server.refused_tokens import BODIES
from genie_sandbox.server.requests_log import RequestsLog
from genie_sandbox.server.state import Clock

_DEFAULT_LATEST = 20


class Admin:
    """Steers a running sandbox. Nobody is asked for credentials: it listens on loopback only."""

    def __init__(
        self, clock: Clock, faults: FaultBook, log: RequestsLog, gatekeeper: Gatekeeper, engine: SqlEngine | None
    ) -> None:
        self._clock = clock
        self._gatekeeper = gatekeeper
        self._faults = faults
        self._log = log
        self._engine = engine
        self._moving = asyncio.Lock()

    def app(self, *others: BaseRoute) -> Starlette:
        """The ASGI application of these switches, and of others."""
        routes = [
            Route("/_sandbox/clock", _errors_as_400(self.clock), methods=["GET", "POST"]),
            Route("/_sandbox/date", _errors_as_400(self.date), methods=["GET", "POST"]),
            Route("/_sandbox/tokens", _errors_as_400(self.tokens), methods=["DELETE"]),
            Route("/_sandbox/faults", _errors_as_400(self.faults), methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/holds", _errors_as_400(self.holds), methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/requests", _errors_as_400(self.requests), methods=["GET", "DELETE"]),
            *others,
        ]
        return Starlette(routes=routes)

    async def clock(self, request: Request) -> JSONResponse:
        """GET the clock, or POST `{"now_ms": …}` or `{"advance_ms": …}` to move it forward."""
        if request.method == "POST":
            wanted = await _json_object(request)
            async with self._moving:
                at_ms = _moment(wanted, self._clock.now_ms)
                if self._engine and at_ms >= self._clock.now_ms:
                    await asyncio.to_thread(self._engine.advance, at_ms)
                self._clock.move_to(at_ms)
        return JSONResponse({"now_ms": self._clock.now_ms})

    async def date(self, request: Request) -> JSONResponse:
        """GET what answers say the time is, or POST `{"of": "machine" | "sandbox", "skew_ms": …}` to change it."""
        if request.method == "POST":
            match await _json_object(request):
                case {"of": "machine" | "sandbox" as whose, "skew_ms": int(skew_ms)}:
                    self._clock.tells_itself, self._clock.skew_ms = whose == "sandbox", skew_ms
                case _:
                    raise ValueError("give of, which is machine or sandbox, and skew_ms, a whole number")
        return JSONResponse({"told_ms": self._clock.told()})

    async def tokens(self, request: Request) -> JSONResponse:
        """DELETE lets all issued tokens have run out, or with `?personal=` the personal ones.

        `?refused_as=` is how that is said, else with a 401.
        """
        refused_as = request.query_params.get("refused_as")
        if refused_as is not None and refused_as not in BODIES:
            raise ValueError(f"refused_as must be one of {', '.join(BODIES)}")
        expire = (
            self._gatekeeper.expire_personal if "personal" in request.query_params else self._gatekeeper.expire_all
        )
        return JSONResponse({"expired": expire(refused_as)})

    async def faults(self, request: Request) -> JSONResponse:
        """GET the rules with their counters, POST `{"rules": […]}` to add some, DELETE to switch all off."""
        if request.method == "DELETE":
            self._faults.clear()
        if request.method == "POST":
            rules = (await _json_object(request)).get("rules")
            if not isinstance(rules, list):
                raise ValueError("rules must be a list")
            return JSONResponse({"ids": self._faults.add(rules)})
        return JSONResponse({"rules": self._faults.report()})

    async def holds(self, request: Request) -> JSONResponse:
        """GET the holds of writes, POST `{"holds": […]}` to add some, DELETE `?id=` or all to let writes go on."""
        if self._engine is None:
            raise ValueError("this sandbox runs no SQL, so nothing can be held")
        holds = self._engine.holds
        if request.method == "DELETE":
            holds.release(request.query_params.get("id"))
        if request.method == "POST":
            wanted = (await _json_object(request)).get("holds")
            if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
                raise ValueError("holds must be a list of JSON objects")
            return JSONResponse({"ids": [holds.add(one) for one in wanted]})
        return JSONResponse({"holds": holds.report()})

    async def requests(self, request: Request) -> JSONResponse:
        """GET the counters and the `?latest=` requests, or DELETE to begin counting anew."""
        if request.method == "DELETE":
            self._log.reset()
        return JSONResponse(self._log.report(int(request.query_params.get("latest", _DEFAULT_LATEST))))


def _errors_as_400(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
    async def guarded(request: Request) -> JSONResponse:
        try:
            answer: JSONResponse = await handler(request)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return answer

    return guarded


async def _json_object(request: Request) -> dict[str, Any]:
    value = await request.json()
    if not isinstance(value, dict):
        raise ValueError("a JSON object is wanted")  # noqa: TRY004 - answered as a bad request
    return value


def _moment(wanted: dict[str, Any], now_ms: int) -> int:
    match wanted:
        case {"now_ms": int(at_ms)} if len(wanted) == 1:
            return at_ms
        case {"advance_ms": int(advance_ms)} if len(wanted) == 1:
            return now_ms + advance_ms
        case _:
            raise ValueError("give either now_ms or advance_ms, a whole number")
