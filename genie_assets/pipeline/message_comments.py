"""`message_comments`: list the comments on messages of which the audit log shows that somebody commented on them.

Which these are, and what a list changes, is decided in `domain.comments`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.comments import (
    OF_A_REFERENCE,
    TO_LIST,
    CommentsLook,
    changed_comments,
    look_row,
    requests_for,
)
from genie_assets.domain.keys import MESSAGE_IDS, MessageKey, Row
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import In, Rows, Wanted
from genie_assets.domain.requests import Answer, Became, CommentsOfMessage
from genie_assets.domain.tables import (
    COMMENT_FETCH_ERRORS,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_COMMENT_LOOKS,
    MESSAGE_COMMENTS,
    Table,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.batches import ask_for_due
from genie_assets.pipeline.error_ledger import close, left_out_question
from genie_assets.pipeline.ports import Genie
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.things import Look, Stored, Tally


@dataclass(frozen=True)
class CommentsReport:
    """What one look at comments found."""

    messages: int = 0  # whose comments may have changed
    comments: int = 0  # that were new or are not as they were
    deleted: int = 0  # that are not there any more
    tally: Tally = field(default_factory=Tally)


def keep_comments(run: Run, chosen: Collection[str], *, genie: Genie, lake: Lakehouse) -> CommentsReport:
    """List the comments on every message that somebody commented on since they were last listed.

    Args:
        run: The run.
        chosen: Workspaces that are looked at; none stands for all.
        genie: The API.
        lake: The tables.
    """
    found = lake.together(
        {
            "to list": Wanted(Rows(GENIE_MESSAGES_TO_FETCH, TO_LIST), OF_A_REFERENCE),
            "left out": left_out_question(COMMENT_FETCH_ERRORS, chosen),
        }
    )
    close(lake, COMMENT_FETCH_ERRORS, found["left out"], run.clock())
    requests = requests_for(found["to list"], chosen)
    if not requests:
        return CommentsReport()
    comments = Comments(lake, _ever_listed(requests, lake))
    tally = ask_for_due(requests, comments, genie=genie, lake=lake, run=run)
    return CommentsReport(len(requests), comments.changed, comments.deleted, tally)


def _ever_listed(requests: Sequence[CommentsOfMessage], lake: Lakehouse) -> set[MessageKey]:
    of_these = [In("message_id", sorted({request.message_id for request in requests}))]
    rows = lake.records(MESSAGE_COMMENT_LOOKS, where=of_these)
    return {MessageKey.of(row) for row in rows}


class Comments:
    """The comments on messages, as far as one run has to know them; it counts what it stores.

    Args:
        lake: The tables.
        ever_listed: Messages whose comments were listed before.
    """

    errors = COMMENT_FETCH_ERRORS

    def __init__(self, lake: Lakehouse, ever_listed: Collection[MessageKey]) -> None:
        self._lake, self._ever_listed = lake, ever_listed
        self.changed = self.deleted = 0

    def ids(self, request: CommentsOfMessage, thing_id: str) -> Mapping[str, str | None]:
        """Where the message is."""
        return {name: getattr(request, name) for name in MESSAGE_IDS} | {"message_id": thing_id}

    def look(
        self, request: CommentsOfMessage, thing_id: str, answer: Answer | None, problem: FetchError | None
    ) -> Look[CommentsLook]:
        """A look at the comments on a message."""
        ids = self.ids(request, thing_id)
        if answer is None:
            return Look(ids, problem=problem)
        seen = CommentsLook(request, tuple(answer.body["comments"]), answer.requested_at)
        return Look(ids, seen, problem, characters=answer.size)

    def was_stored(self, key: Any) -> bool:
        """Whether comments on the message were ever listed: a message that is not found now is then deleted."""
        return key in self._ever_listed

    def store(self, looks: Sequence[Look[CommentsLook]], stamp: Mapping[str, Any]) -> Stored:
        """Store what is new; the looks last, so that after a crash in between the lists are read again."""
        seen = {look.row.key: look.row for look in looks if look.row is not None}
        of_these = [In("message_id", sorted({key.message_id for key in seen}))]
        found = self._lake.together(
            {
                "comments": Wanted(Rows(MESSAGE_COMMENTS, of_these), MESSAGE_COMMENTS.column_names),
                "looks": Wanted(Rows(MESSAGE_COMMENT_LOOKS, of_these), MESSAGE_COMMENT_LOOKS.column_names),
            }
        )
        noted = {MessageKey.of(row): row for row in found["looks"]}
        stored: defaultdict[MessageKey, list[Row]] = defaultdict(list)
        for row in found["comments"]:
            stored[MessageKey.of(row)].append(row)
        notes = {key: look_row(look, noted.get(key)) for key, look in seen.items()}
        changes = {
            key: changed_comments(seen[key], stored[key]) for key, note in notes.items() if note is not None
        }
        rows = [row for each in changes.values() for row in each]
        self._store(MESSAGE_COMMENTS, rows, stamp)
        self._store(MESSAGE_COMMENT_LOOKS, [note for note in notes.values() if note is not None], stamp)
        self.changed += sum(not row["is_deleted"] for row in rows)
        self.deleted += sum(row["is_deleted"] for row in rows)
        return Stored({key: Became.NEW if changes.get(key) else Became.UNCHANGED for key in seen})

    def _store(self, table: Table, rows: Sequence[Row], stamp: Mapping[str, Any]) -> None:
        if rows:
            self._lake.store(table, table.frame({**row, **stamp} for row in rows))
