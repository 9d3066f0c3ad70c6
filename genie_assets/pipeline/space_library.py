"""The stored spaces, for who wants to read one: found by name, now, at a time, or in all its versions.

Nothing is asked of Databricks here, and nothing is written.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from genie_assets.domain.inventory import in_time, meant, split_version, version_of
from genie_assets.domain.keys import Row, SpaceKey, by_space
from genie_assets.domain.questions import Equals, In
from genie_assets.domain.space_access import WantedAccess
from genie_assets.domain.space_events import Fate, Origin, SpaceEvent, fate, origins
from genie_assets.domain.table import Table
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    GENIE_SPACE_EVENTS,
    GENIE_SPACE_VERSIONS,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.planned_access import wanted_access


class SpaceLibrary:
    """The spaces in a lakehouse, as they were when they were first asked for."""

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake

    @cached_property
    def spaces(self) -> list[Row]:
        """All known spaces without their configurations."""
        rows = self._lake.records(GENIE_SPACE_DETAILS, columns=_without_documents(GENIE_SPACE_DETAILS))
        return sorted(rows, key=lambda row: (row["title"] or "", *SpaceKey.of(row)))

    @cached_property
    def workspaces(self) -> Mapping[str, str]:
        """Names of workspaces by id, as far as messages tell them."""
        columns = ["workspace_id", "workspace_name"]
        rows = self._lake.records(GENIE_MESSAGES_TO_FETCH, columns=columns, distinct=True)
        return {row["workspace_id"]: row["workspace_name"] for row in rows if row["workspace_name"]}

    @cached_property
    def fates(self) -> Mapping[SpaceKey, Fate]:
        """When spaces came and went, of those of which the audit log shows it."""
        # Changes are many, and say nothing here.
        kinds = In("event", [each for each in SpaceEvent if each is not SpaceEvent.UPDATED])
        events = by_space(self._lake.records(GENIE_SPACE_EVENTS, where=[kinds]))
        return {key: fate(rows) for key, rows in events.items()}

    def find(self, name: str) -> Row:
        """The space that a name means, without its configuration.

        Raises:
            SpaceNameError: it means none, or several.
        """
        # Who gives an id, or a title that is there once, does not wait for the names of workspaces.
        return meant(name, self.spaces, self.workspaces if "@" in name else {})

    def now(self, key: SpaceKey) -> Row:
        """The latest good state of a space, whole."""
        return self._of(GENIE_SPACE_DETAILS, key)[0]

    def history(self, key: SpaceKey) -> list[Row]:
        """The versions of a space without their configurations, the oldest first."""
        return in_time(self._of(GENIE_SPACE_VERSIONS, key, whole=False))

    def origins(self, key: SpaceKey, versions: Sequence[Row]) -> list[Origin]:
        """Who made each of these versions of a space, and when, as far as the audit log shows it."""
        return origins(versions, self._of(GENIE_SPACE_EVENTS, key))

    def access(self, key: SpaceKey) -> WantedAccess | str:
        """Whom a space grants what, as the last look found; else why that is not known."""
        return wanted_access(self._lake, key)

    def version(self, key: SpaceKey, wanted: str, title: str) -> Row:
        """A version of a space by number or time, whole.

        Raises:
            SpaceNameError: there is none.
        """
        found = version_of(self.history(key), wanted, title)
        return next(row for row in self._of(GENIE_SPACE_VERSIONS, key) if _place(row) == _place(found))

    def state(self, reference: str) -> tuple[str, Row]:
        """What `NAME`, `NAME:v3` or `NAME:TIME` means: what to call it, and the space or version, whole.

        Raises:
            SpaceNameError: it means nothing, or several spaces.
        """
        name, wanted = split_version(reference)
        if wanted is None or any(row["title"] == reference for row in self.spaces):
            row = self.find(reference)
            return row["title"] or row["space_id"], self.now(SpaceKey.of(row))
        row = self.find(name)
        title = row["title"] or row["space_id"]
        return f"{title} ({wanted})", self.version(SpaceKey.of(row), wanted, title)

    def _of(self, table: Table, key: SpaceKey, *, whole: bool = True) -> list[Row]:
        where = [Equals("workspace_id", key.workspace_id), Equals("space_id", key.space_id)]
        return self._lake.records(table, columns=None if whole else _without_documents(table), where=where)


def _without_documents(table: Table) -> list[str]:
    return [column.name for column in table.columns if not column.is_document]


def _place(version: Row) -> tuple[object, ...]:
    return version["config_hash"], version["valid_from"]
