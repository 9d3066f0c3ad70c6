"""Gathers the evidence of a fold: what log, audit, ledger, query history and spaces know of some messages.

What is asked for and of which messages is decided in `domain`; here it is only asked.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from genie_assets.domain.evidence import (
    OF_A_LOOK,
    Evidence,
    history_question,
    parse_answers,
    reference_questions,
    spaces_of,
)
from genie_assets.domain.folded_again import OF_A_FOLDED_MESSAGE, Traces, is_changed, is_folded_again
from genie_assets.domain.folding import conversation_positions
from genie_assets.domain.keys import MessageKey, Row, SpaceKey
from genie_assets.domain.message_log import HEADER, LATEST
from genie_assets.domain.questions import In, Rows, Wanted
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    Table,
    records,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.conversation_days import ConversationDay, indexed_days
from genie_assets.pipeline.genie_space_details import look_at_spaces
from genie_assets.pipeline.history import History
from genie_assets.pipeline.names import space_titles
from genie_assets.pipeline.ports import Genie, SystemTables
from genie_assets.pipeline.richer_answers import keep_richer
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.stored import full_answers, ledger_rows

_OF_A_REFERENCE = ["event_date", "workspace_id", "message_id", "user_email", "is_new", "is_deleted"]
_OF_A_REFERENCE += ["workspace_name", "workspace_url", "last_change_time", "actions", "ingestion_timestamp"]


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

    def gather(self, conversation_ids: Collection[str]) -> Gathered:
        """What is known of those messages of the conversations that are folded again; there may be none."""
        indexed = indexed_days(self.lake, conversation_ids)
        days = {self.run.day, *(created_date for _, _, created_date in indexed)}
        headers, folded = self._known(conversation_ids, days)
        positions = conversation_positions(headers.values())
        again = self._folded_again(headers, positions, folded)
        if not again:
            return Gathered(Evidence([], positions))
        latest, set_aside = parse_answers(full_answers(self.lake, again))
        looks = self._looks(again, days)
        answers, withheld = keep_richer(latest, looks, self.lake, days)
        before = [folded[MessageKey.of(header)] for header in again if MessageKey.of(header) in folded]
        details = self._rows_of(MESSAGE_DETAILS, before)
        by_key = {MessageKey.of(row): row for row in details}
        references = self._references(reference_questions(answers, by_key, self.run.day))
        titles, space_requests = self._titles(spaces_of(answers), references)
        evidence = Evidence(
            answers,
            positions,
            looks=looks,
            withheld=withheld,
            set_aside=set_aside,
            history=self.history.rows(history_question(answers, by_key, self.run.day)),
            references=references,
            errors=ledger_rows(self.lake, message_ids={row["message_id"] for row in again}),
            space_names=titles,
            details=details,
            attachments=self._rows_of(MESSAGE_ATTACHMENTS, before),
        )
        return Gathered(evidence, indexed, space_requests)

    def _looks(self, headers: Collection[Row], days: Collection[dt.date]) -> list[Row]:
        """Every answer of these messages, without its text."""
        named = [In("message_id", {row["message_id"] for row in headers})]
        return records(self.lake.read(GENIE_API_MESSAGES, columns=OF_A_LOOK, days=days, where=named))

    def _known(
        self, conversation_ids: Collection[str], days: Collection[dt.date]
    ) -> tuple[dict[MessageKey, Row], dict[MessageKey, Row]]:
        """Headers of the conversations' latest answers, and what decides whether earlier folds' rows are right."""
        named = [In("conversation_id", conversation_ids)]
        found = self.lake.together(
            {
                "headers": Wanted(Rows(GENIE_API_MESSAGES, named, days), HEADER, LATEST),
                "folded": Wanted(Rows(MESSAGE_DETAILS, named, days), OF_A_FOLDED_MESSAGE),
            }
        )
        headers, folded = ({MessageKey.of(row): row for row in found[name]} for name in ("headers", "folded"))
        # While history cannot be read, nothing is gained by folding again what only waits for it.
        is_read = {} if self.history.refusal is None else {"enrichment_status": None}
        return headers, {key: row | is_read for key, row in folded.items()}

    def _folded_again(
        self,
        headers: Mapping[MessageKey, Row],
        positions: Mapping[MessageKey, int],
        folded: Mapping[MessageKey, Row],
    ) -> list[Row]:
        """Headers of the messages to fold."""
        message_ids = {message_id for _, message_id in headers}
        of_the_day = Rows(GENIE_MESSAGES_TO_FETCH, [In("message_id", message_ids)], days=[self.run.day])
        references = {MessageKey.of(row): row for row in self._references([of_the_day])}
        errors = ledger_rows(self.lake, message_ids=message_ids)
        return [
            header
            for key, header in headers.items()
            if self._is_folded(
                Traces([header], references.get(key), errors.get(key), folded.get(key)), positions[key]
            )
        ]

    def _is_folded(self, message: Traces, position: int) -> bool:
        if self.since is not None:
            return is_changed(message, position, self.since)
        return is_folded_again(message, position, self.run.day)

    def _rows_of(self, table: Table, messages: Collection[Row]) -> list[Row]:
        """The rows that earlier folds made of these messages."""
        days = {row["created_date"] for row in messages}
        keys = {MessageKey.of(row) for row in messages}
        named = [In("message_id", {message_id for _, message_id in keys})]
        return [
            row for row in records(self.lake.read(table, days=days, where=named)) if MessageKey.of(row) in keys
        ]

    def _references(self, questions: Iterable[Rows]) -> list[Row]:
        asked = {str(number): Wanted(rows, _OF_A_REFERENCE) for number, rows in enumerate(questions)}
        return [row for rows in self.lake.together(asked).values() for row in rows]

    def _titles(self, spaces: Collection[SpaceKey], references: list[Row]) -> tuple[dict[SpaceKey, str], int]:
        """Titles of the spaces, and the requests it took to read those of which none is known."""
        workspace_ids = {workspace_id for workspace_id, _ in spaces}
        titles = space_titles(self.lake, workspace_ids)
        untitled = {key for key in spaces if not titles.get(key)}
        urls = {row["workspace_id"]: row["workspace_url"] for row in references if row["workspace_url"]}
        report = look_at_spaces(untitled, urls, genie=self.genie, lake=self.lake, run=self.run)
        if report.spaces:
            titles = space_titles(self.lake, workspace_ids)
        return {key: title for key, title in titles.items() if title}, report.requests
