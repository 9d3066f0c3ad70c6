"""Every join condition and every filter of every view matters: without it, the golden answers would not come.

A part that changes nothing on any data stands below with its reason.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp

from genie_assets.domain.views import View
from genie_assets.gateways.lakehouse.delta.lakehouse import DeltaLakehouse
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.reading import in_databricks, parsed, understood
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.views.changed_spaces import golden_effects, odd_changes
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.world import TABLE_NAMES, differences, golden_rows, lake_of

pytestmark = pytest.mark.rare

# view: what is removed: why nobody can tell.
HARMLESS: dict[tuple[str, str], str] = {
    ("message_overview", "s.created_date = m.created_date"): "a message has one day; it spares files",
    ("question_signals", "a.created_date = m.day"): "a message has one day; it spares files",
    ("message_overview", "NOT user_email IS NULL"): "MAX leaves NULL out; it spares groups without an address",
    **{
        ("question_signals", f"NOT w.{name} IS NULL"): "the size of NULL is NULL here; where ANSI is off, it is -1"
        for name in ("wording", "next_wording")
    },
    (
        "message_overview",
        "NOT statement_id IS NULL",
    ): "without a statement there is no duration: neither is counted",
    ("configuration_effects", "NOT p.previous_from IS NULL"): "it spares the first versions, which are not shown",
    (
        "space_inventory",
        "NOT k.data_sources IS NULL",
    ): "the size of NULL is NULL here; where ANSI is off, it is -1",
}


def conditions(tree: exp.Expression) -> Iterator[exp.Expression]:
    """Each part of an AND in a join's condition, a filter, or a WHEN."""
    for holder in tree.find_all(exp.Join, exp.Where, exp.Having, exp.If):
        whole = holder.args.get("on") if isinstance(holder, exp.Join) else holder.this
        if whole is not None:
            yield from whole.flatten() if isinstance(whole, exp.And) else [whole]


def mutants(view: View) -> Iterator[tuple[str, View]]:
    """The view without one part at a time, and what that was."""
    count = len(list(conditions(parsed(view.query))))
    for place in range(count):
        tree = parsed(view.query)
        part = list(conditions(tree))[place]
        text = in_databricks(part)
        part.replace(exp.true())
        yield text, replace(view, query=in_databricks(tree))


def tells(lake: DeltaLakehouse, golden: list[dict[str, Any]], mutant: View) -> bool:
    views = {**shipped_views(), mutant.name: mutant}
    try:
        found = lake.ask(understood(f"SELECT * FROM {mutant.name}", TABLE_NAMES, views), limit=1_000_000)
    except LakehouseError:
        return True
    return bool(differences(mutant.name, found.to_pylist(), golden))


World = tuple[DeltaLakehouse, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[DeltaLakehouse, Golden]]:
    """The golden rows, and the same where no load was noted, as before the first one has ended."""
    found = [golden_rows(), {**golden_rows(), "genie_day_loads": []}]
    now = dt.datetime.now(dt.UTC)
    return [(lake_of(rows, tmp_path_factory.mktemp("lakehouse")), Golden(rows, now)) for rows in found]


@pytest.mark.parametrize("name", sorted(set(shipped_views()) - {"configuration_effects"}))
def test_every_condition_is_missed_when_it_is_gone(name: str, worlds: list[tuple[DeltaLakehouse, Golden]]) -> None:
    assert unexplained(name, *((lake, golden.answer(name)) for lake, golden in worlds)) == []


def test_every_condition_of_the_effects_is_missed_when_it_is_gone(tmp_path: Path) -> None:
    """They need many messages of few spaces."""
    rows = odd_changes()
    assert unexplained("configuration_effects", (lake_of(rows, tmp_path), golden_effects(rows))) == []


def unexplained(name: str, *worlds: World) -> list[str]:
    """What can be removed from a view without any of the answers changing, and has no reason above."""
    survivors = [
        part
        for part, mutant in mutants(shipped_views()[name])
        if not any(tells(lake, golden, mutant) for lake, golden in worlds)
    ]
    assert {part for view, part in HARMLESS if view == name} <= set(survivors)
    return [part for part in survivors if (name, part) not in HARMLESS]
