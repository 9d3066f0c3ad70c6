"""`genie_space_details`: read every known space's configuration; keep the latest good one and the history."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from genie_assets.domain.messages import as_text
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.spaces import SpaceLook, after_look, new_versions
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    GENIE_SPACE_DETAILS,
    GENIE_SPACE_VERSIONS,
    records,
)
from genie_assets.gateways.genie_api import Answer, GenieApi
from genie_assets.gateways.lakehouse import In, IsNull, Lakehouse
from genie_assets.gateways.system_tables import SystemTables

SpaceKey = tuple[str, str]  # (workspace_id, space_id)

_THREADS = 16


@dataclass(frozen=True)
class SpacesReport:
    """What one look at spaces found."""

    spaces: int = 0
    readable: int = 0
    exported: int = 0
    changed: int = 0  # new versions
    requests: int = 0
    errors_by_class: Mapping[str, int] = field(default_factory=dict)
    unlisted_workspaces: int = 0  # workspaces whose list of spaces could not be read

    def numbers(self) -> dict[str, float]:
        """What is worth plotting."""
        return {
            "spaces": self.spaces,
            "readable": self.readable,
            "exported": self.exported,
            "new_versions": self.changed,
            "requests": self.requests,
            "workspaces_not_listed": self.unlisted_workspaces,
        }


def back_up_spaces(
    *,
    system_tables: SystemTables,
    genie: GenieApi,
    lake: Lakehouse,
    run_id: str,
    clock: Callable[[], dt.datetime],
) -> SpacesReport:
    """Look at every space that a workspace lists, a message names, or an earlier look knew."""
    urls, spaces = _referenced_spaces(lake)
    silent = {workspace_id for workspace_id, _ in spaces} - urls.keys()
    if silent:
        # Known by their spaces only: no message tells their address.
        current = {row["workspace_id"]: row["workspace_url"] for row in records(system_tables.workspaces())}
        urls |= {workspace_id: current.get(workspace_id) for workspace_id in silent}
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="workspaces") as pool:
        lists = list(pool.map(genie.list_spaces, urls.keys(), urls.values()))
    for workspace_id, listed in zip(urls, lists, strict=True):
        ids = (as_text(space.body.get("space_id")) for space in listed.spaces)
        spaces.update((workspace_id, space_id) for space_id in ids if space_id)
    report = look_at_spaces(spaces, urls, genie=genie, lake=lake, run_id=run_id, clock=clock)
    return SpacesReport(
        **{
            **report.__dict__,
            "requests": report.requests + len(lists),
            "unlisted_workspaces": sum(listed.error is not None for listed in lists),
        }
    )


def look_at_spaces(
    spaces: Collection[SpaceKey],
    urls: Mapping[str, str | None],
    *,
    genie: GenieApi,
    lake: Lakehouse,
    run_id: str,
    clock: Callable[[], dt.datetime],
) -> SpacesReport:
    """Read these spaces and store what is new about them.

    Args:
        spaces: (workspace_id, space_id) of each.
        urls: Addresses by workspace_id.
        genie: The API.
        lake: The tables.
        run_id: Names the batch.
        clock: The time, UTC.
    """
    if not spaces:
        return SpacesReport()
    ordered = sorted(spaces)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="spaces") as pool:
        asked = list(pool.map(lambda key: _look(genie, *key, url=urls.get(key[0])), ordered))
    looks = [look for look, _ in asked]
    now = clock()
    rows, versions = _rows_after(looks, lake, ordered, now)
    stamp = {"ingestion_batch_id": f"spaces/{run_id}", "ingestion_timestamp": now}
    lake.merge(GENIE_SPACE_VERSIONS, GENIE_SPACE_VERSIONS.frame({**row, **stamp} for row in versions))
    lake.merge(GENIE_SPACE_DETAILS, GENIE_SPACE_DETAILS.frame({**row, **stamp} for row in rows))
    return SpacesReport(
        spaces=len(looks),
        readable=sum(look.body is not None for look in looks),
        exported=sum(look.body is not None and look.error is None for look in looks),
        changed=sum(row["valid_to"] is None for row in versions),
        requests=sum(requests for _, requests in asked),
        errors_by_class=Counter(str(look.error.error_class) for look in looks if look.error),
    )


def space_titles(lake: Lakehouse, workspace_ids: Iterable[str]) -> dict[SpaceKey, str | None]:
    """Titles of the stored spaces of these workspaces; None where a space was never readable."""
    frame = lake.read(
        GENIE_SPACE_DETAILS,
        columns=["workspace_id", "space_id", "title"],
        where=[In("workspace_id", sorted(set(workspace_ids)))],
    )
    return {(row["workspace_id"], row["space_id"]): row["title"] for row in records(frame)}


def _referenced_spaces(lake: Lakehouse) -> tuple[dict[str, str | None], set[SpaceKey]]:
    """Addresses of the workspaces, the latest of each, and the spaces that messages or earlier looks name."""
    columns = ["event_date", "workspace_id", "workspace_url", "space_id"]
    seen = lake.read(GENIE_MESSAGES_TO_FETCH, columns=columns, distinct=True)
    urls: dict[str, str | None] = {}
    spaces: set[SpaceKey] = set()
    for row in records(seen.sort_values("event_date")):
        urls[row["workspace_id"]] = row["workspace_url"] or urls.get(row["workspace_id"])
        if row["space_id"]:
            spaces.add((row["workspace_id"], row["space_id"]))
    known = lake.read(GENIE_SPACE_DETAILS, columns=["workspace_id", "space_id"])
    spaces.update((row["workspace_id"], row["space_id"]) for row in records(known))
    return urls, spaces


def _look(genie: GenieApi, workspace_id: str, space_id: str, *, url: str | None) -> tuple[SpaceLook, int]:
    """One space with its configuration, or without it where it may be read but not exported; and the requests."""
    answer = genie.get_space(workspace_id, url, space_id, include_serialized_space=True)
    if isinstance(answer, Answer):
        exported = as_text(answer.body.get("serialized_space")) is not None
        return SpaceLook(workspace_id, space_id, answer.body, None if exported else _NOT_EXPORTED), 1
    if answer.error_class not in (ErrorClass.PERMISSION, ErrorClass.BAD_REFERENCE):
        return SpaceLook(workspace_id, space_id, None, answer), 1
    plain = genie.get_space(workspace_id, url, space_id)
    if isinstance(plain, Answer):
        return SpaceLook(workspace_id, space_id, plain.body, _NOT_EXPORTED), 2
    return SpaceLook(workspace_id, space_id, None, answer), 2


_NOT_EXPORTED = FetchError(
    ErrorClass.PERMISSION, "The space can be read but not exported: grant CAN EDIT or CAN MANAGE on it."
)


def _rows_after(
    looks: list[SpaceLook], lake: Lakehouse, keys: list[SpaceKey], now: dt.datetime
) -> tuple[list[dict], list[dict]]:
    """The rows of both tables after these looks."""
    ids = In("space_id", sorted({space_id for _, space_id in keys}))
    stored = {(r["workspace_id"], r["space_id"]): r for r in records(lake.read(GENIE_SPACE_DETAILS, where=[ids]))}
    in_force = lake.read(GENIE_SPACE_VERSIONS, where=[ids, IsNull("valid_to")])
    versions_in_force = {(r["workspace_id"], r["space_id"]): r for r in records(in_force)}
    rows, versions = [], []
    for look in looks:
        key = (look.workspace_id, look.space_id)
        row = after_look(stored.get(key), look, now)
        rows.append(row)
        versions.extend(new_versions(versions_in_force.get(key), row, now))
    return rows, versions
