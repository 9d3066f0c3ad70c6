"""Samples of the Genie API: any address that may be read, asked once, slowly, and not too often in all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.samples import Sample
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.transport import USUAL
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.paths import AGENTS, PERMISSIONS, SPACES, path_of

_LIMITS = replace(USUAL, seconds=30.0)  # a sample that takes longer is none
_ROOTS = {"spaces": SPACES, "agents": AGENTS, "permissions": PERMISSIONS}


class GenieSampler:
    """Asks one thing at a time. Belongs to one thread.

    Args:
        workspaces: Knows how to reach them.
        pacer: How fast they are asked, all together.
        most: So many requests are made at most, second tries included.
        seconds: How long samples are taken, from now on; one that is under way may take half a minute more.
        retries: How passing trouble is met.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        pacer: Pacer,
        most: int,
        *,
        seconds: float = 600.0,
        retries: Retries | None = None,
    ) -> None:
        self._workspaces, self._pacer, self._most = workspaces, pacer, most
        self._retries = retries or Retries(attempts=2, longest_wait=10.0)
        self._seconds, self._began = seconds, self._retries.clock()
        self.requests = 0

    def get(
        self,
        kind: str,
        workspace: tuple[str, str | None],
        path: Sequence[str],
        query: Mapping[str, str],
        *,
        below: str = "spaces",
    ) -> Sample | None:
        """One sample; None if enough was asked, or for long enough, or an id cannot be asked for.

        So many parameters: what is asked, of whom, and what it is called.

        Args:
            kind: What it is called.
            workspace: Its id and its address.
            path: Segments below the root: ids, each quoted, and what stands between.
            query: Parameters.
            below: Below which root: `spaces`, `agents` or `permissions`.
        """
        is_over = self.requests >= self._most or self._retries.clock() - self._began >= self._seconds
        if is_over or not all(map(is_usable_id, path)):
            return None
        address = path_of(*path, below=_ROOTS[below])
        asked = {**query, **_named(path), "workspace_id": workspace[0]}
        try:
            http = self._workspaces.http(*workspace)

            def attempt() -> Sample:
                sent_at = self._pacer.acquire(None) or 0.0
                self.requests += 1
                try:
                    body = http.call("GET", address, query=query, limits=_LIMITS)
                except CallError as failed:
                    if failed.error.error_class is ErrorClass.RATE_LIMITED:
                        self._pacer.refused(sent_at, failed.error.retry_after_seconds)
                    if self.requests >= self._most:
                        raise CallError(failed.error) from None  # no second try
                    raise
                finally:
                    self._pacer.back(sent_at)
                return Sample(kind, asked, body)

            return self._retries.call(attempt)
        except CallError as failed:
            return Sample(kind, asked, problem=failed.error)


def _named(path: Sequence[str]) -> dict[str, str]:
    """The ids of a path: that of the space, and each behind what it is one of."""
    names = {"conversations": "conversation_id", "messages": "message_id", "eval-runs": "run_id"}
    named = {names[kind]: each for kind, each in zip(path[1::2], path[2::2], strict=False) if kind in names}
    return {"space_id": path[0], **named} if path else {}
