"""The history of spaces' configurations, as stored: which version of each is in force."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from genie_assets.domain.keys import Row, SpaceKey, by_space
from genie_assets.domain.questions import Filter, In, IsNull, Rows, Wanted
from genie_assets.domain.spaces import mended
from genie_assets.domain.tables import GENIE_SPACE_VERSIONS, records
from genie_assets.gateways.lakehouse.interface import Lakehouse

# Nearly every look finds nothing new: then no text of a version travels.
_WITHOUT_TEXT = [each.name for each in GENIE_SPACE_VERSIONS.columns if not each.is_document]


def in_force_question(space_ids: Collection[str]) -> Wanted:
    """The question for the versions in force of these spaces, without the texts of their configurations."""
    ids = In("space_id", sorted(space_ids))
    return Wanted(Rows(GENIE_SPACE_VERSIONS, [ids, IsNull("valid_to")]), _WITHOUT_TEXT)


def versions_in_force(lake: Lakehouse, answered: Iterable[Row], stamp: Mapping[str, Any]) -> dict[SpaceKey, Row]:
    """The version in force of each of these spaces, of the answer to `in_force_question`.

    Two runs that looked at once may each have written one: then the space's history is mended first.
    """
    found = by_space(answered)
    raced = {key for key, rows in found.items() if len(rows) > 1}
    if raced:
        found.update(_mend(lake, raced, stamp))
    return {key: rows[-1] for key, rows in found.items()}


def whole_versions_in_force(lake: Lakehouse, spaces: Collection[SpaceKey]) -> dict[SpaceKey, Row]:
    """The version in force of each of these spaces, of which each has one at most."""
    if not spaces:
        return {}
    ids = In("space_id", sorted({key.space_id for key in spaces}))
    return {key: rows[-1] for key, rows in _stored(lake, [ids, IsNull("valid_to")]).items() if key in spaces}


def _mend(lake: Lakehouse, spaces: Collection[SpaceKey], stamp: Mapping[str, Any]) -> dict[SpaceKey, list[Row]]:
    """Make the histories of these spaces right; what they are now."""
    stored = _stored(lake, [In("space_id", sorted({key.space_id for key in spaces}))])
    histories = {key: mended(stored[key]) for key in spaces}
    changed = [row for key, (rows, _) in histories.items() for row in rows if row not in stored[key]]
    gone = [row for _, rows in histories.values() for row in rows]
    lake.store(
        GENIE_SPACE_VERSIONS,
        GENIE_SPACE_VERSIONS.frame({**row, **stamp} for row in changed),
        delete=GENIE_SPACE_VERSIONS.frame(gone),
    )
    return {key: rows for key, (rows, _) in histories.items()}


def _stored(lake: Lakehouse, where: Sequence[Filter]) -> Mapping[SpaceKey, list[Row]]:
    return by_space(records(lake.read(GENIE_SPACE_VERSIONS, where=where)))
