"""A day as its fetch finds it, and where its messages are. What is looked up and asked stands elsewhere."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.fetch_runs import place_of
from genie_assets.domain.keys import MessageKey, Row
from genie_assets.domain.worklist import Reference


@dataclass(frozen=True)
class FetchedDay:
    """What has to be judged about a day.

    Attributes:
        references: Messages of the audit log of the day, and after them those of other open errors of the day.
        errors: The ledger's rows of these references and of their conversations; kept up to date.
        known: Headers of their stored answers; kept up to date.
        current: References that need no judging, by workspace_id: settled, unchanged, without an error.
        shown: So many of the references are in the audit log of the day.
    """

    references: list[Reference]
    errors: dict[MessageKey, Row]
    known: dict[MessageKey, Row]
    current: Counter[str]
    shown: int

    @property
    def keys(self) -> list[MessageKey]:
        """The messages of these references."""
        return [reference.key for reference in self.references]

    @property
    def stored(self) -> int:
        """Messages of the day that are stored."""
        return self.current.total() + sum(key in self.known for key in self.keys)

    def places(self, errors: Mapping[Any, Row]) -> Iterator[tuple[str, str, int]]:
        """Workspace, `place_of` and number of the messages of the audit log, by these rows of the ledger."""
        for reference in self.references[: self.shown]:
            error, is_stored = errors.get(reference.key), reference.key in self.known
            yield (
                reference.workspace_id,
                place_of(is_deleted=reference.is_deleted, is_stored=is_stored, error=error),
                1,
            )
        for workspace_id, count in self.current.items():
            yield workspace_id, "stored", count
