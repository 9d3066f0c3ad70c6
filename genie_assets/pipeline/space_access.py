"""Permissions of planned spaces: looked up for a plan, and set when it is carried out.

What is wanted, and what differs, is decided in `domain.space_access`. What cannot be read or set stops nothing
else: it is told in a sentence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.space_access import (
    Access,
    AccessChange,
    Levels,
    all_named,
    differing,
    entries_of,
    in_words,
    left_to_do,
    of_others,
    takes_from,
    who_stays,
)
from genie_assets.domain.space_logins import groups_that_lose, locks_out
from genie_assets.domain.space_permissions import Principal
from genie_assets.domain.space_plans import Applied, Plan
from genie_assets.pipeline.planned_access import granted
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
_GROUP_OF_US = (
    "{names} would not manage the space any more, and nothing else surely lets the login that sets them do so. "
    "Let another one apply the plan, or grant CAN_MANAGE to that login by its own name."
)


@dataclass(frozen=True)
class Patience:
    """How often a look is repeated until it shows what was written, and how to wait in between."""

    looks: int
    wait: Callable[[], None]


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
        now = granted(self._live, key) if planned else ""
        if planned is None or isinstance(now, str):
            return None
        odd = differing(planned, now.levels, is_new=self._plan.key is None)
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
        now = granted(self._live, key)
        if isinstance(now, str):
            return "NOT SET", f"{now}."
        odd = differing(planned, now.levels, is_new=self._plan.key is None)
        if odd:
            return "CHANGED", f"somebody changed them since the plan was made ({in_words(odd)})."
        changes = left_to_do(planned, now.levels)
        if not changes:
            return "ALREADY", ""
        if takes_from(changes, self._login):
            return "NOT SET", _NOT_FROM_US if self._login else _PERHAPS_FROM_US
        if locked := self._locked_out(changes, (planned.after, now.inherited)):
            return "NOT SET", _GROUP_OF_US.format(names=all_named(locked))
        problems = self._sent(key, changes, (planned.after, now.inherited))
        left = self._left(key, planned)
        if not left:
            return "APPLIED", ""
        different = [*dict.fromkeys(problems)]
        more = f"; and {len(different) - _MOST_TOLD} more" if len(different) > _MOST_TOLD else ""
        why = f" ({'; '.join(different[:_MOST_TOLD])}{more})" if problems else ""
        return "NOT SET" if problems else "UNVERIFIED", f"not set, or not seen yet: {in_words(left)}{why}."

    def _locked_out(self, changes: Sequence[AccessChange], stays: Sequence[Levels]) -> tuple[Principal, ...]:
        """Groups by which alone the login may manage the space, and after these changes no more."""
        if not groups_that_lose(changes):
            return ()
        login = self._live.login(self._plan.workspace_id)
        names = login.names | ({self._login} if self._login else set())
        return locks_out(changes, stays, replace(login, names=names))

    def _sent(self, key: SpaceKey, changes: Sequence[AccessChange], stays: tuple[Levels, Levels]) -> list[str]:
        """Send them one by one, so that one that is refused stops no other; what went wrong."""
        wider, lower = (
            [each for each in changes if each.after and each.is_wider is more] for more in (True, False)
        )
        gone = [each for each in changes if each.after is None]
        done, problems = self._given(key, wider)
        # Who was refused may be the login, which still needs the group that is to lose it.
        failed = {each.principal for each in wider} - {each.principal for each in done}
        left = {each: level for each, level in stays[0].items() if each not in failed}
        if failed and self._locked_out([*lower, *gone], (left, stays[1])):
            return [*problems, "nobody was taken away, as the login that sets them may be among these"]
        less, more_problems = self._given(key, lower)
        done, problems = [*done, *less], [*problems, *more_problems]
        if not gone:
            return problems
        # Nobody can be taken away but by saying who stays: as it is at this moment, not as it was reviewed.
        now = granted(self._live, key)
        if isinstance(now, str):
            return [*problems, now]
        answer = self._live.grant(key, entries_of(who_stays(now.levels, done, gone)), only=True)
        return [*problems, answer.message] if isinstance(answer, FetchError) else problems

    def _given(self, key: SpaceKey, changes: Sequence[AccessChange]) -> tuple[list[AccessChange], list[str]]:
        """Those that were set, and what went wrong with others."""
        done, problems = [], []
        for each in changes:
            answer = self._live.grant(key, entries_of({each.principal: each.after or ""}))
            if isinstance(answer, FetchError):
                problems.append(answer.message)
            else:
                done.append(each)
        return done, problems

    def _left(self, key: SpaceKey, planned: Access) -> tuple[AccessChange, ...]:
        """What does not show, even after a while."""
        left = planned.changes
        for is_next in range(self._patience.looks):
            if is_next:
                self._patience.wait()
            now = granted(self._live, key)
            left = left if isinstance(now, str) else left_to_do(planned, now.levels)
            if not left:
                break
        return left
