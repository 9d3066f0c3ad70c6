"""What the benchmarks let a fresh process do: fetch a day with the pipeline, call the SDK, work on a lake.

`python -m benchmarks.worker TASK` reads JSON from stdin and prints JSON.
"""

import datetime as dt
import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from databricks.sdk import WorkspaceClient

from benchmarks import lakehouse_work
from benchmarks.measuring import peak_rss_mb
from benchmarks.report import make_report
from benchmarks.warehouse_steps import unity_job, unity_step
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, records
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.genie_api_messages import fetch
from genie_assets.pipeline.run import Run

Spec = Mapping[str, Any]
_DEADLINE_SECONDS = 1800


def fetch_day(spec: Spec) -> dict[str, Any]:
    """The whole of what `genie_api_messages` does for one day."""
    workspaces = Workspaces(spec["url"], token=spec["token"], policy=HostPolicy(("127.0.0.1:*",)))
    used = Used()
    run = Run(
        dt.date.fromisoformat(spec["day"]),
        spec.get("run_id", "benchmark"),
        lambda: dt.datetime.now(dt.UTC),
        deadline=time.monotonic() + _DEADLINE_SECONDS,
    )
    report = fetch(run, genie=GenieApi(workspaces), lake=open_lakehouse(spec["lakehouse"]))
    return {
        **used.numbers(),
        "stored": report.tally.stored,
        "failed": report.tally.failed,
        "requests": report.requests,
        "throttled": report.tally.throttled,
    }


def bare_sdk(spec: Spec) -> dict[str, Any]:
    """One GET at a time, for `sample` messages of the day, with nothing stored."""
    client = WorkspaceClient(host=spec["url"], token=spec["token"])
    paths = _paths(open_lakehouse(spec["lakehouse"]), dt.date.fromisoformat(spec["day"]), spec["sample"])
    client.api_client.do("GET", paths[0])  # the connection
    used = Used()
    for path in paths:
        client.api_client.do("GET", path)
    return {**used.numbers(), "messages": len(paths)}


def _paths(lake: Lakehouse, day: dt.date, sample: int) -> list[str]:
    rows = records(lake.read(GENIE_MESSAGES_TO_FETCH, days=[day]))[:sample]
    return [
        f"/api/2.0/genie/spaces/{row['space_id']}/conversations/{row['conversation_id']}"
        f"/messages/{row['message_id']}"
        for row in rows
    ]


class Used:
    """Time and CPU since it was made; memory since the process started."""

    def __init__(self) -> None:
        self._started, self._cpu = time.monotonic(), time.process_time()

    def numbers(self) -> dict[str, float]:
        return {
            "seconds": time.monotonic() - self._started,
            "cpu_seconds": time.process_time() - self._cpu,
            "peak_rss_mb": peak_rss_mb(),
        }


TASKS: Mapping[str, Callable[[Spec], dict[str, Any]]] = {
    "fetch_day": fetch_day,
    "bare_sdk": bare_sdk,
    "unity_job": unity_job,
    "unity_step": unity_step,
    "make_report": make_report,
    **lakehouse_work.TASKS,
}


def run_here(task: str, spec: Spec) -> dict[str, Any]:
    """Do one task in this process."""
    return TASKS[task](spec)


if __name__ == "__main__":
    print(json.dumps(run_here(sys.argv[1], json.load(sys.stdin))))
