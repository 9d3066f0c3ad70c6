"""A SQL warehouse of a small account, on this machine, as the real SDK sees it."""

import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.service.sql import (
    StatementParameterListItem,
    StatementResponse,
    StatementState,
)
from starlette.applications import Starlette

from genie_sandbox.account import Account, ArrivingRow, Principal, Workspace
from genie_sandbox.sql.engine import SailEngine
from genie_sandbox.sql.routes import routes

NOON = 1_786_536_000_000  # 2026-08-12T12:00:00Z


HOUR = 3_600_000


WAREHOUSE = "1a2b3c4d5e6f7a8b"


TABLE = "main.genie_analytics.message_details"


STAGE = "/Volumes/main/genie_analytics/staging"


def event_of(number: int, at: int = NOON, arrives: int = NOON, **row: Any) -> ArrivingRow:
    return ArrivingRow(
        arrives,
        {
            "workspace_id": "1111",
            "event_time": at,
            "event_date": "2026-08-12",
            "user_identity": {"email": "Ana@example.com", "subject_name": None},
            "service_name": "aibiGenie",
            "action_name": "createConversationMessage",
            "request_params": {"space_id": "s1"},
            "response": {"status_code": 200, "error_message": None, "result": None},
            "event_id": f"e{number}",
            "identity_metadata": {"run_by": "ana", "run_as": None, "something_new": "x"},
            **row,
        },
    )


ACCOUNT = Account(
    account_id="acc",
    anchor=NOON,
    first_day="2026-08-12",
    last_day="2026-08-12",
    warehouse_id=WAREHOUSE,
    principal=Principal("own-app", "secret", "token", 1),
    workspaces=(
        Workspace("1111", "one"),
        Workspace("2222", "two", url_style="slash"),
        Workspace("3333", "three", listed=False),
    ),
    audit=(
        event_of(1, at=NOON + 310),
        event_of(1, at=NOON + 310),  # the log delivers some rows twice
        event_of(2, at=NOON - HOUR, request_params={"spaceId": "s1"}),
        event_of(3, request_params={}, response={"status_code": 200, "result": '{"space_id": "s1"}'}),
        event_of(4, request_params={}, response={"status_code": 429, "result": "{trunc"}),
        event_of(5, user_identity={"email": "own-app", "subject_name": None}),
        event_of(6, service_name="unityCatalog"),
        event_of(7, arrives=NOON + HOUR, event_date="2026-08-10"),
        event_of(8, at=NOON - 24 * HOUR, event_date="2026-08-11"),
    ),
    query_history=tuple(
        ArrivingRow(
            NOON,
            {
                "workspace_id": "1111",
                "statement_id": f"st{number}",
                "compute": {"type": "WAREHOUSE", "warehouse_id": "w1"},
                "total_duration_ms": 2**40 + number,
                "start_time": NOON + number * 1000,
                "query_source": {"genie_space_id": "s1", "job_info": {"job_id": "j"}},
                "query_parameters": {"named_parameters": {"a": "b"}, "pos_parameters": ["c"]},
            },
        )
        for number in range(300)
    ),
)


class Served:
    """An engine behind a real server, and a few short ways to ask it."""

    def __init__(self, folder: Path) -> None:
        urls = {"1111": "http://127.0.0.1:1", "2222": "http://127.0.0.1:2", "3333": "http://127.0.0.1:3"}
        self.engine = SailEngine(ACCOUNT, folder, urls, NOON)
        self.engine.start()
        app = Starlette(routes=routes(self.engine))
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = WorkspaceClient(config=Config(host=self.url, token="any"))

    def execute(self, statement: str, /, **options: Any) -> StatementResponse:
        parameters = [
            StatementParameterListItem(name, type=kind, value=value)
            for name, (kind, value) in options.pop("given", {}).items()
        ]
        return self.client.statement_execution.execute_statement(
            statement, options.pop("warehouse_id", WAREHOUSE), parameters=parameters, **options
        )

    def rows(self, statement: str, /, **given: tuple[str, str | None]) -> list[list[str | None]]:
        response = self.execute(statement, given=given, wait_timeout="50s")
        assert response.status.state is StatementState.SUCCEEDED, response.status.error
        return response.result.data_array or []

    def failure(self, statement: str, /, **given: tuple[str, str | None]) -> str:
        response = self.execute(statement, given=given, wait_timeout="50s")
        assert response.status.state is StatementState.FAILED
        return str(response.status.error.message)

    def new_table(self) -> str:
        """An empty table; its name."""
        self.rows(
            f"""CREATE OR REPLACE TABLE {TABLE} (
              workspace_id STRING NOT NULL COMMENT 'Where it\\'s asked', message_id STRING NOT NULL,
              content STRING,
              updated BIGINT, created_date DATE NOT NULL, actions ARRAY<STRING>,
              CONSTRAINT pk PRIMARY KEY (workspace_id, message_id))
            USING DELTA PARTITIONED BY (created_date) COMMENT 'Messages'
            TBLPROPERTIES ('delta.logRetentionDuration' = 'interval 7 days', 'our.own' = 'x')"""
        )
        return TABLE

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.engine.stop()


def merge_of(source: str) -> str:
    return f"""MERGE INTO {TABLE} AS t USING (
        SELECT * FROM {source}
         QUALIFY row_number() OVER (PARTITION BY workspace_id, message_id ORDER BY updated DESC) = 1
      ) AS s ON t.workspace_id = s.workspace_id AND t.message_id = s.message_id
            AND t.created_date <=> s.created_date
      WHEN MATCHED AND s.updated > t.updated THEN UPDATE SET *
      WHEN NOT MATCHED THEN INSERT *"""
