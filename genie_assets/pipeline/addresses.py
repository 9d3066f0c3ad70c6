"""Looks up where workspaces are, for requests that do not say it; what that comes to, `domain/addresses` says."""

from collections.abc import Iterable
from typing import TypeVar

from genie_assets.domain.addresses import Placed, address_questions, addressed, unaddressed
from genie_assets.gateways.lakehouse.interface import Lakehouse

R = TypeVar("R", bound=Placed)


def with_addresses(requests: Iterable[R], lake: Lakehouse) -> list[R]:
    """The requests, with the address of the workspace as far as any table knows it; one question, or none."""
    asked = list(requests)
    workspace_ids = unaddressed(asked)
    return addressed(asked, lake.together(address_questions(workspace_ids))) if workspace_ids else asked
