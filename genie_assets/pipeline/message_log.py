"""Messages as a kind of thing: answers go to the log, one that is found again leaves a look.

What a row is and whether it is new is decided in `domain.message_log`.
"""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.keys import MESSAGE, MessageKey, Row
from genie_assets.domain.message_log import header, judge, log_row, look_row
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.questions import In
from genie_assets.domain.requests import Answer, Became, MessagesRequest
from genie_assets.domain.tables import GENIE_API_MESSAGES, GENIE_MESSAGE_LOOKS, MESSAGE_FETCH_ERRORS, records
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.scrubbing import scrub_exception
from genie_assets.pipeline.conversation_days import ConversationDay, entry_of, indexed_days, store_days
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.stored import known_answers
from genie_assets.pipeline.things import Look, Stored

_LOG = logging.getLogger(__name__)

_UNUSABLE_ID = FetchError(
    ErrorClass.BAD_REFERENCE, "The API listed a message under an id that cannot be asked for or stored as it is."
)


class MessageLog:
    """The log, as far as one run has to know it.

    Args:
        lake: Where it is stored.
        known: Headers of the latest stored answers by key; kept up to date.
        run: The run that asks.
        changes: When messages changed that are looked at because of it, by Databricks' clock.
    """

    errors = MESSAGE_FETCH_ERRORS

    def __init__(
        self,
        lake: Lakehouse,
        known: dict[MessageKey, Row],
        run: Run,
        changes: Mapping[MessageKey, dt.datetime | None] = MappingProxyType({}),
    ) -> None:
        self._lake, self._known, self._run, self._changes = lake, known, run, changes
        self._indexed: set[ConversationDay] = set()

    def ids(self, request: MessagesRequest, thing_id: str) -> Mapping[str, str | None]:
        """The message's ids."""
        return {
            "workspace_id": request.workspace_id,
            "space_id": request.space_id,
            "conversation_id": request.conversation_id,
            "message_id": thing_id,
        }

    def look(
        self, request: MessagesRequest, thing_id: str, answer: Answer | None, problem: FetchError | None
    ) -> Look[Row]:
        """The row of the log for an answer, or what was the matter."""
        ids = self.ids(request, thing_id)
        if answer is None or problem is not None:
            return Look(ids, problem=problem)
        if not is_usable_id(thing_id):
            return Look(ids, problem=_UNUSABLE_ID)
        key = MessageKey(request.workspace_id, thing_id)
        known, changed = self._known.get(key), self._changes.get(key)
        row = log_row(ids, answer, event_date=self._run.day, known=known, changed=changed)
        was_wanted = thing_id in request.wanted
        return Look(ids, row, was_wanted=was_wanted, characters=len(row["raw_json"]))

    def was_stored(self, key: Any) -> bool:
        """Whether an answer of the message is in the log."""
        return key in self._known

    def store(self, looks: Sequence[Look[Row]], stamp: Mapping[str, Any]) -> Stored:
        """Append what is new and note what was found again.

        Of answers that the table refuses, those that it refuses alone are left out.

        Raises:
            LakehouseError: it refuses all of them.
        """
        self._look_up_others(looks)
        new: dict[MessageKey, Row] = {}
        again: list[Row] = []
        became: dict[Any, Became] = {}
        for look in looks:
            row = look.row or {}
            key = MessageKey.of(row)
            known = new.get(key) or self._known.get(key)
            what = judge(row, known, was_wanted=look.was_wanted)
            if what is Became.NEW:
                new[key] = row
            elif known is not None and what is Became.UNCHANGED:
                again.append(look_row(row, known))
            became.setdefault(key, what)
        # Only what there is: an empty frame costs as much as a full one.
        refused = self._append_all([{**row, **stamp} for row in new.values()]) if new else {}
        if again:
            self._lake.append(GENIE_MESSAGE_LOOKS, GENIE_MESSAGE_LOOKS.frame({**row, **stamp} for row in again))
        self._known |= {key: header(row) for key, row in new.items() if key not in refused}
        return Stored({key: what for key, what in became.items() if key not in refused}, refused)

    def _look_up_others(self, looks: Sequence[Look[Row]]) -> None:
        """Of what a LIST brought unasked, learn what the log says already.

        Only the wanted messages were looked up before: who else is in a conversation shows when it is listed.
        """
        rows = [look.row for look in looks if look.row and not look.was_wanted]
        others = {row["message_id"] for row in rows if MessageKey.of(row) not in self._known}
        for key, known in known_answers(self._lake, others).items():
            self._known.setdefault(key, known)

    def _append_all(self, rows: list[Row]) -> dict[MessageKey, FetchError]:
        """Append in one commit; if that keeps failing, row by row. What cannot be stored, and why."""
        try:
            self._append(rows)
        except LakehouseError as problem:
            refused = {MessageKey.of(row): error for row in rows if (error := self._append_alone(row)) is not None}
            if len(refused) == len(rows):
                raise
            _LOG.warning("%d of %d answers cannot be stored: %s", len(refused), len(rows), problem)
            return refused
        return {}

    def _append_alone(self, row: Row) -> FetchError | None:
        try:
            self._append([row])
        except LakehouseError as problem:
            return FetchError(ErrorClass.BAD_PAYLOAD, scrub_exception(problem))
        return None

    def _append(self, rows: list[Row]) -> None:
        """Append, trying again if the store fails. A repeated try leaves out what the failed one did commit."""
        for attempt in Retrying(
            retry=retry_if_exception_type(LakehouseError),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            stop=stop_after_attempt(3),
            reraise=True,
        ):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    rows = self._not_yet_stored(rows)
                if rows:
                    self._index(rows)
                    self._lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame(rows))

    def _not_yet_stored(self, rows: list[Row]) -> list[Row]:
        columns = [*MESSAGE, "content_hash", "api_fetch_timestamp"]
        ids = [In("message_id", [row["message_id"] for row in rows])]
        stored = {
            tuple(row.values()) for row in records(self._lake.read(GENIE_API_MESSAGES, columns=columns, where=ids))
        }
        return [row for row in rows if tuple(row[name] for name in columns) not in stored]

    def _index(self, rows: list[Row]) -> None:
        """Note days other than our own: the fold of our day looks only there and where the index leads."""
        elsewhere = {entry_of(row) for row in rows if row["created_date"] != self._run.day} - self._indexed
        if elsewhere:
            stamp = {name: rows[0][name] for name in ("ingestion_batch_id", "ingestion_timestamp")}
            stored = indexed_days(self._lake, {conversation_id for _, conversation_id, _ in elsewhere})
            store_days(self._lake, elsewhere - stored, stamp)
            self._indexed |= elsewhere
