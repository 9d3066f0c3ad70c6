"""Rows of `system.query.history`, and when they arrive there."""

import random
from typing import Any

from genie_sandbox.account import ArrivingRow
from genie_sandbox.made_up.audit_rows import arrival
from genie_sandbox.made_up.drafts import Draft, Statement
from genie_sandbox.made_up.world import Person, World
from genie_sandbox.randomness import HOUR, dashed_id


class QueryHistory:
    """Collects the rows of query history; a share `repeats` of them has an earlier version, too."""

    def __init__(self, rng: random.Random, world: World, anchor: int, *, repeats: float = 0.02) -> None:
        self._repeats = repeats
        self._rng = rng
        self._account_id = world.account_id
        self._warehouse_id = world.warehouse_id
        self._anchor = anchor
        self.rows: list[ArrivingRow] = []

    def add_all(self, draft: Draft) -> None:
        """Add the statements of a message: a few arrive only after the anchor, a few never."""
        recent = draft.created > self._anchor - 60 * HOUR
        for position, statement in enumerate(draft.statements):
            designated = draft.plan.role == "late_tail" and draft.position == 1 and position == 0
            if not designated and self._rng.random() < 0.006:
                continue
            late = designated or draft.late == "all" or (recent and self._rng.random() < 0.05)
            room = draft.plan.room
            self.add(statement, room.workspace_id, draft.plan.person, room.space.space_id, late=late)

    def add(
        self, statement: Statement, workspace_id: str, person: Person, space_id: str | None, *, late: bool = False
    ) -> None:
        """Add a statement; `space_id` None is a statement that has nothing to do with Genie."""
        row = self._row(statement, workspace_id, person, space_id)
        arrives_at = arrival(self._rng, statement.end, self._anchor, late=late)
        self.rows.append(ArrivingRow(arrives_at, row))
        if self._rng.random() < self._repeats:  # with numbers that were not final
            older = {**row, "update_time": row["update_time"] - 700, "total_duration_ms": 1, "read_rows": None}
            self.rows.append(ArrivingRow(arrives_at, older))

    def _row(
        self, statement: Statement, workspace_id: str, person: Person, space_id: str | None
    ) -> dict[str, Any]:
        rng, finished = self._rng, statement.status == "FINISHED"
        redacted = rng.random() < 0.04
        user_id, name = str(person.user_id), person.name
        return {
            "account_id": self._account_id,
            "workspace_id": workspace_id,
            "statement_id": statement.statement_id,
            "session_id": dashed_id(rng),
            "execution_status": statement.status,
            "compute": {"type": "WAREHOUSE", "cluster_id": None, "warehouse_id": self._warehouse_id},
            "executed_by_user_id": user_id,
            "executed_by": name,
            "executed_as_user_id": user_id,
            "executed_as": name,
            "statement_text": "<REDACTED>" if redacted else statement.text,
            "statement_type": "SELECT",
            "error_message": statement.error,
            "client_application": "Databricks SQL Genie Space" if space_id else "Databricks SQL Editor",
            "client_driver": None,
            "cache_origin_statement_id": None,
            **self._durations(statement),
            "start_time": statement.start,
            "end_time": statement.end,
            "update_time": statement.end + rng.randrange(800, 4000),
            "read_partitions": rng.randrange(1, 40) if finished else None,
            "pruned_files": rng.randrange(0, 400) if finished else None,
            "read_files": rng.randrange(1, 60) if finished else None,
            "read_rows": rng.randrange(100, 30_000_000) if finished else None,
            "produced_rows": statement.rows if finished else 0,
            "read_bytes": rng.randrange(10_000, 2**36) if finished else None,
            "spilled_local_bytes": 0,
            "written_bytes": 0,
            "written_rows": None,
            "written_files": None,
            "shuffle_read_bytes": rng.randrange(0, 2**28),
            "pruned_files_bytes": None,
            "read_files_bytes": None,
            "read_io_cache_percent": rng.randrange(0, 101),
            "from_result_cache": finished and rng.random() < 0.08,
            "query_source": {
                "alert_id": None,
                "sql_query_id": None,
                "dashboard_id": None,
                "notebook_id": None,
                "genie_space_id": space_id,
                "legacy_dashboard_id": None,
                "job_info": None,
            },
            "query_parameters": None,
            "query_tags": None,
        }

    def _durations(self, statement: Statement) -> dict[str, int | None]:
        """The latency split; it adds up to the total. Here and there a number is negative or unknown."""
        rng, total = self._rng, statement.total_ms
        compute = int(total * rng.uniform(0.1, 0.5)) if rng.random() < 0.1 else 0
        capacity = int(total * rng.uniform(0.05, 0.3)) if rng.random() < 0.05 else 0
        compilation = int((total - compute - capacity) * rng.uniform(0.1, 0.4))
        fetch = int((total - compute - capacity) * rng.uniform(0.01, 0.1))
        waits: tuple[int | None, int | None] = (compute, capacity)
        if rng.random() < 0.03:
            waits = rng.choice(((None, None), (compute, None), (None, capacity)))
        negative = rng.random() < 0.004
        return {
            "total_duration_ms": -total if negative else total,
            "waiting_for_compute_duration_ms": waits[0],
            "waiting_at_capacity_duration_ms": waits[1],
            "execution_duration_ms": total - compute - capacity - compilation - fetch,
            "compilation_duration_ms": -3 if negative else compilation,
            "total_task_duration_ms": total * rng.randrange(1, 9),
            "result_fetch_duration_ms": fetch,
        }
