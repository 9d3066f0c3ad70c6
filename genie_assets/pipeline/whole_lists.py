"""Children of messages and conversations, as kinds of things: each list is stored whole, with a note of the look.

What a list changes is decided in `domain.whole_lists`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.keys import Row
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import In, Rows, Wanted
from genie_assets.domain.requests import Answer, Became, Request
from genie_assets.domain.tables import Table
from genie_assets.domain.whole_lists import Kind, ListLook, begun_look, changed_children, ended_look, look_row
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.batches import ask_for_due
from genie_assets.pipeline.ports import Genie
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.things import Key, Look, Stored, Tally


@dataclass(frozen=True)
class ListsReport:
    """What one look at lists found."""

    wanted: int = 0  # lists that may have changed
    changed: int = 0  # children that were new or are not as they were
    deleted: int = 0  # that are not there any more
    tally: Tally = field(default_factory=Tally)


def keep_lists(
    requests: Sequence[Request],
    kind: Kind,
    look_of: Callable[[Any, Answer], ListLook],
    *,
    genie: Genie,
    lake: Lakehouse,
    run: Run,
) -> ListsReport:
    """Ask for these lists, unless an error of theirs still waits, and store what is new about them.

    So many parameters: what to ask, whom, and where to keep it.

    Args:
        requests: One for each list.
        kind: The kind of children.
        look_of: What an answer says.
        genie: The API.
        lake: The tables.
        run: The run.
    """
    if not requests:
        return ListsReport()
    lists = WholeLists(lake, kind, look_of, requests)
    tally = ask_for_due(requests, lists, genie=genie, lake=lake, run=run)
    return ListsReport(len(requests), lists.changed, lists.deleted, tally)


class WholeLists:
    """The lists of one kind, as far as one run has to know them; it counts what it stores.

    Args:
        lake: The tables.
        kind: The kind of children.
        look_of: What an answer says.
        requests: What will be asked for.
    """

    def __init__(
        self,
        lake: Lakehouse,
        kind: Kind,
        look_of: Callable[[Any, Answer], ListLook],
        requests: Iterable[Request],
    ) -> None:
        self._lake, self._kind, self._look_of = lake, kind, look_of
        self.errors = kind.errors
        looks = lake.records(kind.looks, where=[self._of({request.wanted[0] for request in requests})])
        self._ever_listed = {kind.looks.key_of(row) for row in looks}
        self.changed = self.deleted = 0

    def ids(self, request: Any, thing_id: str) -> Mapping[str, str | None]:
        """Where the parent is."""
        names = [name for name in self.errors.column_names if hasattr(request, name)]
        return {name: getattr(request, name) for name in names} | {self.errors.key[-1]: thing_id}

    def look(
        self, request: Any, thing_id: str, answer: Answer | None, problem: FetchError | None
    ) -> Look[ListLook]:
        """A look at one list."""
        ids = self.ids(request, thing_id)
        if answer is None:
            return Look(ids, problem=problem)
        return Look(ids, self._look_of(request, answer), problem, characters=answer.size)

    def was_stored(self, key: Any) -> bool:
        """Whether the list was ever read: a parent that is not found now is then deleted."""
        return key in self._ever_listed

    def store(self, looks: Sequence[Look[ListLook]], stamp: Mapping[str, Any]) -> Stored:
        """Store what is new. A list is to be read again until its look is noted, which comes last.

        Another process may read the same lists, and who has read the older one may store it later. So each notes
        that it has begun before it stores children, and looks afterwards whether the other one is there: then the
        list is read once more. If it dies, its note tells the same.
        """
        kind = self._kind
        seen = {kind.looks.key_of(look.row.ids): look.row for look in looks if look.row is not None}
        found = self._lake.together(
            {
                "children": Wanted(Rows(kind.children, [self._of_these(seen)]), kind.children.column_names),
                "looks": self._looks_question(seen),
            }
        )
        noted = self._by_parent(found["looks"])
        stored: defaultdict[Key, list[Row]] = defaultdict(list)
        for row in found["children"]:
            stored[kind.looks.key_of(row)].append(row)
        notes = {key: note for key, look in seen.items() if (note := look_row(kind, look, noted.get(key)))}
        changes = {key: changed_children(kind, seen[key], stored[key]) for key in notes}
        rows = [row for each in changes.values() for row in each]
        begun = {key: begun_look(kind, notes[key]) for key, each in changes.items() if each}
        self._store(kind.looks, list(begun.values()), stamp)
        self._store(kind.children, rows, stamp)
        by_now = self._by_parent(self._lake.together({"looks": self._looks_question(notes)})["looks"])
        ended = [
            ended_look(kind, note, noted.get(key), begun.get(key, noted.get(key)), by_now.get(key))
            for key, note in notes.items()
        ]
        self._store(kind.looks, ended, stamp)
        self.changed += sum(not row["is_deleted"] for row in rows)
        self.deleted += sum(row["is_deleted"] for row in rows)
        return Stored({key: Became.of(changes.get(key)) for key in seen})

    def _looks_question(self, keys: Iterable[Key]) -> Wanted:
        return Wanted(Rows(self._kind.looks, [self._of_these(keys)]), self._kind.looks.column_names)

    def _by_parent(self, looks: Iterable[Row]) -> dict[Key, Row]:
        return {self._kind.looks.key_of(row): row for row in looks}

    def _of_these(self, keys: Iterable[Key]) -> In:
        return self._of({key[-1] for key in keys})

    def _of(self, ids: Iterable[str]) -> In:
        return In(self._kind.looks.key[-1], sorted(ids))

    def _store(self, table: Table, rows: Sequence[Row], stamp: Mapping[str, Any]) -> None:
        if rows:
            self._lake.store(table, table.frame({**row, **stamp} for row in rows))
