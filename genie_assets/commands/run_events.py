"""What the events of a run say: the numbers of its assets, the verdicts of its checks, and why it failed."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster._utils.error import SerializableErrorInfo

from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.scrubbing import scrub
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets.settings import SettingsError

# Their texts are sentences of ours; of anything else, the kind is half of what it says.
_OURS = (dg.Failure, CallError, LakehouseError, SettingsError, WarehouseError)

_NO_REASON = "The run failed without telling why; its event log has more."


@dataclass(frozen=True)
class RunOutcome:
    """What a successful run left: metadata by asset name, whether each check passed, and what failed ones say."""

    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    """By check, of those that did not pass."""


def outcome(events: Sequence[dg.DagsterEvent]) -> RunOutcome:
    """What the events of a successful run say."""
    passed: dict[str, bool] = {}
    problems: dict[str, list[str]] = {}
    # Several tables have checks of the same name: it passed if all of them did.
    for check in _evaluations(events):
        passed[check.check_name] = passed.get(check.check_name, True) and check.passed
        if not check.passed:
            problems.setdefault(check.check_name, []).append(check.description or "")
    return RunOutcome(
        metadata=dict(_metadata(events)),
        checks=passed,
        problems={name: "\n\n".join(filter(None, texts)) for name, texts in problems.items()},
    )


def reason(events: Iterable[dg.DagsterEvent]) -> str:
    """Why a run failed: of its first failure, what our own code said about it, or whatever raised it; scrubbed."""
    for event in events:
        data = event.event_specific_data
        error = getattr(data, "error", None)
        if error is None:
            continue
        failure = getattr(data, "user_failure_data", None)
        return scrub(failure.description) if failure and failure.description else _sentence(error)
    return _NO_REASON


def _metadata(events: Iterable[dg.DagsterEvent]) -> Iterator[tuple[str, dict[str, Any]]]:
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            materialization = event.step_materialization_data.materialization
            values = {name: value.value for name, value in materialization.metadata.items()}
            yield materialization.asset_key.to_user_string(), values


def _evaluations(events: Iterable[dg.DagsterEvent]) -> Iterator[dg.AssetCheckEvaluation]:
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            yield event.asset_check_evaluation_data


def _sentence(error: SerializableErrorInfo) -> str:
    """What was raised, without Dagster's wrappings around it and without the causes beneath it."""
    raised = error
    while raised.cause is not None and (raised.cls_name or "").startswith("Dagster"):
        raised = raised.cause
    name = raised.cls_name or "Error"
    # The message begins with the name, that of its module before it.
    text = re.sub(rf"^[\w.]*\b{re.escape(name)}: ", "", raised.message.strip())
    return scrub(text if name in _names(_OURS) else f"{name}: {text}")


def _names(kinds: Iterable[type]) -> set[str]:
    """Names of these and of all that are derived from them: the event log keeps no more of an exception's kind."""
    return {name for kind in kinds for name in ({kind.__name__} | _names(kind.__subclasses__()))}
