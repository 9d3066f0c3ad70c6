"""The datasets: few and wide, each a question to our views, narrowed by the period, the workspace and the space.

A share is a column that is 1, 0 or NULL, so that its mean is right for every choice and for every grouping, and
what is not known counts for nothing. People, spaces and conversations are counted from rows, never added up.
Nothing is divided by what may be 0.
"""

import re
from collections.abc import Mapping

from genie_assets.domain.dashboard.words import Dataset, Parameter

EVERYTHING = "<ALL>"
PERIOD = Parameter("period", "Period (UTC days)", "DATE", ("now-30d/d", "now-1d/d"))
WORKSPACE = Parameter("workspace", "Workspace", "STRING", (EVERYTHING,))
SPACE = Parameter("space", "Space", "STRING", (EVERYTHING,))
PARAMETERS = (PERIOD, WORKSPACE, SPACE)

# What is chosen reads `name | id`: names are for people, and only what follows the last bar is compared.
_SPACE_ID = "CONCAT({of}workspace_id, '/', {of}space_id)"
_CHOSEN: Mapping[Parameter, str] = {
    PERIOD: "{of}{day} BETWEEN :period.min AND :period.max",
    WORKSPACE: "(:workspace = '<ALL>' OR {of}workspace_id = SUBSTRING_INDEX(:workspace, ' | ', -1))",
    SPACE: f"(:space = '<ALL>' OR {_SPACE_ID} = SUBSTRING_INDEX(:space, ' | ', -1))",
}
# Titles are not unique, and a chart would add up what has the same name.
_READ = re.compile(r"\b(?:FROM|JOIN) ([a-z_]+)")
_LABEL = "CONCAT(COALESCE({of}space_name, 'Space'), ' · ', RIGHT({of}space_id, 6))"


def chosen(*parameters: Parameter, of: str = "", day: str = "day") -> str:
    """The condition that a row is among what was chosen.

    Args:
        parameters: Those that the rows have a column for.
        of: The alias of the rows, with its dot.
        day: The column with the day.
    """
    return "\n  AND ".join(_CHOSEN[each].format(of=of, day=day) for each in parameters)


def _dataset(
    name: str, title: str, columns: Mapping[str, str], source: str, parameters: tuple[Parameter, ...] = ()
) -> Dataset:
    """A dataset; a column whose expression is empty is one of the source's."""
    selected = ",\n  ".join(f"{text} AS {each}" if text else each for each, text in columns.items())
    sql = f"SELECT\n  {selected}\n{source}"
    return Dataset(name, title, sql, tuple(columns), parameters, tuple(sorted(set(_READ.findall(source)))))


def _share(yes: str, of: str) -> str:
    """1.0 or 0.0 where that can be told; its mean is a share."""
    return f"CASE WHEN {of} THEN CASE WHEN {yes} THEN 1.0D ELSE 0.0D END END"


def _signal(flag: str) -> str:
    return _share(f"s.{flag}", f"s.{flag} IS NOT NULL")


def _seconds(ms: str) -> str:
    return f"{ms} / 1000.0D"


TURNS = _dataset(
    "turns",
    "Turns: one row per message",
    {
        "day": "",
        "hour": "CAST(FLOOR(UNIX_MILLIS(asked_at) / 3600000) % 24 AS INT)",
        "weekday": "DATE_FORMAT(day, 'E')",
        "workspace_id": "",
        "workspace": "COALESCE(workspace_name, workspace_id)",
        "space_key": _SPACE_ID.format(of=""),
        "space": _LABEL.format(of=""),
        "conversation_key": "CONCAT(workspace_id, '/', conversation_id)",
        "user_key": "",
        "person": "CASE WHEN user_kind <> 'SERVICE_PRINCIPAL' THEN user_key END",
        "user_kind": "COALESCE(user_kind, 'NOBODY KNOWS')",
        "outcome": "",
        "answered": _share("outcome = 'ANSWERED'", "is_judged"),
        "failed": _share("outcome = 'FAILED'", "is_judged"),
        "error_type": "CASE WHEN outcome = 'FAILED' THEN COALESCE(error_type, 'NOT NAMED') END",
        "error_group": "CASE WHEN outcome = 'FAILED' THEN COALESCE(error_group, 'OTHER') END",
        "rating": "CASE WHEN is_judged THEN rating END",
        "rated": _share("rating IS NOT NULL", "is_judged"),
        "positive": _share("rating = 'POSITIVE'", "is_judged AND rating IS NOT NULL"),
        "commented": _share("comment IS NOT NULL", "is_judged"),
        "response_s": f"CASE WHEN outcome = 'ANSWERED' THEN {_seconds('response_time_ms')} END",
        "thinking_s": f"CASE WHEN outcome = 'ANSWERED' THEN {_seconds('thinking_time_ms')} END",
        "wait_s": f"CASE WHEN outcome = 'ANSWERED' THEN {_seconds('query_wait_ms')} END",
        "compile_s": f"CASE WHEN outcome = 'ANSWERED' THEN {_seconds('query_compile_ms')} END",
        "execution_s": f"CASE WHEN outcome = 'ANSWERED' THEN {_seconds('query_execution_ms')} END",
        "fetch_s": f"CASE WHEN outcome = 'ANSWERED' THEN {_seconds('query_fetch_ms')} END",
        "warehouse_id": "query_warehouse_id",
        "statement_s": _seconds("query_duration_ms"),
        "cached": _share("query_from_cache", "query_from_cache IS NOT NULL"),
        "read_gb": "query_read_bytes / 1000000000.0D",
    },
    f"FROM message_overview\nWHERE {chosen(*PARAMETERS)}",
    PARAMETERS,
)

_SIGNS = (
    "CONCAT_WS(', ', CASE WHEN s.is_rephrased THEN 'rephrased' END, "
    "CASE WHEN s.is_abandoned THEN 'abandoned' END, CASE WHEN s.is_clarification THEN 'asked back' END, "
    "CASE WHEN s.is_empty_result THEN 'empty result' END, CASE WHEN s.is_without_sql THEN 'no SQL' END)"
)
# Its own dataset: texts are long, and no chart needs them.
TURN_TEXTS = _dataset(
    "turn_texts",
    "Turns with their words: the latest 2,000",
    {
        "asked_at": "m.asked_at",
        "workspace": "COALESCE(m.workspace_name, m.workspace_id)",
        "space": _LABEL.format(of="m."),
        "user_key": "m.user_key",
        "question": "m.question",
        "answer": "m.answer_text",
        "sql_text": "m.query_sql",
        "outcome": "m.outcome",
        "error_type": "m.error_type",
        "error_message": "m.error_message",
        "rating": "m.rating",
        "comment": "m.comment",
        "response_s": _seconds("m.response_time_ms"),
        "signs": _SIGNS,
        "has_sign": f"CASE WHEN {_SIGNS} = '' THEN 'no' ELSE 'yes' END",
        "genie_url": "m.genie_url",
    },
    "FROM message_overview AS m\n"
    "LEFT JOIN question_signals AS s ON s.workspace_id = m.workspace_id AND s.message_id = m.message_id\n"
    f"WHERE {chosen(*PARAMETERS, of='m.')}\n"
    "ORDER BY m.asked_at DESC, m.workspace_id, m.message_id\nLIMIT 2000",
    PARAMETERS,
)

SIGNALS = _dataset(
    "signals",
    "Signs that Genie did not help: one row per message",
    {
        "day": "s.day",
        "space": _LABEL.format(of="m."),
        "without_sql": _signal("is_without_sql"),
        "empty_result": _signal("is_empty_result"),
        "asked_back": _signal("is_clarification"),
        "rephrased": _signal("is_rephrased"),
        "abandoned": _signal("is_abandoned"),
        "result_expired": _signal("is_result_expired"),
        "withheld": _signal("is_withheld"),
    },
    "FROM question_signals AS s\n"
    "JOIN message_overview AS m ON m.workspace_id = s.workspace_id AND m.message_id = s.message_id\n"
    f"WHERE {chosen(*PARAMETERS, of='s.')}",
    PARAMETERS,
)

ACTIVITY = _dataset(
    "activity",
    "Activity: one row per day and space, days without questions included",
    {
        "day": "",
        "messages": "",
        "answered": "",
        "failed": "",
        "cancelled": "",
        "unsettled": "",
        "withheld": "",
        "deleted": "",
        "unread_messages": "",
    },
    f"FROM activity_by_space\nWHERE {chosen(*PARAMETERS)}",
    PARAMETERS,
)

REACH = _dataset(
    "reach",
    "Reach: people by day, week and month",
    {
        "day": "",
        "is_latest": "CASE WHEN day = MAX(day) OVER () THEN 'yes' ELSE 'no' END",
        "daily_users": "",
        "weekly_users": "",
        "monthly_users": "",
        "new_users": "",
        "returning_users": "",
        "stickiness": "",
        "history_since": "",
    },
    "FROM active_users\n"
    f"WHERE {chosen(PERIOD)}\n"
    "  AND workspace_id = CASE WHEN :workspace = '<ALL>' THEN '*' ELSE SUBSTRING_INDEX(:workspace, ' | ', -1) END",
    (PERIOD, WORKSPACE),
)

CONVERSATIONS = _dataset(
    "conversations",
    "Conversations: one row each, by the day of the first question",
    {
        "day": "",
        "started_at": "",
        "workspace": "COALESCE(workspace_name, workspace_id)",
        "space": _LABEL.format(of=""),
        "users": "",
        "messages": "",
        "length_s": _seconds("length_ms"),
        "first_answered": _share("is_first_answered", "is_first_answered IS NOT NULL"),
        "abandoned": _share("is_abandoned", "is_abandoned IS NOT NULL"),
        "rephrased": "",
        "failed": "",
        "genie_url": "",
    },
    f"FROM conversations\nWHERE {chosen(*PARAMETERS)}",
    PARAMETERS,
)

INVENTORY = _dataset(
    "inventory",
    "Spaces as they are now",
    {
        "workspace": "COALESCE(workspace_name, workspace_id)",
        "space": _LABEL.format(of=""),
        "state": (
            "CASE WHEN is_trashed THEN 'trashed' WHEN is_never_used THEN 'never used' "
            "WHEN is_never_used IS NULL THEN 'unknown' ELSE 'used' END"
        ),
        "configuration": "CASE WHEN is_configuration_known THEN 'known' ELSE 'not readable' END",
        "last_used_on": "",
        "messages": "",
        "users": "",
        "tables": "",
        "table_columns": "",
        "joins": "",
        "instructions": "",
        "example_queries": "",
        "sample_questions": "",
        "benchmarks": "",
    },
    f"FROM space_inventory\nWHERE {chosen(WORKSPACE, SPACE)}",
    (WORKSPACE, SPACE),
)

COMPLETENESS = _dataset(
    "completeness_days",
    "Completeness: one row per day and workspace",
    {
        "day": "",
        "workspace": "COALESCE(workspace_name, workspace_id)",
        "discovered": "",
        "stored": "",
        "open_errors": "",
        "pending": "",
        "closed": "",
        "deleted": "",
        "requests": "",
    },
    f"FROM completeness\nWHERE {chosen(PERIOD, WORKSPACE)}",
    (PERIOD, WORKSPACE),
)

OPEN_ERRORS = _dataset(
    "errors_now",
    "Errors that are open now",
    {
        "of_what": "",
        "workspace": "COALESCE(workspace_name, workspace_id)",
        "space": _LABEL.format(of=""),
        "error_class": "",
        "retry_state": "",
        "age_days": "",
        "retry_count": "",
        "first_error_at": "",
        "next_retry_at": "",
        "error_message": "",
    },
    f"FROM open_errors\nWHERE {chosen(WORKSPACE, SPACE)}",
    (WORKSPACE, SPACE),
)

LOADED = _dataset(
    "loaded",
    "What is known of the period",
    {
        "first_day": "MIN(day)",
        "last_day": "MAX(day)",
        "loaded_days": "COUNT(CASE WHEN is_loaded THEN 1 END)",
        "missing_days": "COUNT(CASE WHEN NOT is_loaded THEN 1 END)",
        "newest_event_time": "MAX(newest_event_time)",
    },
    f"FROM calendar\nWHERE {chosen(PERIOD)}",
    (PERIOD,),
)
