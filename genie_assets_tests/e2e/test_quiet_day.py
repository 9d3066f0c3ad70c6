"""A day on which nothing happens, with schedules and sensors as they are shipped: what it asks of a warehouse."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from genie_assets.definitions import build_defs
from genie_assets_tests.e2e.daemon_days import Daemon, JumpingClock, dagster_at, kept_instance
from genie_assets_tests.e2e.pipelines import point_at
from genie_assets_tests.gateways.stub_server import Reply, StubServer, always
from genie_sandbox.account import save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

MOST_STATEMENTS, QUARTER = 400, dt.timedelta(minutes=15)
HISTORY = 5  # days


def a_monday() -> dt.datetime:
    """The latest one that is over: what is weekly, and walks all conversations, has run the day before."""
    today = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - dt.timedelta(days=today.weekday() or 7)


def ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)


class QuietDay:
    """The day, as the sandbox counts it."""

    def __init__(self, sandbox: SandboxProcess, daemon: Daemon, clock: JumpingClock) -> None:
        self._sandbox, self._daemon, self._clock = sandbox, daemon, clock

    def until(self, end: dt.datetime) -> Iterator[tuple[dt.datetime, int]]:
        """Each step, and how many statements were sent at it."""
        at = self._clock.now()
        while (at := at + QUARTER) < end:
            self.be_at(at)
            self._sandbox.reset_requests()
            for _ in self._daemon.catch_up():
                pass
            yield at, self._sandbox.requests(0)["by_call"].get("POST statements", 0)

    def be_at(self, at: dt.datetime) -> None:
        self._sandbox.set_clock(ms(at))
        self._clock.jump_to(at)


# On Sunday the conversations of all spaces are walked.
@pytest.mark.parametrize("weekday", ["Monday", "Sunday"])
def test_a_quiet_day_asks_little_of_a_warehouse_and_lets_it_sleep_in_between(
    weekday: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    midnight = a_monday() - dt.timedelta(days=weekday == "Sunday")
    evening = midnight - dt.timedelta(hours=1)
    account = generate_uniform(
        seed=3, anchor=evening, conversations=HISTORY * 4, messages_per_conversation=2, days=HISTORY
    )
    save(account, tmp_path / "account")
    clock = JumpingClock(evening)
    with (
        SandboxProcess(tmp_path / "account", clock_ms=ms(evening)) as sandbox,
        StubServer(always(Reply())).running() as channel,
        kept_instance(tmp_path) as instance,
        dagster_at(clock),
    ):
        point_at(sandbox, "uc://main.quiet", monkeypatch)  # type: ignore[arg-type]
        monkeypatch.setenv("GENIE_ALERT_CHANNELS", f"json://127.0.0.1:{channel.port}/hook")
        monkeypatch.setenv("GENIE_ALERT_HEARTBEAT_URL", f"{channel.url}/beat")
        monkeypatch.setenv("GENIE_FIRST_DAY", str((midnight - dt.timedelta(days=HISTORY)).date()))
        daemon = Daemon(build_defs(clock=clock), instance, clock)
        day = QuietDay(sandbox, daemon, clock)
        for _ in day.until(midnight):
            pass
        assert daemon.runs["genie_daily", True] >= HISTORY, "the days load themselves"
        # What was made for the first time is neither made again nor tidied up on a quiet day.
        daemon.run("genie_views", "genie_maintenance")
        daemon.runs.clear()
        day.be_at(midnight)
        sent = {at: number for at, number in day.until(midnight + dt.timedelta(days=1)) if number}
    assert all(succeeded for _, succeeded in daemon.runs)
    (told,) = [request.body.decode() for request in channel.requests if request.path == "/hook"]
    assert "genie-assets: 1 warning" in told
    assert "WARNING: audit_is_fresh fails" in told, "an account in which nobody does anything has no audit rows"
    assert channel.paths().count("/beat") >= 24 * 4
    assert daemon.runs["genie_late_days", True] == 24
    assert daemon.runs["genie_daily", True] == 24 + 3
    assert sum(sent.values()) <= MOST_STATEMENTS
