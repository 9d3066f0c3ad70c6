"""Regions: what the log of each held of a day when it was last read, and since when one of them could not be read.

Without GENIE_REGIONS there is one region, which has no name, and nothing here says anything.
"""

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from genie_assets.domain.actions import deletes_conversation, may_change
from genie_assets.domain.keys import Row

HOME = "home"
"""The region of the home workspace."""

# Of a workspace: events, messages that they name, and the sum that tells these events from others.
_Numbers = tuple[int, int, int]


@dataclass(frozen=True)
class RegionNote:
    """What the log of a region held of a day when it was last read.

    Attributes:
        workspaces: Of each workspace of which it showed something: events, messages, and a sum of their hashes.
        newest: Time of the newest of these events, ISO, UTC.
        shared: Of each workspace: events and messages that a region before this one shows, too.
        unread_since: When it could not be read first, since it last was, ISO, UTC; None if the last load read it.
    """

    workspaces: Mapping[str, _Numbers] = field(default_factory=dict)
    newest: str | None = None
    unread_since: str | None = None
    shared: Mapping[str, tuple[int, int]] = field(default_factory=dict)


Notes = Mapping[str, RegionNote]  # by region


def notes_of(text: str | None) -> Notes:
    """The column `regions` of `genie_day_loads`, read. What was written by hand and cannot be read is no note."""
    try:
        return {region: _note_of(note) for region, note in json.loads(text or "{}").items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _note_of(note: Mapping[str, Any]) -> RegionNote:
    workspaces = {
        place: (int(events), int(messages), int(total))
        for place, (events, messages, total) in note["workspaces"].items()
    }
    shared = {place: (int(events), int(messages)) for place, (events, messages) in note.get("shared", {}).items()}
    return RegionNote(workspaces, _time_text(note["newest"]), _time_text(note["unread_since"]), shared)


def _time_text(text: str | None) -> str | None:
    """A time as it is noted, if it is one.

    Raises:
        ValueError: it is none, or has no zone.
    """
    if text is not None and dt.datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time without a zone")
    return text


def _text_of(notes: Notes) -> str:
    """The same, written: in one way only, so that it can be compared."""
    cells = {region: dict(vars(note)) for region, note in notes.items()}
    for each in cells.values():
        if not each["shared"]:
            del each["shared"]
    return json.dumps(cells, sort_keys=True)


def notes_by_day(days: Iterable[Mapping[str, Any]]) -> dict[dt.date, dict[str, RegionNote]]:
    """What the regions hold now of each day.

    Args:
        days: Rows of `sql/audit_days.sql` with their region; those without one are left out.
    """
    found: dict[dt.date, dict[str, RegionNote]] = {}
    for row in days:
        if row.get("region") is None or not row["event_count"]:
            continue
        of_day = found.setdefault(row["event_date"], {})
        note = of_day.get(row["region"], RegionNote())
        numbers = (int(row["event_count"]), int(row["message_count"]), int(row["events_sum"]))
        newest = max(filter(None, (note.newest, row["newest_event_time"].isoformat())))
        of_day[row["region"]] = RegionNote({**note.workspaces, str(row["workspace_id"]): numbers}, newest)
    return found


def regions_of_load(now: Notes, noted: str | None, regions: Mapping[str, str | None], at: dt.datetime) -> Row:
    """Of the row of `genie_day_loads` for a load, what follows from there being several regions.

    What a region held that cannot be read stays as it was when it last could. How much several of them share of a
    workspace is as it was noted, if they show the same of it as then; else `counted_once` finds it out.

    Args:
        now: What they hold of the day.
        noted: The column `regions` as it was noted before.
        regions: All regions, each with why it could not be read; None if it was.
        at: The time of the load, UTC.
    """
    if not regions:
        return {"regions": None}
    before = notes_of(noted)
    notes = {
        region: now.get(region, RegionNote()) if problem is None else _unread(before.get(region), at)
        for region, problem in regions.items()
    }
    notes = {region: _shared_as_before(region, notes, before) for region in notes}
    return {"regions": _text_of(notes), **_numbers_of(notes)}


def _shared_as_before(region: str, notes: Notes, before: Notes) -> RegionNote:
    note = notes[region]
    if note.unread_since is not None:
        return note

    def is_as_before(place: str) -> bool:
        return all(
            each.workspaces.get(place) == before.get(name, RegionNote()).workspaces.get(place)
            for name, each in notes.items()
        )

    known = before.get(region, RegionNote()).shared
    return replace(note, shared={place: shared for place, shared in known.items() if is_as_before(place)})


def counted_once(load: Row, events: Iterable[Mapping[str, Any]]) -> Row:
    """The same row, in which what several regions show is counted once; unchanged where there is one region.

    Args:
        load: What `regions_of_load` made, and more.
        events: Rows of `sql/audit_message_events.sql`, with the regions that show each.
    """
    notes = notes_of(load["regions"])
    if not notes:
        return load
    shared = _shared(events, list(notes))
    notes = {
        region: note if note.unread_since is not None else replace(note, shared=shared.get(region, {}))
        for region, note in notes.items()
    }
    return {**load, "regions": _text_of(notes), **_numbers_of(notes)}


def _shared(events: Iterable[Mapping[str, Any]], regions: Sequence[str]) -> dict[str, dict[str, tuple[int, int]]]:
    """Of each region and workspace: how many events and messages a region before it shows, too."""
    counted: dict[tuple[str, str], int] = Counter()
    showing: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in events:
        place, shown_by = event["workspace_id"], {*(event.get("region") or "").split(",")}
        if event["message_id"] is not None:
            showing[place, event["message_id"]] |= shown_by
        if _is_stored(event):
            for region in [each for each in regions if each in shown_by][1:]:
                counted[region, place] += int(event["event_count"])
    messages = Counter(
        (region, place)
        for (place, _), shown_by in showing.items()
        for region in [each for each in regions if each in shown_by][1:]
    )
    found: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for region, place in sorted({*counted, *messages}):
        found[region][place] = counted[region, place], messages[region, place]
    return found


def _is_stored(event: Mapping[str, Any]) -> bool:
    """Whether an event is one that `sql/audit_days.sql` counts: it names something that a load stores."""
    if event["message_id"] is not None or event["space_event_id"] is not None:
        return True
    action, is_talk = event["action_name"], event["is_agents"] and event["conversation_id"] is not None
    return not event["is_refused"] and (deletes_conversation(action) or (is_talk and may_change(action)))


def _unread(before: RegionNote | None, at: dt.datetime) -> RegionNote:
    note = before or RegionNote()
    return replace(note, unread_since=note.unread_since or at.isoformat())


def _numbers_of(notes: Notes) -> Row:
    """The numbers of all regions together: what two of them show of a workspace is there once, as far as is known.

    Of events that nobody has read yet nothing is known, unless the two show the same.
    """
    alone: dict[tuple[str, _Numbers], tuple[int, int]] = {}
    for note in notes.values():
        for place, numbers in note.workspaces.items():
            events, messages = note.shared.get(place, (0, 0))
            alone.setdefault((place, numbers), (numbers[0] - events, numbers[1] - messages))
    newest = max((note.newest for note in notes.values() if note.newest), default=None)
    return {
        "event_count": sum(events for events, _ in alone.values()),
        "message_count": sum(messages for _, messages in alone.values()),
        "newest_event_time": dt.datetime.fromisoformat(newest) if newest else None,
    }


def is_late_in_a_region(now: Notes, noted: str | None, read: Collection[str]) -> bool:
    """Whether a region holds something else of a day than its last load saw, or that load could not read it.

    What a log has forgotten since is no reason, and of a region that cannot be read nothing is known.

    Args:
        now: What the regions that could be read hold of the day.
        noted: The column `regions` of the day.
        read: These regions.
    """
    before = notes_of(noted)
    for region in read:
        note, was = now.get(region), before.get(region)
        if was is not None and was.unread_since is not None:
            return True
        if note is not None and (was is None or note != replace(was, shared={})):
            return True
    return False


def unread_now(regions: Mapping[str, str | None]) -> dict[str, str]:
    """Of these regions, each with why it could not be read or None, those that could not be."""
    return {region: problem for region, problem in regions.items() if problem is not None}


def unread_of(noted: str | None) -> dict[str, dt.datetime]:
    """Regions that the last load of a day could not read, each with since when, UTC."""
    return {
        region: dt.datetime.fromisoformat(note.unread_since)
        for region, note in notes_of(noted).items()
        if note.unread_since is not None
    }


def held_back(noted: str | None, regions: Mapping[str, str | None]) -> set[str]:
    """Workspaces of which a region that cannot be read has shown something on the day, when it could be.

    What another region shows of them is not all, because a workspace may have moved: what is stored of them stays.
    """
    notes = notes_of(noted)
    return {place for region in unread_now(regions) for place in notes.get(region, RegionNote()).workspaces}


def beside_the_stored(rows: Iterable[Row], stored: Iterable[Row], held: Collection[str]) -> list[Row]:
    """References as the log shows them, without those of workspaces held back that are stored."""
    known = {(row["workspace_id"], row["message_id"]) for row in stored if row["workspace_id"] in held}
    return [row for row in rows if (row["workspace_id"], row["message_id"]) not in known]
