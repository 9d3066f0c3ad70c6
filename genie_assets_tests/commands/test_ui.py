"""The UI ends only when its user wants it to; else that is an error, whatever `dagster dev` makes of it."""

import os
import signal
import sys
from pathlib import Path

import click
import pytest

from genie_assets.commands.code_server import SECONDS_TO_GIVE_UP, SECONDS_TO_RELOAD, CodeServer
from genie_assets.commands.ui import serve_ui
from genie_assets_tests.e2e.deployment import Deployment, free_port, wait_for
from genie_assets_tests.e2e.ended import started

LOCATION = """{ workspaceOrError { ... on Workspace { locationEntries {
    locationOrLoadError { __typename } } } } }"""


@pytest.mark.servers
def test_a_ui_that_ends_by_itself_is_an_error(tmp_path):
    """With its webserver or daemon killed, `dagster dev` ends with 0: nobody would have started it again."""
    (tmp_path / "dagster.yaml").write_text("no_such_setting: true\n", encoding="utf-8")
    with pytest.raises(click.ClickException, match="Start both again"):
        serve_ui(tmp_path, free_port(), {})


def test_the_process_with_our_code_is_started_again_once_and_given_up_after_a_minute():
    lives, reloads, told = [False], list[str](), list[str]()
    code = CodeServer(lambda: lives[0], lambda: reloads.append("reload"), told.append)
    assert all(code.look(moment) for moment in (0, 1_000))  # it is not there yet
    lives[0] = True
    assert code.look(2_000)
    lives[0] = False
    assert code.look(2_000 + SECONDS_TO_RELOAD / 2)
    assert reloads == told == []
    assert all(code.look(2_000 + SECONDS_TO_RELOAD + more) for more in (0, 5))
    assert reloads == ["reload"]
    lives[0] = True
    assert code.look(2_030)
    assert told[-1] == "It has been started again."
    lives[0] = False
    assert code.look(2_030 + SECONDS_TO_RELOAD)
    assert not code.look(2_030 + SECONDS_TO_GIVE_UP)
    assert reloads == ["reload"] * 2


def _served_by(family: set[int]) -> set[int]:
    """Those of the processes that have our code loaded."""
    commands = {pid: Path(f"/proc/{pid}/cmdline") for pid in family}
    return {pid for pid, file in commands.items() if file.exists() and b"api\0grpc" in file.read_bytes()}


@pytest.mark.long
@pytest.mark.servers
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_process_with_our_code_is_started_again_within_a_minute(tmp_path):
    """Dagster leaves it dead: webserver and daemon live on, and no schedule starts anything."""
    port = free_port()
    command = [sys.executable, "-m", "genie_assets", "dev", "--demo", "--port", str(port)]
    with started(command, tmp_path, os.environ) as dev:
        dev.says("Dagster is ready")
        ui = Deployment(tmp_path / ".genie/demo/dagster", f"http://127.0.0.1:{port}")
        (code,) = wait_for("The code server", lambda: _served_by(dev.family()), seconds=60)
        os.kill(code, signal.SIGKILL)
        dev.says("It has been started again.")
        assert wait_for("Another code server", lambda: _served_by(dev.family()) - {code}, seconds=60)
        (entry,) = ui.graphql(LOCATION)["locationEntries"]
        assert entry["locationOrLoadError"] == {"__typename": "RepositoryLocation"}, dev.shown
