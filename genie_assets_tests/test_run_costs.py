"""What runs note of their costs when other runs come into it."""

import datetime as dt
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from genie_assets import run_costs
from genie_assets.domain.run_costs import Costs, Traffic, noted, to_text
from genie_assets.resources import LakehouseResource
from genie_assets.run_costs import COSTS_TAG, note_costs, noted_of_day
from genie_assets.settings import load_settings
from genie_assets.wiring import open_workspaces, take_costs

pytestmark = pytest.mark.servers  # what sends requests tries the network as it is imported


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DATABRICKS_HOST", "https://home.cloud.databricks.com")
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "w1")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi0123456789abcdef0123456789abcdef")
    take_costs()
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def costing(requests: int) -> dg.AssetsDefinition:
    """An asset that costs so many requests, which are counted and not sent, and notes them one by one."""

    @dg.asset
    def something(context: dg.AssetExecutionContext) -> None:
        settings = load_settings()
        meter = open_workspaces(settings, settings.databricks()).home().meter
        for _ in range(requests):
            with meter.request("GET genie/spaces"):
                pass
            note_costs(context)

    return something


def run(instance: dg.DagsterInstance, requests: int, **tags: str) -> dg.DagsterRun:
    result = dg.materialize([costing(requests)], instance=instance, tags=tags)
    found = instance.get_run_by_id(result.run_id)
    assert found is not None
    return found


def test_a_run_again_has_its_own_costs_though_dagster_gives_it_the_tags_of_the_first(
    instance: dg.DagsterInstance,
) -> None:
    first = run(instance, 3)
    inherited = {name: text for name, text in first.tags.items() if name.startswith("genie/")}
    again, in_vain = run(instance, 2, **inherited), run(instance, 0, **inherited)
    told = noted_of_day(instance, dt.datetime.now(dt.UTC).date())
    assert {each.run_id: costs.requests for each, costs in told} == {first.run_id: 3, again.run_id: 2}
    assert in_vain.run_id not in {each.run_id for each, _ in told}


def count_one() -> None:
    settings = load_settings()
    with open_workspaces(settings, settings.databricks()).home().meter.request("GET genie/spaces"):
        pass


def noted_at(instance: dg.DagsterInstance, day: dt.date) -> list[int]:
    return [costs.requests for _, costs in noted_of_day(instance, day)]


def test_a_run_notes_as_it_goes_and_leaves_the_day_that_is_over(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill would leave behind: everything up to the latest note, under one day."""
    instance = dg.DagsterInstance.local_temp(str(tmp_path))
    monkeypatch.setattr(run_costs, "NOTE_SECONDS", 0.02)
    monkeypatch.setenv("GENIE_LAKEHOUSE", "/nowhere")
    seen: list[tuple[list[int], list[int]]] = []
    today = dt.datetime.now(dt.UTC).date()
    tomorrow = today + dt.timedelta(days=1)

    def until(requests: int, day: dt.date) -> None:
        end = time.monotonic() + 20
        while noted_at(instance, day) != [requests] and time.monotonic() < end:
            time.sleep(0.01)
        seen.append((noted_at(instance, today), noted_at(instance, tomorrow)))

    @dg.asset
    def something(genie_lake: dg.ResourceParam[Any]) -> None:
        for requests in (1, 2):
            count_one()
            until(requests, today)
        monkeypatch.setattr(run_costs, "utc_today", lambda: tomorrow)
        until(2, tomorrow)

    dg.materialize([something], instance=instance, resources={"genie_lake": LakehouseResource()})
    assert seen == [([1], []), ([2], []), ([], [2])]


def test_what_could_not_be_noted_is_noted_with_what_follows(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run_tags = instance.add_run_tags
    refusals = [OSError("away")]

    def once_away(run_id: str, tags: Any) -> None:
        if refusals:
            raise refusals.pop()
        add_run_tags(run_id, tags)

    monkeypatch.setattr(instance, "add_run_tags", once_away)
    run(instance, 3)
    assert noted_at(instance, dt.datetime.now(dt.UTC).date()) == [3]


def test_what_another_process_of_the_same_run_noted_is_added_to_and_not_lost(instance: dg.DagsterInstance) -> None:
    """As a step does that runs in a process of its own, elsewhere perhaps."""

    @dg.asset
    def something(context: dg.AssetExecutionContext) -> None:
        for _ in range(2):
            count_one()
            note_costs(context)
            ((run, costs),) = noted_of_day(instance, dt.datetime.now(dt.UTC).date())
            another = noted(Costs({"GET genie/spaces": Traffic(10)}))
            instance.add_run_tags(run.run_id, {COSTS_TAG: to_text(costs.and_also(another))})

    dg.materialize([something], instance=instance)
    assert noted_at(instance, dt.datetime.now(dt.UTC).date()) == [22]
