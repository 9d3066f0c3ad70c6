"""`reconciled_conversations`: walk the conversations that the API lists, and enter messages the log never showed.

What is entered is fetched and folded by the runs of its day. Each step is stored before the next one relies on it:
a walk that was cut off at any point goes on from the tables. Whose turn it is, `domain.reconciliation` says.
"""

import datetime as dt
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from genie_assets.domain.agents import listed_conversations
from genie_assets.domain.keys import ConversationKey, Row, SpaceKey
from genie_assets.domain.questions import Equals, In, Not, Rows, Wanted
from genie_assets.domain.reconciliation import (
    SLICE,
    SpaceList,
    is_to_be_listed,
    is_to_be_walked,
    is_walking,
    oldest_first,
    walked_space,
    wanted_since,
)
from genie_assets.domain.requests import ConversationsOfSpace
from genie_assets.domain.tables import (
    GENIE_SPACE_DETAILS,
    RECONCILED_CONVERSATIONS,
    RECONCILED_SPACES,
    records,
)
from genie_assets.domain.workspaces import is_looked_at
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.addresses import with_addresses
from genie_assets.pipeline.agent_items import keep_listed
from genie_assets.pipeline.ports import Genie, SystemTables
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.walked_conversations import ReconciliationReport, Walking, told, url_of, walked

_SPACES_AT_ONCE, _CONVERSATIONS_AT_ONCE = 20, 5_000


def reconcile(
    run: Run,
    *,
    system_tables: SystemTables,
    genie: Genie,
    lake: Lakehouse,
    first_day: dt.date,
    share: float,
) -> ReconciliationReport:
    """Walk on for one slice: end walks that are under way, and begin those whose turn has come.

    So many parameters: whom to ask, where to keep it, and how much.

    Args:
        run: The run; a slice ends with it, or earlier.
        system_tables: Know the workspaces.
        genie: The API.
        lake: The tables.
        first_day: The first day that can be loaded.
        share: Of the spaces, how many are walked each night.
    """
    if share <= 0:
        return ReconciliationReport()
    slice_ = replace(run, deadline=min(run.deadline, time.monotonic() + SLICE.total_seconds()))
    walking, now = Walking(slice_, genie, lake, first_day), run.clock()
    state = _state(lake, system_tables.chosen_workspaces)
    due = {
        key
        for key, row in state.items()
        if is_walking(row) or is_to_be_listed(row, wanted_since(key, now, share), now)
    }
    walking.report.spaces_known, walking.report.spaces_due = len(state), len(due)
    if not due:
        return walking.report
    workspaces = {row["workspace_id"]: row for row in records(system_tables.workspaces())}
    ordered = sorted(due, key=lambda key: (*oldest_first(state[key]), key))
    for start in range(0, len(ordered), _SPACES_AT_ONCE):
        if walking.is_over:
            break
        some = ordered[start : start + _SPACES_AT_ONCE]
        mine = {key: state[key] for key in some}
        mine |= _list([key for key in some if not is_walking(state[key])], mine, workspaces, walking)
        _walk({key: row for key, row in mine.items() if row is not None and is_walking(row)}, workspaces, walking)
    return walking.report


def _state(lake: Lakehouse, chosen: Collection[str]) -> dict[SpaceKey, Row | None]:
    """The spaces that are there, and how far each is."""
    gone = Equals("is_trashed", True)
    found = lake.together(
        {
            "known": Wanted(Rows(GENIE_SPACE_DETAILS, [Not([gone])]), GENIE_SPACE_DETAILS.key),
            "reconciled": Wanted(Rows(RECONCILED_SPACES), RECONCILED_SPACES.column_names),
        }
    )
    known = {SpaceKey.of(row) for row in found["known"] if is_looked_at(row["workspace_id"], chosen)}
    rows = {SpaceKey.of(row): row for row in found["reconciled"]}
    return {key: rows.get(key) for key in known}


def _list(
    spaces: Sequence[SpaceKey],
    state: Mapping[SpaceKey, Row | None],
    workspaces: Mapping[str, Row],
    walking: Walking,
) -> dict[SpaceKey, Row]:
    """List the conversations of these spaces; the rows of those of which the list was asked for."""
    asked = [
        ConversationsOfSpace(key.workspace_id, url_of(workspaces, key.workspace_id), key.space_id)
        for key in spaces
    ]
    rows, lists = dict[SpaceKey, Row](), list[SpaceList]()
    for result in walking.genie.fetch(with_addresses(asked, walking.lake), deadline=walking.run.deadline):
        walking.report.requests += result.requests_made
        key = SpaceKey(result.request.workspace_id, result.request.space_id)
        problem = result.errors.get(key.space_id)
        if result.not_attempted or (problem is not None and not problem.was_asked):
            continue
        now = walking.run.clock()
        row = {**(state[key] or key._asdict()), "attempted_timestamp": now, **told(problem)}
        if problem is None:
            lists.append(SpaceList(key, result.request.workspace_url, result.answers, now))
            row["listed_timestamp"] = now
        walking.report.spaces_listed += problem is None
        walking.report.failed += problem is not None
        rows[key] = {**dict.fromkeys(RECONCILED_SPACES.column_names), **row}
        if sum(len(each.answers) for each in lists) >= _CONVERSATIONS_AT_ONCE:
            _store_lists(lists, walking)
            lists = []
    _store_lists(lists, walking)
    _store_spaces(rows.values(), walking)
    return rows


def _store_lists(lists: Sequence[SpaceList], walking: Walking) -> None:
    """Note the conversations of some spaces, before those say that they were listed."""
    if not lists:
        return
    of_these = [In("space_id", sorted({each.space.space_id for each in lists}))]
    before: dict[SpaceKey, dict[str, Row]] = {each.space: {} for each in lists}
    for row in walking.lake.records(RECONCILED_CONVERSATIONS, where=of_these):
        if SpaceKey.of(row) in before:
            before[SpaceKey.of(row)][row["conversation_id"]] = row
    stamp = walking.run.stamp("listed")
    rows = [{**row, **stamp} for each in lists for row in each.rows(before[each.space])]
    agents = [row for each in lists for row in listed_conversations(each.space, each.workspace_url, each.answers)]
    keep_listed(agents, walking.lake, walking.run.clock())
    # What the list does not name any more is deleted, or nobody's business.
    gone = [row for each in lists for name, row in before[each.space].items() if name not in each.answers]
    frame = RECONCILED_CONVERSATIONS.frame
    if rows or gone:
        walking.lake.store(RECONCILED_CONVERSATIONS, frame(rows), delete=frame(gone))


def _walk(spaces: Mapping[SpaceKey, Row], workspaces: Mapping[str, Row], walking: Walking) -> None:
    """Walk what is left of the conversations of these spaces, and note which spaces are done."""
    if not spaces:
        return
    of_these = [In("space_id", sorted({key.space_id for key in spaces}))]
    found = walking.lake.records(RECONCILED_CONVERSATIONS, where=of_these)
    conversations = {ConversationKey.of(row): row for row in found if SpaceKey.of(row) in spaces}
    to_walk = [
        row for row in conversations.values() if is_to_be_walked(row, spaces[SpaceKey.of(row)]["listed_timestamp"])
    ]
    for rows in walked(to_walk, workspaces, walking):
        conversations |= {ConversationKey.of(row): row for row in rows}
    by_space: dict[SpaceKey, list[Row]] = {key: [] for key in spaces}
    for row in conversations.values():
        by_space[SpaceKey.of(row)].append(row)
    now = walking.run.clock()
    ended = (walked_space(space, by_space[key], now) for key, space in spaces.items())
    done = [row for row in ended if row is not None]
    walking.report.spaces_walked += len(done)
    _store_spaces(done, walking)


def _store_spaces(rows: Iterable[Row], walking: Walking) -> None:
    stamped = [{**row, **walking.run.stamp("spaces")} for row in rows]
    if stamped:
        walking.lake.store(RECONCILED_SPACES, RECONCILED_SPACES.frame(stamped))
