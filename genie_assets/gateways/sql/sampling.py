"""Samples of the Statement Execution API: what it answers to small statements that only read, untouched."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.samples import Sample
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.transport import WorkspaceHttp
from genie_assets.gateways.sql.values import Parameter, parameter

_STATEMENTS = "/api/2.0/sql/statements/"
_RUNNING = frozenset({"PENDING", "RUNNING"})
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 10.0


class StatementSampler:
    """Sends statements, one at a time. Belongs to one thread.

    Args:
        connect: Gives the connection to the workspace that holds the warehouse.
        warehouse_id: Its id.
        seconds: How long one statement may take: a warehouse that sleeps needs minutes.
        retries: How passing trouble is met.
    """

    def __init__(
        self,
        connect: Callable[[], WorkspaceHttp],
        warehouse_id: str,
        *,
        seconds: float = 600.0,
        retries: Retries | None = None,
    ) -> None:
        self._connect, self._warehouse_id, self._seconds = connect, warehouse_id, seconds
        self._retries = retries or Retries(attempts=2)
        self.statements = 0

    def run(self, kind: str, statement: str, parameters: Mapping[str, Parameter] | None = None) -> Sample:
        """One sample, with its rows inline.

        Args:
            kind: What it is called.
            statement: A SELECT of ours.
            parameters: Values of its named parameters.
        """
        return self._sent(kind, statement, parameters, "INLINE")

    def run_for_links(self, kind: str, statement: str) -> Sample:
        """One sample, with links to its rows, which are not followed."""
        return self._sent(kind, statement, None, "EXTERNAL_LINKS")

    def _sent(
        self, kind: str, statement: str, parameters: Mapping[str, Parameter] | None, disposition: str
    ) -> Sample:
        body = {
            "statement": statement,
            "warehouse_id": self._warehouse_id,
            "parameters": [parameter(name, value) for name, value in (parameters or {}).items()],
            "wait_timeout": "30s",
            "on_wait_timeout": "CONTINUE",
            "format": "JSON_ARRAY",
            "disposition": disposition,
        }
        asked = {"disposition": disposition}
        self.statements += 1
        try:
            return Sample(kind, asked, self._ended(self._call("POST", _STATEMENTS, body)))
        except CallError as failed:
            return Sample(kind, asked, problem=failed.error)

    def _ended(self, answer: dict[str, Any]) -> dict[str, Any]:
        deadline, wait = time.monotonic() + self._seconds, _FIRST_WAIT_SECONDS
        statement_id = answer.get("statement_id")
        while isinstance(statement_id, str) and _state(answer) in _RUNNING:
            if time.monotonic() > deadline:
                with suppress(CallError):
                    self._connect().send("POST", f"{_STATEMENTS}{quote(statement_id, safe='')}/cancel", body={})
                text = f"A statement did not end within {self._seconds:g} seconds."
                raise CallError(FetchError(ErrorClass.TIMEOUT, text))
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            answer = self._call("GET", _STATEMENTS + quote(statement_id, safe=""))
        return answer

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._retries.call(lambda: self._connect().call(method, path, body=body))


def _state(answer: Mapping[str, Any]) -> object:
    status = answer.get("status")
    return status.get("state") if isinstance(status, Mapping) else None
