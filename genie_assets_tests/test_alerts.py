"""The sensor `alerts` and the command, with a real Dagster instance and real receivers of HTTP and SMTP."""

import datetime as dt
import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
)

from genie_assets.commands.cli import main
from genie_assets.definitions import build_defs
from genie_assets.domain.advice import ADVICE, REGION_UNREAD, RUN_FAILED
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.channels import open_channels, send_to_all
from genie_assets.partitions import utc_days
from genie_assets.runs import PARTITION_TAG
from genie_assets_tests.day_runs import back, evaluations, standing_run
from genie_assets_tests.gateways.smtp_server import SmtpServer
from genie_assets_tests.gateways.stub_server import Reply, StubServer, always
from genie_assets_tests.pipeline.world import World
from genie_assets_tests.test_documents import section
from genie_assets_tests.test_late_days import MISS_A_REGION

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
LEDGER, FETCHED, LOG = "message_fetch_errors", "genie_api_messages", "system/access/audit"
TOKEN = "t0ken-of-the-channel"
REPOSITORY = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("genie_assets"), "__repository__")


class MovedClock:
    """The real time, which Dagster's records have, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead


class Watch:
    """The sensor on an instance: each tick is given what the one before has left, as the daemon does it."""

    def __init__(self, instance: dg.DagsterInstance, definitions: dg.Definitions, clock: MovedClock) -> None:
        self.instance, self.definitions, self.clock = instance, definitions, clock
        self.cursor: str | None = None

    def tick(self, *, after: dt.timedelta = MINUTE) -> str:
        self.clock.ahead += after
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            definitions=self.definitions,
            resources={"genie_clock": self.clock},
        )
        with context:
            result: Any = self.definitions.resolve_sensor_def("alerts").evaluate_tick(context)
        self.cursor = result.cursor
        assert not result.run_requests
        return str(result.skip_message)

    def verdict(
        self, check: str, *, passed: bool, day: dt.date | None = None, metadata: Any = None, **more: Any
    ) -> None:
        asset, _, name = check.partition(":")
        key = dg.AssetKey(asset.split("/"))
        partition = day.isoformat() if day else None
        evaluated = dg.AssetCheckEvaluation(
            asset_key=key, check_name=name, passed=passed, metadata=metadata or {}, partition=partition, **more
        )
        event_type = dg.DagsterEventType.ASSET_CHECK_EVALUATION.value
        event = dg.DagsterEvent(event_type, job_name="genie_daily", event_specific_data=evaluated)
        self.instance.report_dagster_event(event, run_id=str(uuid.uuid4()))


@pytest.fixture
def web() -> Iterator[StubServer]:
    with StubServer(always(Reply())).running() as server:
        yield server


@pytest.fixture
def post() -> Iterator[SmtpServer]:
    with SmtpServer().running() as server:
        yield server


@pytest.fixture
def channels(web: StubServer, post: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = f"json://127.0.0.1:{web.port}/{TOKEN}"
    mail = f"mailto://127.0.0.1:{post.port}?mode=insecure&from=genie@example.com&to=team@example.com"
    monkeypatch.setenv("GENIE_ALERT_CHANNELS", f"{hook} {mail}")
    monkeypatch.setenv("GENIE_ALERT_HEARTBEAT_URL", f"{web.url}/beat/{TOKEN}")
    monkeypatch.setenv("GENIE_DAGSTER_URL", "https://dagster.example.com")


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs()


@pytest.fixture
def watch(channels: None, definitions: dg.Definitions) -> Iterator[Watch]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watch(instance, definitions, MovedClock())


@pytest.fixture
def on_disk(channels: None, definitions: dg.Definitions, tmp_path: Path) -> Iterator[Watch]:
    """Only such an instance knows schedules."""
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield Watch(instance, definitions, MovedClock())


def hooked(web: StubServer) -> list[Mapping[str, str]]:
    return [json.loads(each.body) for each in web.requests if each.path == f"/{TOKEN}"]


def beats(web: StubServer) -> int:
    return web.paths().count(f"/beat/{TOKEN}")


def causes(**counts: int) -> dict[str, Any]:
    return {"metadata": {"causes": dg.MetadataValue.json(counts)}}


def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def test_a_thousand_failing_checks_of_a_night_are_one_message_about_one_incident_per_cause(
    watch: Watch, web: StubServer, post: SmtpServer
) -> None:
    """Thirty days fail hour after hour for a lack of grants, and the ledger's check for the same."""
    for number in range(1_000):
        day = today() - dt.timedelta(days=number % 30)
        watch.verdict(f"{FETCHED}:api_success_rate", passed=False, day=day, **causes(PERMISSION=7, SERVER=1))
        if number % 200 == 0:
            watch.tick(after=HOUR)
    watch.verdict(f"{LEDGER}:no_open_errors_left", passed=False, **causes(PERMISSION=4_321))
    of_comments = {"metadata": causes(PERMISSION=3)["metadata"] | {"ledger": "comments"}}
    watch.verdict("comment_fetch_errors:ledger_is_clear", passed=False, **of_comments)
    for _ in range(5):
        watch.tick()
    (message,) = hooked(web)
    assert message["title"] == "genie-assets: 2 broken"
    paragraphs = message["message"].split("\n\n")
    assert [each.partition(":")[2].partition(":")[0].strip() for each in paragraphs] == ["PERMISSION", "SERVER"]
    assert f"What to do: {ADVICE[ErrorClass.PERMISSION]}"[:60] in message["message"]
    (mail,) = post.texts()
    assert "PERMISSION" in mail
    assert post.messages[0]["to"] == "team@example.com"
    # Granted: all days are run again, and the ledger is looked at again.
    for number in range(30):
        watch.verdict(f"{FETCHED}:api_success_rate", passed=True, day=today() - dt.timedelta(days=number))
    watch.verdict(f"{LEDGER}:no_open_errors_left", passed=True)
    watch.verdict("comment_fetch_errors:ledger_is_clear", passed=True)
    for _ in range(30):
        watch.tick()
    assert [each["title"] for each in hooked(web)[1:]] == ["genie-assets: 2 fine again"]
    assert hooked(web)[1]["message"].startswith(
        "FINE AGAIN: PERMISSION: 4,321 messages and 3 messages' comments cannot be read, as api_success"
    )
    assert len(post.messages) == 2
    assert beats(web) == 40


def test_a_region_that_is_down_is_one_incident_beside_what_else_the_same_checks_find(
    watch: Watch, web: StubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Three checks miss it; one of them finds another region silent, too."""
    monkeypatch.setenv("GENIE_SETTLED_DAYS", "2")
    monkeypatch.setenv("GENIE_LOOKBACK_DAYS", "3")
    world = World(tmp_path / "lake")
    world.now = dt.datetime.combine(today(), dt.time(6), dt.UTC)
    for days in (1, 2):
        world.event(f"m{days}", f"c{days}", day=back(days), at=world.now - days * 24 * HOUR)

    def load(us: str | None, *days: int, ap: dt.datetime | None = world.now) -> None:
        world.system_tables.regions = {"home": None, "us": us, "ap": None}
        newest = {"home": world.now, "ap": ap} | ({} if us else {"us": world.now})
        world.system_tables.newest_events = newest
        for each in days:
            world.discover(back(each))
        told = evaluations(standing_run(world, *MISS_A_REGION, instance=watch.instance))
        seen.append({name for name, check in told.items() if not check.passed})

    seen: list[set[str]] = []
    away = "There is no SQL warehouse there."
    load(away, 1, 2)
    assert len(seen[-1]) == 3, "each of the three looks for itself"
    watch.tick()
    (first,) = hooked(web)
    (told,) = [each for each in first["message"].split("\n\n") if "us" in each.split(":")[1]]
    assert first["message"].count("us") == told.count("us"), "no other incident speaks of it"
    for part in ("Region us is missing", away, str(back(1)), REGION_UNREAD[:20]):
        assert part in told

    load(away, ap=None)
    watch.tick(after=20 * MINUTE)
    (second,) = hooked(web)[1:]
    assert (second["title"], "Region ap" in second["message"]) == ("genie-assets: 1 broken", True)
    assert "audit_is_fresh" in second["message"]
    assert "us" not in second["message"].partition("What to do")[0].split()

    load(None, 1, 2)
    watch.tick()
    watch.tick(after=20 * MINUTE)
    recovered = [each["message"] for each in hooked(web)[2:]]
    assert sum(each.count("FINE AGAIN: Region us") for each in recovered) == 1
    assert seen[-1] == set()
    assert not any("Region us" in each["message"] for each in hooked(web)[3:])


def test_a_check_that_flaps_does_not_flood(watch: Watch, web: StubServer, post: SmtpServer) -> None:
    for number in range(24):
        watch.verdict(f"{LOG}:audit_is_fresh", passed=number % 2 == 0, severity=dg.AssetCheckSeverity.WARN)
        for _ in range(2):
            watch.tick(after=30 * MINUTE)
    titles = [each["title"] for each in hooked(web)]
    assert titles.count("genie-assets: 1 warning") <= 3, "a day, every hour"
    assert len(titles) <= 5
    assert len(post.messages) == len(titles), "mail is spared, too"


def test_a_channel_that_is_down_is_retried_and_told_once_and_the_heart_rests_until_then(
    watch: Watch, web: StubServer, post: SmtpServer, caplog: pytest.LogCaptureFixture
) -> None:
    post.is_down = True
    description = "Sales <!channel> `http://evil.example` @here?\n\nmore"
    watch.verdict(f"{LOG}:audit_is_fresh", passed=False, description=description)
    told = [watch.tick(after=4 * MINUTE) for _ in range(10)]
    assert "1 of 2 channels cannot be reached" in told[-1]
    assert len(hooked(web)) == 1, "the other one is told in time, and once"
    assert beats(web) == 0
    post.is_down = False
    # A daemon that was restarted knows what the cursor holds, and nothing else.
    restarted = Watch(watch.instance, watch.definitions, watch.clock)
    restarted.cursor, watch = watch.cursor, restarted
    for _ in range(10):
        watch.tick(after=4 * MINUTE)
    (mail,) = post.texts()
    assert len(hooked(web)) == 1
    assert beats(web) > 0
    body = hooked(web)[0]["message"]
    assert body.splitlines()[0] == (
        "BROKEN: audit_is_fresh fails. Sales ‹!channel› 'http : // evil.example' (at)here?"
    )
    assert "https://dagster.example.com/assets/system/access/audit?view=checks&checkDetail=audit_is_fresh" in body
    assert "<!channel>" not in mail
    assert TOKEN not in watch.cursor + caplog.text + "".join(told)
    assert str(post.port) not in watch.cursor + caplog.text


def test_a_channel_that_hangs_holds_up_no_other(web: StubServer) -> None:
    with StubServer(always(Reply(hang_seconds=4))).running() as slow:
        channels = open_channels([f"json://127.0.0.1:{each.port}/{TOKEN}" for each in (slow, web)])
        results = send_to_all(channels, [("title", "body", True)] * 2, seconds=1)
    assert [each.is_taken for each in results] == [False, True]
    assert results[0].reason == "no answer within 1 seconds"
    assert len({each.key for each in channels}) == 2
    assert TOKEN not in repr(channels)


def broken_job(name: str, error: Exception) -> dg.JobDefinition:
    @dg.op
    def step() -> None:
        raise error

    @dg.job(name=name)
    def job() -> None:
        step()

    return job


def run(watch: Watch, status: str, job: str, **tags: str) -> None:
    origin = RemoteJobOrigin(REPOSITORY, job)
    status_of = dg.DagsterRunStatus[status]
    watch.instance.add_run(dg.DagsterRun(job_name=job, status=status_of, tags=tags, remote_job_origin=origin))


def test_failed_runs_are_one_incident_per_error_until_one_of_the_same_day_succeeds(
    watch: Watch, web: StubServer
) -> None:
    sentence = "DATABRICKS_CLIENT_SECRET is not accepted: renew it."
    for name in ("genie_views", "genie_report", "genie_of_somebody_else"):
        job = broken_job(name, dg.Failure(sentence))
        job.execute_in_process(instance=watch.instance, raise_on_error=False)
    question = "what does the boss earn?"
    odd = broken_job("genie_spaces", ValueError(question))
    odd.execute_in_process(instance=watch.instance, raise_on_error=False)
    for day in ("2026-03-02", "2026-03-03"):
        run(watch, "FAILURE", "genie_retry", **{PARTITION_TAG: day})
    run(watch, "FAILURE", "genie_daily", **{PARTITION_TAG: "2026-03-02", "dagster/will_retry": "true"})
    watch.tick()
    (message,) = hooked(web)
    firsts = sorted(each.splitlines()[0] for each in message["message"].split("\n\n"))
    assert firsts == [
        "BROKEN: Runs failed: genie_report 1, genie_views 1. " + sentence,
        "BROKEN: Runs failed: genie_retry 2 (2 days, 2026-03-02 to 2026-03-03). Their errors are not known here.",
        "BROKEN: Runs failed: genie_spaces 1. ValueError ended them.",
    ]
    assert question not in message["message"]
    assert f"What to do: {RUN_FAILED}" in message["message"]
    assert "https://dagster.example.com/runs/" in message["message"]
    # Another job that does the same and more counts, too; of the other day nothing has.
    for job_name in ("genie_views", "genie_report", "genie_spaces"):
        run(watch, "SUCCESS", job_name)
    run(watch, "SUCCESS", "genie_daily", **{PARTITION_TAG: "2026-03-02"})
    for _ in range(12):
        watch.tick()
    assert [each["title"] for each in hooked(web)[1:]] == ["genie-assets: 2 fine again"]
    run(watch, "SUCCESS", "genie_daily", **{PARTITION_TAG: "2026-03-03"})
    for _ in range(12):
        watch.tick()
    assert [each["title"] for each in hooked(web)[2:]] == ["genie-assets: 1 fine again"]


def switch_on(watch: Watch, schedule: str) -> None:
    started = watch.clock.now().timestamp()
    data = ScheduleInstigatorData("0 6 * * *", started)
    origin = RemoteInstigatorOrigin(REPOSITORY, schedule)
    state = InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, data)
    watch.instance.add_instigator_state(state)


def test_silence_is_not_health(on_disk: Watch, web: StubServer) -> None:
    """Checks that nobody evaluates though their schedule is on, and runs that wait while none starts."""
    watch = on_disk
    watch.tick(after=40 * HOUR)
    assert hooked(web) == [], "a schedule that is off evaluates nothing"
    switch_on(watch, "standing_checks_daily")
    watch.tick(after=29 * HOUR)
    assert hooked(web) == []
    run(watch, "QUEUED", "genie_daily", **{PARTITION_TAG: "2026-03-02"})
    watch.tick(after=2 * HOUR)
    (message,) = hooked(web)
    assert re.search(
        r"The schedule standing_checks_daily is on, but (\d+) of its \1 checks were not evaluated since",
        message["message"],
    )
    assert "1 run waits, and none has started for 3 hours." in message["message"]
    assert "the daemon" in message["message"] or "its daemon" in message["message"]


def test_an_evaluation_under_way_is_no_recovery(watch: Watch, web: StubServer) -> None:
    day = today()
    watch.verdict(f"{FETCHED}:ledger_is_true", passed=False, day=day)
    watch.tick()
    planned = dg.DagsterEvent(
        dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value,
        job_name="genie_daily",
        event_specific_data=_planned(day),
    )
    watch.instance.report_dagster_event(planned, run_id=str(uuid.uuid4()))
    for _ in range(30):
        watch.tick()
    assert [each["title"] for each in hooked(web)] == ["genie-assets: 1 broken"]


def _planned(day: dt.date) -> AssetCheckEvaluationPlanned:
    subset = utc_days(day).empty_subset().with_partition_keys([day.isoformat()])
    return AssetCheckEvaluationPlanned(
        asset_key=dg.AssetKey(FETCHED),
        check_name="ledger_is_true",
        partitions_subset=subset.to_serializable_subset(),
    )


def test_the_sensor_is_on_by_itself_where_a_channel_is_named_and_says_so_where_none_is(
    channels: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build_defs().resolve_sensor_def("alerts").default_status is dg.DefaultSensorStatus.RUNNING
    monkeypatch.delenv("GENIE_ALERT_CHANNELS")
    monkeypatch.delenv("GENIE_ALERT_HEARTBEAT_URL")
    without = build_defs()
    assert without.resolve_sensor_def("alerts").default_status is dg.DefaultSensorStatus.STOPPED
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(
            instance=instance, definitions=without, resources={"genie_clock": MovedClock()}
        )
        with context:
            skipped = without.resolve_sensor_def("alerts").evaluate_tick(context)
    assert "set GENIE_ALERT_CHANNELS" in str(skipped.skip_message)


def commands_of_the_runbook() -> list[str]:
    text = section("docs/operations.md", "Alerts")
    return [line.partition("#")[0].strip() for line in text.splitlines() if line.startswith("genie-assets ")]


def test_the_runbooks_command_tries_every_channel_and_says_in_a_line_each_what_happened(
    channels: None, web: StubServer, post: SmtpServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    command, _ = commands_of_the_runbook()
    shown = CliRunner().invoke(main, command.split()[1:])
    assert shown.output.splitlines() == [
        "ok    channel 1 (json): took it",
        "ok    channel 2 (mailto): took it",
        "ok    GENIE_ALERT_HEARTBEAT_URL: took it",
    ]
    assert (shown.exit_code, len(hooked(web)), len(post.messages), beats(web)) == (0, 1, 1, 1)
    post.is_down, web.answer = True, always(Reply(status=503))
    monkeypatch.setenv("GENIE_ALERT_CHANNELS", f"{os.environ['GENIE_ALERT_CHANNELS']} slacc://{TOKEN}/x {TOKEN}")
    shown = CliRunner().invoke(main, command.split()[1:])
    lines = shown.output.splitlines()
    assert shown.exit_code == 1
    assert [line.partition(":")[0] for line in lines] == [
        "FAIL  channel 1 (json)",
        "FAIL  channel 2 (mailto)",
        "FAIL  channel 3 (slacc)",
        "FAIL  channel 4 (no address)",
        "FAIL  GENIE_ALERT_HEARTBEAT_URL",
    ]
    assert "503" in lines[0]
    assert "no address that apprise knows" in lines[2]
    assert lines[4].endswith("HTTP status 503")
    assert not [secret for secret in (TOKEN, str(post.port), "example.com", "127.0.0.1") if secret in shown.output]


def test_without_channels_the_command_says_which_setting_to_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GENIE_ALERT_CHANNELS", raising=False)
    monkeypatch.delenv("GENIE_ALERT_HEARTBEAT_URL", raising=False)
    shown = CliRunner().invoke(main, ["alerts", "test"])
    assert shown.exit_code == 1
    assert "set GENIE_ALERT_CHANNELS to addresses" in shown.output


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("GENIE_ALERT_QUIET_HOURS", "22-7-8", "must be two times such as 22:00-07:00"),
        ("GENIE_ALERT_QUIET_HOURS", "22:00-22:00", "must be two different times"),
        ("GENIE_ALERT_HEARTBEAT_URL", f"ftp://{TOKEN}", "must be a whole address such as https://host/path"),
        ("GENIE_DAGSTER_URL", "dagster", "must be a whole address such as https://host/path"),
        ("GENIE_ALERT_REMIND_HOURS", "0", "must be a number from 1 to 168"),
    ],
)
def test_a_setting_that_is_wrong_is_named_in_one_sentence_without_its_value(
    setting: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(setting, value)
    shown = CliRunner().invoke(main, ["alerts", "test"])
    assert f"{setting} {told}" in shown.output
    assert TOKEN not in shown.output
