"""Which spaces dashboards made, and which tags spaces have."""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from genie_sandbox.account import Space

_OWNERS = ("finance", "sales operations", 'Ωmega = team; "quoted"')


def tagged(rng: random.Random, spaces: Iterable[Space]) -> tuple[Space, ...]:
    """The spaces with tags; of each workspace with several, the last one was made by a dashboard."""
    found = list(spaces)
    by_workspace: defaultdict[str, list[str]] = defaultdict(list)
    for space in found:
        by_workspace[space.workspace_id].append(space.space_id)
    companions = {(place, ids[-1]) for place, ids in by_workspace.items() if len(ids) > 1}
    return tuple(
        replace(space, is_companion=(space.workspace_id, space.space_id) in companions, tags=_tags(rng, number))
        for number, space in enumerate(found)
    )


def _tags(rng: random.Random, number: int) -> dict[str, str]:
    """None for every third space; a tag may be a key alone."""
    if number % 3 == 2:
        return {}
    certified = {"certified": ""} if number % 2 else {}
    return {"owner": rng.choice(_OWNERS), "cost_centre": str(rng.randrange(1000, 9999)), **certified}
