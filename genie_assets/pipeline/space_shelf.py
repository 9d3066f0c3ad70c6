"""Spaces as a kind of thing: the latest good state of each, and the history of its configurations.

What a look changes is decided in `domain.spaces`.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.names import new_titles
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.questions import In, Rows, Wanted
from genie_assets.domain.requests import Answer, Became, SpaceRequest
from genie_assets.domain.spaces import (
    SpaceLook,
    after_look,
    has_returned,
    is_changed,
    is_overtaken,
    look_of,
    may_differ,
    new_versions,
)
from genie_assets.domain.tables import GENIE_SPACE_DETAILS, GENIE_SPACE_VERSIONS, SPACE_FETCH_ERRORS
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.names import spread_titles
from genie_assets.pipeline.permission import gone_questions, release_returned
from genie_assets.pipeline.space_versions import (
    in_force_question,
    versions_in_force,
    whole_versions_in_force,
)
from genie_assets.pipeline.things import Look, Stored


class SpaceShelf:
    """The tables of spaces, as far as one run has to know them; it counts what it stores.

    Args:
        lake: The tables.
        clock: The time, UTC. Nothing is asked before the shelf is made.
    """

    errors = SPACE_FETCH_ERRORS

    def __init__(self, lake: Lakehouse, clock: Callable[[], dt.datetime]) -> None:
        self._lake, self._clock, self._asked_since = lake, clock, clock()
        self._ever_read: set[SpaceKey] = set()
        self.read: set[SpaceKey] = set()
        self.titles: dict[SpaceKey, str | None] = {}
        self.looks = self.exported = self.changed = 0

    def ids(self, request: SpaceRequest, thing_id: str) -> Mapping[str, str | None]:
        """The space's ids."""
        return {"workspace_id": request.workspace_id, "space_id": thing_id}

    def look(
        self, request: SpaceRequest, thing_id: str, answer: Answer | None, problem: FetchError | None
    ) -> Look[SpaceLook]:
        """A look at a space; one that failed is kept as well, because the space's row says so."""
        look = look_of(SpaceKey(request.workspace_id, thing_id), answer.body if answer else None, problem)
        return Look(self.ids(request, thing_id), look, look.error, characters=answer.size if answer else 0)

    def was_stored(self, key: Any) -> bool:
        """Whether the space was ever read."""
        return key in self._ever_read

    def store(self, looks: Sequence[Look[SpaceLook]], stamp: Mapping[str, Any]) -> Stored:
        """Store what is new about spaces; versions first, so that no state in force lacks its version.

        Another process may have stored a later look since we asked: then ours changes nothing.
        """
        seen = [look.row for look in looks if look.row is not None]
        ids = {look.space_id for look in seen}
        of_these = Rows(GENIE_SPACE_DETAILS, [In("space_id", sorted(ids))])
        found = self._lake.together(
            {
                "stored": Wanted(of_these, GENIE_SPACE_DETAILS.column_names),
                "in force": in_force_question(ids),
                **gone_questions(ids),
            }
        )
        before = {SpaceKey.of(row): row for row in found["stored"]}
        now = stamp["ingestion_timestamp"]
        in_force = versions_in_force(self._lake, found["in force"], stamp)
        by_now = self._clock()
        latest = [look for look in seen if not is_overtaken(in_force.get(_key(look)), self._asked_since, by_now)]
        rows = [after_look(before.get(_key(look)), look, now) for look in latest]
        read = {_key(look): row for look, row in zip(latest, rows, strict=True) if look.body is not None}
        new = self._new_versions(in_force, read, stamp)
        became = {_key(look): Became.of(new.get(_key(look))) for look in seen if look.body is not None}
        versions = [version for each in new.values() for version in each]
        if versions:
            self._lake.store(
                GENIE_SPACE_VERSIONS, GENIE_SPACE_VERSIONS.frame({**row, **stamp} for row in versions)
            )
        # Before what tells it is stored: after a crash in between, it is told again.
        gone = {name: [row for row in each if SpaceKey.of(row) in read] for name, each in found.items()}
        release_returned(self._lake, _returned(before, latest), gone, now)
        spread_titles(new_titles(before, rows), self._lake, stamp)
        changed = [row for row in rows if is_changed(row, before.get(SpaceKey.of(row)))]
        if changed:
            self._lake.store(GENIE_SPACE_DETAILS, GENIE_SPACE_DETAILS.frame({**row, **stamp} for row in changed))
        known = [before[key] for look in seen if (key := _key(look)) in before]
        self.titles |= {SpaceKey.of(row): row.get("title") for row in (*known, *rows)}
        self._ever_read |= {SpaceKey.of(row) for row in rows if row.get("last_seen_timestamp")}
        self._count(seen, versions)
        return Stored(became)

    def _new_versions(
        self, in_force: Mapping[SpaceKey, Row], read: Mapping[SpaceKey, Row], stamp: Mapping[str, Any]
    ) -> dict[SpaceKey, list[Row]]:
        """Versions to write, by space: of the few that differ in something, the whole ones are compared.

        Where another one is in force by then, somebody has overtaken us: the next look says what is so.
        """
        differing = {key for key, row in read.items() if may_differ(in_force.get(key), row)}
        known = whole_versions_in_force(self._lake, differing & in_force.keys())
        now = stamp["ingestion_timestamp"]
        return {
            key: new_versions(known.get(key), read[key], now)
            for key in read
            if key in differing and _began(known.get(key)) == _began(in_force.get(key))
        }

    def _count(self, looks: Sequence[SpaceLook], versions: Sequence[Row]) -> None:
        self.looks += len(looks)
        self.read |= {_key(look) for look in looks if look.body is not None}
        self.exported += sum(look.body is not None and look.error is None for look in looks)
        self.changed += sum(row["valid_to"] is None for row in versions)


def _returned(before: Mapping[SpaceKey, Row], looks: Sequence[SpaceLook]) -> set[SpaceKey]:
    return {_key(look) for look in looks if has_returned(before.get(_key(look)), look)}


def _began(version: Row | None) -> Any:
    return None if version is None else version["valid_from"]


def _key(look: SpaceLook) -> SpaceKey:
    return SpaceKey(look.workspace_id, look.space_id)
