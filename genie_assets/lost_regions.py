"""Regions that a run has found it cannot read, noted in its tags: the processes of its steps wait for each once.

Where every step is a process of its own, a region that hangs was waited for by each of them. Within one process
the system tables know it themselves. Alerts read the same tags, and need no statement for that.
"""

import json
import logging

import dagster as dg

from genie_assets.gateways.scrubbing import one_line
from genie_assets.gateways.sql.regions import Lost

_TAG = "genie/region."
"""The beginning of the tags; behind it stands the region. Each says of which run it is, and why it cannot be read.

Dagster gives a run that does another one again the tags of that: it looks anew.
"""

_LONGEST = 500  # characters: databases keep tags in indexes
_log = logging.getLogger(__name__)


def lost_in_run(instance: dg.DagsterInstance, run_id: str) -> Lost:
    """What the steps of a run before this one found, and where this one notes what it finds.

    Args:
        instance: Where the run is.
        run_id: The run.
    """
    run = instance.get_run_by_id(run_id)

    def note(region: str, why: str) -> None:
        try:
            text = json.dumps({"run": run_id, "why": one_line(why, _LONGEST)})
            instance.add_run_tags(run_id, {f"{_TAG}{region}": text})
        except Exception as problem:  # noqa: BLE001 - whoever keeps the runs may raise anything; others wait again
            _log.warning("That region %s is lost could not be noted: %s", region, type(problem).__name__)

    return Lost(regions_lost_to(run) if run else {}, note)


def regions_lost_to(run: dg.DagsterRun) -> dict[str, str]:
    """Which regions a run could not read, each with why, in one line."""
    noted = {name: _why(text, run.run_id) for name, text in run.tags.items() if name.startswith(_TAG)}
    return {name.removeprefix(_TAG): why for name, why in noted.items() if why is not None}


def _why(text: str, run_id: str) -> str | None:
    """What a tag says, if it is of this run."""
    try:
        noted = json.loads(text)
    except ValueError:
        return None
    is_ours = isinstance(noted, dict) and noted.get("run") == run_id
    return str(noted.get("why")) if is_ours else None
