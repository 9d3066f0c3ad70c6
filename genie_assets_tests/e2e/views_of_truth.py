"""What the views say after a pipeline's runs, compared with plain Python over the sandbox's account.

Nothing of the expected answers is read from our tables: the account says what was asked and answered, and the runs
of a test say which days were loaded. What only the pipeline knows, such as when it ran, is not compared here.
"""

import datetime as dt
from collections.abc import Collection, Mapping

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.world import as_stored, ask, differences
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.truth.tables import truth

_TIMES_OF_ERRORS = frozenset({"next_retry_at", "retry_state", "last_error_at"})
# view: columns that no account tells.
_OURS: Mapping[str, frozenset[str]] = {
    "calendar": frozenset({"audit_events", "newest_event_time"}),
    "completeness": frozenset({"runs", "requests"}),
    "open_errors": _TIMES_OF_ERRORS | {"first_error_at", "error_message", "age_days", "retry_count"},
    "open_errors_by_class": _TIMES_OF_ERRORS | {"oldest_error_at", "oldest_age_days"},
    "pipeline_health": frozenset(
        {
            *("audit_events", "newest_event_time", "first_loaded_at", "last_loaded_at"),
            *("runs", "asked_for", "requests", "requests_per_message", "answered_429", "fetch_ms"),
            *("seen_n", "seen_lag_p50_ms", "seen_lag_p95_ms"),
            *("statement_seen_n", "statement_lag_p50_ms", "statement_lag_p95_ms"),
        }
    ),
    "space_inventory": frozenset({"is_trashed"}),
}
# Why a space could not be read is not in the truth; changes of configurations need looks that lie days apart, as
# `test_effects_of_changes` has them; evaluations belong to another job, and their trend to `test_evaluations`.
_OF_MESSAGES = " WHERE of_what = 'MESSAGE'"
_LEFT_OUT = frozenset({"configuration_effects", "evaluation_trend"})


def differences_of_views(
    account: Account, sandbox: SandboxProcess, lake: Lakehouse, loaded: Collection[dt.date]
) -> list[str]:
    """How the answers of the views differ from those of the account, once all its rows have arrived.

    Args:
        account: What the sandbox serves.
        sandbox: It, for its time and its addresses.
        lake: Where the tables lie.
        loaded: The days that were loaded.
    """
    now = dt.datetime.now(dt.UTC)
    found = truth(account, at=sandbox.now_ms(), now=round(now.timestamp() * 1000), urls=sandbox.urls)
    rows = {name: [as_stored(row) for row in of_table] for name, of_table in found.items()}
    golden = Golden({**rows, "genie_day_loads": [{"event_date": day} for day in loaded]}, now)
    problems, silent = [], []
    for view in sorted(set(shipped_views()) - _LEFT_OUT):
        ours = _OURS.get(view, frozenset())
        expected = [
            {name: value for name, value in row.items() if name not in ours} for row in golden.answer(view)
        ]
        where = _OF_MESSAGES if view.startswith("open_errors") else ""
        problems += differences(view, ask(lake, f"SELECT * FROM {view}{where}"), expected)
        silent += [] if expected else [f"{view}: the account has nothing for it"]
    return problems + silent
