"""What is known of spaces besides their configurations: the newer list of agents, and tags. Asked once a day.

What the answers mean is decided in `domain.space_facts`. Of what a quiet day finds nothing is asked of the tables
again: what is stored came with the known spaces.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.questions import In
from genie_assets.domain.requests import TagsOfSpace
from genie_assets.domain.space_facts import (
    SpaceFacts,
    made_by,
    tags_text,
    together,
    with_facts,
)
from genie_assets.domain.tables import GENIE_SPACE_DETAILS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.ports import Genie
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.space_lists import AgentLists, Urls

_TRIED = 3  # spaces of a workspace that are asked for their tags before all others


@dataclass
class Tags:
    """Tags of spaces, as JSON objects."""

    found: dict[SpaceKey, str] = field(default_factory=dict)
    unknown: int = 0  # spaces whose tags were refused, not there, or not asked for
    requests: int = 0


@dataclass(frozen=True)
class FactsReport:
    """What one look at lists of agents and at tags found."""

    lists_unread: int = 0  # workspaces that have the newer list, and whose could not be read to its end
    tags_read: int = 0  # spaces whose tags were read
    tags_unknown: int = 0  # spaces that are there, and whose tags could not be read


def read_tags(spaces: Collection[SpaceKey], urls: Urls, *, genie: Genie, run: Run) -> Tags:
    """Ask for the tags of these spaces. If the first few of a workspace tell none, the rest is left alone."""
    tags = Tags()
    first, later = _tried_first(spaces, run.day.toordinal())
    _ask(first, urls, tags, genie=genie, run=run)
    answering = {key.workspace_id for key in tags.found}
    _ask([key for key in later if key.workspace_id in answering], urls, tags, genie=genie, run=run)
    tags.unknown = len(spaces) - len(tags.found)
    return tags


def _tried_first(spaces: Collection[SpaceKey], day: int) -> tuple[list[SpaceKey], list[SpaceKey]]:
    """The spaces that are asked first, which are others every day, and the rest."""
    by_workspace: dict[str, list[SpaceKey]] = {}
    for key in sorted(spaces):
        by_workspace.setdefault(key.workspace_id, []).append(key)
    turned = [keys[day % len(keys) :] + keys[: day % len(keys)] for keys in by_workspace.values()]
    return (
        [key for keys in turned for key in keys[:_TRIED]],
        [key for keys in turned for key in keys[_TRIED:]],
    )


def _ask(spaces: Iterable[SpaceKey], urls: Urls, tags: Tags, *, genie: Genie, run: Run) -> None:
    requests = [TagsOfSpace(key.workspace_id, urls.get(key.workspace_id), key.space_id) for key in spaces]
    for result in genie.fetch(requests, deadline=run.deadline) if requests else ():
        tags.requests += result.requests_made
        for space_id, answer in result.answers.items():
            tags.found[SpaceKey(result.request.workspace_id, space_id)] = tags_text(answer.body["tag_assignments"])


def facts_told(older: Collection[SpaceKey], agents: AgentLists, tags: Tags) -> dict[SpaceKey, SpaceFacts]:
    """What a look tells of each space of which it tells anything.

    Args:
        older: The spaces that the older list shows.
        agents: What the newer lists say.
        tags: The tags that could be read.
    """
    return {
        key: SpaceFacts(
            made_by(key.space_id, agents.lists.get(key.workspace_id), is_in_the_older_list=key in older),
            tags.found.get(key),
        )
        for key in {*older, *agents.shown(), *tags.found}
    }


def keep_facts(told: Mapping[SpaceKey, SpaceFacts], known: Mapping[SpaceKey, SpaceFacts], lake: Lakehouse) -> None:
    """Store the facts that are not known yet.

    When a row says that it was written stays: that tells when the space itself was last read as new.

    Args:
        told: What this run was told.
        known: What was stored when it began.
        lake: The tables.
    """
    new = {
        key: facts
        for key, facts in told.items()
        if together(known.get(key, SpaceFacts()), facts) != known.get(key, SpaceFacts())
    }
    if not new:
        return
    stored = lake.records(GENIE_SPACE_DETAILS, where=[In("space_id", sorted({key.space_id for key in new}))])
    rows = with_facts((row for row in stored if SpaceKey.of(row) in new), new)
    if rows:
        lake.store(GENIE_SPACE_DETAILS, GENIE_SPACE_DETAILS.frame(rows))
