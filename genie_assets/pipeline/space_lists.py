"""The two lists of a workspace's spaces: the older one, and the newer one of agents. Neither changes a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.outcomes import POLICIES, ErrorClass, FetchError
from genie_assets.domain.requests import AgentsOfWorkspace, SpacesOfWorkspace
from genie_assets.domain.space_facts import AgentList, agent_list
from genie_assets.pipeline.ports import Genie
from genie_assets.pipeline.run import Run

Urls = Mapping[str, str | None]  # addresses by workspace_id


@dataclass
class SpaceLists:
    """What the workspaces list: the older list, which shows every space that our principal may see."""

    spaces: set[SpaceKey] = field(default_factory=set)
    problems: dict[str, FetchError] = field(default_factory=dict)  # by workspace
    unasked: int = 0
    requests: int = 0

    @property
    def not_running(self) -> int:
        """Workspaces that answer nobody."""
        return sum(problem.error_class is ErrorClass.NOT_RUNNING for problem in self.problems.values())

    def answering(self, urls: Urls) -> Urls:
        """The workspaces that answer: who is not reached once is not asked for another list."""
        lost = {place for place, each in self.problems.items() if POLICIES[each.error_class].of_the_way}
        return {place: url for place, url in urls.items() if place not in lost}


@dataclass
class AgentLists:
    """What the newer lists say, by workspace.

    A workspace that does not know this list is none of the refused: it is asked again the next day, once.
    """

    lists: dict[str, AgentList] = field(default_factory=dict)
    refused: int = 0  # workspaces whose list could not be read, or not to its end
    requests: int = 0

    def spaces(self) -> set[SpaceKey]:
        """All that are there, be they readable or not."""
        return {
            SpaceKey(workspace_id, space_id)
            for workspace_id, listed in self.lists.items()
            for space_id in (*listed.shown, *listed.unreachable)
        }

    def shown(self) -> set[SpaceKey]:
        """Those that it shows."""
        return {
            SpaceKey(workspace_id, space_id)
            for workspace_id, each in self.lists.items()
            for space_id in each.shown
        }


def list_spaces(urls: Urls, *, genie: Genie, run: Run) -> SpaceLists:
    """Ask every workspace for its spaces."""
    listed = SpaceLists()
    requests = [SpacesOfWorkspace(workspace_id, url) for workspace_id, url in urls.items()]
    for result in genie.fetch(requests, deadline=run.deadline):
        listed.spaces |= {SpaceKey(result.request.workspace_id, space_id) for space_id in result.answers}
        listed.problems |= result.errors
        listed.unasked += len(result.not_attempted)
        listed.requests += result.requests_made
    return listed


def list_agents(urls: Urls, *, genie: Genie, run: Run) -> AgentLists:
    """Ask every workspace for the newer list of its spaces."""
    found = AgentLists()
    requests = [AgentsOfWorkspace(workspace_id, url) for workspace_id, url in urls.items()]
    for result in genie.fetch(requests, deadline=run.deadline):
        workspace_id = result.request.workspace_id
        found.requests += result.requests_made
        problem = result.errors.get(workspace_id)
        answer = result.answers.get(workspace_id)
        if answer is not None:
            found.lists[workspace_id] = agent_list(answer.body["pages"], is_whole=problem is None)
        found.refused += problem is not None and not _is_not_there(problem, is_empty=answer is None)
    return found


def _is_not_there(problem: FetchError, *, is_empty: bool) -> bool:
    """Whether a workspace answers nobody, or does not know this call: what is new is not everywhere."""
    is_unknown = is_empty and problem.http_status in (400, 404, 501)
    return is_unknown or problem.error_class is ErrorClass.NOT_RUNNING
