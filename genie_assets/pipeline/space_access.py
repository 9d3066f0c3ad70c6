"""Permissions of planned spaces: looked up for a plan, and set when it is carried out.

What is wanted, and what differs, is decided in `domain.space_access`. What cannot be read or set stops nothing
else: it is told in a sentence.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import Equals
from genie_assets.domain.space_access import (
    Access,
    AccessChange,
    Levels,
    WantedAccess,
    access,
    differing,
    entries_of,
    granted_by,
    in_words,
    left_to_do,
    of_others,
    takes_from,
    wanted_at,
    who_stays,
)
from genie_assets.domain.space_plans import Applied, Plan
from genie_assets.domain.tables import GENIE_SPACE_PERMISSIONS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.ports import LiveSpaces

_MOST_TOLD = 3
_NOT_FROM_US = (
    "they would take access from the login that sets them, which could not look at them afterwards. "
    "Let another one apply the plan."
)
_PERHAPS_FROM_US = (
    "they would take access from somebody, and Databricks does not tell whether that is the login that sets them. "
    "Apply the plan again."
)
_MAKERS = " The login that made the space manages it, whatever the plan says of that login."
_NOT_WHOLE = "the answer names nobody, or something that this version does not know"


@dataclass(frozen=True)
class Patience:
    """How often a look is repeated until it shows what was written, and how to wait in between."""

    looks: int
    wait: Callable[[], None]


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
    """What a plan would do to permissions; else why that is not known."""
    if isinstance(wanted, str):
        return wanted
    now: Levels | str = {} if plan.key is None else _granted(live, plan.key)
    return now if isinstance(now, str) else access(wanted, now)


class Permissions:
    """The permissions that one apply of a plan sets.

    Args:
        plan: What was reviewed.
        live: The spaces, with the login that writes.
        patience: How long a look may lag behind a write.
        login: Who is logged in, as far as it is known.
    """

    def __init__(self, plan: Plan, live: LiveSpaces, patience: Patience, login: str | None) -> None:
        self._plan, self._live, self._patience, self._login = plan, live, patience, login

    def refusal(self, key: SpaceKey) -> Applied | None:
        """How it ends before anything is sent, if permissions are neither as reviewed nor as planned.

        Where they cannot be looked at, the rest is not held up.
        """
        planned = self._planned()
        now = _granted(self._live, key) if planned else ""
        if planned is None or isinstance(now, str):
            return None
        odd = differing(planned, now, is_new=self._plan.key is None)
        text = f"Nothing was sent: who may use the space changed since the plan was made: {in_words(odd)}."
        new = f"{text} Make a new plan."
        return Applied("REFUSED", new, key.space_id, permissions="CHANGED", access_changes=odd) if odd else None

    def _planned(self) -> Access | None:
        """What is planned; who makes a space manages it, whatever the plan says of that login."""
        planned = self._plan.access
        is_new = self._plan.key is None
        return of_others(planned, self._login) if planned and is_new and self._login else planned

    def follow(self, done: Applied) -> Applied:
        """Set the planned permissions of a space that is as planned, and tell how both ended."""
        planned = self._planned()
        if planned is None or not done.is_good or done.space_id is None:
            return done
        key = SpaceKey(self._plan.workspace_id, done.space_id)
        ended, problem = self._set(key, planned)
        if problem:
            text = f"The space is as planned, but its permissions are not: {problem} Everything else is done."
            return replace(done, result="PARTLY", message=text, permissions=ended)
        makers = _MAKERS if self._plan.access and self._plan.access.after != planned.after else ""
        if ended == "ALREADY":
            return replace(done, message=f"{done.message}{makers}", permissions=ended)
        text = "The space was as planned already; its permissions are set, and read back."
        told = text if done.result == "ALREADY" else f"{done.message} So are its permissions."
        return replace(done, result="APPLIED", message=f"{told}{makers}", permissions=ended)

    def _set(self, key: SpaceKey, planned: Access) -> tuple[str, str]:
        """What became of them, and what is wrong."""
        now = _granted(self._live, key)
        if isinstance(now, str):
            return "NOT SET", f"{now}."
        odd = differing(planned, now, is_new=self._plan.key is None)
        if odd:
            return "CHANGED", f"somebody changed them since the plan was made ({in_words(odd)})."
        changes = left_to_do(planned, now)
        if not changes:
            return "ALREADY", ""
        if takes_from(changes, self._login):
            return "NOT SET", _NOT_FROM_US if self._login else _PERHAPS_FROM_US
        problems = self._sent(key, changes)
        left = self._left(key, planned)
        if not left:
            return "APPLIED", ""
        different = [*dict.fromkeys(problems)]
        more = f"; and {len(different) - _MOST_TOLD} more" if len(different) > _MOST_TOLD else ""
        why = f" ({'; '.join(different[:_MOST_TOLD])}{more})" if problems else ""
        return "NOT SET" if problems else "UNVERIFIED", f"not set, or not seen yet: {in_words(left)}{why}."

    def _sent(self, key: SpaceKey, changes: Sequence[AccessChange]) -> list[str]:
        """Send them one by one, so that one that is refused stops no other; what went wrong."""
        given, gone = ([each for each in changes if (each.after is None) is is_gone] for is_gone in (False, True))
        problems, done = [], []
        for each in given:
            answer = self._live.grant(key, entries_of({each.principal: each.after or ""}))
            if isinstance(answer, FetchError):
                problems.append(answer.message)
            else:
                done.append(each)
        if not gone:
            return problems
        # Nobody can be taken away but by saying who stays: as it is at this moment, not as it was reviewed.
        now = _granted(self._live, key)
        if isinstance(now, str):
            return [*problems, now]
        answer = self._live.grant(key, entries_of(who_stays(now, done, gone)), only=True)
        return [*problems, answer.message] if isinstance(answer, FetchError) else problems

    def _left(self, key: SpaceKey, planned: Access) -> tuple[AccessChange, ...]:
        """What does not show, even after a while."""
        left = planned.changes
        for is_next in range(self._patience.looks):
            if is_next:
                self._patience.wait()
            now = _granted(self._live, key)
            left = left if isinstance(now, str) else left_to_do(planned, now)
            if not left:
                break
        return left


def _granted(live: LiveSpaces, key: SpaceKey) -> Levels | str:
    """What a space grants itself; else why that is not known."""
    answer = live.permissions(key)
    if isinstance(answer, FetchError):
        return f"who may use it cannot be read: {answer.message.rstrip('.')}"
    levels = granted_by(answer)
    return f"who may use it cannot be read: {_NOT_WHOLE}" if levels is None else levels
