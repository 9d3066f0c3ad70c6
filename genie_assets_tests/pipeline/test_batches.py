"""Batches of messages: what they remember, when they are committed, what a poisonous record says."""

import datetime as dt
from pathlib import Path
from typing import Any

from genie_assets.domain.keys import MessageKey, Row
from genie_assets.domain.requests import Answer, FetchResult, MessagesRequest
from genie_assets.domain.tables import GENIE_API_MESSAGES, MESSAGE_FETCH_ERRORS
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.batches import Batches
from genie_assets.pipeline.error_ledger import ErrorLedger
from genie_assets.pipeline.message_log import MessageLog
from genie_assets.pipeline.run import Run

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
RUN = Run(dt.date(2026, 3, 2), "r", lambda: NOON)


def batches_of(
    folder: Path, known: dict[MessageKey, Row], errors: dict[MessageKey, Row], characters: int = 32_000_000
) -> Any:
    lake = open_lakehouse(str(folder))
    ledger = ErrorLedger(lake, MESSAGE_FETCH_ERRORS, errors, RUN)
    return Batches(MessageLog(lake, known, RUN), ledger, RUN, characters=characters)


def answered(message_id: str, content: Any) -> FetchResult[MessagesRequest]:
    body = {"message_id": message_id, "conversation_id": "c", "content": content, "status": "COMPLETED"}
    request = MessagesRequest("w", "https://w.example.com", "s", "c", (message_id,), "GET")
    return FetchResult(request, {message_id: Answer(body, "GET", NOON)})


def test_what_is_remembered_of_a_stored_message_does_not_grow_with_its_text(tmp_path: Path) -> None:
    """Texts that stay in memory until the run ends make a day of long answers end it for lack of memory."""
    known: dict[MessageKey, Row] = {}
    batches = batches_of(tmp_path, known, {})
    batches.take(answered("m", "long " * 200_000))
    batches.close()
    assert open_lakehouse(str(tmp_path)).read(GENIE_API_MESSAGES)["raw_json"].str.len().tolist() > [1_000_000]
    assert len(repr(known[MessageKey("w", "m")])) < 2_000


def test_a_batch_of_long_answers_is_committed_early(tmp_path: Path) -> None:
    """A hundred answers of megabytes each would be held at once."""
    batches = batches_of(tmp_path, {}, {}, characters=1_000_000)
    for number in range(6):
        batches.take(answered(f"m{number}", "x" * 400_000))
    tally = batches.close()
    assert (tally.batches, tally.stored) == (2, 6)


def test_what_cannot_be_made_a_row_is_told_without_a_word_of_it(tmp_path: Path) -> None:
    """The text of an exception may quote what a user asked, and lands in a table and in the UI."""
    errors: dict[MessageKey, Row] = {}
    batches = batches_of(tmp_path, {}, errors)
    batches.take(answered("m", {"What does Ann earn?": object()}))
    batches.close()
    assert errors[MessageKey("w", "m")]["error_message"] == "The answer cannot be made a row: TypeError."
