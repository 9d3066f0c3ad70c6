"""A Sail process and the one session in it. When either is gone, both are over: a new one is cheap."""

import contextlib
import logging
import os
import subprocess
import sys
import time
import warnings
from typing import Any

_SERVER = "genie_sandbox.sql.sail_server"
_TIME_ZONE = "spark.sql.session.timeZone"
TIMEOUT = "SAIL_SPARK__SESSION_TIMEOUT_SECS"
"""Sail's own variable: it ends a session that it was not asked anything for so long, also one that is at work."""
_THREADS = "TOKIO_WORKER_THREADS"
_ENVIRONMENT = {
    "RUST_LOG": "error",
    # One heavy query keeps a thread per core busy without a pause: others must be left for the rest.
    _THREADS: "16",
    # Sail's default. It remembers every request for so long: days would cost memory, and outlast no suspension.
    TIMEOUT: "1200",
}


class SailSession:
    """Made running. `spark` may be used by several threads; everything else is the holder's business.

    Raises:
        RuntimeError: when the process does not start.
        ValueError: when Sail's variable for the timeout is not a number.
    """

    def __init__(self) -> None:
        # How many threads others here may start says nothing of Sail's: with one, a long statement holds up all.
        environment = {**_ENVIRONMENT, **os.environ, _THREADS: _ENVIRONMENT[_THREADS]}
        self._timeout = float(environment[TIMEOUT])
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", _SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self.users = 0
        self.runs = 0
        self.spark: Any = None
        self._asked_at = time.monotonic()
        try:
            self.spark = _session(self._port())
            self.spark.conf.set(_TIME_ZONE, "UTC")
        except BaseException:
            self.close()
            raise

    @property
    def seconds_between_questions(self) -> float:
        """How often it must be asked something so that Sail does not take it for forgotten."""
        return self._timeout / 4

    def is_alive(self) -> bool:
        """Whether it would run a statement now, as far as a look at the clock can tell."""
        # Sail's clock and ours stand still together.
        recent = time.monotonic() - self._asked_at < self.seconds_between_questions
        return self._process.poll() is None if recent else self.answers()

    def answers(self) -> bool:
        """Ask it something small, which keeps it alive; whether it answers."""
        if self._process.poll() is not None:
            return False
        began_at = time.monotonic()
        try:
            self.spark.conf.get(_TIME_ZONE)
        except Exception:  # noqa: BLE001  Whatever it is: who does not answer this runs no statement either.
            return False
        self._asked_at = began_at
        return True

    def close(self) -> None:
        """End the process and whatever it is doing, then the client; harmless when repeated."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        if self.spark is not None:
            self.spark.release_session_on_close = False  # there is nobody left to release it
            with contextlib.suppress(Exception):
                self.spark.stop()

    def _port(self) -> int:
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line.strip().isdigit():
            raise RuntimeError(
                f"The sandbox's SQL engine did not start: it ended with code {self._process.wait()}."
            )
        return int(line)


def _session(port: int) -> Any:
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

    # It would log every failed statement with its text; the caller is told of the failure anyway.
    logging.getLogger("pyspark.sql.connect.logging").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]")
    # Straight to loopback, whatever proxy the environment names.
    address = DefaultChannelBuilder(f"sc://127.0.0.1:{port}", [("grpc.enable_http_proxy", 0)])
    session = SparkSession(address)
    # A process that is gone does not come back: the default waits ten minutes for it.
    session.client.set_retry_policies([DefaultPolicy(max_retries=2)])
    return session
