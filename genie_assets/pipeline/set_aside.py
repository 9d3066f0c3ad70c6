"""Writes into the error ledger which messages could not be folded; what that does to a row, `domain` says."""

from collections.abc import Iterable, Mapping
from typing import Any

from genie_assets.domain.keys import MESSAGE_IDS, MessageKey
from genie_assets.domain.set_aside import SetAside, error_of, still_stands, with_attempts_of_the_same
from genie_assets.domain.tables import MESSAGE_FETCH_ERRORS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.error_ledger import ErrorLedger
from genie_assets.pipeline.run import Run


def set_aside(
    messages: Iterable[SetAside], errors: Mapping[MessageKey, Mapping[str, Any]], run: Run, lake: Lakehouse
) -> None:
    """Note each message with its reason, unless the ledger says the same of it already.

    Args:
        messages: What could not be folded.
        errors: Their rows of the ledger, as far as they have any.
        run: The run.
        lake: The tables.
    """
    failures = [(each, error_of(each)) for each in messages]
    new = [(each, error) for each, error in failures if not still_stands(errors.get(_key(each)), error)]
    if not new:
        return
    rows = {
        _key(each): with_attempts_of_the_same(errors[_key(each)], error)
        for each, error in new
        if _key(each) in errors
    }
    ledger = ErrorLedger(lake, MESSAGE_FETCH_ERRORS, rows, run)
    for each, error in new:
        ledger.failed({name: each.answer[name] for name in MESSAGE_IDS}, error, was_stored=True)
    ledger.store(run.stamp("fold"))


def _key(message: SetAside) -> MessageKey:
    return MessageKey.of(message.answer)
