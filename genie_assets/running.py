"""Running the code location's jobs in this process: for the CLI and the demo, without webserver or daemon."""

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from genie_assets.definitions import build_defs
from genie_assets.gateways.scrubbing import scrub

_INSTANCE_SETTINGS = Path(__file__).resolve().parents[1] / "dagster.yaml"
# The event log has everything; a console line costs milliseconds.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class RunFailedError(Exception):
    """A run did not succeed. The message is the innermost reason, scrubbed."""


@dataclass(frozen=True)
class RunOutcome:
    """What a successful run left: metadata by asset name, and whether each check passed."""

    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)


class Runner:
    """Runs jobs against a persistent Dagster instance, so that the UI shows them later.

    Args:
        home: The instance's folder (DAGSTER_HOME); made if it is missing.
    """

    def __init__(self, home: Path) -> None:
        os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
        home.mkdir(parents=True, exist_ok=True)
        if _INSTANCE_SETTINGS.is_file() and not (home / "dagster.yaml").exists():
            shutil.copy(_INSTANCE_SETTINGS, home / "dagster.yaml")
        self._instance = dg.DagsterInstance.from_config(str(home))
        self._definitions = build_defs()

    def run(self, job_name: str, day: dt.date | None = None) -> RunOutcome:
        """Run a job, for one day if it is partitioned.

        Raises:
            RunFailedError: with the innermost reason, scrubbed.
        """
        result = self._definitions.resolve_job_def(job_name).execute_in_process(
            instance=self._instance,
            partition_key=day.isoformat() if day else None,
            run_config=_QUIET,
            raise_on_error=False,
        )
        if not result.success:
            raise RunFailedError(_reason(result.all_events))
        return RunOutcome(metadata=dict(_metadata(result)), checks=_checks(result))

    def close(self) -> None:
        """Release the instance."""
        self._instance.dispose()


def days_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """All days from first to last, both included."""
    return [first + dt.timedelta(days=offset) for offset in range((last - first).days + 1)]


def _metadata(result: dg.ExecuteInProcessResult) -> Iterator[tuple[str, dict[str, Any]]]:
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        yield (
            materialization.asset_key.to_user_string(),
            {name: value.value for name, value in materialization.metadata.items()},
        )


def _checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {evaluation.check_name: evaluation.passed for evaluation in result.get_asset_check_evaluations()}


def _reason(events: Sequence[dg.DagsterEvent]) -> str:
    """The innermost error of the first failure."""
    for event in events:
        error = getattr(event.event_specific_data, "error", None)
        if error is not None:
            while error.cause is not None:
                error = error.cause
            return scrub(error.message.strip().removeprefix(f"{error.cls_name}: "))
    return "The run failed without telling why; its event log has more."
