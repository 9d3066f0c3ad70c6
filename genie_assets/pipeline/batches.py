"""Writing fetched messages in small atomic batches, so that a crash or a bad record costs one batch at most."""

import datetime as dt
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from genie_assets.domain import ledger
from genie_assets.domain.fetch_plan import FetchRequest, is_usable_id
from genie_assets.domain.messages import as_json, content_hash, message_id_of, parse_message, utc_date
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import GENIE_API_MESSAGES, GENIE_MESSAGE_LOOKS, MESSAGE_FETCH_ERRORS, records
from genie_assets.gateways.genie_api import Answer, FetchResult
from genie_assets.gateways.lakehouse import In, Lakehouse, LakehouseError
from genie_assets.gateways.scrubbing import scrub_exception
from genie_assets.pipeline.conversation_days import ConversationDay, entry_of, store_days
from genie_assets.pipeline.stored import Key, Row, header, is_deleted, is_open, key_of, known_answers

_LOG = logging.getLogger(__name__)

BATCH_SIZE = 100


_UNUSABLE_ID = FetchError(
    ErrorClass.BAD_REFERENCE, "The API listed a message under an id that cannot be asked for or stored as it is."
)


@dataclass
class Tally:
    """What the batches of a run held."""

    stored: int = 0  # new distinct answers
    unchanged: int = 0  # wanted messages whose answer was known
    extra: int = 0  # of the stored: messages that a LIST brought unasked
    failed: int = 0
    put_off: int = 0  # of the failed: not asked for, as their workspace only failed
    deleted: int = 0
    batches: int = 0
    errors_by_class: Counter[str] = field(default_factory=Counter)

    @property
    def answered(self) -> int:
        """Wanted messages that the API answered."""
        return self.stored - self.extra + self.unchanged


@dataclass
class _Batch:
    answers: list[Row] = field(default_factory=list)
    extras: list[Row] = field(default_factory=list)  # brought unasked; perhaps the log has them
    looks: list[Row] = field(default_factory=list)
    errors: dict[Key, Row] = field(default_factory=dict)
    errors_before: dict[Key, Row | None] = field(default_factory=dict)  # the ledger's rows that `errors` replace

    def __len__(self) -> int:
        return len(self.answers) + len(self.extras) + len(self.looks) + len(self.errors)


class BatchWriter:
    """Turns results of the API into rows of the log and the ledger, and commits them a hundred at a time.

    Args:
        lake: Where to write.
        event_date: The day whose messages are fetched.
        run_id: Names the batches.
        known: Headers of the stored answers by key; kept up to date.
        errors: Ledger rows by key; kept up to date.
        clock: The time, UTC.
    """

    def __init__(
        self,
        lake: Lakehouse,
        *,
        event_date: dt.date,
        run_id: str,
        known: dict[Key, Row],
        errors: dict[Key, Row],
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._lake = lake
        self._event_date = event_date
        self._run_id = run_id
        self._known = known
        self._errors = errors
        self._clock = clock
        self._batch = _Batch()
        self._extras: set[Key] = set()
        self._indexed: set[ConversationDay] = set()
        self.tally = Tally()

    def take(self, result: FetchResult) -> None:
        """Take what came of one request; commits whenever a batch is full."""
        wanted = set(result.request.message_ids)
        for answer in result.answers:
            self._take_answer(result.request, answer, wanted)
            self._commit_if_full()
        for message_id, error in result.errors.items():
            self.take_error(_ids(result.request, message_id), error)
            self._commit_if_full()

    def take_error(self, ids: Mapping[str, str | None], error: FetchError) -> None:
        """Note a failed look at one message, or that it is gone."""
        key = key_of(ids)
        previous, now = self._errors.get(key), self._clock()
        row = ledger.failed(
            ids,
            error,
            previous=previous,
            event_date=self._event_date,
            now=now,
            jitter=random.random(),  # noqa: S311 - spreads load, guards nothing
        )
        if ledger.is_gone(error, was_stored=key in self._known):
            row = ledger.resolved(row, ledger.DELETED, now)
            self.tally.deleted += 1
        else:
            self.tally.failed += 1
            self.tally.put_off += not error.was_asked
            self.tally.errors_by_class[str(error.error_class)] += 1
        self._note(key, row)

    def resolve(self, key: Key, resolution: str) -> None:
        """Close the open error of a message, if it has one."""
        row = self._errors.get(key)
        # A message that is there again was not deleted, whatever a 404 once said.
        if row is not None and (is_open(row) or (resolution == ledger.FETCHED and is_deleted(row))):
            self._note(key, ledger.resolved(row, resolution, self._clock()))

    def close(self) -> Tally:
        """Commit what is left and tell what all batches held."""
        self._commit()
        return self.tally

    def _take_answer(self, request: FetchRequest, answer: Answer, wanted: set[str]) -> None:
        message_id = message_id_of(answer.body)
        if message_id is None:
            return
        if not is_usable_id(message_id):
            self.take_error(_ids(request, message_id), _UNUSABLE_ID)
            return
        key = (request.workspace_id, message_id)
        try:
            row = self._answer_row(request, answer, message_id)
        except Exception as problem:  # noqa: BLE001 - one poisonous record must not stop the others
            error = FetchError(ErrorClass.BAD_PAYLOAD, scrub_exception(problem))
            self.take_error(_ids(request, message_id), error)
            return
        known = self._known.get(key)
        if known is None and message_id not in wanted:
            self._batch.extras.append(row)
            self._known[key] = header(row)
        elif known is None or known["content_hash"] != row["content_hash"]:
            self._store(row, is_extra=message_id not in wanted)
        elif message_id in wanted:
            self._batch.looks.append({**row, "created_date": known["created_date"]})
            self.tally.unchanged += 1
        self.resolve(key, ledger.FETCHED)

    def _store(self, row: Row, *, is_extra: bool) -> None:
        self._batch.answers.append(row)
        self._known[key_of(row)] = header(row)
        self.tally.stored += 1
        if is_extra:
            self._extras.add(key_of(row))
            self.tally.extra += 1

    def _answer_row(self, request: FetchRequest, answer: Answer, message_id: str) -> Row:
        message = parse_message(answer.body)
        known = self._known.get((request.workspace_id, message_id))
        fallback = known["created_date"] if known else self._event_date
        return {
            **_ids(request, message_id),
            "created_timestamp": message.created_timestamp,
            "created_date": utc_date(message.created_timestamp) or fallback,
            "last_updated_timestamp": message.last_updated_timestamp,
            "status": message.status,
            "is_settled": message.is_settled,
            "raw_json": as_json(answer.body),
            "content_hash": content_hash(answer.body),
            "api_endpoint": answer.endpoint,
            "api_fetch_timestamp": answer.requested_at,
            "event_date": self._event_date,
        }

    def _note(self, key: Key, row: Row) -> None:
        self._batch.errors_before.setdefault(key, self._errors.get(key))
        self._errors[key] = row
        self._batch.errors[key] = row

    def _commit_if_full(self) -> None:
        if len(self._batch) >= BATCH_SIZE:
            self._commit()

    def _commit(self) -> None:
        """Answers before the ledger: after a crash in between, the next run finds and resolves their errors."""
        self._keep_new_extras()
        batch, self._batch = self._batch, _Batch()
        if not len(batch):
            return
        self.tally.batches += 1
        stamp = {
            "ingestion_batch_id": f"{self._event_date}/{self._run_id}/{self.tally.batches:05d}",
            "ingestion_timestamp": self._clock(),
        }
        # Only what there is: an empty frame costs as much as a full one.
        if batch.answers:
            self._append_answers([{**row, **stamp} for row in batch.answers], batch)
        if batch.looks:
            looks = GENIE_MESSAGE_LOOKS.frame({**row, **stamp} for row in batch.looks)
            self._lake.append(GENIE_MESSAGE_LOOKS, looks)
        if batch.errors:
            errors = MESSAGE_FETCH_ERRORS.frame({**row, **stamp} for row in batch.errors.values())
            self._lake.merge(MESSAGE_FETCH_ERRORS, errors)
        _LOG.info(
            "Batch %s: %d answers, %d errors", stamp["ingestion_batch_id"], len(batch.answers), len(batch.errors)
        )

    def _keep_new_extras(self) -> None:
        """Of what a LIST brought unasked, keep what the log does not say already.

        Only the wanted messages were looked up before: who else is in a conversation shows when it is listed.
        """
        extras, self._batch.extras = self._batch.extras, []
        stored = known_answers(self._lake, [row["message_id"] for row in extras])
        for row in extras:
            before = stored.get(key_of(row))
            if before is None or before["content_hash"] != row["content_hash"]:
                self._store(row, is_extra=True)

    def _index(self, rows: list[Row]) -> None:
        """Note days other than our own: the fold of our day looks only there and where the index leads."""
        elsewhere = {entry_of(row) for row in rows if row["created_date"] != self._event_date}
        stamp = {name: rows[0][name] for name in ("ingestion_batch_id", "ingestion_timestamp")}
        store_days(self._lake, elsewhere - self._indexed, stamp)
        self._indexed |= elsewhere

    def _append_answers(self, rows: list[Row], batch: _Batch) -> None:
        """Append in one commit; if that keeps failing, row by row, setting aside what cannot be stored."""
        try:
            self._append(rows)
        except LakehouseError as problem:
            refused = [(row, error) for row in rows if (error := self._append_alone(row)) is not None]
            if len(refused) == len(rows):
                raise
            _LOG.warning("%d of %d answers cannot be stored: %s", len(refused), len(rows), problem)
            for row, error in refused:
                self._set_aside(row, error, batch)

    def _set_aside(self, row: Row, error: FetchError, batch: _Batch) -> None:
        """Note an answer that could not be stored as a further failure of its message, in the same batch."""
        key = key_of(row)
        self._known.pop(key, None)
        self.tally.stored -= 1
        self.tally.extra -= key in self._extras
        before = batch.errors_before.get(key)
        if before is not None:
            # The answer had resolved it. Its attempts go on counting.
            self._errors[key] = before
        self.take_error(_ids_of(row), error)
        batch.errors[key] = self._batch.errors.pop(key)

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
        columns = ["workspace_id", "message_id", "content_hash"]
        ids = [In("message_id", [row["message_id"] for row in rows])]
        stored = {
            tuple(row.values()) for row in records(self._lake.read(GENIE_API_MESSAGES, columns=columns, where=ids))
        }
        return [row for row in rows if tuple(row[name] for name in columns) not in stored]


def _ids(request: FetchRequest, message_id: str) -> dict[str, str | None]:
    return {
        "workspace_id": request.workspace_id,
        "space_id": request.space_id,
        "conversation_id": request.conversation_id,
        "message_id": message_id,
    }


def _ids_of(row: Row) -> dict[str, str | None]:
    return {name: row[name] for name in ("workspace_id", "space_id", "conversation_id", "message_id")}
