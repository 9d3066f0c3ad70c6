"""The faults that are planted in the made-up account: which checks must fail for them, and why.

Worked out from the account and its truth, not from what the pipeline stored: a check that fails for another reason
is a fault of ours.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genie_assets.checks import AUDIT_LAG_ALLOWED
from genie_assets.domain.advice import advice
from genie_assets.domain.health import RateVerdict, judge_rate
from genie_assets.domain.numbers import many
from genie_sandbox.account import Account, ArrivingRow

Row = Mapping[str, Any]
Truth = Mapping[str, Sequence[Row]]
_Key = tuple[str, str]


@dataclass(frozen=True)
class Planted:
    """A class of open errors that the account brings about."""

    error_class: str
    count: int
    why: str
    what_to_do: str


def failing_checks(account: Account, truth: Truth, now: dt.datetime) -> dict[str, str]:
    """The checks that must fail, by name, each with the reason in one sentence.

    Args:
        account: The made-up account.
        truth: What every table must hold, as `sandbox.truth` works it out.
        now: The time of the checks, UTC.
    """
    reasons = {
        "no_open_errors_left": _open_errors(truth),
        "api_success_rate": _success_rate(account, truth),
        "enrichment_coverage": _coverage(truth),
        "audit_is_fresh": _freshness(account.audit, now),
    }
    return {name: reason for name, reason in reasons.items() if reason}


def planted_errors(account: Account, truth: Truth) -> list[Planted]:
    """The open errors by class and cause, the most frequent first."""
    causes: dict[str, Counter[str]] = defaultdict(Counter)
    for row, cause in _causes(account, truth["message_fetch_errors"]):
        causes[row["error_class"]][cause] += 1
    found = [
        Planted(name, sum(why.values()), "; ".join(map(_counted, why.items())), advice(name))
        for name, why in causes.items()
    ]
    return sorted(found, key=lambda planted: (-planted.count, planted.error_class))


def _counted(cause: tuple[str, int]) -> str:
    text, count = cause
    return f"{count} {text}"


def _causes(account: Account, errors: Sequence[Row]) -> Iterator[tuple[Row, str]]:
    spaces = {(space.workspace_id, space.space_id): space for space in account.spaces}
    messages = {(message.workspace_id, message.message_id): message for message in account.messages}
    for row in errors:
        message = messages.get(_key(row))
        space = spaces.get((row["workspace_id"], row["space_id"]))
        if row["error_class"] == "PERMISSION":
            if space and space.access == "none":
                yield row, f"in the space {space.body.get('title')!r}, which our principal may not manage"
            else:
                yield row, "in conversations that their owners keep private"
        elif row["error_class"] == "NOT_FOUND" and message and message.deleted_at is not None:
            yield row, "that were deleted without a trace in the audit log"
        elif row["error_class"] == "BAD_REFERENCE":
            yield row, "whose audit events lack an id, or name one that cannot be asked for"
        else:
            yield row, "that the account does not have"


def _open_errors(truth: Truth) -> str:
    count = len(truth["message_fetch_errors"])
    return f"{many(count, 'message')} cannot be read." if count else ""


def _success_rate(account: Account, truth: Truth) -> str:
    names = {place.workspace_id: place.name for place in account.workspaces}
    stored = {_key(row) for row in truth["message_details"]}
    failing = {_key(row) for row in truth["message_fetch_errors"]}
    asked: Counter[tuple[dt.date, str]] = Counter()
    read: Counter[tuple[dt.date, str]] = Counter()
    for row in truth["genie_messages_to_fetch"]:
        place = (row["event_date"], row["workspace_id"])
        asked[place] += _key(row) in stored | failing
        read[place] += _key(row) in stored
    low = [place for place in sorted(asked) if judge_rate(read[place], asked[place]) is not RateVerdict.PASS]
    shown = [
        f"{asked[day, place] - read[day, place]} of {asked[day, place]} messages of {names.get(place, place)} "
        f"on {day}"
        for day, place in low
    ]
    return f"It falls below the threshold: {_listed(shown)} cannot be read." if shown else ""


def _coverage(truth: Truth) -> str:
    states: dict[dt.date, Counter[str]] = defaultdict(Counter)
    for row in truth["message_details"]:
        states[row["created_date"]][row["enrichment_status"]] += 1
    low = [
        f"{found['EXPIRED']} of {found['COMPLETE'] + found['EXPIRED']} messages of {day}"
        for day, found in sorted(states.items())
        if judge_rate(found["COMPLETE"], found["COMPLETE"] + found["EXPIRED"]) is not RateVerdict.PASS
    ]
    return f"Statements never came into query history: those of {_listed(low)}." if low else ""


def _freshness(audit: Sequence[ArrivingRow], now: dt.datetime) -> str:
    if not audit:
        return ""
    newest = dt.datetime.fromtimestamp(max(each.row["event_time"] for each in audit) / 1000, dt.UTC)
    if now - newest <= AUDIT_LAG_ALLOWED:
        return ""
    return f"The made-up account ends on {newest:%Y-%m-%d %H:%M} UTC, and nothing has happened in it since."


def _listed(items: Sequence[str], most: int = 3) -> str:
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _key(row: Row) -> _Key:
    return row["workspace_id"], row["message_id"]
