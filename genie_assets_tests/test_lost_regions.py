"""A region that hourly runs are without: alerts read it off their tags, with no statement and no daily check."""

import datetime as dt
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test, freeze_time

from genie_assets.broken_runs import of_lost_regions
from genie_assets.lost_regions import lost_in_run

NINE = dt.datetime(2026, 3, 2, 9, 15, tzinfo=dt.UTC)
AWAY = "Region us: GENIE_REGIONS, us: there is no SQL warehouse there."


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def load(instance: dg.DagsterInstance, at: dt.datetime, *without: str, ended: str = "SUCCESS") -> dg.DagsterRun:
    with freeze_time(at):
        status = dg.DagsterRunStatus[ended]
        run = create_run_for_test(instance, job_name="genie_daily", status=status)
    for name in without:
        lost_in_run(instance, run.run_id).note(name, AWAY)
    return run


def told(instance: dg.DagsterInstance, at: dt.datetime) -> dict[str, dt.datetime]:
    return {each.cause: each.since for each in of_lost_regions(instance, at)}


def test_a_region_that_three_runs_in_a_row_could_not_read_is_an_incident_until_one_can(
    instance: dg.DagsterInstance,
) -> None:
    hours = [NINE + number * dt.timedelta(hours=1) for number in range(6)]
    load(instance, hours[0], "us", "ap")
    load(instance, hours[1], "us")
    assert told(instance, hours[1]) == {}, "a warehouse may be slow to start"
    load(instance, hours[2], ended="FAILURE")
    load(instance, hours[2], "us", "ap")
    assert told(instance, hours[2]) == {"region:us": hours[0]}, "the other one was there in between"
    (us,) = of_lost_regions(instance, hours[2])
    assert "the last 3 runs" in us.what
    assert AWAY in us.what
    # Dagster gives a run that does another one again its tags: they say nothing of this one.
    last = load(instance, hours[3], "us")
    instance.delete_run(last.run_id)
    again = load(instance, hours[4])
    instance.add_run_tags(again.run_id, dict(last.tags) | {"genie/region.us": f'{{"run": "{last.run_id}"}}'})
    assert told(instance, hours[4]) == {}
    assert told(instance, hours[5] + dt.timedelta(days=40)) == {}, (
        "nobody looks any more: that is another incident"
    )
