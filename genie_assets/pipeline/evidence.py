"""Gathers the evidence of a fold: what log, audit, ledger, query history and spaces know of some messages.

What is asked for and of which messages is decided in `domain`; here it is only asked.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from genie_assets.domain.evidence import (
    OF_A_KNOWN_ATTACHMENT,
    OF_A_KNOWN_MESSAGE,
    Evidence,
    history_question,
    parse_answers,
    spaces_of,
)
from genie_assets.domain.folded_again import Traces, is_changed, is_folded_again
from genie_assets.domain.folding import conversation_positions
from genie_assets.domain.keys import MessageKey, Row, SpaceKey
from genie_assets.domain.questions import In, Rows, Wanted
from genie_assets.domain.tables import (
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
)
from genie_assets.domain.workspaces import is_looked_at
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.conversation_days import ConversationDay, indexed_days
from genie_assets.pipeline.genie_space_details import look_at_spaces
from genie_assets.pipeline.history import History
from genie_assets.pipeline.ports import Genie, SystemTables
from genie_assets.pipeline.richer_answers import keep_richer
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.traces import Told, told_of, traces_of


@dataclass(frozen=True)
class Gathered:
    """The evidence of some conversations, the days to which the index leads, and what it cost."""

    evidence: Evidence
    indexed: Collection[ConversationDay] = ()
    space_requests: int = 0


@dataclass(frozen=True)
class Sources:
    """Where the evidence of one day's fold is gathered; with `since`, of what has changed since then."""

    run: Run
    system_tables: SystemTables
    genie: Genie
    lake: Lakehouse
    since: dt.datetime | None = None

    @cached_property
    def history(self) -> History:
        """What the fold has found out about query history."""
        return History(self.system_tables)

    def gather(self, conversation_ids: Collection[str], again: Collection[MessageKey] = ()) -> Gathered:
        """What is known of those messages of the conversations that are folded again; there may be none.

        Args:
            conversation_ids: The conversations.
            again: Messages that are folded in any case.
        """
        indexed = indexed_days(self.lake, conversation_ids)
        days = {self.run.day, *(created_date for _, _, created_date in indexed)}
        traces = traces_of(conversation_ids, days, self.run.day, self.lake, self.since)
        headers = {key: each.answers[-1] for key, each in traces.messages.items()}
        positions = conversation_positions(headers.values())
        to_fold = [
            headers[key]
            for key, each in traces.messages.items()
            if key in again or self._is_folded(each, positions[key])
        ]
        if not to_fold:
            return Gathered(Evidence([], positions))
        before = [traces.folded[MessageKey.of(each)] for each in to_fold if MessageKey.of(each) in traces.folded]
        told = told_of(to_fold, traces, days, self.run.day, self.lake)
        latest, set_aside = parse_answers(told.answers)
        answers, withheld = keep_richer(latest, told.looks, self.lake, days)
        details, attachments = self._rows_of(before)
        by_key = {MessageKey.of(row): row for row in details}
        titles, space_requests = self._titles(spaces_of(to_fold), told)
        history = self.history.rows(history_question(answers, by_key, self.run.day))
        evidence = Evidence(
            answers,
            positions,
            looks=told.looks,
            withheld=withheld,
            set_aside=set_aside,
            history=history,
            is_history_whole=not self.history.unread,
            references=told.references,
            errors=traces.errors,
            space_names=titles,
            details=details,
            attachments=attachments,
        )
        return Gathered(evidence, indexed, space_requests)

    def _is_folded(self, message: Traces, position: int) -> bool:
        if message.folded is not None and self.history.refusal is not None:
            # Nothing is gained by folding again what only waits for history.
            message = message._replace(folded={**message.folded, "enrichment_status": None})
        if self.since is not None:
            return is_changed(message, position, self.since)
        return is_folded_again(message, position, self.run.day)

    def _rows_of(self, messages: Collection[Row]) -> tuple[list[Row], list[Row]]:
        """The rows of both tables that earlier folds made of these messages."""
        if not messages:
            return [], []
        days = {row["created_date"] for row in messages}
        keys = {MessageKey.of(row) for row in messages}
        named = [In("message_id", {message_id for _, message_id in keys})]
        wanted = ((MESSAGE_DETAILS, OF_A_KNOWN_MESSAGE), (MESSAGE_ATTACHMENTS, OF_A_KNOWN_ATTACHMENT))
        found = self.lake.together(
            {
                table.name: Wanted(Rows(table, named, days), columns, compared=table.content)
                for table, columns in wanted
            }
        )
        details, attachments = (
            [row for row in found[table.name] if MessageKey.of(row) in keys] for table, _ in wanted
        )
        return details, attachments

    def _titles(self, spaces: Collection[SpaceKey], told: Told) -> tuple[dict[SpaceKey, str], int]:
        """Titles of the spaces, and the requests it took to read those of which none is known."""
        chosen = self.system_tables.chosen_workspaces
        untitled = {key for key in spaces if not told.titles.get(key) and is_looked_at(key.workspace_id, chosen)}
        urls = {row["workspace_id"]: row["workspace_url"] for row in told.references if row["workspace_url"]}
        report = look_at_spaces(untitled, urls, genie=self.genie, lake=self.lake, run=self.run)
        titles = {**told.titles, **report.titles}
        return {key: title for key, title in titles.items() if title}, report.requests
