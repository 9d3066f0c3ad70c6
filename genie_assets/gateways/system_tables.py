"""Databricks' system tables, read through a SQL warehouse: audit log, query history, workspaces."""

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import pandas as pd

from genie_assets.gateways.hosts import UnusableUrl, normalise_url
from genie_assets.gateways.sql_texts import sql_text

# Statement ids travel as one comma-separated parameter: 5,000 of them take 185 kB of the 16 MiB allowed.
_STATEMENTS_PER_QUERY = 5_000
_STATEMENT_ID = re.compile(r"[^,\x00-\x1f\ud800-\udfff]{1,256}")
# Stands for "nobody": an empty list would match events that name no actor.
_NOBODY = "-"


class Warehouse(Protocol):
    """What runs a SELECT and brings its whole result."""

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Run `statement` with named parameters."""
        ...


class SystemTables:
    """The system tables of an account's region.

    Args:
        warehouse: Runs the statements.
        own_principals: Gives the names under which our own calls are audited; asked at the first use.
        workspace_ids: Workspaces to look at; empty means all.
        home_url: Address of the home workspace. A bare address of the same machine has its scheme.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        own_principals: Callable[[], Collection[str]],
        workspace_ids: Collection[str] = (),
        home_url: str | None = None,
    ) -> None:
        self._warehouse = warehouse
        self._own_principals = own_principals
        self._workspace_ids = frozenset(workspace_ids)
        self._home = urlsplit(home_url or "")

    def message_events(self, event_date: dt.date) -> pd.DataFrame:
        """Events of one UTC day that name a Genie message, in the columns of `sql/audit_message_events.sql`."""
        own = sorted({name.lower() for name in self._own_principals() if name and "," not in name})
        parameters = {"event_date": event_date, "own_principals": ",".join(own) or _NOBODY}
        return self._ours(self._warehouse.query(sql_text("audit_message_events"), parameters))

    def deletions(self, since: dt.date) -> pd.DataFrame:
        """Deletions of messages and conversations since a UTC day, in the columns of `sql/audit_deletions.sql`."""
        return self._ours(self._warehouse.query(sql_text("audit_deletions"), {"event_date": since}))

    def query_history(
        self, statement_ids: Collection[str], *, from_time: dt.datetime, to_time: dt.datetime
    ) -> pd.DataFrame:
        """How statements ran, in the columns of `sql/query_history.sql`; not every statement need be there.

        Args:
            statement_ids: Ids from Genie's answers. One that no statement of Databricks can have is left out.
            from_time: Earliest start, UTC.
            to_time: First start that is too late, UTC.
        """
        usable = sorted({text for text in statement_ids if _STATEMENT_ID.fullmatch(text)})
        frames = [
            self._warehouse.query(
                sql_text("query_history"),
                {
                    "from_time": from_time,
                    "to_time": to_time,
                    "statement_ids": ",".join(usable[start : start + _STATEMENTS_PER_QUERY]),
                },
            )
            for start in range(0, len(usable), _STATEMENTS_PER_QUERY)
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def workspaces(self) -> pd.DataFrame:
        """Current workspaces: workspace_id, workspace_name, workspace_url as https://host (NULL if unusable)."""
        frame = self._ours(self._warehouse.query(sql_text("workspaces")))
        frame["workspace_url"] = [self._usable_url(url) for url in frame["workspace_url"]]
        return frame.drop_duplicates("workspace_id")

    def latest_audit_event(self, since: dt.date) -> dt.datetime | None:
        """Time of the newest audit event of any service since a UTC day; None if there is none."""
        newest = self._warehouse.query(sql_text("audit_freshness"), {"event_date": since})["newest"]
        return None if newest.isna().all() else newest.iloc[0].to_pydatetime()

    def _ours(self, frame: pd.DataFrame) -> pd.DataFrame:
        if not self._workspace_ids:
            return frame
        return frame[frame["workspace_id"].isin(self._workspace_ids)].reset_index(drop=True)

    def _usable_url(self, url: Any) -> str | None:
        if not isinstance(url, str):
            return None
        try:
            usable = normalise_url(url)
        except UnusableUrl:
            return None
        same_machine = "://" not in url and urlsplit(usable).hostname == self._home.hostname
        return usable.replace("https://", f"{self._home.scheme}://", 1) if same_machine else usable
