"""How spaces, their history and their changes look: on a terminal of 80 columns, as Markdown, as JSON.

Titles, questions and SQL come from outside: each line of them is made harmless, here.
"""

import difflib
import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import click

from genie_assets.commands.terminal import readable
from genie_assets.domain.configuration_changes import FIELDS, Change, Kind, Named, Step
from genie_assets.domain.inventory import Standing, standing
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.numbers import many
from genie_assets.domain.space_access import AccessChange
from genie_assets.domain.space_events import Fate, Origin
from genie_assets.domain.space_facts import MadeBy, tags_in
from genie_assets.domain.space_plans import Plan
from genie_assets.domain.space_references import Finding
from genie_assets.domain.space_references import Standing as Seen

_WIDTH = 80
_LONGEST_LINE = 100_000
_LONGEST_NAME = 300
_MARKS = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~", Kind.MOVED: ">"}
_PERMISSIONS = "permissions"
_AROUND, _HEAD = 2, 2  # lines that are shown around a change; those that name the two texts
_SAID_BY_THE_HEADING = frozenset(
    {
        *("space", "config", "data_sources", "instructions", "benchmarks", "questions", "sample_questions"),
        *("text_instructions", "example_question_sqls", "sql_functions", "join_specs", "sql_snippets", "tables"),
    }
)
_COLOURS = {"+": "green", "-": "red", "~": "yellow", ">": "cyan"}
_WORDS = {
    Standing.BACKED_UP: "backed up",
    Standing.BEHIND: "an older state is kept; now: ",
    Standing.GONE: "in the trash or deleted; its last state is kept",
    Standing.NEVER: "not backed up: ",
}
_IN_NUMBERS = {
    Standing.BACKED_UP: "backed up",
    Standing.BEHIND: "of which an older state is kept",
    Standing.GONE: "in the trash or deleted",
    Standing.NEVER: "not backed up",
}


def listed(rows: Iterable[Row], workspaces: Mapping[str, str], fates: Mapping[SpaceKey, Fate]) -> Iterator[str]:
    """Two to five lines for each space; at the end how many there are of each standing."""
    counts: Counter[Standing] = Counter()
    for row in rows:
        counts[standing(row)] += 1
        state = _WORDS[standing(row)]
        yield click.style(_short(row["title"] or "(no title)", 60), bold=True)
        workspace = workspaces.get(row["workspace_id"])
        name = f" ({_short(workspace, 30)})" if workspace else ""
        yield f"  {_short(row['space_id'], 40)}@{_short(row['workspace_id'], 20)}{name}"
        yield f"  {state}{readable(row['api_fetch_status']) if state.endswith(' ') else ''}{_seen(row)}"
        yield from _made_and_tagged(row)
        yield from _came_and_went(fates.get(SpaceKey.of(row), Fate()), is_gone=standing(row) is Standing.GONE)
    told = ", ".join(f"{counts[each]:,} {words}" for each, words in _IN_NUMBERS.items() if counts[each])
    for line in wrapped(f"{many(counts.total(), 'space')}: {told}" if told else "0 spaces", "  "):
        yield click.style(line, bold=True)


def _seen(row: Row) -> str:
    return f", last read {row['last_seen_timestamp']:%Y-%m-%d}" if row["last_seen_timestamp"] else ""


def _made_and_tagged(row: Row) -> Iterator[str]:
    """That a dashboard may have made it, and its tags; nothing where nothing is known."""
    if row.get("made_by") == MadeBy.UNLISTED:
        yield "  perhaps made by a dashboard: the list of agents leaves it out"
    tags = tags_in(row.get("tags"))
    if tags:
        told = (
            f"{_short(key, 60)}={_short(value, 60)}" if value else _short(key, 60) for key, value in tags.items()
        )
        yield from wrapped(f"  tags: {', '.join(told)}", " " * 8)


def with_tags(row: Row) -> Row:
    """The row with its tags as an object; a version has none."""
    return {**row, "tags": tags_in(row["tags"])} if "tags" in row else row


def _came_and_went(known: Fate, *, is_gone: bool) -> Iterator[str]:
    """Who made, trashed, deleted and restored it; of one that is gone without that, that nobody is known."""
    told = [
        ("made", known.created_at, known.created_by),
        ("moved to the trash", known.trashed_at, known.trashed_by),
        ("deleted", known.deleted_at, known.deleted_by),
        ("restored", known.restored_at, known.restored_by),
    ]
    for word, at, who in sorted((each for each in told if each[1]), key=lambda each: str(each[1])):
        yield from wrapped(f"  {word} {at:%Y-%m-%d %H:%M} UTC by {_somebody(who)}", "    ")
    if is_gone and not (known.trashed_at or known.deleted_at):
        yield "  vanished: the audit log shows nobody who removed it"


def _somebody(who: str | None) -> str:
    return _short(who, 60) if who else "somebody unnamed"


def as_json(value: Any) -> str:
    """One line of JSON in ASCII; times as ISO 8601."""
    return json.dumps(value, default=lambda moment: moment.isoformat())


def without_versions(row: Row) -> str:
    """Why a space has no versions: nothing of it was ever backed up."""
    title = _short(row["title"] or row["space_id"], 50)
    if row["api_fetch_status"] == "SUCCESS":
        return f"{title} has no versions, though it can be read: the next run of genie_spaces stores one."
    why = readable(row["api_fetch_error"] or "the reason is not known")
    return f"{title} was never backed up, so it has no versions. {readable(row['api_fetch_status'])}: {why}"


def history(title: str, versions: Sequence[Row], origins: Sequence[Origin]) -> Iterator[str]:
    """Two lines for each version, the latest first: what changed, and who did it."""
    yield click.style(f"{_short(title, 50)}: {many(len(versions), 'version')}", bold=True)
    for number, (version, origin) in reversed(list(enumerate(zip(versions, origins, strict=True), 1))):
        if number == 1:
            what = "first seen"
        elif version["changed_sections"] is None:
            what = "something (an older version of this program did not note what)"
        else:
            what = ", ".join(map(readable, version["changed_sections"])) or "how it is written"
        in_force = "" if version["valid_to"] else "  (in force)"
        yield from wrapped(f"v{number:<4} {version['valid_from']:%Y-%m-%d %H:%M} UTC  {what}{in_force}", " " * 28)
        yield from wrapped(f"      {_origin(origin)}", " " * 8)
    yield "Times at the left are those of the first look that found it."


def _origin(origin: Origin) -> str:
    if origin.changed_at is None:
        since = f"after {origin.after:%Y-%m-%d %H:%M} UTC" if origin.after else "before then"
        return f"made {since}: the audit log does not show by whom"
    before = origin.changes - 1
    more = f", the last of {many(origin.changes, 'change')}" if before else ""
    return f"by {_somebody(origin.author)}, {origin.changed_at:%Y-%m-%d %H:%M} UTC{more}"


def shown(title: str, row: Row) -> Iterator[str]:
    """All of a space or a version."""
    yield click.style(_short(title, 78), bold=True)
    for name, word in (("space_id", "space"), ("workspace_id", "workspace"), *FIELDS.items()):
        if row.get(name):
            yield from wrapped(f"  {word:<12}{readable(row[name])}", " " * 14)
    yield from _made_and_tagged(row)
    yield ""
    if not row["serialized_space"]:
        why = f" ({readable(row['api_fetch_status'])})" if row.get("api_fetch_status") else ""
        yield f"Its configuration was never read{why}."
        return
    for line in row["serialized_space"].split("\n"):
        yield _line(line)


def changed(
    before: str, after: str, found: Sequence[Change], access: Sequence[AccessChange] = ()
) -> Iterator[str]:
    """The changes by section, for a terminal; those of permissions come last."""
    yield from _sections(f"{_short(before, 70)} -> {_short(after, 70)}", found, access)


def planned(plan: Plan) -> Iterator[str]:
    """What a plan changes, and what a reviewer has to know."""
    place = f"{plan.space_id}@{plan.workspace_id}" if plan.space_id else f"a new space in {plan.workspace_id}"
    heading = f"Plan for {_short(place, 70)}, from {_short(plan.source, 100)}"
    yield from _sections(heading, plan.changes, plan.access.changes if plan.access else ())
    if plan.notes:
        yield ""
    for note in plan.notes:
        yield from wrapped(f"Note: {readable(note)}", "  ")


def _sections(heading: str, found: Sequence[Change], access: Sequence[AccessChange]) -> Iterator[str]:
    for part in wrapped(f"{heading}: {summary(found, access)}", "  "):
        yield click.style(part, bold=True)
    for section, of_it in groupby(found, key=lambda change: change.section):
        yield ""
        yield click.style(section, bold=True)
        yield from _coloured(_of_changes(of_it))
    if access:
        yield ""
        yield from permissions(access)


def permissions(access: Sequence[AccessChange]) -> Iterator[str]:
    """Who gets more, less or no access."""
    yield click.style(_PERMISSIONS, bold=True)
    yield from _coloured(_of_access(access))


def _coloured(lines: Iterable[str]) -> Iterator[str]:
    """Lines below a heading, in the colours of the marks that they begin with."""
    for line in lines:
        for part in wrapped(f"  {line}", " " * 8):
            yield click.style(part, fg=_COLOURS.get(line[:1]))


def access_values(access: Iterable[AccessChange]) -> list[dict[str, str | None]]:
    """The same for programs."""
    return [
        {
            **dict(zip(("principal_type", "principal"), each.principal, strict=True)),
            "before": each.before,
            "after": each.after,
        }
        for each in access
    ]


def changed_in_markdown(
    before: str, after: str, found: Sequence[Change], access: Sequence[AccessChange] = ()
) -> Iterator[str]:
    """The changes for a pull request: a heading for each section, and all that comes from outside in fences."""
    yield f"### Changes of a Genie space: {summary(found, access)}"
    yield ""
    yield from _fenced([f"- {readable(before)}", f"+ {readable(after)}"])
    for section, of_it in groupby(found, key=lambda change: change.section):
        yield ""
        yield f"**{section}**"
        yield ""
        yield from _fenced(list(_of_changes(of_it)))
    if access:
        yield from ("", f"**{_PERMISSIONS}**", "")
        yield from _fenced(list(_of_access(access)))


def looked_up(workspace_id: str, found: Sequence[Finding]) -> Iterator[str]:
    """What is known of the things that a space needs: what is there as numbers, all else by name."""
    if not found:
        return
    yield f"Looked up in {_short(workspace_id, 20)} with this login:"
    there = Counter(each.reference.kind for each in found if each.standing is Seen.THERE)
    if there:
        yield f"  there: {', '.join(many(count, kind) for kind, count in there.items())}"
    for seen, colour in ((Seen.NOT_FOUND, "red"), (Seen.UNKNOWN, "yellow")):
        for each in (each for each in found if each.standing is seen):
            name = f"{each.reference.kind} {_short(each.reference.name, _LONGEST_NAME)}"
            text = f"  {seen.upper()}: {name} ({readable(each.why)})"
            yield from (click.style(line, fg=colour) for line in wrapped(text, "    "))


def summary(found: Sequence[Change], access: Sequence[AccessChange] = ()) -> str:
    """How many changes, and of what."""
    sections = list(dict.fromkeys(change.section for change in found)) + ([_PERMISSIONS] if access else [])
    count = len(found) + len(access)
    return f"{many(count, 'change')} ({', '.join(sections)})" if count else "no difference"


def _of_access(changes: Iterable[AccessChange]) -> Iterator[str]:
    """A line for each principal: + gets access, - loses it, ~ gets another level."""
    for each in changes:
        kind, name = each.principal
        who = f"{readable(kind.lower().replace('_', ' '))} {_short(name, _LONGEST_NAME)}"
        if each.before is None or each.after is None:
            yield f"{'+' if each.after else '-'} {who}: {_short(each.after or each.before, 40)}"
        else:
            more = "more" if each.is_wider else "less"
            yield f"~ {who}: {_short(each.before, 40)} -> {_short(each.after, 40)} ({more})"


def _of_changes(found: Iterable[Change]) -> Iterator[str]:
    """Lines that begin with what became of the part: + added, - removed, ~ changed, > moved."""
    for change in found:
        mark = _MARKS[change.kind]
        if change.path[:1] != ("space",):  # the heading names these
            yield f"{mark} {_way(change.path)}"
        if change.kind in (Kind.ADDED, Kind.REMOVED):
            value = change.after if change.kind is Kind.ADDED else change.before
            yield from (f"{mark}   {line}" for line in _lines(value))
        else:
            yield from _differences(list(_lines(change.before)), list(_lines(change.after)))


def _differences(before: list[str], after: list[str]) -> Iterator[str]:
    """What changed in lines of text, with a few lines around it."""
    for number, line in enumerate(difflib.unified_diff(before, after, n=_AROUND, lineterm="")):
        if line.startswith("@@"):
            if number > _HEAD:
                yield "    ..."
        elif number >= _HEAD:
            yield f"{line[:1]}   {line[1:]}"


def _way(path: Sequence[Step]) -> str:
    """The way to a part, as people say it: what the heading says already is left out."""
    steps = list(path)
    while steps and steps[0] in _SAID_BY_THE_HEADING:
        del steps[0]
    shown = (step.label or step.name if isinstance(step, Named) else step for step in steps)
    return " / ".join(readable(each, longest=60) for each in shown) or "all of it"


def _lines(value: Any) -> Iterator[str]:
    """A part of a configuration in lines that people read; its texts without quotes."""
    if isinstance(value, str):
        yield from map(_line, value.split("\n"))
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        joined = "".join(value) if all(item.endswith("\n") for item in value[:-1]) else "\n".join(value)
        yield from map(_line, joined.removesuffix("\n").split("\n"))
    elif isinstance(value, dict):
        for key, part in value.items():
            inner = list(_lines(part))
            if len(inner) == 1 and not isinstance(part, dict):
                yield f"{readable(key)}: {inner[0]}"
            else:
                yield f"{readable(key)}:"
                yield from (f"  {line}" for line in inner)
    elif isinstance(value, list):
        for item in value:
            yield from (f"{'  ' if number else '* '}{line}" for number, line in enumerate(_lines(item)))
    else:
        yield _line(json.dumps(value))


def _line(text: str) -> str:
    """One line, harmless; its indentation stays."""
    indent = len(text) - len(text.lstrip(" "))
    return " " * min(indent, 40) + readable(text, longest=_LONGEST_LINE)


def wrapped(line: str, indent: str) -> list[str]:
    """The line in pieces that fit a terminal."""
    return textwrap.wrap(line, _WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _fenced(lines: Sequence[str]) -> Iterator[str]:
    """A fence that nothing in the lines can close."""
    fence = "`" * max(3, 1 + max((_longest_run(line) for line in lines), default=0))
    yield f"{fence}diff"
    yield from lines
    yield fence


def _longest_run(line: str) -> int:
    return max((len(list(run)) for character, run in groupby(line) if character == "`"), default=0)


def _short(text: object, longest: int) -> str:
    return readable(text, longest=longest)
