"""The runs of `genie-assets load` in the UI: in its overview, at their job, and where a run is looked at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from genie_assets_tests.commands.loads import Place, an_account
from genie_assets_tests.e2e.deployment import REPOSITORY, Deployment, deployed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

JOBS = ["genie_daily", "genie_spaces", "genie_standing_checks"]
# What the overview asks for (RunTimelineFragment of the webserver). A run without an origin gets no row there.
TIMELINE = """query ($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 50) { ... on Runs { results {
    id pipelineName status startTime endTime canTerminate hasReExecutePermission
    tags { key value } repositoryOrigin { repositoryName repositoryLocationName } } } } }"""
JOB = """query ($selector: PipelineSelector!) { pipelineOrError(params: $selector) { __typename
    ... on Pipeline { name runs { runId } } } }"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("loaded")
    with an_account(folder / "account") as (account, sandbox):
        place = Place(account, sandbox, folder)
        load = place.load("--from", place.days[0], "--to", place.days[0])
        assert load.ends() == 0, load.shown
        yield place
        place.kill_all()


@pytest.fixture(scope="module")
def deployment(loaded: Place) -> Iterator[Deployment]:
    settings = {name: value for name, value in loaded.settings.items() if name != "DAGSTER_HOME"}
    with deployed(loaded.home, settings) as running:
        yield running


def timeline(deployment: Deployment) -> list[dict[str, Any]]:
    return list(deployment.graphql(TIMELINE, filter={"statuses": ["SUCCESS", "FAILURE", "CANCELED"]})["results"])


def test_the_overview_shows_the_runs_of_a_load_at_our_code_location(loaded, deployment):
    shown = timeline(deployment)
    assert sorted(run["pipelineName"] for run in shown) == JOBS
    for run in shown:
        assert run["repositoryOrigin"] == REPOSITORY, run
        assert run["endTime"] >= run["startTime"] > 0
    (daily,) = [run for run in shown if run["pipelineName"] == "genie_daily"]
    assert {"key": "dagster/partition", "value": loaded.days[0]} in daily["tags"]


def test_each_job_shows_its_runs(deployment):
    of_runs = {run["pipelineName"]: run["id"] for run in timeline(deployment)}
    for job in JOBS:
        shown = deployment.graphql(JOB, selector={**REPOSITORY, "pipelineName": job})
        assert [run["runId"] for run in shown["runs"]] == [of_runs[job]]


def test_the_daemon_leaves_a_failed_run_of_ours_to_whoever_started_it(loaded):
    """It would load the day again, behind their back: our dagster.yaml has it retry runs that crashed."""
    with dg.DagsterInstance.from_config(str(loaded.home)) as instance:
        assert instance.run_retries_max_retries == 1
        assert {run.tags["dagster/max_retries"] for run in instance.get_runs()} == {"0"}


def test_the_home_is_for_nobody_else(loaded: Place) -> None:
    assert Path(loaded.home).stat().st_mode & 0o777 == 0o700
