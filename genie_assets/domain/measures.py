"""What a run measured, as points of metrics: names, units and attributes are decided here, sending is not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from genie_assets.domain.fetch_runs import Asked

Kind = Literal["counter", "histogram"]


@dataclass(frozen=True)
class Measure:
    """A value of a metric, and how often it was measured.

    Attributes:
        name: The metric's name.
        kind: What values of it are: a counter's are added up, a histogram's are distributed.
        unit: Its unit, as UCUM spells it.
        meaning: What it counts.
        value: The value.
        attributes: Which workspace, endpoint, outcome: ids and words of ours, never a text of a user.
        times: How often it was measured.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    value: float
    attributes: Mapping[str, str] = field(default_factory=dict)
    times: int = 1


def measures_of_fetch(asked: Asked, seconds: float) -> Iterator[Measure]:
    """What a fetch of a day tells.

    Args:
        asked: What it asked for, and what came of it.
        seconds: How long it took.
    """
    yield Measure("genie_assets.fetch.duration", "histogram", "s", "Time that a run took to fetch a day.", seconds)
    for (workspace_id, endpoint), course in sorted(asked.courses.items()):
        where = {"databricks.workspace.id": workspace_id, "genie.endpoint": endpoint}
        for name, unit, meaning, value in (
            ("requests", "{request}", "Requests to the Genie API.", course.requests),
            ("requests.throttled", "{request}", "Requests that were answered 429.", course.answered_429),
            ("requests.again", "{request}", "Requests sent because the one before failed.", course.retries),
            ("answers", "By", "Bodies of answers, unpacked.", course.bytes),
        ):
            yield Measure(f"genie_assets.{name}", "counter", unit, meaning, value, where)
        for ms, count in sorted(course.times.items()):
            meaning = "Time until a request was answered."
            yield Measure("genie_assets.request.duration", "histogram", "ms", meaning, ms, where, count)
    for (workspace_id, error_class), count in sorted(asked.failures.items()):
        why = {"databricks.workspace.id": workspace_id, "error.type": error_class}
        yield Measure(
            "genie_assets.messages.failed", "counter", "{message}", "Messages that could not be read.", count, why
        )
    for workspace_id, count in sorted(asked.wanted.items()):
        where = {"databricks.workspace.id": workspace_id}
        yield Measure("genie_assets.messages.wanted", "counter", "{message}", "Messages to ask for.", count, where)
