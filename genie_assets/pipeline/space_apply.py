"""Carrying out a plan: looked at before, sent once, looked at until it shows, and noted in a table of ours.

Whenever it ends, the note says how far it came, and the same plan may be applied again: what is done already is
not done twice, and a space that an earlier try may have made is looked for before one is made.
"""

from collections.abc import Mapping
from typing import Any

from genie_assets.domain.configuration_changes import space_changes
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import Equals
from genie_assets.domain.space_plans import (
    Applied,
    Plan,
    PlanError,
    PlanVerdict,
    hash_of,
    is_made,
    is_same_space,
    request_of,
    state_of,
    verdict,
    was_perhaps_done,
)
from genie_assets.domain.spaces import NOT_EXPORTED
from genie_assets.domain.tables import GENIE_SPACE_APPLIES
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.ports import LiveSpaces
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.space_access import Patience, Permissions


class Apply:
    """One apply of a plan.

    Args:
        plan: What is to be done.
        live: The spaces as they are, with a login that may write.
        lake: Where it is noted.
        run: Names it, and tells the time.
        patience: How long a look may lag behind a write.
    """

    def __init__(self, plan: Plan, live: LiveSpaces, lake: Lakehouse, run: Run, patience: Patience) -> None:
        self._plan, self._live, self._lake, self._run, self._patience = plan, live, lake, run, patience
        self._note: Row = {}

    def carry_out(self, applied_by: str | None) -> Applied:
        """Do what the plan says, if all is as it was.

        Raises:
            PlanError: what is there now cannot be looked at. Nothing was sent.
            LakehouseError: it cannot be noted. Nothing was sent, or it was done and only its end is not noted.
        """
        plan, rights = self._plan, Permissions(self._plan, self._live, self._patience, applied_by)
        done = self._before()
        if plan.access and (done is None or done.is_good) and (known := done.space_id if done else plan.space_id):
            done = rights.refusal(SpaceKey(plan.workspace_id, known)) or done
        self._note = {
            "apply_id": self._run.id,
            **{name: getattr(plan, name) for name in ("workspace_id", "space_id", "action", "source")},
            "title": plan.after.get("title"),
            "plan_hash": plan.digest,
            "applied_by": applied_by,
            "started_timestamp": self._run.clock(),
            "result": "BEGUN",
            "etag_before": plan.etag,
            "config_hash_before": hash_of(plan.before),
            "config_hash_after": hash_of(plan.after),
        }
        if done is None or (done.is_good and plan.access):
            self._keep()
        done = rights.follow(done or self._send())
        self._note |= {name: getattr(done, name) for name in ("result", "message", "space_id", "permissions")}
        self._note["finished_timestamp"] = self._run.clock()
        self._keep()
        return done

    def _before(self) -> Applied | None:
        """How it ends before anything is sent; None if it is to be sent."""
        key = self._plan.key
        if key is None:
            return self._before_making()
        now = self._live.read(key)
        if isinstance(now, FetchError) or not now.get("serialized_space"):
            why = (now if isinstance(now, FetchError) else NOT_EXPORTED).message
            raise PlanError(f"Space {key.space_id} cannot be read, so nothing was sent: {why}")
        match verdict(self._plan, now):
            case PlanVerdict.DONE:
                return Applied(
                    "ALREADY", "The space is what the plan wants already: nothing was sent.", key.space_id
                )
            case PlanVerdict.CHANGED:
                return self._refused("Nothing was sent", now)
        return None

    def _before_making(self) -> Applied | None:
        """A new space is made only if none is there that this plan may have made, or that is called the same."""
        where = [Equals("plan_hash", self._plan.digest)]
        columns = ["result", "space_id", "started_timestamp"]
        earlier = self._lake.records(GENIE_SPACE_APPLIES, columns=columns, where=where)
        looks = self._patience.looks if was_perhaps_done(row["result"] for row in earlier) else 1
        noted = [row for row in earlier if row["space_id"]]
        last = max(noted, key=lambda row: row["started_timestamp"], default=None)
        made, others = self._noted(last["space_id"]) if last else (None, [])
        if made is None and not others:
            made, others = self._made(looks)
        if made is not None:
            return Applied("ALREADY", "The space is there already, as the plan wants it: nothing was sent.", made)
        if others:
            text = (
                f"{' and '.join(others)} in that folder has the same title now: nothing was sent. Make a new plan."
            )
            return Applied("REFUSED", text, others[0])
        return None

    def _send(self) -> Applied:
        plan, body = self._plan, request_of(self._plan)
        key = plan.key
        answer = self._live.create(plan.workspace_id, body) if key is None else self._live.update(key, body)
        if not isinstance(answer, FetchError):
            return self._verified(SpaceKey(plan.workspace_id, answer["space_id"]))
        if answer.may_be_done:
            return self._found_out(key, answer)
        now = self._live.read(key) if key else answer
        if isinstance(now, FetchError):
            return Applied("REFUSED", f"Databricks refused it: {answer.message}", plan.space_id)
        return self._refused(f"Databricks refused it ({answer.message})", now)

    def _verified(self, key: SpaceKey) -> Applied:
        """Read back until the space shows what was written; a look may be behind for a while."""
        for is_next in range(self._patience.looks):
            if is_next:
                self._patience.wait()
            now = self._live.read(key)
            if not isinstance(now, FetchError) and self._is_done(now):
                return Applied("APPLIED", "Done, and read back.", key.space_id)
        text = "Databricks took it, but does not show it yet: look at the space, or apply the plan again."
        return Applied("UNVERIFIED", text, key.space_id)

    def _found_out(self, key: SpaceKey | None, failure: FetchError) -> Applied:
        """Whether a write whose answer was lost was carried out."""
        if key is not None:
            found = self._verified(key)
            space_id = key.space_id if found.is_good else None
        else:
            space_id, _ = self._made(self._patience.looks)
        if space_id is not None:
            return Applied("APPLIED", "The answer got lost, but it was done, and read back.", space_id)
        text = f"It is not known whether it was done ({failure.message}): apply the plan again, which looks first."
        return Applied("UNKNOWN", text, self._plan.space_id)

    def _noted(self, space_id: str) -> tuple[str | None, list[str]]:
        """The same as `_made`, of the space that the last apply came to: a list may not show it yet."""
        now = self._live.read(SpaceKey(self._plan.workspace_id, space_id))
        if isinstance(now, FetchError):
            return None, []
        return (space_id if is_made(self._plan, now) else None), [space_id] * is_same_space(self._plan, now)

    def _made(self, looks: int) -> tuple[str | None, list[str]]:
        """The space that the plan made, if it is there; else those that are called the same."""
        others: list[str] = []
        for is_next in range(looks):
            if is_next:
                self._patience.wait()
            listed = self._live.listed(self._plan.workspace_id)
            if isinstance(listed, FetchError):
                if self._note:
                    continue  # something was sent: what came of it may still be found
                raise PlanError(f"The spaces cannot be listed, so nothing was sent: {listed.message}")
            others = [str(body["space_id"]) for body in listed if is_same_space(self._plan, body)]
            for space_id in others:
                now = self._live.read(SpaceKey(self._plan.workspace_id, space_id))
                if not isinstance(now, FetchError) and is_made(self._plan, now):
                    return space_id, others
        return None, others

    def _is_done(self, now: Mapping[str, Any]) -> bool:
        return is_made(self._plan, now) if self._plan.key is None else verdict(self._plan, now) is PlanVerdict.DONE

    def _refused(self, what: str, now: Mapping[str, Any]) -> Applied:
        changed = space_changes(self._plan.before, state_of(now))
        sections = ", ".join(dict.fromkeys(change.section for change in changed))
        why = (
            f"changed since the plan was made: {sections}"
            if changed
            else "was saved again since the plan was made"
        )
        return Applied("REFUSED", f"{what}: the space {why}. Make a new plan.", self._plan.space_id, changed)

    def _keep(self) -> None:
        self._lake.merge(GENIE_SPACE_APPLIES, GENIE_SPACE_APPLIES.frame([self._note]))
