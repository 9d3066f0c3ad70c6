"""Spaces: what a look at one came to, its latest good state, and the history of distinct ones.

What a configuration says stands in `configurations`, and what two of them differ in, in `configuration_changes`.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.configuration_changes import changed_sections
from genie_assets.domain.configurations import config_hash, is_configuration, kept_text, section_hashes
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.messages import as_text, has_come, parse_time
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.table import storable
from genie_assets.domain.tables import GENIE_SPACE_DETAILS

# A good look is noted at most this often, so that looks that find nothing new rewrite nothing.
_LAST_SEEN_RESOLUTION = dt.timedelta(hours=12)
_SHOWN = ("title", "description", "warehouse_id", "parent_path")
_STATE = (
    "title",
    "description",
    "warehouse_id",
    "parent_path",
    "etag",
    "serialized_space",
    "is_escaped",
    "config_hash",
    "section_hashes",
    "create_time",
    "update_time",
)


@dataclass(frozen=True)
class SpaceLook:
    """One look at a space: its body, or why it could not be read.

    Both are set where the space could be read but not exported: `body` then lacks `serialized_space`.
    """

    workspace_id: str
    space_id: str
    body: Mapping[str, Any] | None
    error: FetchError | None = None


NOT_EXPORTED = FetchError(
    ErrorClass.PERMISSION, "The space can be read but not exported: grant CAN EDIT or CAN MANAGE on it."
)


_UNREADABLE = FetchError(
    ErrorClass.BAD_PAYLOAD,
    "The space's configuration is no JSON object, as if it had been cut off: what is stored of it stays.",
    http_status=200,
)


def look_of(key: SpaceKey, body: Mapping[str, Any] | None, problem: FetchError | None) -> SpaceLook:
    """What one look at a space came to.

    Args:
        key: The space.
        body: What the API says of it; without `serialized_space` where that could not be exported.
        problem: Why it could not be read or exported.
    """
    if body is None:
        return SpaceLook(*key, None, problem)
    text = body.get("serialized_space")
    if text and not (isinstance(text, str) and is_configuration(text)):
        # A backup of it could not be restored, and it would stand for a change that nobody made.
        return SpaceLook(
            *key, {name: each for name, each in body.items() if name != "serialized_space"}, _UNREADABLE
        )
    if text:
        return SpaceLook(*key, body)
    too_big = problem is not None and problem.error_class is ErrorClass.TOO_BIG
    return SpaceLook(*key, body, problem if too_big else NOT_EXPORTED)


def after_look(previous: Mapping[str, Any] | None, look: SpaceLook, now: dt.datetime) -> Row:
    """The row of `genie_space_details` after a look.

    A failed look changes only what it says about itself: the last good configuration stays. A space that was read
    before and is not found any more is in the trash.
    """
    row: Row = dict(previous) if previous else {"is_trashed": None, "first_seen_timestamp": now}
    row.update(workspace_id=look.workspace_id, space_id=look.space_id)
    row.update(api_fetch_status="SUCCESS", api_fetch_error=None)
    if look.error:
        row.update(api_fetch_status=str(look.error.error_class), api_fetch_error=look.error.message)
    if look.body is not None:
        row.update(_state(look.body, previous or {}, now), is_trashed=False)
        row["last_seen_timestamp"] = _seen(row.get("last_seen_timestamp"), now)
    elif look.error and look.error.error_class is ErrorClass.NOT_FOUND and row.get("last_seen_timestamp"):
        row["is_trashed"] = True
    return row


def has_returned(previous: Mapping[str, Any] | None, look: SpaceLook) -> bool:
    """Whether a space is there again that was not found, or in the trash, when its row was written."""
    if previous is None or look.body is None:
        return False
    return bool(previous["is_trashed"]) or previous["api_fetch_status"] == ErrorClass.NOT_FOUND


def new_versions(previous: Mapping[str, Any] | None, row: Mapping[str, Any], now: dt.datetime) -> list[Row]:
    """Rows of `genie_space_versions` to write after a look: the closed version and the one that replaces it.

    Args:
        previous: The version in force so far (valid_to is NULL), if there is one.
        row: The space's row of `genie_space_details` after the look.
        now: The time of the look, UTC.
    """
    if row.get("config_hash") is None:
        return []
    if previous and _says_the_same(previous, row):
        return []
    version: Row = {"workspace_id": row["workspace_id"], "space_id": row["space_id"], "valid_from": now}
    version.update({name: row.get(name) for name in _STATE}, valid_to=None)
    version["changed_sections"] = _changed(previous, version)
    return [{**previous, "valid_to": now}, version] if previous else [version]


def is_overtaken(in_force: Mapping[str, Any] | None, asked_since: dt.datetime, now: dt.datetime) -> bool:
    """Whether somebody stored the version in force after we began to ask: what we saw may be the past by now.

    The next look says what is so. A version of a time that is yet to come would stop all looks until then.

    Args:
        in_force: The space's version in force.
        asked_since: When our run began to ask, UTC.
        now: The time, UTC.
    """
    return in_force is not None and in_force["valid_from"] > asked_since and has_come(in_force["valid_from"], now)


def may_differ(in_force: Mapping[str, Any] | None, row: Mapping[str, Any]) -> bool:
    """Whether a space's row may show another version than the one in force, of which no text is known here."""
    if row.get("config_hash") is None:
        return False
    return in_force is None or any(in_force[name] != row.get(name) for name in (*_SHOWN, "config_hash"))


def mended(versions: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """A space's history as it must be, where two runs wrote it at once, and the rows that are too many in it.

    Each version was in force until the next one; of neighbours that say the same, the first one stays.
    """
    kept: list[Row] = []
    gone: list[Row] = []
    for version in sorted(versions, key=lambda row: (row["valid_from"], row["config_hash"])):
        (gone if kept and _says_the_same(kept[-1], version) else kept).append(version)
    ends = [*(row["valid_from"] for row in kept[1:]), None]
    before = [None, *kept]
    right = [
        {**row, "valid_to": end, "changed_sections": _changed(earlier, row)}
        for earlier, row, end in zip(before, kept, ends, strict=False)
    ]
    return right, gone


def _changed(previous: Mapping[str, Any] | None, version: Mapping[str, Any]) -> list[str] | None:
    return None if previous is None else changed_sections(previous, version)


def _says_the_same(version: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a version is what another one, or a space, shows. A hash may be of an older form: texts decide."""
    if any(version[name] != row.get(name) for name in _SHOWN):
        return False
    return version["config_hash"] == row["config_hash"] or _hash_now(version) == _hash_now(row)


def _hash_now(row: Mapping[str, Any]) -> str:
    return config_hash(row["serialized_space"] or "")


def _state(body: Mapping[str, Any], previous: Mapping[str, Any], now: dt.datetime) -> Row:
    """The columns that a good answer fills.

    With fewer rights it lacks the configuration, and perhaps all but id and title: what is known stays. Only a
    description can be taken away, and whoever may export is shown all that there is. An answer that is older than
    what is known was behind the times, as one may be right after a change: all that is known stays.
    """
    if _is_behind(body, previous, now):
        return {name: previous.get(name) for name in _STATE}
    exported = as_text(body.get("serialized_space"))
    told: Row = {name: storable(text) for name in (*_SHOWN, "etag") if (text := as_text(body.get(name)))}
    told |= {name: time for name in ("create_time", "update_time") if (time := parse_time(body.get(name)))}
    if exported or "description" in body:
        told.setdefault("description", None)
    return {**{name: previous.get(name) for name in _STATE}, **told, **_configuration(exported, previous)}


def _is_behind(body: Mapping[str, Any], previous: Mapping[str, Any], now: dt.datetime) -> bool:
    """Whether an answer is older than what is known. Next to a time that is yet to come, all answers would be."""
    known, told = previous.get("update_time"), parse_time(body.get("update_time"))
    return known is not None and told is not None and told < known and has_come(known, now)


def _configuration(exported: str | None, previous: Mapping[str, Any]) -> Row:
    """The configuration as it came, if it says something else than the one that is known.

    One that says the same in another order is not kept: what is stored is what the version in force says, to the
    byte, and a tool that deploys the same again rewrites nothing.
    """
    known = previous.get("serialized_space")
    text, is_escaped = kept_text(exported) if exported else (known, previous.get("is_escaped"))
    if text is None:
        return {}
    text_hash = config_hash(text)
    if known not in (None, text) and text_hash == config_hash(known):
        text, is_escaped = known, previous.get("is_escaped")
    return {
        "serialized_space": text,
        "is_escaped": bool(is_escaped),
        "config_hash": text_hash,
        "section_hashes": json.dumps(section_hashes(text)),
    }


def is_changed(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
    """Whether the row of a space says something that the stored one does not."""
    return before is None or any(storable(row.get(name)) != before[name] for name in GENIE_SPACE_DETAILS.content)


def _seen(last_seen: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    return now if last_seen is None or now - last_seen >= _LAST_SEEN_RESOLUTION else last_seen
