"""The Dagster UI with its daemon, as a process that ends with ours."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NoReturn
from urllib.request import ProxyHandler, build_opener

import click

from genie_assets.commands import code_server
from genie_assets.commands.guarded import SECONDS_TO_END
from genie_assets.commands.ports import LOOPBACK, why_not
from genie_assets.commands.shipped import WORKSPACE, shipped

_LOOK_SECONDS = 0.3
_SECONDS_BETWEEN_LOOKS = 5.0  # at the code server, while all goes well
_CODE_IS_GONE = (
    "The process with our code ended, and Dagster could not start it again; what it said of that stands above. "
    "Start the UI again with the same command. Nothing that is stored is lost; what a run had not done, the next "
    "one does."
)
_ENDED = (
    "Dagster's webserver or its daemon ended, and the other one with it; what Dagster said of it stands above. "
    "Start both again with the same command. Nothing that is stored is lost; what a run had not done, "
    "the next one does."
)
# Straight to loopback, whatever proxy the environment names.
_direct = build_opener(ProxyHandler({}))


def require_port(port: int) -> None:
    """See to it that the UI can be served there.

    Raises:
        click.ClickException: it cannot; says what to do.
    """
    problem = why_not(port)
    if problem:
        raise click.ClickException(f"Port {port} {problem}: choose another one with --port.")


def prepare(home: Path) -> None:
    """Make the home's databases in this one process: webserver and daemon, which start together, would race."""
    from genie_assets.commands.running import Runner

    Runner(home).close()


def serve_ui(home: Path, port: int, settings: Mapping[str, str]) -> NoReturn:
    """Run Dagster's webserver and daemon on our definitions until we are interrupted.

    One of them that ends takes the other along. `dagster dev` calls even that a success: whoever keeps us running
    would take it for one. The process with our code is started again.

    Args:
        home: The Dagster home, with its database. It is the working directory, too: Dagster would let a `.env`
            there win over the environment, and there is none.
        port: Port of the UI, on loopback.
        settings: The environment variables besides those that we have.

    Raises:
        click.ClickException: they ended by themselves.
    """
    command = [sys.executable, "-m", "genie_assets.commands.guarded"]
    command += [sys.executable, "-m", "dagster", "dev", "-w", str(shipped(WORKSPACE)), "--log-level", "warning"]
    ours = {
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*command, "-h", LOOPBACK, "-p", str(port)],
        cwd=home,
        env={**os.environ, **settings, **ours},
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _announce(process, f"http://{LOOPBACK}:{port}")
        sentence = _attend(process, f"http://{LOOPBACK}:{port}")
    finally:
        _end(process)
    raise click.ClickException(sentence)


def _attend(process: subprocess.Popen[bytes], url: str) -> str:
    """Wait for the end of any of its processes that is not mended; one sentence on it."""
    code = code_server.CodeServer(
        lambda: code_server.lives(process.pid), code_server.reload_of(url), partial(click.echo, err=True)
    )
    while code.look(time.monotonic()):
        with suppress(subprocess.TimeoutExpired):
            process.wait(_SECONDS_BETWEEN_LOOKS)
            return _ENDED
    return _CODE_IS_GONE


def _announce(process: subprocess.Popen[bytes], url: str) -> None:
    while process.poll() is None:
        with suppress(OSError), _direct.open(f"{url}/server_info", timeout=5) as answer:
            if answer.status == 200:
                click.echo(f"Dagster is ready at {url} (Ctrl-C ends it)")
                return
        time.sleep(_LOOK_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_END + 1)
    # What the command started and left behind.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
