"""What each class of error asks of a person, in one place: for the checks, the command line and the documents.

No advice may lead round in circles: what a new attempt cannot mend is to be closed, not to be tried again.
"""

from collections.abc import Mapping

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.side_ledgers import SideLedger

_REQUEUE = "then `genie-assets errors requeue --class {}`"
_CLOSE = "`genie-assets errors close --class {}`"
_LOOKED_AT_AGAIN = "nothing helps but what is changed in Databricks; they are looked at again by themselves."

ADVICE: Mapping[ErrorClass, str] = {
    ErrorClass.PERMISSION: "grant CAN MANAGE on the space to the principal that reads; the rest happens by "
    "itself. Conversations that their owners keep private stay forbidden: close them by their message ids.",
    ErrorClass.AUTH: "renew the secret or the token; a personal access token reads its own workspace "
    "only. They are tried again by themselves.",
    ErrorClass.CONFIG: "name the workspace's address in GENIE_WORKSPACE_URLS or its host in "
    "GENIE_ALLOWED_HOSTS, have its IP access list let us in where the error says so, or leave it out with "
    "GENIE_WORKSPACES. They are tried again by themselves.",
    ErrorClass.NOT_RUNNING: "nothing: the workspace answers nobody, and they are tried again once Databricks "
    "shows it as running. If it was cancelled: `genie-assets errors close --class NOT_RUNNING --workspace ID`.",
    ErrorClass.TOO_BIG: "nothing: the answer is bigger than any message is, and is looked at twice more. "
    f"Once you have seen them: {_CLOSE.format('TOO_BIG')}.",
    ErrorClass.RATE_LIMITED: "nothing, if it is rare; otherwise lower GENIE_REQUESTS_PER_SECOND and look for "
    f"other users of the Genie API. Parked ones: wait, {_REQUEUE.format('RATE_LIMITED')}.",
    ErrorClass.TIMEOUT: "nothing, if it is rare; otherwise look at proxy, firewall and private link, and lower "
    f"GENIE_THREADS. Parked ones: mend that, {_REQUEUE.format('TIMEOUT')}.",
    ErrorClass.NETWORK: "nothing, if it is rare; otherwise look at proxy, firewall and private link. "
    f"Parked ones: mend that, {_REQUEUE.format('NETWORK')}.",
    ErrorClass.SERVER: "nothing: Databricks failed, and they are tried again for almost two days. "
    f"Parked ones: wait until it works, {_REQUEUE.format('SERVER')}.",
    ErrorClass.BAD_PAYLOAD: "open the workspace's address from where Dagster runs and see what answers; often "
    f"it is a login or proxy page. Mend that, {_REQUEUE.format('BAD_PAYLOAD')}.",
    ErrorClass.BAD_REFERENCE: "nothing can be asked with these ids, and trying again does not help; a later event "
    f"that completes them does, by itself. Once you have seen them: {_CLOSE.format('BAD_REFERENCE')}.",
    ErrorClass.NOT_FOUND: "nothing: mostly they were deleted, and the audit row of that is still to come. "
    f"Those that stay: {_CLOSE.format('NOT_FOUND')}.",
}


# The words of the runbook: a test compares them with the table "When a check fails" of docs/operations.md.
CHECKS: Mapping[str, str] = {
    "api_success_rate": (
        "look at the check's table for the workspace, then at the day's errors (query below), then at the "
        "class in the next table"
    ),
    "nothing_is_lost": (
        "run the day again; a run that died between two tables is healed that way. If it stays, the "
        "difference is a defect: report it with the check's metadata"
    ),
    "no_message_is_lost": (
        "run the days that it names again, and look at the latest run of each: a run that failed says why"
    ),
    "ledger_is_true": (
        "run the day again: a run that died between storing the answer and the ledger is healed that way"
    ),
    "keys_are_unique": (
        "somebody else wrote to the tables, or two engines did. Stop them, then delete the older copies"
    ),
    "no_key_is_twice": (
        "somebody else wrote to the tables, or two engines did. Stop them, then delete the older copies"
    ),
    "enrichment_coverage": (
        "check the grant on `system.query.history`, and whether the warehouses that Genie uses are in this "
        "region, or in one of `GENIE_REGIONS`"
    ),
    "no_open_errors_left": "see the classes in the next table",
    "ledger_is_clear": (
        "see the classes in the next table; `genie-assets errors list --of comments` (or `agents`, "
        "`evaluations`) shows them. Overdue: switch on `conversations_daily` and `evaluations_daily`, and look at "
        "the latest runs of their jobs"
    ),
    "every_stored_day_is_a_partition": (
        "set `GENIE_FIRST_DAY` to the earliest of the days that the check names, or earlier"
    ),
    "no_day_is_late": (
        "see whether the daemon runs, and `today_hourly` and `settled_days_daily` are on; if runs of these days "
        "failed, the latest one says why"
    ),
    "every_day_is_loaded": (
        "switch on `late_days_hourly` and `load_late_days`, or load the days that it names. If they are on, "
        "look at the latest runs of these days"
    ),
    "spaces_are_backed_up": (
        "PERMISSION: grant CAN EDIT or CAN MANAGE on them; SUCCESS: no run has looked, so see whether the "
        "schedule of `genie_spaces` is on; else see their rows in `space_fetch_errors`. What was backed up "
        "before is kept"
    ),
    "no_access_was_widened": (
        "if it was not meant, take it back in the space's sharing dialog. Who it is stands in "
        "`genie_space_permissions` (`is_widened`); it turns green by itself after three days"
    ),
    "spaces_are_reconciled": (
        "switch on `reconciliation_nightly` and `reconciliation_weekly`; PERMISSION: grant CAN MANAGE on the "
        "spaces; unread messages: run the days that the check names again. Of the spaces that it names, messages "
        "may be missing"
    ),
    "budget_is_kept": (
        "see what the runs of that day did: the tag `genie/cost_day` finds them, `genie/costs` says what each "
        "cost. A backfill passes by itself; else load less often, or set `GENIE_BUDGET_WAREHOUSE_SECONDS` and "
        "`GENIE_BUDGET_REQUESTS` to what you want to spend"
    ),
    "audit_is_fresh": (
        "check the grant on `system.access.audit`; if it is right, Databricks is late: loading the days "
        "again later picks everything up"
    ),
}
_SEE_RUNBOOK = "see what the check says, and docs/operations.md, When a check fails"
REGION_UNREAD = (
    "see what it says, and ask `genie-assets doctor`, which prints the grant or setting that mends it. What is "
    "stored of the region stays, and its days are loaded again by themselves once it can be read, if "
    "`late_days_hourly` and `load_late_days` are on"
)
RUN_FAILED = (
    "open the latest run and read its last error; nothing that was stored is lost, and the next run goes on"
)
RUNS_WAIT = (
    "see in Dagster whether its daemon runs, and which run holds the queue or the pool genie_api; end that one "
    "only if it does nothing any more"
)
NOT_EVALUATED = "see in Dagster whether its daemon runs, and what the schedule's latest ticks and runs say"


def check_advice(check: str) -> str:
    """What to do about a check that fails, by its name."""
    return CHECKS.get(check, _SEE_RUNBOOK)


def advice(error_class: str, ledger: SideLedger | None = None) -> str:
    """What to do about errors of a class, by its name; a class that is not known is one of another version.

    Args:
        error_class: The class.
        ledger: Which ledger has them, if it is not that of messages.
    """
    known = ErrorClass.__members__.get(error_class)
    text = ADVICE[known] if known else "this version does not know the class: update genie-assets."
    if ledger is None:
        return text
    if "errors close" in text and not ledger.can_be_closed:
        return _LOOKED_AT_AGAIN
    for command in ("requeue", "close"):
        text = text.replace(f"errors {command} ", f"errors {command} --of {ledger.name} ")
    return text
