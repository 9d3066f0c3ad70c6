"""What is known of a space besides its configuration: who made it, as far as lists tell, and its tags.

Neither is part of a version. What cannot be read says nothing: what is known stays.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.messages import as_text
from genie_assets.domain.table import storable

_NAME = "agents/"


class MadeBy(StrEnum):
    """Who made a space, as far as two lists tell it.

    Databricks says of the newer list of agents that it leaves out what was made from an integration, for example
    from a dashboard. The audit log names no dashboard beside the making of a space.
    """

    PEOPLE = "PEOPLE"  # the newer list shows it
    # That list was read to its end and shows others of the workspace, and not this one, which the older list
    # shows: most likely made by a dashboard or another integration, but the absence proves nothing.
    UNLISTED = "UNLISTED"


@dataclass(frozen=True)
class SpaceFacts:
    """What is known of a space; None is not known.

    Attributes:
        made_by: A word of `MadeBy`.
        tags: Its tags as a JSON object of keys and values, in the order of the keys; `{}` if it has none.
    """

    made_by: str | None = None
    tags: str | None = None


FACTS = ("made_by", "tags")
"""The columns of `genie_space_details` that hold them."""


def facts_of(row: Mapping[str, Any]) -> SpaceFacts:
    """The facts that a row of `genie_space_details` holds."""
    return SpaceFacts(row.get("made_by"), row.get("tags"))


@dataclass(frozen=True)
class AgentList:
    """What the newer list of a workspace says.

    Attributes:
        shown: Ids of the agents, which are spaces, that it shows.
        unreachable: Ids of those that are there and could not be read.
        is_whole: It was read to its end: who is missing was left out.
    """

    shown: frozenset[str] = frozenset()
    unreachable: frozenset[str] = frozenset()
    is_whole: bool = False


def agent_id_of(name: Any) -> str | None:
    """The id in a resource name `agents/{id}`; None for resources of other kinds."""
    text = as_text(name) or ""
    agent_id = text.removeprefix(_NAME)
    return agent_id if text.startswith(_NAME) and "/" not in agent_id and is_usable_id(agent_id) else None


def agent_list(pages: Sequence[Mapping[str, Any]], *, is_whole: bool) -> AgentList:
    """What pages of the newer list say together.

    Args:
        pages: Bodies with `genie_agents` and perhaps `unreachable`.
        is_whole: Whether they are all pages.
    """
    shown = (agent_id_of(each.get("name")) for page in pages for each in page["genie_agents"])
    unreachable = (agent_id_of(name) for page in pages for name in _listed(page.get("unreachable")))
    return AgentList(frozenset(filter(None, shown)), frozenset(filter(None, unreachable)), is_whole)


def made_by(space_id: str, lists: AgentList | None, *, is_in_the_older_list: bool) -> str | None:
    """What the lists of a workspace tell of who made a space; None if nothing."""
    if lists is None:
        return None
    if space_id in lists.shown:
        return MadeBy.PEOPLE
    is_left_out = lists.is_whole and lists.shown and space_id not in lists.unreachable
    return MadeBy.UNLISTED if is_left_out and is_in_the_older_list else None


def together(known: SpaceFacts, told: SpaceFacts) -> SpaceFacts:
    """What is known after a look: what people made stays so, and what the look does not tell stays as it was."""
    was_of_people = known.made_by == MadeBy.PEOPLE
    return SpaceFacts(
        known.made_by if was_of_people else told.made_by or known.made_by,
        known.tags if told.tags is None else told.tags,
    )


def with_facts(rows: Iterable[Row], told: Mapping[SpaceKey, SpaceFacts]) -> list[Row]:
    """Of rows of `genie_space_details` those that the told facts change, changed."""
    found = []
    for row in rows:
        facts = together(facts_of(row), told[SpaceKey.of(row)])
        if facts != facts_of(row):
            found.append({**row, "made_by": facts.made_by, "tags": facts.tags})
    return found


def tags_text(assignments: Iterable[Mapping[str, Any]]) -> str:
    """Tags as a JSON object; a tag that is a key alone has the value `""`."""
    tags = {
        key: as_text(each.get("tag_value")) or "" for each in assignments if (key := as_text(each.get("tag_key")))
    }
    return storable(json.dumps(tags, ensure_ascii=False, sort_keys=True))


def tags_in(text: str | None) -> dict[str, str] | None:
    """The tags that a column holds; None if they are not known."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        return None
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
