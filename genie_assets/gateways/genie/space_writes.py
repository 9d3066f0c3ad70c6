"""Spaces as they are now, read and written one by one, for who carries out a plan.

A write is sent once: whether one whose answer got lost was carried out, only a look can tell. It is sent again
only where Databricks says that it did nothing: too many requests, or a token that ran out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer
from genie_assets.domain.space_logins import Login
from genie_assets.gateways.databricks.identity import own_login
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.genie.answers import SpaceList, bad_payload
from genie_assets.gateways.genie.paths import PERMISSIONS, SPACES, path_of

_DID_NOTHING = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.AUTH})

_UNUSABLE = FetchError(ErrorClass.BAD_REFERENCE, "The id of the space cannot be used in an address.")

Body = Mapping[str, Any]


class _Workspaces(Protocol):
    def http(self, workspace_id: str, url: str | None) -> Any: ...


class _Reading(Protocol):
    def get_space(self, workspace_id: str, workspace_url: str | None, space_id: str) -> Answer | FetchError: ...

    def list_spaces(self, workspace_id: str, workspace_url: str | None) -> SpaceList: ...

    def get_permissions(
        self, workspace_id: str, workspace_url: str | None, space_id: str
    ) -> Answer | FetchError: ...


class LiveSpaces:
    """The spaces of all workspaces, with one login. What fails is a value.

    Args:
        workspaces: How to reach them.
        api: How spaces are read: paced and retried.
        url_of: The address of a workspace, as far as it is known.
        retries: How passing trouble is met.
    """

    def __init__(
        self,
        workspaces: _Workspaces,
        api: _Reading,
        url_of: Callable[[str], str | None],
        retries: Retries | None = None,
    ) -> None:
        self._workspaces, self._api, self._url_of = workspaces, api, url_of
        self._retries = retries or Retries()

    def read(self, key: SpaceKey) -> Body | FetchError:
        """A space with its configuration."""
        url = self._url_of(key.workspace_id)
        answer = self._api.get_space(key.workspace_id, url, key.space_id)
        return answer if isinstance(answer, FetchError) else answer.body

    def listed(self, workspace_id: str) -> list[Body] | FetchError:
        """All spaces of a workspace that may be seen, without their configurations."""
        found = self._api.list_spaces(workspace_id, self._url_of(workspace_id))
        return found.error or [answer.body for answer in found.spaces]

    def create(self, workspace_id: str, body: Body) -> Body | FetchError:
        """Make a space. It may be there though this fails: see `FetchError.may_be_done`."""
        return self._written(workspace_id, "POST", SPACES, body)

    def update(self, key: SpaceKey, body: Body) -> Body | FetchError:
        """Change what the body names. It may be done though this fails: see `FetchError.may_be_done`."""
        if not is_usable_id(key.space_id):
            return _UNUSABLE
        return self._written(key.workspace_id, "PATCH", path_of(key.space_id), body)

    def permissions(self, key: SpaceKey) -> Body | FetchError:
        """Who may do what with a space; 404 means that it is unknown."""
        url = self._url_of(key.workspace_id)
        answer = self._api.get_permissions(key.workspace_id, url, key.space_id)
        return answer if isinstance(answer, FetchError) else answer.body

    def grant(self, key: SpaceKey, entries: Sequence[Body], *, only: bool = False) -> Body | FetchError:
        """Grant levels on a space to principals; with `only`, take what it grants to others away.

        What is inherited stays. Sent again where it fails in passing: twice is the same as once.
        """
        if not is_usable_id(key.space_id):
            return _UNUSABLE
        path = path_of(key.space_id, below=PERMISSIONS)
        body = {"access_control_list": [*entries]}

        def once() -> Body:
            http = self._workspaces.http(key.workspace_id, self._url_of(key.workspace_id))
            answer: Body = http.call("PUT" if only else "PATCH", path, body=body)
            return answer

        return self._called(once)

    def login(self, workspace_id: str) -> Login:
        """Who is logged in in a workspace, as far as it tells: nothing is known where it cannot be asked."""
        try:
            return own_login(self._workspaces.http(workspace_id, self._url_of(workspace_id)))
        except CallError:
            return Login()

    def _written(self, workspace_id: str, method: str, path: str, body: Body) -> Body | FetchError:
        def once() -> Body:
            try:
                answer = self._workspaces.http(workspace_id, self._url_of(workspace_id)).call(
                    method, path, body=body
                )
            except CallError as failed:
                is_safe = failed.transient and failed.error.error_class in _DID_NOTHING
                problem = CallError(failed.error, transient=is_safe)
            else:
                if not isinstance(answer.get("space_id"), str):
                    raise bad_payload("The answer is no space.")
                return answer
            raise problem

        return self._called(once)

    def _called(self, once: Callable[[], Body]) -> Body | FetchError:
        try:
            return self._retries.call(once)
        except CallError as failed:
            return failed.error
