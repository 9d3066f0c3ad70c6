"""What the error classes mean, as a table in Markdown for the documents."""

import datetime as dt

from genie_assets.domain.markdown import markdown_table
from genie_assets.domain.outcomes import POLICIES, RetryPolicy


def error_classes_markdown() -> str:
    """A line per class: its type, its waits, and how often it is tried again."""
    titles = ["`error_class`", "`error_type`", "first wait, longest wait", "retries"]
    rows = [
        [f"`{error_class}`", f"`{policy.error_type}`", _waits(policy), _attempts(policy)]
        for error_class, policy in POLICIES.items()
    ]
    return markdown_table(titles, rows) + "\n"


def _waits(policy: RetryPolicy) -> str:
    return "none" if policy.attempts == 0 else f"{_time(policy.first_wait)}, {_time(policy.longest_wait)}"


def _attempts(policy: RetryPolicy) -> str:
    return "until it can be read" if policy.attempts is None else str(policy.attempts)


def _time(wait: dt.timedelta) -> str:
    minutes = round(wait.total_seconds() / 60)
    return f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"
