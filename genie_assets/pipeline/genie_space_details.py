"""`genie_space_details`: read every known space's configuration; keep the latest good one and the history."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.requests import SpaceRequest
from genie_assets.domain.workspaces import is_workspace
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.batches import ask_for_due
from genie_assets.pipeline.chosen_spaces import ChosenSpaces, read_since
from genie_assets.pipeline.known_spaces import known_spaces
from genie_assets.pipeline.ports import Genie, SystemTables
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.space_facts import FactsReport, Tags, facts_told, keep_facts, read_tags
from genie_assets.pipeline.space_lists import AgentLists, SpaceLists, Urls, list_agents, list_spaces
from genie_assets.pipeline.space_permissions import PermissionsReport, keep_permissions
from genie_assets.pipeline.space_shelf import SpaceShelf


@dataclass(frozen=True)
class SpacesReport:
    """What one look at spaces found."""

    spaces: int = 0  # that were looked at
    read: Collection[SpaceKey] = ()  # of them: those that could be read
    exported: int = 0
    changed: int = 0  # new versions
    gone: int = 0  # spaces that were read before and are not found any more
    waiting: int = 0  # spaces that were not looked at, because an error of theirs is not due yet
    not_attempted: int = 0  # spaces for which there was no time
    requests: int = 0
    errors_by_class: Mapping[str, int] = field(default_factory=dict)
    titles: Mapping[SpaceKey, str | None] = field(default_factory=dict)  # of what was looked at, as it is stored
    unlisted_workspaces: int = 0  # workspaces whose list of spaces could not be read
    not_running_workspaces: int = 0  # workspaces that were not asked, because they answer nobody
    permissions: PermissionsReport = field(default_factory=PermissionsReport)
    facts: FactsReport = field(default_factory=FactsReport)
    urls: Urls = field(default_factory=dict)

    @property
    def readable(self) -> int:
        """Spaces that could be read."""
        return len(self.read)

    @property
    def known(self) -> int:
        """All spaces that are known, looked at or not."""
        return self.spaces + self.waiting + self.not_attempted

    def numbers(self) -> dict[str, float]:
        """What is worth plotting."""
        return {
            "spaces": self.spaces,
            "readable": self.readable,
            "exported": self.exported,
            "new_versions": self.changed,
            "gone": self.gone,
            "waiting": self.waiting,
            "not_attempted": self.not_attempted,
            "requests": self.requests,
            "workspaces_not_listed": self.unlisted_workspaces,
            "workspaces_not_running": self.not_running_workspaces,
            "permissions_read": self.permissions.read,
            "permissions_unknown": self.permissions.unknown,
            "permissions_changed": self.permissions.changed,
            "agent_lists_unread": self.facts.lists_unread,
            "tags_read": self.facts.tags_read,
            "tags_unknown": self.facts.tags_unknown,
        }


def back_up_spaces(
    run: Run,
    chosen: ChosenSpaces = ChosenSpaces(),  # noqa: B008 - a constant
    *,
    system_tables: SystemTables,
    genie: Genie,
    lake: Lakehouse,
) -> SpacesReport:
    """Look at every space that a workspace lists, a message names, or an earlier look knew.

    Every workspace that runs is asked for its lists, be there messages of it or not. Of what could be read, the
    access list is asked for, too; of what is there the tags, but not where spaces are chosen.

    Args:
        run: The run.
        chosen: Which spaces are looked at.
        system_tables: Know the workspaces.
        genie: The API.
        lake: The tables.
    """
    known = known_spaces(run, system_tables, lake)
    listed = SpaceLists() if chosen.only else list_spaces(known.urls, genie=genie, run=run)
    # Behind the older list: what was made in between is missing in neither.
    agents = AgentLists() if chosen.only else list_agents(listed.answering(known.urls), genie=genie, run=run)
    spaces = known.spaces | listed.spaces | agents.spaces()
    if chosen.only:
        spaces = {key for key in chosen.only if key.workspace_id in known.urls}
    fresh = read_since(chosen.but_read_since, spaces, lake)
    report = look_at_spaces(
        spaces - fresh.keys(),
        known.urls,
        genie=genie,
        lake=lake,
        run=run,
        shown=listed.spaces | agents.shown(),
    )
    read = {*report.read, *fresh} if fresh else report.read
    access = keep_permissions(read, known.urls, genie=genie, lake=lake, run=run)
    # Of one whose configuration is refused, too, which is not looked at every day.
    there = {*read, *listed.spaces, *agents.shown()}
    tags = Tags() if chosen.only else read_tags(there, known.urls, genie=genie, run=run)
    keep_facts(facts_told(listed.spaces, agents, tags), known.facts, lake)
    return replace(
        report,
        spaces=report.spaces + len(fresh),
        read=read,
        exported=report.exported + len(fresh),
        titles={**report.titles, **fresh},
        permissions=access,
        facts=FactsReport(agents.refused, len(tags.found), tags.unknown),
        urls=known.urls,
        requests=report.requests + listed.requests + agents.requests + access.requests + tags.requests,
        unlisted_workspaces=len(listed.problems) + listed.unasked - listed.not_running,
        not_running_workspaces=listed.not_running,
    )


def look_at_spaces(
    spaces: Collection[SpaceKey],
    urls: Urls,
    *,
    genie: Genie,
    lake: Lakehouse,
    run: Run,
    shown: Collection[SpaceKey] = (),
) -> SpacesReport:
    """Read these spaces, unless an error of theirs still waits, and store what is new about them.

    So many parameters: what to read, whom to ask, and where to keep it.

    Args:
        spaces: The spaces.
        urls: Addresses by workspace_id.
        genie: The API.
        lake: The tables.
        run: The run.
        shown: Of the spaces, those that their workspace lists now.
    """
    shelf = SpaceShelf(lake, run.clock)
    requests = [
        SpaceRequest(key.workspace_id, urls.get(key.workspace_id), key.space_id)
        for key in sorted(spaces)
        if is_workspace(key.workspace_id)
    ]
    tally = ask_for_due(requests, shelf, genie=genie, lake=lake, run=run, shown=shown) if requests else None
    if tally is None:
        return SpacesReport()
    return SpacesReport(
        spaces=shelf.looks,
        read=shelf.read,
        exported=shelf.exported,
        changed=shelf.changed,
        gone=tally.deleted,
        waiting=tally.waiting,
        not_attempted=len(tally.not_attempted),
        requests=tally.requests,
        errors_by_class=Counter(tally.errors_by_class),
        titles=shelf.titles,
    )
