"""What channels were told, as the text that Dagster keeps for the sensor; and the text read again.

A text that cannot be read is none: everything that is broken is told once more, which is better than never.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.incidents import Broken, Incident, Severity

# Of what was broken only this much is kept, for the words of its recovery.
_LONGEST = 200


@dataclass(frozen=True)
class Told:
    """The state of one channel: its incidents, and how it could be reached.

    Attributes:
        incidents: What it is to know of each cause.
        failures: How many attempts in a row failed.
        retry_at: When it is tried again, UTC; None if the last attempt was well.
    """

    incidents: tuple[Incident, ...] = ()
    failures: int = 0
    retry_at: dt.datetime | None = None


def to_text(states: Mapping[str, Told]) -> str:
    """The states by channel as a text."""
    return json.dumps({name: _told_to_json(told) for name, told in sorted(states.items())}, separators=(",", ":"))


def from_text(text: str | None) -> dict[str, Told]:
    """The states of a text that `to_text` made; what is no state is left out."""
    try:
        values = json.loads(text or "{}")
    except ValueError:
        return {}
    states = {str(name): _told_of(value) for name, value in values.items()} if isinstance(values, dict) else {}
    return {name: told for name, told in states.items() if told is not None}


def _told_to_json(told: Told) -> dict[str, Any]:
    incidents = [_to_json(incident) for incident in told.incidents]
    return _filled({"incidents": incidents, "failures": told.failures, "retry_at": _at(told.retry_at)})


def _told_of(value: Any) -> Told | None:
    try:
        found = [_of_json(each) for each in value.get("incidents", [])]
        known = tuple(each for each in found if each is not None)
        return Told(known, int(value.get("failures", 0)), _time(value.get("retry_at")))
    except (AttributeError, TypeError, ValueError):
        return None


def _to_json(incident: Incident) -> dict[str, Any]:
    broken = incident.broken
    return _filled(
        {
            "cause": broken.cause,
            "severity": broken.severity,
            "what": broken.what[:_LONGEST],
            "path": broken.path,
            "opened": _at(incident.opened),
            "gone": _at(incident.gone),
            "told": _at(incident.told),
            "told_severity": incident.told_severity,
            "reminders": incident.reminders,
            "returns": incident.returns,
            "over": _at(incident.over),
        }
    )


def _of_json(value: Any) -> Incident | None:
    try:
        opened = dt.datetime.fromisoformat(value["opened"])
        severity = Severity(value["severity"])
        broken = Broken(value["cause"], severity, value["what"], "", opened, value.get("path", ""))
        told_severity = value.get("told_severity")
        return Incident(
            broken,
            opened,
            gone=_time(value.get("gone")),
            told=_time(value.get("told")),
            told_severity=Severity(told_severity) if told_severity else None,
            reminders=int(value.get("reminders", 0)),
            returns=int(value.get("returns", 0)),
            over=_time(value.get("over")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _at(time: dt.datetime | None) -> str | None:
    return time.isoformat() if time else None


def _time(text: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
