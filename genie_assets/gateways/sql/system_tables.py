"""Databricks' system tables, read through a SQL warehouse: audit log, query history, workspaces."""

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from genie_assets.domain.regions import HOME
from genie_assets.domain.workspaces import is_looked_at
from genie_assets.gateways.databricks.hosts import UnusableUrl, normalise_url
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets.gateways.sql.regions import NONE_LOST, REGION, Failure, Lost, Regions, Warehouse
from genie_assets.gateways.sql.texts import sql_text

# Statement ids travel as one comma-separated parameter: 5,000 of them take 185 kB of the 16 MiB allowed.
_STATEMENTS_PER_QUERY = 5_000
_STATEMENT_ID = re.compile(r"[^,\x00-\x1f\ud800-\udfff]{1,256}")
# Stands for "nobody": an empty list would match events that name no actor.
_NOBODY = "-"

# What each statement brings, by its column. `sql/<name>.sql` says what it means.
_TEXT, _TIME, _DATE, _NUMBER, _TRUTH = "a text", "a time", "a date", "a number", "true or false"
_EVENT = {
    **dict.fromkeys(("workspace_id", "action_name", "space_id", "conversation_id", "message_id"), _TEXT),
    **dict.fromkeys(("first_event_time", "last_event_time"), _TIME),
    "event_count": _NUMBER,
}
_WORKSPACE = dict.fromkeys(("workspace_id", "workspace_name", "workspace_url", "status"), _TEXT)
_RESULTS: Mapping[str, Mapping[str, str]] = {
    "audit_message_events": {
        **_EVENT,
        **dict.fromkeys(("actor", "agent_id", "space_event_id", "lone_event_id"), _TEXT),
        **dict.fromkeys(("is_refused", "is_agents"), _TRUTH),
    },
    "audit_deletions": {**_EVENT, "event_date": _DATE, "lone_event_id": _TEXT},
    "audit_days": {
        "event_date": _DATE,
        "workspace_id": _TEXT,
        "newest_event_time": _TIME,
        **dict.fromkeys(("event_count", "message_count", "events_sum", "unnamed_count"), _NUMBER),
        **_WORKSPACE,
    },
    "audit_freshness": {"newest": _TIME},
    "query_history": {
        **dict.fromkeys(("workspace_id", "statement_id", "execution_status", "error_message"), _TEXT),
        "warehouse_id": _TEXT,
        **dict.fromkeys(("start_time", "end_time", "update_time"), _TIME),
        **dict.fromkeys(("total_duration_ms", "waiting_for_compute_duration_ms"), _NUMBER),
        **dict.fromkeys(("waiting_at_capacity_duration_ms", "compilation_duration_ms"), _NUMBER),
        **dict.fromkeys(("execution_duration_ms", "result_fetch_duration_ms"), _NUMBER),
        **dict.fromkeys(("read_rows", "read_bytes"), _NUMBER),
        "from_result_cache": _TRUTH,
    },
    "workspaces": _WORKSPACE,
}
_OF_A_WORKSPACE = ["workspace_name", "workspace_url", "status"]  # beside its id, which days have, too
_KINDS: Mapping[str, Callable[["pd.Series[Any]"], bool]] = {
    _TEXT: lambda values: all(isinstance(value, str) for value in values),
    _TIME: pd.api.types.is_datetime64_any_dtype,
    _DATE: lambda values: all(type(value) is dt.date for value in values),
    _NUMBER: pd.api.types.is_numeric_dtype,
    _TRUTH: pd.api.types.is_bool_dtype,
}


class SystemTables:
    """The system tables of an account. Every method raises WarehouseError if it cannot be answered.

    With several regions that is if none answers; which of them did not, `regions` says.

    So many parameters: what is read, through what, and who is told.

    Args:
        warehouse: Runs the statements, in the home workspace's region.
        further: Run them in further regions, by the name of each.
        own_principals: Gives the names under which our own calls are audited; asked at the first use.
        workspace_ids: Workspaces to look at; empty means all.
        home_url: Address of the home workspace. A bare address of the same machine has its scheme.
        note_statuses: Is told all workspaces, with their status, whenever they were read.
        lost: Regions that need not be waited for, and who is told of such.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        further: Mapping[str, Warehouse] = MappingProxyType({}),
        own_principals: Callable[[], Collection[str]],
        workspace_ids: Collection[str] = (),
        home_url: str | None = None,
        note_statuses: Callable[[Mapping[str, str | None]], None] = lambda _statuses: None,
        lost: Lost = NONE_LOST,
    ) -> None:
        self._regions, self._note_statuses = Regions({HOME: warehouse, **further}, lost), note_statuses
        self._own_principals = own_principals
        self.chosen_workspaces: Collection[str] = frozenset(workspace_ids)
        self._home = urlsplit(home_url or "")

    @property
    def regions(self) -> Mapping[str, str | None]:
        """All regions, each with why it could not be read so far, if so; none if there is only one."""
        unread = self._regions.unread
        return {name: unread.get(name) for name in self._regions.names}

    @property
    def failures(self) -> Mapping[str, Failure]:
        """How the regions failed that could not be read so far."""
        return self._regions.failures

    @cached_property
    def _own_names(self) -> str:
        """Our own names as a statement takes them. To find them out takes a request."""
        own = sorted({name.lower() for name in self._own_principals() if name and "," not in name})
        return ",".join(own) or _NOBODY

    def message_events(self, event_date: dt.date) -> pd.DataFrame:
        """Events of Genie on one UTC day, in the columns of `sql/audit_message_events.sql`.

        With several regions, the column `region` names those that show the event, separated by commas.

        Raises:
            CallError: our own names cannot be found out.
            RegionLostError: see `Regions.all`.
        """
        parameters = {"event_date": event_date, "own_principals": self._own_names}
        return self._ours(self._events("audit_message_events", parameters))

    def deletions(self, since: dt.date, until: dt.date) -> pd.DataFrame:
        """Deletions of messages and conversations from one UTC day to another, both included.

        They come in the columns of `sql/audit_deletions.sql`.

        Raises:
            RegionLostError: see `Regions.all`.
        """
        found = self._events("audit_deletions", {"event_date": since, "last_date": until})
        # Which of them show it is of no use, and would change with a region that cannot be read.
        return self._ours(found.drop(columns=REGION, errors="ignore"))

    def _events(self, name: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
        """Events in groups; with several regions each for itself, so that what two of them show is there once."""
        each_alone = {**parameters, "each_alone": bool(self._regions.names)}
        frame = self._asked(name, each_alone, belongs_together=True)
        told = [column for column in frame.columns if column != REGION]
        shown = frame[told].drop_duplicates()
        if REGION in frame:
            number = frame.groupby(told, dropna=False, sort=False).ngroup()
            shown[REGION] = number.map(frame[REGION].groupby(number).agg(",".join))
        return shown.reset_index(drop=True).drop(columns="lone_event_id")

    def event_days(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        """What the log holds of each of these UTC days, in the columns of `sql/audit_days.sql`.

        Raises:
            CallError: our own names cannot be found out.
        """
        frame = self._asked_of_days(first, last, exact_until=last, and_workspaces=False)
        return self._ours(frame.drop(columns=_OF_A_WORKSPACE))

    def day_and_later(self, day: dt.date, until: dt.date) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """The same of one UTC day, of the days after it for all workspaces together; and what `workspaces` brings.

        Raises:
            CallError: our own names cannot be found out.
        """
        frame = self._asked_of_days(day, until, exact_until=day, and_workspaces=True)
        days = frame[frame["event_date"].notna()].drop(columns=_OF_A_WORKSPACE)
        is_later = days["workspace_id"].isna()
        later = days[is_later].drop(columns="workspace_id").reset_index(drop=True)
        workspaces = frame.loc[frame["event_date"].isna(), list(_WORKSPACE)]
        return self._ours(days[~is_later]), later, self._usable_workspaces(workspaces)

    def _asked_of_days(
        self, first: dt.date, last: dt.date, *, exact_until: dt.date, and_workspaces: bool
    ) -> pd.DataFrame:
        days = {"first_day": first, "last_day": last, "last_exact_day": exact_until}
        options = {"own_principals": self._own_names, "and_workspaces": and_workspaces}
        return self._asked("audit_days", days | options)

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
            self._asked(
                "query_history",
                {
                    "from_time": from_time,
                    "to_time": to_time,
                    "statement_ids": ",".join(usable[start : start + _STATEMENTS_PER_QUERY]),
                },
            )
            for start in range(0, len(usable), _STATEMENTS_PER_QUERY)
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def workspaces(self, *, everywhere: bool = False) -> pd.DataFrame:
        """Current workspaces, those that do not run included.

        Args:
            everywhere: Ask all regions, though one would do: `regions` says then which of them cannot show any.

        Returns:
            workspace_id, workspace_name, workspace_url as https://host or, of a host of many workspaces,
            https://host/?o=<its id> (NULL if unusable), and status as Databricks spells it: RUNNING, or why the
            workspace answers nobody; NULL if unknown.
        """
        told = self._asked("workspaces", None) if everywhere else self._all_workspaces()
        return self._usable_workspaces(told[list(_WORKSPACE)])

    def _usable_workspaces(self, told: pd.DataFrame) -> pd.DataFrame:
        # Of one that is not looked at, too, it is known that it is there.
        self._note_statuses(_statuses(told))
        frame = self._ours(told)
        frame["workspace_url"] = [self._usable_url(url) for url in frame["workspace_url"]]
        return frame.drop_duplicates("workspace_id")

    def statuses(self) -> dict[str, str | None]:
        """All workspaces, those included that are not looked at, with their status; None where it is not known."""
        return _statuses(self._all_workspaces())

    def _all_workspaces(self) -> pd.DataFrame:
        return self._regions.any(lambda warehouse: _answer(warehouse, "workspaces", None))

    def latest_audit_event(self, since: dt.date) -> dt.datetime | None:
        """Time of the newest audit event of any service of a UTC day and the next ones; None if there is none."""
        return max(filter(None, self.latest_audit_events(since).values()), default=None)

    def latest_audit_events(self, since: dt.date) -> dict[str, dt.datetime | None]:
        """The same by region, of those that can be read: what one of them shows says nothing of another."""
        frame = self._asked("audit_freshness", {"event_date": since, "last_day": since + _DAYS_OF_FRESHNESS})
        names = frame[REGION] if REGION in frame else [HOME] * len(frame)
        times = (None if pd.isna(each) else each.to_pydatetime() for each in frame["newest"])
        return dict(zip(names, times, strict=True))

    def _asked(
        self, name: str, parameters: Mapping[str, Any] | None, *, belongs_together: bool = False
    ) -> pd.DataFrame:
        """The result of `sql/<name>.sql` in all regions, in the columns that it names."""
        return self._regions.all(
            lambda warehouse: _answer(warehouse, name, parameters), belongs_together=belongs_together
        )

    def _ours(self, frame: pd.DataFrame) -> pd.DataFrame:
        ours = [is_looked_at(each, self.chosen_workspaces) for each in frame["workspace_id"]]
        return frame[pd.Series(ours, index=frame.index, dtype=bool)].reset_index(drop=True)

    def _usable_url(self, url: Any) -> str | None:
        if not isinstance(url, str):
            return None
        try:
            usable = normalise_url(url)
        except UnusableUrl:
            return None
        same_machine = "://" not in url and urlsplit(usable).hostname == self._home.hostname
        return usable.replace("https://", f"{self._home.scheme}://", 1) if same_machine else usable


# Whoever asks how far the log has come asks of the day before yesterday on; a clock may differ by a day.
_DAYS_OF_FRESHNESS = dt.timedelta(days=3)


def _answer(warehouse: Warehouse, name: str, parameters: Mapping[str, Any] | None) -> pd.DataFrame:
    """The result of `sql/<name>.sql` in one region, in the columns that it names."""
    frame = warehouse.query(sql_text(name), parameters)
    for column, kind in _RESULTS[name].items():
        if column not in frame:
            raise WarehouseError(
                f"What answers at DATABRICKS_HOST sent a result without the column {column}: is it Databricks?"
            )
        values = frame[column]
        if values.notna().any() and not _KINDS[kind](values.dropna()):
            raise WarehouseError(f"The SQL warehouse sent the column {column}, which is not {kind}.")
    return frame


def _statuses(workspaces: pd.DataFrame) -> dict[str, str | None]:
    first = workspaces.drop_duplicates("workspace_id")
    statuses = (status if isinstance(status, str) else None for status in first["status"])
    return dict(zip(first["workspace_id"], statuses, strict=True))
