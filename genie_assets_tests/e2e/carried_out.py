"""Carries out the lines that `genie-assets doctor` prints, as the people they are for would: on a sandbox.

SQL goes to the warehouse as the administrator, a command of Databricks' CLI to the API call that it stands for. A
line of another kind is an error: nobody could carry it out either.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from genie_sandbox.client import SandboxProcess

_direct = build_opener(ProxyHandler({}))
_SYSTEM_SCHEMA = "/api/2.1/unity-catalog/metastores/{}/systemschemas/{}"


class Administrator:
    """A person who may do everything in the account of a sandbox."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self._sandbox = sandbox

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One call of the API, which must be answered well."""
        request = Request(self._sandbox.host + path, method=method)
        request.add_header("Authorization", f"Bearer {self._sandbox.administrators_token}")
        data = None if body is None else json.dumps(body).encode()
        try:
            with _direct.open(request, data) as answer:
                return dict(json.loads(answer.read() or b"{}"))
        except HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None

    def sql(self, *statements: str) -> None:
        """Run statements, which must succeed."""
        for statement in statements:
            body = {"warehouse_id": self._sandbox.warehouse_id, "statement": statement, "wait_timeout": "50s"}
            status = self.call("POST", "/api/2.0/sql/statements/", body)["status"]
            assert status["state"] == "SUCCEEDED", (statement, status)

    def carry_out(self, lines: Iterable[str]) -> None:
        """What somebody does who copies these lines, one after the other."""
        for line in lines:
            if line.endswith(";"):
                self.sql(line)
            else:
                self._command(shlex.split(line))

    def _command(self, words: list[str]) -> None:
        match words:
            case ["databricks", "api", ("patch" | "put") as verb, path, "--json", body]:
                self.call(verb.upper(), path, json.loads(body))
            case ["databricks", "system-schemas", "enable", metastore_id, schema]:
                self.call("PUT", _SYSTEM_SCHEMA.format(metastore_id, schema))
            case _:
                raise AssertionError(f"nobody can carry this out: {words}")
