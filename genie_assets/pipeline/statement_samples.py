"""Samples of the SQL API and of the system tables: statements that only read, and what else to look at."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from genie_assets.domain.contract_sql import rows
from genie_assets.domain.samples import Sample, Samples
from genie_assets.gateways.sql.texts import sql_names, sql_text

_DAYS = 7  # of audit log and query history
_SINCE_A_DAY = frozenset({"audit_actions", "audit_examples", "audit_rows"})
_OF_SPACES = "audit_conversations"
_SINCE_A_TIME = frozenset({"history_statuses", "history_rows"})


class Warehouse(Protocol):
    """Sends statements; see `StatementSampler`."""

    def run(self, kind: str, statement: str, parameters: Mapping[str, Any] | None = None) -> Sample:
        """One sample, inline."""
        ...

    def run_for_links(self, kind: str, statement: str) -> Sample:
        """One sample, with links to its rows."""
        ...


@dataclass(frozen=True)
class Hint:
    """A conversation in which something happened that few have: a comment on a message, or an agent's answer."""

    space_id: str
    conversation_id: str
    message_id: str | None


def samples_of_statements(warehouse: Warehouse, now: dt.datetime, *, with_rows: bool) -> Iterator[Sample]:
    """Run the statements, one after the other.

    Args:
        warehouse: Runs them.
        now: The time, UTC.
        with_rows: Whether whole rows of system tables are wanted, too.
    """
    since = now - dt.timedelta(days=_DAYS)
    for folder in ("contract", "record") if with_rows else ("contract",):
        for name in (each for each in sql_names(folder) if each != _OF_SPACES):
            yield warehouse.run(f"sql.{name}", sql_text(f"{folder}/{name}"), _parameters(name, since))
    yield warehouse.run_for_links("sql.links", sql_text("contract/one"))


def sample_of_spaces(warehouse: Warehouse, samples: Samples) -> Iterator[Sample]:
    """Which conversations the audit log shows of the spaces whose conversations were listed whole.

    Args:
        warehouse: Runs the statement.
        samples: What was answered so far.
    """
    listed = {
        sample.asked["space_id"]
        for sample, body in samples.bodies("conversations")
        if not body.get("next_page_token") and "," not in sample.asked["space_id"]
    }
    if listed:
        since = (samples.at - dt.timedelta(days=_DAYS)).date()
        parameters = {"since": since, "space_ids": ",".join(sorted(listed))}
        yield warehouse.run(f"sql.{_OF_SPACES}", sql_text(f"contract/{_OF_SPACES}"), parameters)


def _parameters(name: str, since: dt.datetime) -> Mapping[str, dt.date | dt.datetime]:
    if name not in _SINCE_A_DAY | _SINCE_A_TIME:
        return {}
    return {"since": since.date() if name in _SINCE_A_DAY else since}


def hints(samples: Samples) -> dict[str, list[Hint]]:
    """What the audit log says is worth a look, the latest first, by workspace."""
    found: dict[str, list[Hint]] = {}
    for row in rows(samples, "sql.audit_examples"):
        if len(row) == 4 and all(isinstance(each, str) and each for each in row[:3]):
            message_id = row[3] if isinstance(row[3], str) and row[3] else None
            known = found.setdefault(row[0], [])
            hint = Hint(row[1], row[2], message_id)
            if hint not in known:
                known.append(hint)
    return found
