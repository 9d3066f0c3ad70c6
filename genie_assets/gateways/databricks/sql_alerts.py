"""SQL alerts of the home workspace: list, make, change. What they are to be is not decided here."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import CallError, Retries
from genie_assets.gateways.databricks.transport import WorkspaceHttp

_ALERTS = "/api/2.0/alerts"
_PAGE, _MOST_PAGES = 100, 100


class SqlAlerts:
    """The alerts that one workspace shows us. Every method raises CallError for what does not pass.

    Args:
        connect: Gives the connection to the workspace (`Workspaces.home`).
        retries: How passing trouble is met.
    """

    def __init__(self, connect: Callable[[], WorkspaceHttp], *, retries: Retries | None = None) -> None:
        self._connect, self._retries = connect, retries or Retries()

    def named(self, name: str) -> list[dict[str, Any]]:
        """All alerts of a name, whole, the oldest first; what is trashed is not listed."""
        ids = [str(each.get("id")) for each in self._listed() if each.get("display_name") == name]
        found = [self._call("GET", _one(each)) for each in ids]
        return sorted(found, key=lambda each: (str(each.get("create_time")), str(each.get("id"))))

    def create(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Make an alert, once: a second attempt could make a second one."""
        return self._connect().call("POST", _ALERTS, body=wanted)

    def update(self, alert_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Change these fields of an alert."""
        query = {"update_mask": ",".join(sorted(fields))}
        return self._call("PATCH", _one(alert_id), query=query, body=fields)

    def _listed(self) -> Iterator[dict[str, Any]]:
        query, seen = {"page_size": str(_PAGE)}, set[str]()
        while len(seen) < _MOST_PAGES:
            answer = self._call("GET", _ALERTS, query=query)
            # Databricks' own clients of different ages read one or the other.
            yield from answer.get("results") or answer.get("alerts") or ()
            token = answer.get("next_page_token")
            if not token:
                return
            if token in seen:
                break
            seen.add(token)
            query = {**query, "page_token": str(token)}
        text = "The pages of the workspace's SQL alerts do not end: try again later."
        raise CallError(FetchError(ErrorClass.BAD_PAYLOAD, text, http_status=200))

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        return self._retries.call(lambda: self._connect().call(method, path, **options))


def _one(alert_id: str) -> str:
    return f"{_ALERTS}/{quote(alert_id, safe='')}"
