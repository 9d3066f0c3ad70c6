"""What runs and checks leave in their metadata for sensors and alerts, so that no tick asks a warehouse."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.waiting import Wait

OF_ANSWERS = ("p50_response_ms", "p95_response_ms", "responses_timed", "spaces")
"""Under which names metadata say how a day was answered."""

WAITING = "waiting"
"""Under which name metadata say what waits for a run."""

CAUSES = "causes"
"""Under which name a check says how many messages cannot be read for which error class: alerts go by it."""

LEDGER = "ledger"
"""Under which name it says which ledger knows them, by its short name, if it is not that of messages."""


def waits_to_json(waits: Mapping[dt.date, Wait]) -> dg.JsonMetadataValue:
    """What waits for a run, by day, as metadata."""
    return dg.MetadataValue.json(
        {str(day): [at.isoformat() if at else None for at in wait] for day, wait in sorted(waits.items())}
    )


def waits_from_json(value: Any) -> dict[dt.date, Wait]:
    """What `waits_to_json` made metadata of."""
    return {
        dt.date.fromisoformat(day): Wait(*(dt.datetime.fromisoformat(at) if at else None for at in times))
        for day, times in value.items()
    }


_CHANGED_SPACES = "changed_spaces"


def changed_spaces_to_json(spaces: Sequence[SpaceKey]) -> dict[str, Any]:
    """Spaces that were changed, as metadata; nothing if there are none."""
    return {_CHANGED_SPACES: dg.MetadataValue.json([list(key) for key in spaces])} if spaces else {}


def changed_spaces_of(metadata: Mapping[str, Any]) -> list[SpaceKey]:
    """What `changed_spaces_to_json` made metadata of."""
    noted = metadata.get(_CHANGED_SPACES)
    return [SpaceKey(*key) for key in noted.value] if noted else []
