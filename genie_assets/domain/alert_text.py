"""The words of an alert: a title and a body that every channel shows as plain text.

Ids and titles come from outside. What would be a link, a mention or markup somewhere is spelled so that it is not;
the only links are ours, to Dagster's webserver.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple

from genie_assets.domain.incidents import Kind, Notice, Severity, settle_time
from genie_assets.domain.numbers import many

_LONGEST = 600
_MOST_NOTICES = 25
# Slack, Teams and Discord make mentions, links and styles of these; a mail program makes links of addresses.
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "@": "(at)", "`": "'", "[": "(", "]": ")", "*": "∗", "&": "+"})
_WORDS = {
    Kind.ALERT: {Severity.ERROR: "BROKEN", Severity.WARN: "WARNING"},
    Kind.WORSE: {Severity.ERROR: "WORSE", Severity.WARN: "WORSE"},
    Kind.REMINDER: {Severity.ERROR: "STILL BROKEN", Severity.WARN: "STILL A WARNING"},
    Kind.RECOVERY: {Severity.ERROR: "FINE AGAIN", Severity.WARN: "FINE AGAIN"},
}


class Message(NamedTuple):
    """What is sent."""

    title: str
    body: str
    is_bad: bool


def plain(text: str, longest: int = _LONGEST) -> str:
    """A text from outside as one line that no channel takes for a link, a mention or markup."""
    seen = [char for char in text[: 8 * longest] if char.isprintable() or char.isspace()]
    visible = "".join(" " if char.isspace() else char for char in seen)
    line = " ".join(visible.split()).translate(_LOOKALIKES).replace("://", " : // ").replace("www.", "www .")
    return line if len(line) <= longest else f"{line[: longest - 4]} ..."


def message(notices: Collection[Notice], address: str | None) -> Message:
    """All notices in one message, the worst and newest kinds first.

    Args:
        notices: What there is to tell; at least one.
        address: Of Dagster's webserver; None if it is not known.
    """
    ordered = sorted(notices, key=lambda each: (list(Kind).index(each.kind), each.incident.broken.severity))
    counts = Counter(_word(notice).lower() for notice in ordered)
    title = "genie-assets: " + ", ".join(f"{count} {word}" for word, count in counts.items())
    paragraphs = ["\n".join(_lines(notice, address)) for notice in ordered[:_MOST_NOTICES]]
    if len(ordered) > _MOST_NOTICES:
        paragraphs.append(f"And {len(ordered) - _MOST_NOTICES} more: see the checks and runs in Dagster.")
    return Message(title, "\n\n".join(paragraphs), any(each.kind is not Kind.RECOVERY for each in ordered))


def _word(notice: Notice) -> str:
    return _WORDS[notice.kind][notice.incident.broken.severity]


def _lines(notice: Notice, address: str | None) -> Iterator[str]:
    incident = notice.incident
    yield f"{_word(notice)}: {plain(incident.broken.what)}"
    until = f" until {_shown(incident.gone)}" if incident.gone else ""
    yield f"Since {_shown(incident.opened)}{until}.{_comes_and_goes(incident.returns)}"
    if notice.kind is not Kind.RECOVERY and incident.broken.todo:
        yield f"What to do: {plain(incident.broken.todo, 2 * _LONGEST)}"
    if address and incident.broken.path:
        yield f"{address.rstrip('/')}/{incident.broken.path.lstrip('/')}"


def _comes_and_goes(returns: int) -> str:
    if not returns:
        return ""
    minutes = settle_time(returns) // dt.timedelta(minutes=1)
    over = f"it counts as over when it was fine for {many(minutes, 'minute')}"
    return f" It comes and goes: {many(returns, 'time')} so far; {over}."


def _shown(time: dt.datetime) -> str:
    return f"{time.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
