"""How tests are spread over workers: the dearest files first, and what is dear is made once for all of them.

A worker takes whole files (`--dist loadfile`). Whoever begins with the longest ones has no long one left at the
end, when the other workers have nothing to do any more.
"""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

_HERE = Path(__file__).parent
# Seconds of a file's tests, as measured on two cores. What is not here takes less than ten; a file that got much
# dearer than it says belongs further up. Behind a file of one test its worker gets another one at once, however
# long that test takes: what comes next in the order shall be short.
SECONDS: dict[str, int] = {
    "e2e/test_newcomers_hour.py": 300,
    "commands/test_ended_loads.py": 250,
    "e2e/test_daemon.py": 230,
    "e2e/test_fault_matrix.py": 230,
    "e2e/test_views_in_spark.py": 229,  # forty, behind a file of one test
    "e2e/test_demo_on_unity.py": 210,
    "dashboard/test_in_spark.py": 209,  # forty, behind a file of one test
    "e2e/test_demo.py": 176,
    "e2e/test_secrets.py": 130,
    "gateways/lakehouse/delta/test_pauses.py": 130,
    "test_benchmarks.py": 130,
    "e2e/test_quiet_day.py": 160,
    "e2e/test_truth.py": 115,
    "e2e/test_image.py": 90,
    "gateways/lakehouse/delta/test_object_stores.py": 85,
    "test_alerts.py": 75,
    "e2e/test_alert_daemon.py": 70,
    "e2e/test_wheel.py": 70,
    "e2e/test_crash_safety.py": 60,
    "pipeline/test_enriched_message_details.py": 70,
    "test_checks.py": 55,
    "sandbox/test_sql_for_days.py": 53,
    "test_assets.py": 50,
    "test_definitions.py": 45,
    "pipeline/test_richer_answers.py": 43,
    "e2e/test_reconciliation.py": 40,
    "gateways/lakehouse/delta/test_concurrency.py": 50,
    "pipeline/test_folds_at_once.py": 45,
    "e2e/test_any_history.py": 45,
    "pipeline/test_genie_api_messages.py": 40,
    "pipeline/test_deletions.py": 40,
    "e2e/test_spark_accepts_sql.py": 38,
    "e2e/test_regions.py": 35,
    "e2e/test_conversations.py": 30,
    "e2e/test_visible_runs.py": 30,
    "test_late_days.py": 30,
    "test_check_sentences.py": 30,
    "pipeline/test_failed_messages.py": 30,
    "pipeline/test_fold_what_changed.py": 28,
    "report/test_page.py": 28,
    "gateways/lakehouse/test_writes.py": 27,
    "commands/test_doctor_contract.py": 26,
    "pipeline/test_history.py": 26,
    "test_sensors.py": 25,
    "pipeline/test_stored_batches.py": 24,
    "pipeline/test_permission.py": 24,
    "gateways/databricks/test_odd_answers.py": 24,
    "test_sensors_of_a_warehouse.py": 24,
    "e2e/test_unity_catalog.py": 21,
    "gateways/lakehouse/test_queries.py": 21,
    "views/test_questions.py": 20,
    "gateways/databricks/test_pacing.py": 20,
    "test_schedules.py": 20,
    "test_loading.py": 20,
    "pipeline/test_stored_late.py": 20,
    "test_telemetry.py": 16,
    "test_day_runs.py": 16,
    "pipeline/test_fetch_runs.py": 15,
    "e2e/test_cli_errors.py": 14,
    "e2e/test_doctor_cures.py": 14,
    "e2e/test_evaluations.py": 14,
    "e2e/test_spaces_written_once.py": 13,
    "gateways/lakehouse/test_reads.py": 13,
    "sandbox/test_sql_conflicts.py": 13,
    "sandbox/test_sql.py": 12,
    "commands/test_instances.py": 12,
    "pipeline/test_due_errors.py": 12,
    "pipeline/test_lists_at_once.py": 12,
    "test_new_rows.py": 12,
    "test_second_try.py": 12,
    "pipeline/test_evaluations_at_once.py": 12,
    "e2e/test_spaces_written.py": 11,
    "gateways/lakehouse/delta/test_disks.py": 10,
    "views/test_views_on_files.py": 10,
    "gateways/lakehouse/delta/test_layout.py": 10,
}


class HasPath(Protocol):
    """What is looked at of a test."""

    @property
    def path(self) -> Path: ...


class HasFolder(Protocol):
    """What is wanted of pytest's `TempPathFactory`."""

    def getbasetemp(self) -> Path:
        """The worker's own folder."""


Test = TypeVar("Test", bound=HasPath)


def dearest_first(items: list[Test]) -> None:
    """Sort the tests by what their files take; within a file they keep their order."""
    items.sort(key=lambda item: -SECONDS.get(item.path.relative_to(_HERE).as_posix(), 0))


def made_once(factory: HasFolder, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker who wants it makes, while the others wait; none of them may change it.

    Args:
        factory: Pytest's own.
        name: The folder's.
        make: Makes and fills the folder.
    """
    own = factory.getbasetemp()
    common = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, made = common / name, common / f"{name} is made"
    with (common / f"{name} is being made").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go of when it is closed, whatever happens to us
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of somebody who failed
            make(folder)
            made.touch()
    return folder
