"""Facts of the SQL API and of the system tables."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from genie_assets.domain.contract import Fact, FactVerdict, Judged, judged
from genie_assets.domain.messages import as_object
from genie_assets.domain.samples import Samples, form, items, word
from genie_assets.domain.vocabularies import EXECUTION_STATUSES, WORKSPACE_STATUSES, is_known_action

_TEXT, _TIME = ("STRING",), ("TIMESTAMP",)
_ID = ("STRING", "BIGINT", "LONG")  # it is cast to text
_NUMBER = ("BIGINT", "LONG", "INT")
_STRUCT = ("STRUCT",)
_AUDIT: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("event_id", "service_name", "action_name"), _TEXT),
    "workspace_id": _ID,
    "event_time": _TIME,
    "event_date": ("DATE",),
    "user_identity": _STRUCT,
    "response": _STRUCT,
    "request_params": ("MAP",),
}
_HISTORY: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("statement_id", "execution_status", "error_message"), _TEXT),
    "workspace_id": _ID,
    **dict.fromkeys(("start_time", "end_time", "update_time"), _TIME),
    **dict.fromkeys(
        (
            *("total_duration_ms", "waiting_for_compute_duration_ms", "waiting_at_capacity_duration_ms"),
            *("compilation_duration_ms", "execution_duration_ms", "result_fetch_duration_ms"),
            *("read_rows", "read_bytes"),
        ),
        _NUMBER,
    ),
    "from_result_cache": ("BOOLEAN",),
    "compute": _STRUCT,
}
_WORKSPACES: Mapping[str, tuple[str, ...]] = {
    "workspace_id": _ID,
    **dict.fromkeys(("workspace_name", "workspace_url", "status"), _TEXT),
}
_MEMBERS = {
    "user_identity": ("email", "subject_name"),
    "response": ("status_code", "result"),
    "compute": ("warehouse_id",),
}
# Actions that name their message in the request, as `sql/audit_message_events.sql` reads it.
_NAME_A_MESSAGE = ("getconversationmessage", "deleteconversationmessage", "cancelmessage")


def _inline(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for _, body in samples.bodies("sql.one"):
        cases += 1
        result = as_object(body.get("result"))
        if _state(body) != "SUCCEEDED":
            flaws.append(f"status.state is {word(_state(body))}")
        elif result.get("data_array") != [["1"]]:
            flaws.append(f"result.data_array is {form(result.get('data_array'))}, and no [['1']]")
        elif [each.get("name") for each in columns(body)] != ["one"]:
            flaws.append(f"manifest.schema is {form(as_object(body.get('manifest')).get('schema'))}")
    return judged(cases, flaws, "statements with rows inline")


def _links(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for _, body in samples.bodies("sql.links"):
        cases += 1
        links = as_object(body.get("result")).get("external_links")
        if _state(body) != "SUCCEEDED":
            flaws.append(f"status.state is {word(_state(body))}")
        elif not items(links):
            flaws.append(f"result.external_links is {form(links)}")
        else:
            flaws += [
                f"a link is {form(each)}"
                for each in items(links)
                if not isinstance(as_object(each).get("external_link"), str)
            ]
    return judged(cases, flaws, "statements with links")


def _failure(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for sample in samples.of("sql.nothing"):
        if sample.problem is not None:
            if sample.problem.http_status is not None:
                cases += 1
                flaws.append(f"a statement that fails answers {sample.problem.http_status}")
            continue
        cases += 1
        body = sample.body or {}
        message = as_object(as_object(body.get("status")).get("error")).get("message")
        if _state(body) != "FAILED":
            flaws.append(f"status.state is {word(_state(body))}")
        elif not (isinstance(message, str) and message.startswith("[TABLE_OR_VIEW_NOT_FOUND]")):
            begun = message.partition("]")[0][1:] if isinstance(message, str) and message[:1] == "[" else message
            flaws.append(f"the condition is {word(begun)}")
    return judged(cases, flaws, "statements that fail")


def _audit(samples: Samples) -> Judged:
    return _columns(samples, "audit", _AUDIT)


def _history(samples: Samples) -> Judged:
    table = _columns(samples, "history", _HISTORY)
    return _with_words(samples, table, "sql.history_statuses", EXECUTION_STATUSES)


def _workspaces(samples: Samples) -> Judged:
    table = _columns(samples, "workspaces", _WORKSPACES)
    return _with_words(samples, table, "sql.workspaces_statuses", WORKSPACE_STATUSES)


def _columns(samples: Samples, name: str, wanted: Mapping[str, tuple[str, ...]]) -> Judged:
    cases, flaws = 0, []
    for _, body in samples.bodies(f"sql.{name}_columns"):
        if _state(body) != "SUCCEEDED":
            continue  # it is not for us to see: `doctor` says what to grant
        found = {each.get("name"): each for each in columns(body)}
        for column, types in wanted.items():
            cases += 1
            told = found.get(column)
            kind, text = (as_object(told).get(each) for each in ("type_name", "type_text"))
            if told is None:
                flaws.append(f"{column} is missing")
            elif kind not in types:
                flaws.append(f"{column} is {word(kind)}")
            elif missing := [each for each in _MEMBERS.get(column, ()) if f"{each}:" not in _plain(text)]:
                flaws.append(f"{column} lacks {', '.join(missing)}")
    return judged(cases, flaws, f"columns of {name}")


def _with_words(samples: Samples, table: Judged, kind: str, known: frozenset[str]) -> Judged:
    """The verdict on a table's columns, and on the words in one of them."""
    told = [row[0] for row in rows(samples, kind) if row and row[0] is not None]
    words = judged(len(told), [f"status {word(each)}" for each in told if each not in known], "different statuses")
    if FactVerdict.CONTRADICTED not in (table.verdict, words.verdict):
        is_held = table.verdict is words.verdict is FactVerdict.HELD
        return Judged(FactVerdict.HELD if is_held else FactVerdict.NOT_SHOWN, f"{table.seen}, {words.seen}")
    seen = [each.seen for each in (table, words) if each.verdict is FactVerdict.CONTRADICTED]
    return Judged(FactVerdict.CONTRADICTED, "; ".join(seen))


def _actions(samples: Samples) -> Judged:
    names = {row[0] for row in rows(samples, "sql.audit_actions") if row and isinstance(row[0], str)}
    flaws = [f"the action {_action(each)}" for each in names if not is_known_action(each)]
    return judged(len(names), flaws, "different actions of aibiGenie")


def _ids(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for action, named, has_result in parameters(samples):
        if action.lower().removeprefix("genie") in _NAME_A_MESSAGE:
            cases += 1
            plain = {each.replace("_", "").lower() for each in named}
            if not has_result and not {"spaceid", "conversationid", "messageid"} <= plain:
                flaws.append(f"{_action(action)} names {', '.join(sorted(map(_key, named))) or 'nothing'}")
    return judged(cases, flaws, "forms of events that name a message")


def parameters(samples: Samples) -> Iterator[tuple[str, list[str], bool]]:
    """The actions of Genie's events, once for each set of parameters that they name.

    Yields:
        The action, the names of its parameters, and whether some of these events show a result, too.
    """
    for row in rows(samples, "sql.audit_actions"):
        if len(row) > 2 and isinstance(row[0], str):
            try:
                named = json.loads(row[1] or "[]")
            except ValueError:
                continue
            yield row[0], [each for each in items(named) if isinstance(each, str)], row[2] == "1"


def rows(samples: Samples, kind: str) -> Iterator[list[Any]]:
    """The rows of statements of a kind."""
    for _, body in samples.bodies(kind):
        found = items(as_object(body.get("result")).get("data_array"))
        yield from (each for each in found if isinstance(each, list))


def columns(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The columns of a statement's result."""
    schema = as_object(as_object(body.get("manifest")).get("schema"))
    return [each for each in items(schema.get("columns")) if isinstance(each, Mapping)]


def _plain(text: Any) -> str:
    return text.lower().replace(" ", "").replace("`", "") if isinstance(text, str) else ""


def _state(body: Mapping[str, Any]) -> Any:
    return as_object(body.get("status")).get("state")


def _action(name: str) -> str:
    """Names of actions are Databricks'; what does not look like one is not shown."""
    return name if name.isascii() and name.isalnum() and len(name) <= 80 else form(name)


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").isalnum() and len(name) <= 60 else form(name)


FACTS = (
    Fact(
        "statements.inline",
        "A statement's rows come inline, every value as text, with the names of their columns in the manifest.",
        "gateways.sql.answers, gateways.sql.values",
        _inline,
    ),
    Fact(
        "statements.links",
        "With EXTERNAL_LINKS they come as links, each a text.",
        "gateways.sql.results",
        _links,
    ),
    Fact(
        "statements.failure",
        "A statement that fails answers 200 with the state FAILED, and its condition in brackets.",
        "gateways.sql.errors",
        _failure,
    ),
    Fact(
        "audit.columns",
        "system.access.audit has the columns that we read, with the types that we read them as.",
        "sql/audit_message_events.sql, sql/audit_days.sql, sql/audit_deletions.sql",
        _audit,
    ),
    Fact(
        "audit.actions",
        "Every action of the service aibiGenie is one that we know.",
        "domain.actions; an unknown one is taken for a change",
        _actions,
    ),
    Fact(
        "audit.ids",
        "Events that read or end a message name it with its conversation and space, if they show no result.",
        "sql/audit_message_events.sql",
        _ids,
    ),
    Fact(
        "history.table",
        "system.query.history has the columns that we read, and ends statements in three ways.",
        "sql/query_history.sql, domain.executions",
        _history,
    ),
    Fact(
        "workspaces.table",
        "system.access.workspaces_latest has the columns that we read, and five statuses.",
        "sql/workspaces.sql, domain.workspaces",
        _workspaces,
    ),
)
