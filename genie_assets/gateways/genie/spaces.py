"""Spaces: one with its configuration, the list of a workspace, and whether others' conversations may be read."""

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.requests import (
    AgentsOfWorkspace,
    Answer,
    ReadProbe,
    SpacePermissions,
    SpaceRequest,
    SpacesOfWorkspace,
    TagsOfSpace,
)
from genie_assets.gateways.genie.asking import Asking, ask

# After these, the space may still be read without its configuration.
_OF_THE_EXPORT = frozenset({ErrorClass.PERMISSION, ErrorClass.BAD_REFERENCE, ErrorClass.TOO_BIG})


@ask.register
def ask_for_a_space(request: SpaceRequest, asking: Asking[SpaceRequest]) -> None:
    """One space with its configuration; where that may not be exported, without it and with the refusal."""

    def read(*, with_configuration: bool) -> None:
        answer = asking.calls.space(asking.target, request.space_id, include_serialized_space=with_configuration)
        asking.take(request.space_id, answer)

    refusal = asking.guarded(lambda: read(with_configuration=True))
    if refusal is None:
        return
    asking.fail(request.space_id, refusal)
    if refusal.was_sent and refusal.error_class in _OF_THE_EXPORT:
        asking.guarded(lambda: read(with_configuration=False))


@ask.register
def ask_for_the_list(request: SpacesOfWorkspace, asking: Asking[SpacesOfWorkspace]) -> None:
    """Every space that the workspace lists; an error says that the list is not complete."""

    def pages() -> None:
        for page in asking.calls.spaces(asking.target):
            for answer in page:
                asking.take(answer.body["space_id"], answer)

    asking.fail(request.workspace_id, asking.guarded(pages))


@ask.register
def ask_for_agents(request: AgentsOfWorkspace, asking: Asking[AgentsOfWorkspace]) -> None:
    """The newer list of a workspace; what came before a failure is kept: the failure says that more is there."""
    listed: list[Answer] = []

    def pages() -> None:
        listed.extend(asking.calls.agents(asking.target))

    error = asking.guarded(pages)
    if listed:
        body = {"pages": [page.body for page in listed]}
        asking.take(request.workspace_id, Answer(body, "LIST", listed[0].requested_at))
    if error or not listed:
        asking.fail(request.workspace_id, error)


@ask.register
def ask_for_tags(request: TagsOfSpace, asking: Asking[TagsOfSpace]) -> None:
    """Every tag of the space, or none: a list that ends early would show what is left as taken away."""

    def pages() -> None:
        listed = list(asking.calls.tags(asking.target, request.space_id))
        tags = [each for page in listed for each in page.body["tag_assignments"]]
        asking.take(request.space_id, Answer({"tag_assignments": tags}, "LIST", listed[0].requested_at))

    if error := asking.guarded(pages):
        asking.fail(request.space_id, error)


@ask.register
def ask_who_may(request: SpacePermissions, asking: Asking[SpacePermissions]) -> None:
    """The access list of one space; 404 means that it is unknown, not that nobody has access."""

    def read() -> None:
        asking.take(request.space_id, asking.calls.permissions(asking.target, request.space_id))

    asking.fail(request.space_id, asking.guarded(read))


@ask.register
def ask_whether_it_may_be_read(request: ReadProbe, asking: Asking[ReadProbe]) -> None:
    """One call that needs the right to read other people's conversations."""

    def probe() -> None:
        asking.calls.any_conversation(asking.target, request.space_id)

    asking.fail(request.space_id, asking.guarded(probe))
