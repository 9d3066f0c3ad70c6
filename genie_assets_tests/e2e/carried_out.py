"""Carries out the lines that `genie-assets doctor` prints, as the people they are for would: on a sandbox.

SQL goes to the warehouse as the administrator, a command of Databricks' CLI to the API call that it stands for,
and a setting into the environment; what stands in angle brackets is filled in by who knows it. A line of another
kind is an error: nobody could carry it out either.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from click.testing import CliRunner
from dagster._cli import cli as dagster_commands

from genie_assets.commands.cli import main as our_commands
from genie_sandbox.client import SandboxProcess

_direct = build_opener(ProxyHandler({}))
_STATEMENTS = "/api/2.0/sql/statements/"
_SYSTEM_SCHEMA = "/api/2.1/unity-catalog/metastores/{}/systemschemas/{}"
_SETTING = re.compile(r"([A-Z_]+)=(\S*)")
_MARK = re.compile(r".*<[a-z-]+>")


class Administrator:
    """A person who may do everything in the account of a sandbox.

    Args:
        sandbox: The sandbox.
        knows: The values of settings, where a line only says what goes there.
        put: Sets a variable of the environment.
    """

    def __init__(self, sandbox: SandboxProcess, knows: Mapping[str, str], put: Callable[[str, str], None]) -> None:
        self._sandbox = sandbox
        self._knows = dict(knows)
        self._put = put

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, at: str = "") -> dict[str, Any]:
        """One call of the API of a workspace, by default the first; it must be answered well."""
        data = None if body is None else json.dumps(body).encode()
        address = (at or self._sandbox.host) + path
        return _answered(method, address, data, f"Bearer {self._sandbox.administrators_token}")

    def sql(self, *statements: str, at: str = "") -> None:
        """Run statements, which must succeed, by default in the first workspace."""
        for statement in statements:
            body = {"warehouse_id": self._sandbox.warehouse_id, "statement": statement, "wait_timeout": "50s"}
            self._run(body, at)

    def _run(self, body: Mapping[str, Any], at: str) -> None:
        status = self.call("POST", _STATEMENTS, body, at)["status"]
        assert status["state"] == "SUCCEEDED", (body, status)

    def carry_out(self, lines: Iterable[str]) -> None:
        """What somebody does who copies these lines, one after the other."""
        for line in lines:
            if line.endswith(";"):
                self.sql(line)
            elif setting := _SETTING.fullmatch(line):
                self._put(setting[1], self._filled_in(setting[1], setting[2]))
            else:
                self._command(shlex.split(line))

    def _filled_in(self, name: str, value: str) -> str:
        return self._knows[name] if _MARK.fullmatch(value) else value

    def _command(self, words: list[str]) -> None:
        at = ""
        if told := _SETTING.fullmatch(words[0]):  # for this command alone
            at = told[2] if told[1] == "DATABRICKS_HOST" else ""
            words = words[1:]
        match words:
            case ["dagster" | "genie-assets" as program, *arguments]:
                commands = dagster_commands if program == "dagster" else our_commands
                environment = {told[1]: told[2]} if told else {}
                done = CliRunner().invoke(commands, arguments, env=environment)
                assert done.exit_code == 0, done.output
            case ["databricks", "api", ("patch" | "put") as verb, path, "--json", body]:
                self.call(verb.upper(), path, json.loads(body), at)
            case ["databricks", "api", "post", path, "--json", body] if path == _STATEMENTS:
                self._run(json.loads(body), at)
            case ["databricks", "permissions", "update", kind, of, "--json", body]:
                self.call("PATCH", f"/api/2.0/permissions/{kind}/{of}", json.loads(body), at)
            case ["databricks", "system-schemas", "enable", metastore_id, schema]:
                self.call("PUT", _SYSTEM_SCHEMA.format(metastore_id, schema))
            case ["databricks", "tokens", "create", "--comment", comment, "--lifetime-seconds", seconds]:
                self._knows["DATABRICKS_TOKEN"] = self._new_token(comment, int(seconds))
            case ["sudo", "timedatectl", "set-ntp", "true"]:
                self._sandbox.tell_time()
            case _:
                raise AssertionError(f"nobody can carry this out: {words}")

    def _new_token(self, comment: str, seconds: int) -> str:
        """A token is made by whom it is of, who is logged in otherwise."""
        form = {"grant_type": "client_credentials", "scope": "all-apis"}
        form |= {"client_id": self._sandbox.client_id, "client_secret": self._sandbox.client_secret}
        login = _answered("POST", f"{self._sandbox.host}/oidc/v1/token", urlencode(form).encode(), "")
        wanted = json.dumps({"comment": comment, "lifetime_seconds": seconds}).encode()
        address = f"{self._sandbox.host}/api/2.0/token/create"
        return str(_answered("POST", address, wanted, f"Bearer {login['access_token']}")["token_value"])


def _answered(method: str, address: str, data: bytes | None, authorization: str) -> dict[str, Any]:
    request = Request(address, data, method=method)
    if authorization:
        request.add_header("Authorization", authorization)
    try:
        with _direct.open(request) as answer:
            return dict(json.loads(answer.read() or b"{}"))
    except HTTPError as error:
        with error:
            raise AssertionError(f"{method} {address}: {error.code} {error.read().decode()}") from None
