"""OpenTelemetry of runs, for those who switch it on (GENIE_TELEMETRY)."""

from collections.abc import Iterable

import dagster as dg

from genie_assets.domain.measures import Measure
from genie_assets.gateways.telemetry import TelemetryError, send
from genie_assets.settings import load_settings


def send_if_wanted(context: dg.AssetExecutionContext, measures: Iterable[Measure]) -> None:
    """Send what a run measured. A receiver that is away is said in the run's log, and fails nothing."""
    if not load_settings().genie_telemetry:
        return
    try:
        send(measures)
    except TelemetryError as problem:
        context.log.warning("What this run measured was not sent (GENIE_TELEMETRY): %s.", problem)
