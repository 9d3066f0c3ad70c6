"""OpenTelemetry: what runs measured, sent over OTLP to where the standard OTEL_EXPORTER_OTLP_… variables say.

A run's process does not last: what it counts is sent as it ends, as differences and not as sums since a start,
unless OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE says otherwise. OTEL_SERVICE_NAME and
OTEL_RESOURCE_ATTRIBUTES say whose they are, where several installations send to one receiver.
"""

import logging
import os
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from genie_assets.domain.measures import Measure

SEND_SECONDS = 10.0
_TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"


class TelemetryError(Exception):
    """What was measured was not taken. The message says why, in one sentence without addresses."""


def send(measures: Iterable[Measure]) -> None:
    """Send measures, and wait until they are taken, for ten seconds at most.

    Raises:
        TelemetryError: OpenTelemetry is not installed, or nobody took them.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
        from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    except ImportError:
        raise TelemetryError("OpenTelemetry is not installed: pip install 'genie-assets[telemetry]'") from None
    differences: dict[type, Any] = dict.fromkeys((Counter, Histogram), AggregationTemporality.DELTA)
    # What it says of variables that it does not understand quotes them, and one may hold a login.
    with _Heard() as misread:
        exporter = OTLPMetricExporter(
            timeout=SEND_SECONDS, preferred_temporality=None if _TEMPORALITY in os.environ else differences
        )
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
        # What is given here wins over OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES: so it is given those, too.
        theirs = {name: value for name, value in OTELResourceDetector().detect().attributes.items() if value}
        resource = Resource.create({**_ours(), **theirs})
        provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    with _Heard() as heard:
        _record(provider.get_meter("genie_assets"), measures)
        taken = provider.force_flush(SEND_SECONDS * 1000)
        provider.shutdown()
    if not taken or heard.problems:
        why = ", and not every OTEL_EXPORTER_OTLP_… is understood" if misread.problems else ""
        raise TelemetryError(f"the receiver of OTEL_EXPORTER_OTLP_ENDPOINT did not take them{why}")


def _ours() -> dict[str, str]:
    return {"service.name": "genie-assets", "service.version": version("genie-assets")}


def _record(meter: Any, measures: Iterable[Measure]) -> None:
    made: dict[str, Any] = {}
    for each in measures:
        if each.name not in made:
            make = meter.create_counter if each.kind == "counter" else meter.create_histogram
            made[each.name] = make(each.name, unit=each.unit, description=each.meaning)
        if each.kind == "counter":
            made[each.name].add(each.value * each.times, dict(each.attributes))
        else:
            for _ in range(each.times):
                made[each.name].record(each.value, dict(each.attributes))


class _Heard(logging.Handler):
    """What the exporter says of its failures: it raises none. Its words may quote an address, and stay here."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.problems = 0
        self._log = logging.getLogger("opentelemetry")

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 - the handler's own signature
        self.problems += 1

    def __enter__(self) -> "_Heard":
        self._propagated, self._log.propagate = self._log.propagate, False
        self._log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.removeHandler(self)
        self._log.propagate = self._propagated
