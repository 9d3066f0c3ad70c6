"""What spaces let our principal do: read everybody's conversations, and export the configuration."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from genie_assets.commands.cures import elsewhere, permission
from genie_assets.commands.findings import Finding
from genie_assets.commands.terminal import readable
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.numbers import form, many
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import ReadProbe, SpaceRequest
from genie_assets.pipeline.ports import Genie

MOST_SPACES = 200
_NAMED, _SECONDS = 10, 120.0
_READ = "our principal read everybody's conversations"
_EXPORT = "our principal export the configuration"


def rights(
    genie: Genie, spaces: Mapping[SpaceKey, str | None], principal: str, home_url: str
) -> Iterator[Finding]:
    """Ask spaces what they let us do, the first two hundred, for two minutes at most.

    Args:
        genie: The API.
        spaces: Spaces that were listed, and the addresses of their workspaces.
        principal: Who is logged in.
        home_url: The workspace to which commands go that name none.
    """
    chosen = sorted(spaces)[:MOST_SPACES]
    deadline = time.monotonic() + _SECONDS
    for kind, what in ((ReadProbe, _READ), (SpaceRequest, _EXPORT)):
        asked = [kind(key.workspace_id, spaces[key], key.space_id) for key in chosen]
        refused, unknown = _refused(genie.fetch(asked, deadline=deadline))
        name = f"spaces.{'read' if kind is ReadProbe else 'export'}"
        asked_of = many(len(chosen), "space")
        if not refused and unknown < len(chosen):
            well = len(chosen) - unknown
            yield Finding(ok=True, text=f"{well} of {asked_of} {form(well, 'lets', 'let')} {what}", name=name)
        if refused:
            named = ", ".join(readable(key.space_id) for key in refused[:_NAMED])
            more = f" and {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
            some = f"{len(refused)} of {asked_of} {form(len(refused), 'does', 'do')}"
            text = f"{some} not let {what}: {named}{more}. It takes CAN MANAGE there"
            cure = tuple(_cure(key.space_id, spaces[key], principal, home_url) for key in refused[:_NAMED])
            yield Finding(ok=True, warns=True, text=text, name=name, cure=cure)
        if unknown:
            lets = form(unknown, "it lets", "they let")
            yield Finding(ok=None, text=f"Not known of {many(unknown, 'space')}: whether {lets} {what}", name=name)
    if left := len(spaces) - len(chosen):
        yield Finding(
            ok=None, text=f"Not asked what they let us do: {many(left, 'more space')}", name="spaces.rights"
        )


def _cure(space_id: str, url: str | None, principal: str, home_url: str) -> str:
    return permission("genie", space_id, "CAN_MANAGE", principal, elsewhere(url, home_url))


def _refused(results: Iterable[Any]) -> tuple[list[SpaceKey], int]:
    """The spaces that refuse, and how many did not say."""
    refused, unknown = [], 0
    for result in results:
        problem: FetchError | None = next(iter(result.errors.values()), None)
        key = SpaceKey(result.request.workspace_id, result.request.space_id)
        if (problem is not None and problem.error_class is ErrorClass.PERMISSION) or _is_without_export(result):
            refused.append(key)
        elif problem is not None or result.not_attempted:
            unknown += 1
    return sorted(refused), unknown


def _is_without_export(result: Any) -> bool:
    """Whether a space was shown without its configuration, which is the other way to refuse it."""
    answer = result.answers.get(result.request.space_id)
    looked_for = isinstance(result.request, SpaceRequest) and not result.errors and answer is not None
    return looked_for and not answer.body.get("serialized_space")
