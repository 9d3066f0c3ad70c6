"""A plan: one change of one space, as a file that people review and that says all that will be done.

It holds the space as it was when the plan was made, with its etag, and as it shall be: what was reviewed is what
is done, or nothing. Here plans are made, written, read, and held against what is there now. Who asks and who sends
does not belong here. No time stands in a plan, nor who makes it: everybody comes to the same text.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from genie_assets.domain.configuration_changes import Change, as_values, space_changes
from genie_assets.domain.configurations import config_hash, kept_text
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.space_access import Access, AccessChange, entries_of, levels_of

_FORMAT = "genie-assets plan for a space, form 2"
# What an update writes; the folder is chosen when a space is made, and never moved.
_WRITTEN = ("title", "description", "warehouse_id")
STATE = (*_WRITTEN, "parent_path", "serialized_space")
"""The columns that say what a space is."""


class PlanError(RuntimeError):
    """A plan cannot be made, read or carried out. The message says why, and what to do."""


class PlanVerdict(StrEnum):
    """What is to be done with a plan, as things are now."""

    APPLY = "apply"  # all is as it was when the plan was made
    DONE = "done"  # all is as the plan wants it
    CHANGED = "changed"  # something else has happened


@dataclass(frozen=True)
class Plan:
    """One change of one space.

    Attributes:
        action: restore, promote or import.
        source: Where the wanted state comes from, in words.
        workspace_id: The workspace in which the space is, or shall be.
        space_id: The space; None if a new one is made.
        etag: The API's version tag of what was reviewed, where it gave one.
        before: What was reviewed; empty for a new space.
        after: What the space shall be, by the columns of `STATE`.
        notes: What a reviewer has to know.
        access: What it does to the space's permissions; None if it leaves them alone.
    """

    action: str
    source: str
    workspace_id: str
    space_id: str | None
    etag: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    access: Access | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.changes and not (self.access and self.access.changes)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the plan changes."""
        return space_changes(self.before, self.after)

    @property
    def key(self) -> SpaceKey | None:
        """The space, if it is there already."""
        return None if self.space_id is None else SpaceKey(self.workspace_id, self.space_id)

    @property
    def digest(self) -> str:
        """SHA-256 of all that the plan says."""
        return _digest(_values(self))


@dataclass(frozen=True)
class Applied:
    """How an apply ended: a result of `genie_space_applies`, a sentence, and what else had changed.

    `permissions` is what became of the planned permissions; None if none were planned, or none were come to.
    """

    result: str
    message: str
    space_id: str | None
    changes: tuple[Change, ...] = ()
    permissions: str | None = None
    access_changes: tuple[AccessChange, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether the space is now what the plan wants."""
        return self.result in ("APPLIED", "ALREADY")


def was_perhaps_done(results: Iterable[str]) -> bool:
    """Whether one of these applies, by its result, may have been carried out though nobody saw it."""
    return bool({"BEGUN", "UNKNOWN", "UNVERIFIED"} & {*results})


def state_of(body: Mapping[str, Any]) -> Row:
    """What a space is, of an answer of the API or a stored row: what is unknown or empty is left out."""
    told = {name: text for name in STATE if isinstance(text := body.get(name), str) and text}
    text = told.get("serialized_space")
    return told | {"serialized_space": kept_text(text)[0]} if text else told


def update_plan(
    action: str, source: str, target: Mapping[str, Any], wanted: Mapping[str, Any], notes: Sequence[str] = ()
) -> Plan:
    """The plan to make a space what is wanted of it.

    Args:
        action: restore, promote or import.
        source: Where the wanted state comes from, in words.
        target: The space as it is: `workspace_id`, `space_id`, `etag`, and the columns of `STATE`.
        wanted: Columns of `STATE`; one that is left out stays as it is, an empty description is taken away.
        notes: What a reviewer has to know.
    """
    before = state_of(target)
    asked = state_of(wanted)
    after = before | {name: asked[name] for name in (*_WRITTEN, "serialized_space") if name in asked}
    if "description" in wanted and not wanted["description"]:
        after.pop("description", None)
    etag = target.get("etag")
    if not isinstance(etag, str):
        notes = [
            *notes,
            "Databricks gave no version tag: an edit in the moment of the apply would be overwritten.",
        ]
    place = target["workspace_id"], target["space_id"]
    return Plan(action, source, *place, etag if isinstance(etag, str) else None, before, after, tuple(notes))


def creation_plan(
    action: str, source: str, workspace_id: str, wanted: Mapping[str, Any], notes: Sequence[str] = ()
) -> Plan:
    """The plan to make a new space.

    Raises:
        PlanError: it has no title or no warehouse.
    """
    after = state_of(wanted)
    for name, option in (("title", "title"), ("warehouse_id", "warehouse: name one with --warehouse")):
        if not after.get(name):
            raise PlanError(f"A new space needs a {option}.")
    note = "A new space gets a new id, and has neither the conversations of the other one nor links to it."
    return Plan(action, source, workspace_id, None, None, {}, after, (note, *notes))


def request_of(plan: Plan) -> Row:
    """The body that does what the plan says and nothing else: what differs, guarded by the etag; or all of it."""
    if plan.space_id is None:
        return dict(plan.after)
    body: Row = {
        name: plan.after.get(name, "")
        for name in (*_WRITTEN, "serialized_space")
        if space_changes(_only(plan.before, name), _only(plan.after, name))
    }
    return body | ({"etag": plan.etag} if plan.etag else {})


def verdict(plan: Plan, now: Mapping[str, Any]) -> PlanVerdict:
    """What is to be done, as the space is now: the columns of `STATE`, and `etag`."""
    state = state_of(now)
    if not space_changes(state, plan.after):
        return PlanVerdict.DONE
    is_same_tag = plan.etag is None or now.get("etag") == plan.etag
    return PlanVerdict.APPLY if is_same_tag and not space_changes(plan.before, state) else PlanVerdict.CHANGED


def is_made(plan: Plan, now: Mapping[str, Any]) -> bool:
    """Whether a space is what the plan wants a new one to be; how its folder is spelled says nothing."""
    state = state_of(now) | {"parent_path": plan.after.get("parent_path")}
    return not space_changes(state, plan.after)


def is_same_space(plan: Plan, listed: Mapping[str, Any]) -> bool:
    """Whether a space of a list may be the one that the plan makes: by title, and by folder where both tell it."""
    paths = [_path(each.get("parent_path")) for each in (plan.after, listed)]
    return listed.get("title") == plan.after.get("title") and (None in paths or paths[0] == paths[1])


def file_text(plan: Plan) -> str:
    """The plan as the text of its file: what is asked for first, then every change, then the whole states."""
    return json.dumps(_values(plan) | {"sha256": plan.digest}, indent=2) + "\n"


def plan_of(text: str) -> Plan:
    """The plan that a file holds.

    Raises:
        PlanError: it is no plan, or was changed after it was made.
    """
    try:
        values = json.loads(text)
        if isinstance(values["plan"], str) and values["plan"] != _FORMAT:
            raise PlanError("The plan is of another version of this program: make it anew.")
        plan = Plan(
            **{name: values[name] for name in ("action", "source", "workspace_id", "space_id", "etag")},
            before=values["before"],
            after=values["after"],
            notes=tuple(values["notes"]),
            access=_access_of(values["permissions"]),
        )
        said = _values(plan) | {"sha256": plan.digest}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise PlanError(
            "The file holds no plan: `--plan FILE` of restore, promote or import writes one."
        ) from None
    if values != said:
        raise PlanError(
            "The plan was changed after it was made, and so is not what was computed and checked: make it anew."
        )
    return plan


def hash_of(state: Mapping[str, Any]) -> str | None:
    """The hash of a state's configuration, as the tables have it."""
    text = state.get("serialized_space")
    return config_hash(text) if text else None


def _values(plan: Plan) -> dict[str, Any]:
    facts = asdict(replace(plan, access=None))
    del facts["access"]
    states = {name: facts.pop(name) for name in ("before", "after")}
    notes = list(facts.pop("notes"))
    changes = [
        {name: part for name, part in each.items() if name in ("section", "kind", "path")}
        for each in as_values(plan.changes)
    ]
    permissions = _access_values(plan.access) if plan.access else None
    said = {"plan": _FORMAT, **facts, "notes": notes, "changes": changes}
    return {**said, "permissions": permissions, **states}


def _access_values(access: Access) -> dict[str, Any]:
    changes = [
        {**entries_of({each.principal: each.after or each.before or ""})[0], "from": each.before, "to": each.after}
        for each in access.changes
    ]
    for each in changes:
        del each["permission_level"]
    return {"changes": changes, "before": entries_of(access.before), "after": entries_of(access.after)}


def _access_of(values: Any) -> Access | None:
    return None if values is None else Access(levels_of(values["before"]), levels_of(values["after"]))


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _only(state: Mapping[str, Any], name: str) -> Row:
    return {name: state[name]} if name in state else {}


def _path(path: Any) -> str | None:
    return path.removeprefix("/Workspace").rstrip("/") if isinstance(path, str) and path else None
