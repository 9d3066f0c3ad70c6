"""Starts a sandbox as a process of its own and steers it; for tests, demos and benchmarks."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

_POLL_SECONDS = 0.02
_STOP_SECONDS = 10.0
_SHOWN_OUTPUT = 4000

# Straight to loopback, whatever proxy the environment names.
_direct = build_opener(ProxyHandler({}))


class SandboxProcess:
    """A running sandbox. As a context manager it starts on entry and is gone on exit, whatever happened."""

    def __init__(
        self,
        data: Path,
        *,
        state: Path | None = None,
        ports: Sequence[int] = (),
        sql: bool = True,
        clock_ms: int | None = None,
        start_seconds: float = 120.0,
    ) -> None:
        """Describe the sandbox to start.

        Args:
            data: the account's folder.
            state: where clock, changed spaces and tables outlive the process; default: nowhere.
            ports: one per running workspace; free ones where there are none.
            sql: whether it shall run SQL.
            clock_ms: when its clock begins (ms UTC); default: at the account's anchor.
            start_seconds: how long it may take until it answers.
        """
        self._data = data
        self._state = state
        self._ports = ports
        self._sql = sql
        self._clock_ms = clock_ms
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._facts: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start the process and wait until it answers.

        Raises:
            RuntimeError: when it ended or took too long; with the end of what it printed.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="genie-sandbox-client-")
        folder = Path(self._folder.name)
        ready, output = folder / "ready.json", folder / "output.txt"
        with output.open("wb") as sink:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                self._command(ready),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a process group of its own, so that all of it can be ended
            )
        try:
            self._wait_for(ready, output)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ask the process to end, and end its whole group if it does not; harmless when repeated."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            finally:
                _kill_group(process)
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def pid(self) -> int:
        """The process id."""
        return int(self._facts["pid"])

    @property
    def urls(self) -> dict[str, str]:
        """Base URL by id of each running workspace, in the account's order, without trailing slashes."""
        return dict(self._facts["urls"])

    @property
    def host(self) -> str:
        """Base URL of the first workspace."""
        return next(iter(self.urls.values()))

    @property
    def unified_host(self) -> str:
        """Base URL of the host at which every request must name its workspace."""
        return str(self._facts["unified_url"])

    @property
    def client_id(self) -> str:
        """The service principal's application id."""
        return str(self._facts["client_id"])

    @property
    def client_secret(self) -> str:
        """The service principal's OAuth secret."""
        return str(self._facts["client_secret"])

    @property
    def token(self) -> str:
        """A personal access token that is good in every workspace."""
        return str(self._facts["token"])

    @property
    def administrators_token(self) -> str:
        """A personal access token of a user who may do everything in every workspace, and grant it."""
        return str(self._facts["administrators_token"])

    @property
    def warehouse_id(self) -> str:
        """The SQL warehouse's id."""
        return str(self._facts["warehouse_id"])

    def environment(self) -> dict[str, str]:
        """The environment variables that point production code at this sandbox."""
        return {
            "DATABRICKS_HOST": self.host,
            "DATABRICKS_CLIENT_ID": self.client_id,
            "DATABRICKS_CLIENT_SECRET": self.client_secret,
            "DATABRICKS_WAREHOUSE_ID": self.warehouse_id,
            "GENIE_ALLOWED_HOSTS": "127.0.0.1:*",
        }

    def now_ms(self) -> int:
        """The sandbox's clock (ms UTC)."""
        return int(self._call("GET", "clock")["now_ms"])

    def set_clock(self, at_ms: int) -> int:
        """Move the clock forward to `at_ms` (ms UTC); rows that arrived by then are visible on return."""
        return int(self._call("POST", "clock", {"now_ms": at_ms})["now_ms"])

    def advance(self, *, hours: float = 0, minutes: float = 0) -> int:
        """Move the clock forward; the result is the new time (ms UTC)."""
        advance_ms = round((hours * 60 + minutes) * 60_000)
        return int(self._call("POST", "clock", {"advance_ms": advance_ms})["now_ms"])

    def tell_time(self, *, of: str = "machine", skew_seconds: float = 0) -> None:
        """What answers say the time is: that `of` the "machine" or the "sandbox", later by so much."""
        self._call("POST", "date", {"of": of, "skew_ms": round(skew_seconds * 1000)})

    def expire_tokens(self, refused_as: str | None = None, *, personal: bool = False) -> int:
        """Let all issued tokens have run out, which is said with one of `refused_tokens.BODIES` or a 401.

        With `personal`, it is the personal access tokens that do.
        """
        options = [f"refused_as={refused_as}"] if refused_as else []
        options += ["personal=yes"] if personal else []
        return int(self._call("DELETE", "?".join(["tokens", *filter(None, ["&".join(options)])]))["expired"])

    def move_dashboard(self, path: str, to: str) -> None:
        """Rename or move a dashboard of the first workspace, as a person does in the file browser.

        Raises:
            RuntimeError: when there is none.
        """
        workspace_id = next(iter(self._facts["urls"]))
        self._call("POST", "dashboards", {"workspace_id": workspace_id, "path": path, "to": to})

    def faults(self, *rules: Mapping[str, Any]) -> list[str]:
        """Switch faults on in addition to those that are; see `faults.EFFECTS`. The result is their ids.

        Raises:
            RuntimeError: saying what is wrong with a rule.
        """
        return list(self._call("POST", "faults", {"rules": [dict(rule) for rule in rules]})["ids"])

    def fault_report(self) -> list[dict[str, Any]]:
        """The faults that are on; `met` and `fired` count the requests they were about and those they hit."""
        return list(self._call("GET", "faults")["rules"])

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._call("DELETE", "faults")

    def hold(self, **options: Any) -> str:
        """Let a write stand still on its way; see `holds.Hold` for the options. The result is the hold's id.

        Raises:
            RuntimeError: saying what is wrong with an option, or that there is no SQL.
        """
        return str(self._call("POST", "holds", {"holds": [options]})["ids"][0])

    def wait_for_hold(self, hold_id: str, *, seconds: float = 60.0) -> None:
        """Return as soon as a write stands at the hold.

        Raises:
            TimeoutError: when none came.
        """
        deadline = time.monotonic() + seconds
        while not any(one["id"] == hold_id and one["waiting"] for one in self._call("GET", "holds")["holds"]):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no write came to {hold_id} within {seconds} s")
            time.sleep(_POLL_SECONDS)

    def release(self, hold_id: str | None = None) -> None:
        """Take a hold away, or all of them: whatever stands there goes on."""
        self._call("DELETE", f"holds?id={hold_id}" if hold_id else "holds")

    def requests(self, latest: int = 20) -> dict[str, Any]:
        """The counters since the last reset, with the `latest` requests."""
        return self._call("GET", f"requests?latest={latest}")

    def reset_requests(self) -> None:
        """Begin counting anew."""
        self._call("DELETE", "requests")

    def _call(self, method: str, name: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.host}/_sandbox/{name}", data, method=method)  # noqa: S310 - http on loopback
        try:
            with _direct.open(request) as answer:
                return dict(json.load(answer))
        except HTTPError as error:
            with error:
                reason = error.read().decode("utf-8", "replace")
            raise RuntimeError(f"The sandbox refused {method} {name}: {reason}") from None

    def _command(self, ready: Path) -> list[str]:
        command = [sys.executable, "-m", "genie_sandbox", "--data", str(self._data)]
        command += ["--ready-file", str(ready), "--parent-pid", str(os.getpid())]
        command += ["--clock", str(self._clock_ms)] if self._clock_ms is not None else []
        command += ["--state", str(self._state)] if self._state else []
        command += [part for port in self._ports for part in ("--port", str(port))]
        return command if self._sql else [*command, "--no-sql"]

    def _wait_for(self, ready: Path, output: Path) -> None:
        process = self._process
        deadline = time.monotonic() + self._start_seconds
        while process is not None and not ready.exists():
            ended = process.poll() is not None
            if ended or time.monotonic() > deadline:
                shown = output.read_text("utf-8", "replace")[-_SHOWN_OUTPUT:]
                raise RuntimeError(f"The sandbox {'ended' if ended else 'did not start'}: {shown}")
            time.sleep(_POLL_SECONDS)
        self._facts = json.loads(ready.read_text(encoding="utf-8"))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()
