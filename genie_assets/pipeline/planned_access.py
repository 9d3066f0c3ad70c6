"""What a plan would do to permissions: what is wanted, by our tables or a folder, beside what is granted now."""

import datetime as dt
from dataclasses import dataclass, field

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import Equals
from genie_assets.domain.space_access import Access, Levels, WantedAccess, access, granted_by, wanted_at
from genie_assets.domain.space_permissions import inherited_levels
from genie_assets.domain.space_plans import Plan
from genie_assets.domain.tables import GENIE_SPACE_PERMISSIONS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.ports import LiveSpaces

_NOT_WHOLE = "the answer names nobody, or something that this version does not know"


@dataclass(frozen=True)
class Granted:
    """What a space grants itself, and what it inherits."""

    levels: Levels = field(default_factory=dict)
    inherited: Levels = field(default_factory=dict)


def wanted_access(
    lake: Lakehouse, key: SpaceKey, at: dt.datetime | None = None, *, is_all: bool = False
) -> WantedAccess | str:
    """What a space granted at a time, or at the last look, by our tables; else why that is not known."""
    where = [Equals("workspace_id", key.workspace_id), Equals("space_id", key.space_id)]
    if lake.exists(GENIE_SPACE_PERMISSIONS):
        wanted = wanted_at(lake.records(GENIE_SPACE_PERMISSIONS, where=where), at, is_all=is_all)
        if wanted is not None:
            return wanted
    return f"no look{'' if at is None else f' up to {at:%Y-%m-%d %H:%M} UTC'} has told who may use it"


def planned_access(plan: Plan, wanted: WantedAccess | str, live: LiveSpaces) -> Access | str:
    """What a plan would do to permissions, whoever makes it; else why that is not known."""
    if isinstance(wanted, str):
        return wanted
    now: Granted | str = Granted() if plan.key is None else granted(live, plan.key)
    return now if isinstance(now, str) else access(wanted, now.levels)


def granted(live: LiveSpaces, key: SpaceKey) -> Granted | str:
    """Who may use a space; else why that is not known."""
    answer = live.permissions(key)
    if isinstance(answer, FetchError):
        return f"who may use it cannot be read: {answer.message.rstrip('.')}"
    levels = granted_by(answer)
    if levels is None:
        return f"who may use it cannot be read: {_NOT_WHOLE}"
    return Granted(levels, inherited_levels(answer))
