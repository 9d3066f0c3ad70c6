"""The history of spaces' configurations, as stored: which version of each is in force."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.questions import Filter, In, IsNull
from genie_assets.domain.spaces import mended
from genie_assets.domain.tables import GENIE_SPACE_VERSIONS, records
from genie_assets.gateways.lakehouse.interface import Lakehouse

# Nearly every look finds nothing new: then no text of a version travels.
_WITHOUT_TEXT = [each.name for each in GENIE_SPACE_VERSIONS.columns if not each.is_document]


def versions_in_force(
    lake: Lakehouse, space_ids: Collection[str], stamp: Mapping[str, Any]
) -> dict[SpaceKey, Row]:
    """The version in force of each of these spaces, without the text of its configuration.

    Two runs that looked at once may each have written one: then the space's history is mended first.
    """
    ids = In("space_id", sorted(space_ids))
    found = _by_space(lake, [ids, IsNull("valid_to")], _WITHOUT_TEXT)
    raced = {key for key, rows in found.items() if len(rows) > 1}
    if raced:
        found.update(_mend(lake, raced, stamp))
    return {key: rows[-1] for key, rows in found.items()}


def whole_versions_in_force(lake: Lakehouse, spaces: Collection[SpaceKey]) -> dict[SpaceKey, Row]:
    """The version in force of each of these spaces, of which each has one at most."""
    if not spaces:
        return {}
    ids = In("space_id", sorted({key.space_id for key in spaces}))
    return {key: rows[-1] for key, rows in _by_space(lake, [ids, IsNull("valid_to")]).items() if key in spaces}


def _mend(lake: Lakehouse, spaces: Collection[SpaceKey], stamp: Mapping[str, Any]) -> dict[SpaceKey, list[Row]]:
    """Make the histories of these spaces right; what they are now."""
    stored = _by_space(lake, [In("space_id", sorted({key.space_id for key in spaces}))])
    histories = {key: mended(stored[key]) for key in spaces}
    changed = [row for key, (rows, _) in histories.items() for row in rows if row not in stored[key]]
    gone = [row for _, rows in histories.values() for row in rows]
    lake.merge(
        GENIE_SPACE_VERSIONS,
        GENIE_SPACE_VERSIONS.frame({**row, **stamp} for row in changed),
        delete=GENIE_SPACE_VERSIONS.frame(gone),
    )
    return {key: rows for key, (rows, _) in histories.items()}


def _by_space(
    lake: Lakehouse, where: Sequence[Filter], columns: Sequence[str] | None = None
) -> dict[SpaceKey, list[Row]]:
    found: defaultdict[SpaceKey, list[Row]] = defaultdict(list)
    for row in records(lake.read(GENIE_SPACE_VERSIONS, columns=columns, where=where)):
        found[SpaceKey.of(row)].append(row)
    return dict(found)
