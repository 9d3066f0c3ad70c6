"""Messages that cannot be folded: one poisonous record is set aside with its reason, and the others go on."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from genie_assets.domain import ledger
from genie_assets.domain.keys import Row
from genie_assets.domain.outcomes import ErrorClass, FetchError


class SetAside(NamedTuple):
    """A message that cannot be folded: its row of the log, and the name of what went wrong."""

    answer: Mapping[str, Any]
    problem: str


def error_of(message: SetAside) -> FetchError:
    """What the ledger says of a message that cannot be folded."""
    return FetchError(ErrorClass.BAD_PAYLOAD, f"The stored answer cannot be folded: {message.problem}.")


def still_stands(error: Mapping[str, Any] | None, failure: FetchError) -> bool:
    """Whether the ledger has this failure already, open or closed by hand: then nothing has been tried since."""
    return (ledger.is_open(error) or ledger.is_closed(error)) and _is_the_same(error, failure)


def with_attempts_of_the_same(error: Mapping[str, Any], failure: FetchError) -> Row:
    """The message's row as it was before a look resolved it, if that brought the same answer and the same failure.

    Else a message that can be read and not folded would be asked for again and again.
    """
    again = _is_the_same(error, failure) and error["resolution"] == ledger.FETCHED
    return {**error, "resolved": False} if again else dict(error)


def _is_the_same(error: Mapping[str, Any] | None, failure: FetchError) -> bool:
    if error is None:
        return False
    return bool(error["error_class"] == failure.error_class and error["error_message"] == failure.message)
