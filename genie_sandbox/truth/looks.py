"""Which of the answers that a message has given its row shows: the richest one, the first, or the latest."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from genie_sandbox.truth.attachments import Body, kind_of, with_queries

SETTLED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "QUERY_RESULT_EXPIRED"})


@dataclass(frozen=True)
class Shown:
    """What a row is made of.

    `body` tells everything but status, rating and times of change, which `latest` tells; they differ only if the
    latest look showed less than an earlier one (`withheld`). `first_settled` is the first look at an end.
    """

    body: Body
    latest: Body
    first_settled: Body | None

    @property
    def withheld(self) -> bool:
        """Whether something is shown that the latest look did not show."""
        return self.body is not self.latest

    @property
    def error(self) -> Body:
        """Why it failed. That goes with the status: an error of another status is not the latest's."""
        is_same = self.body.get("status") == self.latest.get("status")
        return self.latest.get("error") or (is_same and self.body.get("error")) or {}


def shown(looks: Sequence[Body]) -> Shown:
    """What the row shows after these looks, earliest first. A message that runs (again) shows what it has."""
    latest, ends = looks[-1], [look for look in looks if is_settled(look)]
    if not is_settled(latest):
        return Shown(latest, latest, next(iter(ends), None))
    rich = ends[0]
    for look in ends[1:]:
        if not is_poorer(look, rich):
            rich = look
    return Shown(rich, latest, ends[0])


def is_settled(body: Body) -> bool:
    """Whether the message is at an end."""
    return body.get("status") in SETTLED


def is_poorer(later: Body, earlier: Body) -> bool:
    """Whether a look shows no attachments where an earlier one did, or one of them without its text.

    Or a query without the statement that ran it.
    """
    if earlier.get("attachments") and not later.get("attachments"):
        return True
    before, after = _texts(earlier), _texts(later)
    had, has = _statements(earlier), _statements(later)
    return any(before[name] - after[name] for name in before if name in after) or any(
        had[sql] and not has[sql] for sql in had if sql in has
    )


def _texts(body: Body) -> dict[str, set[str]]:
    """Which of the texts that it can have each attachment has; without an id, the first of a kind is the first."""
    texts: defaultdict[str, set[str]] = defaultdict(set)
    seen: Counter[str] = Counter()
    for attachment in body.get("attachments") or []:
        name = attachment.get("attachment_id")
        if name is None:
            seen[kind_of(attachment)] += 1
            name = f"{kind_of(attachment)} {seen[kind_of(attachment)]}"
        text, sql = (attachment.get("text") or {}).get("content"), (attachment.get("query") or {}).get("query")
        texts[name] |= {kind for kind, found in (("text", text), ("sql", sql)) if found}
    return dict(texts)


def _statements(body: Body) -> dict[str, bool]:
    """Whether it is known which statement ran each SQL text."""
    known: dict[str, bool] = {}
    for _, query in with_queries(body):
        if query.get("query"):
            known[query["query"]] = known.get(query["query"], False) or bool(query.get("statement_id"))
    return known
