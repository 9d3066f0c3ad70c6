"""What runs measure, sent over OTLP to a real receiver: equal to what is counted, off by default, harmless."""

import gzip
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from genie_assets.domain.fetch_runs import Asked, Course
from genie_assets.domain.measures import measures_of_fetch
from genie_assets.domain.requests import Sent
from genie_assets.domain.run_costs import STATEMENTS, Costs, Traffic, measures_of_costs
from genie_assets.gateways.telemetry import TelemetryError, send
from genie_assets_tests.day_runs import run_day
from genie_assets_tests.pipeline.world import BROKEN, World

pytestmark = pytest.mark.servers

Points = dict[tuple[str, frozenset[tuple[str, str]]], Any]


class Receiver:
    """Takes OTLP, or answers with a status; keeps the points of what it was sent."""

    def __init__(self, status: int = 200) -> None:
        self.status, self.bodies = status, list[bytes]()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_packed = self.headers.get("Content-Encoding") == "gzip"
                receiver.bodies.append(gzip.decompress(body) if is_packed else body)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def resource(self) -> dict[str, str]:
        """What the latest measures said of who sent them."""
        (latest,) = ExportMetricsServiceRequest.FromString(self.bodies[-1]).resource_metrics
        return {each.key: each.value.string_value for each in latest.resource.attributes}

    def points(self) -> Points:
        found: Points = {}
        for body in self.bodies:
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                    for point in metric.histogram.data_points or metric.sum.data_points:
                        where = frozenset((one.key, one.value.string_value) for one in point.attributes)
                        found[metric.name, where] = point
        return found


@contextmanager
def receiving(patch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver to which the environment points."""
    receiver = Receiver()
    patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{receiver.server.server_port}")
    patch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        patch.delenv(name, raising=False)
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving(monkeypatch) as running:
        yield running


def asked() -> Asked:
    course = Course()
    for sent in (Sent("GET", 12, 500), Sent("GET", 12, 300, again=True), Sent("GET", 90, 0, throttled=True)):
        course.count(sent)
    made = Asked(courses={("w1", "GET"): course})
    made.wanted["w1"], made.failures["w1", "SERVER"] = 3, 1
    return made


def test_the_receiver_gets_what_was_counted(receiver: Receiver) -> None:
    send(measures_of_fetch(asked(), 1.5))
    where = frozenset({("databricks.workspace.id", "w1"), ("genie.endpoint", "GET")})
    points = receiver.points()
    counted = {
        name: point.as_int for (name, at), point in points.items() if at == where and not hasattr(point, "sum")
    }
    assert counted == {
        "genie_assets.requests": 3,
        "genie_assets.requests.throttled": 1,
        "genie_assets.requests.again": 1,
        "genie_assets.answers": 800,
    }
    duration = points["genie_assets.request.duration", where]
    assert (duration.count, duration.sum) == (3, 114)
    why = frozenset({("databricks.workspace.id", "w1"), ("error.type", "SERVER")})
    assert points["genie_assets.messages.failed", why].as_int == 1
    assert points["genie_assets.fetch.duration", frozenset()].sum == 1.5


def test_costs_of_a_run_are_sent_by_job_and_endpoint(receiver: Receiver) -> None:
    costs = Costs({STATEMENTS: Traffic(2, 0, 1, 70, retries=1)}, statement_ms=1_500, rows=4, result_bytes=60)
    costs.traffic[STATEMENTS].times.update({20: 1, 50: 1})
    send(measures_of_costs(costs, "genie_daily"))
    of_job = {("dagster.job", "genie_daily")}
    of_endpoint = of_job | {("databricks.endpoint", STATEMENTS)}
    points = receiver.points()
    duration = points.pop(("genie_assets.api.request.duration", frozenset(of_endpoint)))
    assert (duration.count, duration.sum, duration.max) == (2, 70, 50)
    assert {(name.removeprefix("genie_assets."), at): point.as_int for (name, at), point in points.items()} == {
        ("warehouse.statements", frozenset(of_job)): 2,
        ("warehouse.time", frozenset(of_job)): 1_500,
        ("warehouse.rows", frozenset(of_job)): 4,
        ("warehouse.results", frozenset(of_job)): 60,
        ("api.requests", frozenset(of_endpoint)): 2,
        ("api.requests.throttled", frozenset(of_endpoint)): 0,
        ("api.requests.failed", frozenset(of_endpoint)): 1,
        ("api.requests.again", frozenset(of_endpoint)): 1,
        ("api.answers", frozenset(of_endpoint)): 70,
    }


def test_two_runs_are_two_differences_and_no_sum(receiver: Receiver) -> None:
    send(measures_of_fetch(asked(), 1.5))
    receiver.bodies.clear()
    send(measures_of_fetch(asked(), 1.5))
    assert receiver.points()["genie_assets.fetch.duration", frozenset()].count == 1


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, {"service.name": "genie-assets"}),
        ({"OTEL_SERVICE_NAME": "genie-emea"}, {"service.name": "genie-emea"}),
        ({"OTEL_SERVICE_NAME": "", "OTEL_RESOURCE_ATTRIBUTES": "service.name="}, {"service.name": "genie-assets"}),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=genie-apac,deployment.environment.name=live"},
            {"service.name": "genie-apac", "deployment.environment.name": "live"},
        ),
    ],
)
def test_standard_variables_say_whose_measures_they_are(
    variables: dict[str, str], told: dict[str, str], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two installations that send to one receiver are told apart by these."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    send(measures_of_fetch(asked(), 1.5))
    assert told.items() <= receiver.resource().items()
    assert receiver.resource()["service.version"] == version("genie-assets")


def test_a_receiver_that_refuses_or_is_away_is_one_sentence_without_its_address(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 403
    with pytest.raises(TelemetryError, match=r"^the receiver of OTEL_EXPORTER_OTLP_ENDPOINT did not take them$"):
        send(measures_of_fetch(asked(), 1.5))
    assert "127.0.0.1" not in caplog.text


def test_what_opentelemetry_says_of_a_variable_is_not_repeated(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Headers are written with an equals sign; who writes a colon would find the login in the log."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization: Bearer s3cret")
    receiver.status = 403
    with pytest.raises(TelemetryError, match="not every OTEL_EXPORTER_OTLP_… is understood"):
        send(measures_of_fetch(asked(), 1.5))
    assert "s3cret" not in caplog.text


def test_a_run_sends_only_if_it_shall_and_no_text_and_fails_for_no_receiver(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "lake")
    world.ask("m1", "m2")
    world.genie.errors["m2"] = BROKEN
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_day(world, instance).success
        assert receiver.bodies == []
        monkeypatch.setenv("GENIE_TELEMETRY", "true")
        world.ask("m3", conversation_id="c3")
        assert run_day(world, instance).success
        wanted = [
            point for (name, _), point in receiver.points().items() if name == "genie_assets.messages.wanted"
        ]
        assert [point.as_int for point in wanted] == [1]
        receiver.status = 403
        world.ask("m4", conversation_id="c4")
        assert run_day(world, instance).success
