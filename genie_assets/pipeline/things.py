"""What a kind of thing has to say of itself, so that it is fetched, stored and accounted for like every other.

How things are batched and asked for does not belong here, nor any particular kind.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from genie_assets.domain.fetch_runs import Asked
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.requests import Answer, Became
from genie_assets.domain.tables import Table

Key = tuple[Any, ...]
T = TypeVar("T")


@dataclass(frozen=True)
class Look(Generic[T]):
    """What came of looking at one thing."""

    ids: Mapping[str, str | None]  # the columns of the ledger that say which thing it is
    row: T | None = None  # what is to be stored
    problem: FetchError | None = None
    was_wanted: bool = True
    characters: int = 0  # the size of what is to be stored


@dataclass(frozen=True)
class Stored:
    """What storing a batch came to, by the things' keys. What is in `refused` is not stored."""

    became: Mapping[Any, Became] = field(default_factory=dict)
    refused: Mapping[Any, FetchError] = field(default_factory=dict)


class Things(Protocol[T]):
    """One kind of thing that is asked for."""

    @property
    def errors(self) -> Table:
        """Its ledger; the table's key names a thing."""

    def look(self, request: Any, thing_id: str, answer: Answer | None, problem: FetchError | None) -> Look[T]:
        """What is to be stored of a look, and of which thing.

        Whatever it raises is noted as a failure of this thing alone.
        """

    def ids(self, request: Any, thing_id: str) -> Mapping[str, str | None]:
        """The columns of the ledger that say which thing it is."""

    def was_stored(self, key: Key) -> bool:
        """Whether it was ever read."""

    def store(self, looks: Sequence[Look[T]], stamp: Mapping[str, Any]) -> Stored:
        """Store looks in one atomic commit per table. Raises LakehouseError if none can be stored."""


@dataclass
class Tally:
    """What a run asked for, and what came of it."""

    requests: int = 0
    throttled: int = 0  # of them: answered 429
    not_attempted: list[Key] = field(default_factory=list)
    waiting: int = 0  # not asked for, because their error's time has not come
    stored: int = 0  # new distinct answers
    unchanged: int = 0  # wanted things whose answer was known
    extra: int = 0  # of the stored: what a LIST brought unasked
    failed: int = 0
    put_off: int = 0  # of the failed: not asked for, as their workspace or conversation only failed
    deleted: int = 0
    batches: int = 0
    errors_by_class: Counter[str] = field(default_factory=Counter)
    asked: Asked = field(default_factory=Asked)  # some of it by workspace

    @property
    def answered(self) -> int:
        """Wanted things that the API answered."""
        return self.stored - self.extra + self.unchanged
