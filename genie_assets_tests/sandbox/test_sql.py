"""The SQL warehouse, over HTTP with the real SDK, on Sail and real Delta tables."""

import http.client
import io
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
import uvicorn
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import (
    AlreadyExists,
    BadRequest,
    InvalidParameterValue,
    NotFound,
    ResourceDoesNotExist,
)
from databricks.sdk.service.sql import (
    Disposition,
    ExecuteStatementRequestOnWaitTimeout,
    Format,
    StatementParameterListItem,
    StatementResponse,
    StatementState,
)
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from genie_sandbox.account import Account, ArrivingRow, Principal, Workspace
from genie_sandbox.sql.engine import SailEngine
from genie_sandbox.sql.routes import routes
from genie_sandbox.sql.system_tables import spelled

NOON = 1_786_536_000_000  # 2026-08-12T12:00:00Z
HOUR = 3_600_000
WAREHOUSE = "1a2b3c4d5e6f7a8b"
TABLE = "main.genie_analytics.message_details"
STAGE = "/Volumes/main/genie_analytics/staging"


def _event(number: int, at: int = NOON, arrives: int = NOON, **row: Any) -> ArrivingRow:
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
        _event(1, at=NOON + 310),
        _event(1, at=NOON + 310),  # the log delivers some rows twice
        _event(2, at=NOON - HOUR, request_params={"spaceId": "s1"}),
        _event(3, request_params={}, response={"status_code": 200, "result": '{"space_id": "s1"}'}),
        _event(4, request_params={}, response={"status_code": 429, "result": "{trunc"}),
        _event(5, user_identity={"email": "own-app", "subject_name": None}),
        _event(6, service_name="unityCatalog"),
        _event(7, arrives=NOON + HOUR, event_date="2026-08-10"),
        _event(8, at=NOON - 24 * HOUR, event_date="2026-08-11"),
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

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.engine.stop()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("sql"))
    served.rows("CREATE SCHEMA IF NOT EXISTS main.genie_analytics COMMENT 'Genie'")
    served.rows("CREATE VOLUME IF NOT EXISTS main.genie_analytics.staging")
    yield served
    served.close()


@pytest.fixture
def table(served: Served) -> str:
    served.rows(
        f"""CREATE OR REPLACE TABLE {TABLE} (
              workspace_id STRING NOT NULL COMMENT 'Where it\\'s asked', message_id STRING NOT NULL,
              content STRING,
              updated BIGINT, created_date DATE NOT NULL, actions ARRAY<STRING>,
              CONSTRAINT pk PRIMARY KEY (workspace_id, message_id))
            USING DELTA PARTITIONED BY (created_date) COMMENT 'Messages'
            TBLPROPERTIES ('delta.logRetentionDuration' = 'interval 7 days', 'our.own' = 'x')"""
    )
    return TABLE


def _merge(source: str) -> str:
    return f"""MERGE INTO {TABLE} AS t USING (
        SELECT * FROM {source}
         QUALIFY row_number() OVER (PARTITION BY workspace_id, message_id ORDER BY updated DESC) = 1
      ) AS s ON t.workspace_id = s.workspace_id AND t.message_id = s.message_id
            AND t.created_date <=> s.created_date
      WHEN MATCHED AND s.updated > t.updated THEN UPDATE SET *
      WHEN NOT MATCHED THEN INSERT *"""


AUDIT_QUERY = """
  SELECT CAST(workspace_id AS STRING) AS workspace_id, action_name,
         COALESCE(user_identity.email, user_identity.subject_name) AS actor,
         COALESCE(request_params['space_id'], request_params.spaceId,
                  get_json_object(response.result, '$.space_id'))
           AS space_id,
         response.status_code AS status_code, MIN(event_time) AS first_event_time,
         MAX(event_time) AS last_event_time,
         COUNT(DISTINCT event_id) AS event_count
    FROM system.access.audit
   WHERE service_name = 'aibiGenie' AND event_date = :event_date
     AND NOT array_contains(split(:own, ','), lower(COALESCE(user_identity.email, user_identity.subject_name, '')))
   GROUP BY {keys} ORDER BY status_code
"""


@pytest.mark.parametrize("keys", ["ALL", "1, 2, 3, 4, 5"])
def test_the_audit_log_is_grouped_as_on_databricks(served: Served, keys: str) -> None:
    response = served.execute(
        AUDIT_QUERY.format(keys=keys),
        given={"event_date": ("DATE", "2026-08-12"), "own": ("STRING", "own-app,it's \\ me")},
    )
    ask = ["1111", "createConversationMessage", "Ana@example.com"]
    assert response.result.data_array == [
        [*ask, "s1", "200", "2026-08-12T11:00:00.000Z", "2026-08-12T12:00:00.310Z", "3"],
        [*ask, None, "429", "2026-08-12T12:00:00.000Z", "2026-08-12T12:00:00.000Z", "1"],
    ]
    types = [column.type_name.value for column in response.manifest.schema.columns]
    assert types == ["STRING"] * 4 + ["INT", "TIMESTAMP", "TIMESTAMP", "LONG"]


def test_rows_appear_when_the_clock_reaches_their_arrival(served: Served) -> None:
    count = "SELECT count(DISTINCT event_id) FROM system.access.audit"
    assert served.rows(count) == [["7"]]
    served.engine.advance(NOON + HOUR - 1)
    assert served.rows(count) == [["7"]]
    served.engine.advance(NOON + HOUR)
    served.engine.advance(NOON + 2 * HOUR)
    assert served.rows(count) == [["8"]]


@pytest.mark.parametrize(
    ("style", "spelled_url"),
    [("full", "https://a.example"), ("slash", "https://a.example/"), ("bare", "a.example")],
)
def test_an_address_is_spelled_in_every_style(style: str, spelled_url: str) -> None:
    assert spelled("https://a.example", style) == spelled_url


def test_workspaces_are_listed_with_the_address_they_are_served_at(served: Served) -> None:
    query = "SELECT workspace_id, workspace_url, status FROM system.access.workspaces_latest ORDER BY 1"
    assert served.rows(query) == [
        ["1111", "http://127.0.0.1:1", "RUNNING"],
        ["2222", "http://127.0.0.1:2/", "RUNNING"],
    ]


def test_thousands_of_statement_ids_fit_in_one_parameter(served: Served) -> None:
    query = """
      SELECT statement_id, compute.warehouse_id, total_duration_ms, start_time, query_source.job_info.job_id,
             query_parameters.named_parameters['a']
        FROM system.query.history
       WHERE start_time >= :from_time AND start_time < :to_time
         AND statement_id IN (SELECT explode(split(:statement_ids, ','))) ORDER BY start_time"""
    rows = served.rows(
        query,
        from_time=("TIMESTAMP", "2026-08-12T12:00:01Z"),
        to_time=("TIMESTAMP", "2026-08-12T14:00:10.000+02:00"),
        statement_ids=("STRING", ",".join(f"st{number * 3}" for number in range(5000))),
    )
    assert [row[0] for row in rows] == ["st3", "st6", "st9"]
    assert rows[0][1:] == ["w1", str(2**40 + 3), "2026-08-12T12:00:03.000Z", "j", "b"]


def test_values_arrive_as_text_with_their_types(served: Served) -> None:
    response = served.execute(
        """SELECT map('k', 1) AS m, array(struct(1 AS x, TIMESTAMP'2026-01-01T00:00:00.5Z' AS t)) AS a,
                  CAST(1.5 AS DECIMAL(5, 2)) AS d, 9007199254740993 AS big, CAST('NaN' AS DOUBLE) AS nan,
                  true AS b,
                  X'0aff' AS bytes, DATE'0001-01-01' AS day, :nothing AS nothing, 'a\\'b' AS text""",
        given={"nothing": ("DATE", None)},
    )
    assert response.result.data_array == [
        [
            '{"k":1}',
            '[{"x":1,"t":"2026-01-01T00:00:00.500Z"}]',
            *("1.50", "9007199254740993", "NaN", "true", "Cv8=", "0001-01-01", None, "a'b"),
        ]
    ]
    columns = {column.name: column for column in response.manifest.schema.columns}
    assert columns["m"].type_text == "MAP<STRING, INT>"
    assert columns["a"].type_text == "ARRAY<STRUCT<x: INT, t: TIMESTAMP>>"
    assert (columns["d"].type_precision, columns["d"].type_scale) == (5, 2)
    assert columns["nothing"].type_name.value == "DATE"


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_text_escapes_its_parameter(served: Served, text: str) -> None:
    assert served.rows("SELECT :text AS t, length(:text)", text=("STRING", text)) == [[text, str(len(text))]]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.sampled_from(["'", "\\", "\\'--", "\0"])
)
def test_no_text_escapes_its_parameter_in_a_command(served: Served, text: str) -> None:
    """Commands take no parameters in the engine: there they become literals."""
    served.rows("CREATE OR REPLACE TABLE main.genie_analytics.texts (id INT, t STRING)")
    served.rows(
        """MERGE INTO main.genie_analytics.texts AS t USING (SELECT 1 AS id, :text AS t) AS s ON t.id = s.id
           WHEN NOT MATCHED THEN INSERT *""",
        text=("STRING", text),
    )
    assert served.rows("SELECT t FROM main.genie_analytics.texts") == [[text]]


@pytest.mark.parametrize(
    ("statement", "condition"),
    [
        ("SELECT * FROM system.access.nothing", "[TABLE_OR_VIEW_NOT_FOUND]"),
        ("SELECT nothing FROM system.access.audit", "[UNRESOLVED_COLUMN"),
        ("SELEC 1", "[PARSE_SYNTAX_ERROR]"),
        ("SELECT 1; SELECT 2", "[PARSE_SYNTAX_ERROR]"),
        ("SELECT :nobody", "[UNBOUND_SQL_PARAMETER]"),
        ("SELECT ?", "[INVALID_PARAMETER_MARKER]"),
        ("SELECT CAST('x' AS INT)", "[CAST_INVALID_INPUT]"),
        ("SELECT 1 / 0", "[DIVIDE_BY_ZERO]"),
        ("DELETE FROM system.access.audit", "[INSUFFICIENT_PERMISSIONS]"),
        ("CREATE TABLE main.nowhere.t (a INT)", "[SCHEMA_NOT_FOUND]"),
        (
            "CREATE TABLE t (a INT, d DATE) PARTITIONED BY (d) CLUSTER BY (a)",
            "[SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY",
        ),
        (
            "CREATE TABLE t1 (a BOOLEAN) TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'a')",
            "[DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_TYPE]",
        ),
        (
            "CREATE TABLE t2 (a INT, d DATE) PARTITIONED BY (d) "
            "TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'a,d')",
            "[DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_PARTITIONED_COLUMN]",
        ),
        ("CREATE TABLE t (a INT) LOCATION '/tmp/x'", "[UNSUPPORTED_FEATURE]"),
        ("CREATE FUNCTION f() RETURNS INT RETURN 1", "[UNSUPPORTED_FEATURE]"),
        ("GRANT SELECT ON TABLE a TO b", "[UNSUPPORTED_FEATURE]"),
        ("USE CATALOG main", "[UNSUPPORTED_FEATURE]"),
        ("SET x = 1", "[UNSUPPORTED_FEATURE]"),
        ("SELECT * FROM parquet.`/etc`", "[INVALID_PATH]"),
        ("SELECT * FROM delta.`/tmp`", "[UNSUPPORTED_FEATURE]"),
        (f"SELECT * FROM parquet.`{STAGE}/../../catalog.json`", "[INVALID_PATH]"),
        (f"SELECT * FROM read_files('{STAGE}/none/', format => 'parquet')", "[PATH_NOT_FOUND]"),
        ("CREATE VIEW main.default.v AS SELECT * FROM main.default.nothing", "[TABLE_OR_VIEW_NOT_FOUND]"),
    ],
)
def test_what_cannot_run_fails_and_says_why(served: Served, statement: str, condition: str) -> None:
    assert served.failure(statement).startswith(condition)


def test_a_staged_file_is_merged_and_merging_it_again_changes_nothing(served: Served, table: str) -> None:
    rows = pa.table(
        {
            "workspace_id": ["w", "w", "w"],
            "message_id": ["it's", "it's", "\\n"],
            "content": ["old", "new ☃", None],
            "updated": [1, 2, 3],
            "created_date": pa.array([20_000, 20_000, 20_001], pa.int32()).cast(pa.date32()),
            "actions": [["a", None], ["b"], None],
        }
    )
    file = io.BytesIO()
    pq.write_table(rows, file)
    file.seek(0)
    path = f"{STAGE}/run 1/é'.parquet"
    served.client.files.upload(path, file, overwrite=True)
    assert served.rows(_merge(f"parquet.`{path}`")) == [["2", "0", "0", "2"]]
    folder = f"read_files('{STAGE}/run 1/', format => 'parquet')"
    assert served.rows(_merge(folder)) == [["0", "0", "0", "0"]]
    stored = served.rows(
        f"SELECT message_id, content, updated, created_date, actions FROM {table} ORDER BY updated"
    )
    assert stored == [["it's", "new ☃", "2", "2024-10-04", '["b"]'], ["\\n", None, "3", "2024-10-05", None]]


@pytest.mark.parametrize("rows", [3, 3000])
def test_a_payload_of_any_size_is_merged_from_one_parameter(served: Served, table: str, rows: int) -> None:
    payload = json.dumps([{"workspace_id": "w", "message_id": f"m'\\{n}", "updated": n} for n in range(rows)])
    source = """(SELECT workspace_id, message_id, 'c' AS content, updated, DATE'2026-08-12' AS created_date,
                        array('x') AS actions
                   FROM (SELECT inline(from_json(:payload,
                          'ARRAY<STRUCT<workspace_id: STRING, message_id: STRING, updated: BIGINT>>'))))"""
    assert served.rows(_merge(source), payload=("STRING", payload)) == [[str(rows), "0", "0", str(rows)]]
    assert served.rows(f"SELECT max_by(message_id, updated) FROM {table}") == [[f"m'\\{rows - 1}"]]


def test_two_source_rows_for_one_target_row_are_an_error(served: Served, table: str) -> None:
    served.rows(
        f"INSERT INTO {table} (workspace_id, message_id, created_date) VALUES ('w', 'm', DATE'2026-08-12')"
    )
    message = served.failure(
        f"""MERGE INTO {table} AS t USING (SELECT 'm' AS id UNION ALL SELECT 'm') AS s ON t.message_id = s.id
            WHEN MATCHED THEN UPDATE SET t.content = 'x'"""
    )
    assert message.startswith("[DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE]")


def test_rows_are_inserted_updated_replaced_and_deleted(served: Served, table: str) -> None:
    insert = f"INSERT INTO {table} (message_id, workspace_id, updated, created_date) "
    values = "('a', 'w', 1, '2026-08-11'), ('b', 'w', 2, '2026-08-12'), ('c', 'w', 3, '2026-08-12')"
    assert served.rows(f"{insert} VALUES {values}") == [["3", "3"]]
    replaced = f"""INSERT INTO {table} REPLACE WHERE created_date = :day
                   SELECT 'w', 'd', NULL, 4, DATE'2026-08-12', array('x')"""
    assert served.rows(replaced, day=("DATE", "2026-08-12")) == [["1", "1"]]
    assert served.rows(f"UPDATE {table} SET content = :text WHERE message_id = 'a'", text=("STRING", "it's")) == [
        ["1"]
    ]
    assert served.rows(f"SELECT message_id, content FROM {table} ORDER BY 1") == [["a", "it's"], ["d", None]]
    gone = f"DELETE FROM {table} WHERE message_id IN (SELECT explode(split(:ids, ',')))"
    assert served.rows(gone, ids=("STRING", "a,nobody")) == [["1"]]
    assert served.rows(
        f"DELETE FROM {table} WHERE message_id IN (SELECT id FROM (SELECT 1 AS id) WHERE id > 1)"
    ) == [["0"]]
    assert served.rows(f"SELECT message_id FROM {table}") == [["d"]]


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO {TABLE} (message_id, created_date) VALUES ('a', DATE'2026-08-12')",
        f"INSERT INTO {TABLE} SELECT NULL, 'a', 'c', 1, DATE'2026-08-12', NULL",
        f"""MERGE INTO {TABLE} AS t USING (SELECT 'a' AS m, DATE'2026-08-12' AS d) AS s ON t.message_id = s.m
            WHEN NOT MATCHED THEN INSERT (message_id, created_date) VALUES (s.m, s.d)""",
    ],
)
def test_not_null_is_enforced(served: Served, table: str, statement: str) -> None:
    assert served.failure(statement).startswith("[DELTA_NOT_NULL_CONSTRAINT_VIOLATED]")
    assert served.rows(f"SELECT count(*) FROM {table}") == [["0"]]


def test_a_table_is_real_delta_with_its_description(served: Served, table: str) -> None:
    served.rows(f"ALTER TABLE {table} ADD COLUMNS (extra STRING COMMENT 'More', tags ARRAY<STRING>)")
    detail = dict(zip(*_named(served, f"DESCRIBE DETAIL {table}"), strict=True))
    delta = DeltaTable(detail["location"])
    assert delta.metadata().description == "Messages"
    assert delta.metadata().partition_columns == ["created_date"]
    assert delta.metadata().configuration == {"delta.logRetentionDuration": "interval 7 days", "our.own": "x"}
    described = served.rows(f"DESCRIBE TABLE {table}")
    assert described[0] == ["workspace_id", "string", "Where it's asked"]
    assert described[6:8] == [["extra", "string", "More"], ["tags", "array<string>", None]]
    assert ["genie_analytics", "message_details"] in served.rows("SHOW TABLES IN main.genie_analytics")


def _named(served: Served, statement: str) -> tuple[list[str], list[Any]]:
    response = served.execute(statement)
    return [column.name for column in response.manifest.schema.columns], response.result.data_array[0]


def test_properties_of_a_table_are_shown_as_they_were_set(served: Served) -> None:
    name = "main.genie_analytics.marked"
    ours = {"genie_assets.made_up": "true", "our.number": "-3", "delta.logRetentionDuration": "interval 7 days"}
    served.rows(
        f"""CREATE OR REPLACE TABLE {name} (id INT) TBLPROPERTIES (genie_assets.made_up = true, 'our.number' = -3,
              'delta.logRetentionDuration' = 'interval 7 days')"""
    )
    shown = dict(served.rows(f"SHOW TBLPROPERTIES {name}"))
    assert shown == {**ours, "delta.minReaderVersion": "1", "delta.minWriterVersion": "2"}
    detail = dict(zip(*_named(served, f"DESCRIBE DETAIL {name}"), strict=True))
    assert json.loads(detail["properties"]) == ours
    extended = {row[0]: row[1] for row in served.rows(f"DESCRIBE TABLE EXTENDED {name}")}
    assert "genie_assets.made_up=true" in extended["Table Properties"].strip("[]").split(",")
    served.rows(f"ALTER TABLE {name} SET TBLPROPERTIES ('genie_assets.made_up' = 'false')")
    for asked in ("'genie_assets.made_up'", "genie_assets.made_up"):
        assert served.rows(f"SHOW TBLPROPERTIES {name} ({asked})") == [["genie_assets.made_up", "false"]]
    missing = f"Table {name} does not have property: no"
    assert served.rows(f"SHOW TBLPROPERTIES {name} ('no')") == [["no", missing]]


def test_maintenance_compacts_days_and_tells_of_it(served: Served, table: str) -> None:
    for day in ("2026-08-11", "2026-08-12"):
        for number in range(3):
            served.rows(f"INSERT INTO {table} VALUES ('w', '{number}', NULL, 1, DATE'{day}', NULL)")
    optimized = served.rows(
        f"OPTIMIZE {table} WHERE created_date <= :day ZORDER BY (message_id)", day=("DATE", "2026-08-11")
    )
    assert json.loads(optimized[0][1])["numFilesRemoved"] == 3
    assert json.loads(served.rows(f"OPTIMIZE {table}")[0][1])["numFilesRemoved"] == 3
    assert served.rows(f"SELECT count(*) FROM {table}") == [["6"]]
    assert served.rows(f"DESCRIBE HISTORY {table} LIMIT 1")[0][2] == "OPTIMIZE"
    assert served.rows(f"VACUUM {table}")
    assert "168 hours" in served.failure(f"VACUUM {table} RETAIN 0 HOURS")
    assert served.failure(f"OPTIMIZE {table} WHERE updated = 1").startswith(
        "[DELTA_NON_PARTITION_COLUMN_REFERENCE]"
    )


def test_liquid_clustering_refuses_zorder_and_partition_predicates(served: Served) -> None:
    served.rows("CREATE OR REPLACE TABLE main.genie_analytics.liquid (a INT, b INT) CLUSTER BY (a)")
    table = "main.genie_analytics.liquid"
    assert served.failure(f"OPTIMIZE {table} ZORDER BY (b)").startswith("[DELTA_CLUSTERING_WITH_ZORDER_BY]")
    assert served.failure(f"OPTIMIZE {table} WHERE a = 1").startswith(
        "[DELTA_CLUSTERING_WITH_PARTITION_PREDICATE]"
    )


def test_views_ctes_and_newer_syntax_run(served: Served, table: str) -> None:
    served.rows(
        f"INSERT INTO {table} VALUES ('w', 'a', 'x', 1, DATE'2026-08-12', NULL), "
        "('w', 'b', 'y', 2, DATE'2026-08-12', NULL)"
    )
    served.rows(
        f"""CREATE OR REPLACE VIEW main.genie_analytics.latest AS
            WITH ranked AS (
              SELECT *, row_number() OVER (PARTITION BY workspace_id ORDER BY updated DESC) AS rank FROM {table})
            SELECT * EXCEPT (rank, actions) FROM ranked WHERE rank = 1"""
    )
    expected = [["w", "b", "y", "2", "2026-08-12"]]
    assert served.rows("SELECT * FROM main.genie_analytics.latest") == expected
    qualified = f"SELECT * EXCEPT (actions) FROM {table} QUALIFY row_number() OVER (ORDER BY updated DESC) = 1"
    assert served.rows(qualified) == expected
    assert served.rows(f"SELECT {table}.content FROM {table} WHERE message_details.updated = 1") == [["x"]]
    assert served.rows("SELECT content FROM IDENTIFIER(:t)", t=("STRING", "main.genie_analytics.latest")) == [
        ["y"]
    ]
    response = served.execute("SELECT m.content FROM latest AS m", catalog="main", schema="genie_analytics")
    assert response.result.data_array == [["y"]]
    assert served.rows("SELECT response.result:space_id FROM system.access.audit WHERE event_id = 'e3'") == [
        ["s1"]
    ]


def test_a_view_in_a_named_query_may_have_named_queries_of_the_same_name(served: Served) -> None:
    served.rows(
        "CREATE OR REPLACE VIEW main.genie_analytics.inner_days AS "
        "WITH days AS (SELECT 1 AS d), e AS (SELECT days.d FROM days) SELECT e.d FROM e JOIN days ON days.d = e.d"
    )
    served.rows(
        "CREATE OR REPLACE VIEW main.genie_analytics.outer_days AS WITH a AS "
        "(SELECT d FROM main.genie_analytics.inner_days), days AS (SELECT 2 AS d) "
        "SELECT a.d, days.d AS x FROM a, days"
    )
    twice = "WITH days AS (SELECT * FROM main.genie_analytics.outer_days) SELECT p.d, q.x FROM days AS p, "
    assert served.rows(f"{twice} main.genie_analytics.outer_days AS q") == [["1", "2"]]


def test_a_view_keeps_its_properties_and_loses_its_comments_when_its_text_changes(
    served: Served, table: str
) -> None:
    served.rows(
        f"""CREATE OR REPLACE VIEW main.genie_analytics.told (m COMMENT 'it\\'s m', n) COMMENT 'all'
            TBLPROPERTIES ('a.b' = '1') AS
            SELECT message_id, PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY updated) FROM {table} GROUP BY 1"""
    )

    def told() -> tuple[list[list[str | None]], str, str, str]:
        described = served.rows("DESCRIBE TABLE EXTENDED main.genie_analytics.told")
        facts = {row[0]: row[1] or "" for row in described[2:]}
        return described[:2], facts["Comment"], facts["View Text"], facts["Table Properties"]

    columns, comment, text, properties = told()
    assert columns == [["m", "string", "it's m"], ["n", "bigint", None]]
    assert (comment, properties) == ("all", "[a.b=1]")
    assert "PERCENTILE_DISC(0.5) WITHIN GROUP" in text
    served.rows(f"ALTER VIEW main.genie_analytics.told AS SELECT message_id AS m, 1 AS x FROM {table}")
    columns, comment, text, properties = told()
    assert (columns, comment, properties) == ([["m", "string", None], ["x", "int", None]], "", "[a.b=1]")
    served.rows("COMMENT ON TABLE main.genie_analytics.told IS 'again'")
    served.rows("COMMENT ON COLUMN main.genie_analytics.told.x IS 'one'")
    served.rows("ALTER VIEW main.genie_analytics.told SET TBLPROPERTIES ('c' = '2')")
    columns, comment, text, properties = told()
    assert (columns[1], comment, properties) == (["x", "int", "one"], "again", "[a.b=1, c=2]")
    assert served.rows("SHOW TBLPROPERTIES main.genie_analytics.told") == [["a.b", "1"], ["c", "2"]]
    assert served.failure("COMMENT ON COLUMN main.genie_analytics.told.n IS 'x'").startswith("[UNRESOLVED_COLUMN")
    assert served.failure(f"ALTER VIEW {table} AS SELECT 1 AS x").startswith("[EXPECT_VIEW_NOT_TABLE")
    assert served.failure("CREATE VIEW main.genie_analytics.odd (a, b) AS SELECT 1").startswith(
        "[CREATE_VIEW_COLUMN_ARITY_MISMATCH]"
    )


def test_rows_that_are_added_at_once_are_all_there(served: Served, table: str) -> None:
    def add(number: int) -> list[list[str | None]]:
        return served.rows(
            f"INSERT INTO {table} (workspace_id, message_id, created_date) VALUES ('w', 'm{number}', '2026-08-12')"
        )

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(add, range(12))) == [[["1", "1"]]] * 12
    assert served.rows(f"SELECT count(DISTINCT message_id) FROM {table}") == [["12"]]


def test_a_result_is_read_in_chunks(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.engine.limits, "chunk_bytes", 400)
    response = served.execute("SELECT statement_id FROM system.query.history ORDER BY start_time")
    assert response.manifest.total_chunk_count > 3
    rows, following = list(response.result.data_array), response.result.next_chunk_index
    while following is not None:
        chunk = served.client.statement_execution.get_statement_result_chunk_n(response.statement_id, following)
        assert chunk.row_offset == len(rows)
        rows += chunk.data_array
        following = chunk.next_chunk_index
    assert rows == [[f"st{number}"] for number in range(300)]


def test_an_inline_result_has_a_limit_that_links_do_not_have(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.engine.limits, "inline_bytes", 1000)
    monkeypatch.setattr(served.engine.limits, "chunk_bytes", 2000)
    query = "SELECT statement_id FROM system.query.history ORDER BY start_time"
    assert "EXTERNAL_LINKS" in served.failure(query)
    response = served.execute(query, disposition=Disposition.EXTERNAL_LINKS, format=Format.JSON_ARRAY)
    rows: list[list[str]] = []
    link = response.result.external_links[0]
    while True:
        rows += requests.get(link.external_link, timeout=5).json()
        if link.next_chunk_index is None:
            break
        chunk = served.client.statement_execution.get_statement_result_chunk_n(
            response.statement_id, link.next_chunk_index
        )
        link = chunk.external_links[0]
    assert rows == [[f"st{number}"] for number in range(300)]


def test_a_link_refuses_credentials_and_expires(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"disposition": Disposition.EXTERNAL_LINKS, "format": Format.JSON_ARRAY}
    link = served.execute("SELECT 1", **options).result.external_links[0].external_link
    assert requests.get(link, headers={"Authorization": "Bearer any"}, timeout=5).status_code == 400
    assert requests.get(link, timeout=5).json() == [["1"]]
    monkeypatch.setattr(served.engine.limits, "link_seconds", 0.0)
    expired = served.execute("SELECT 1", **options).result.external_links[0].external_link
    assert requests.get(expired, timeout=5).status_code == 403


def test_limits_cut_a_result_and_say_so(served: Served) -> None:
    query = "SELECT statement_id FROM system.query.history ORDER BY start_time"
    cut = served.execute(query, row_limit=2)
    assert (cut.result.data_array, cut.manifest.truncated) == ([["st0"], ["st1"]], True)
    whole = served.execute(query, row_limit=300)
    assert (whole.manifest.total_row_count, whole.manifest.truncated) == (300, False)
    assert 0 < served.execute(query, byte_limit=100).manifest.total_byte_count <= 100


SLOW = "SELECT count(*) FROM range(300000) AS a CROSS JOIN range(300000) AS b WHERE concat(a.id, '-', b.id) = 'x'"


def test_a_statement_is_polled_and_cancelled(served: Served) -> None:
    """A cancelled statement must not go on using the engine, or the next ones wait behind it."""
    response = served.execute(SLOW, wait_timeout="0s")
    assert response.status.state is StatementState.PENDING
    api = served.client.statement_execution
    while api.get_statement(response.statement_id).status.state is StatementState.PENDING:
        time.sleep(0.02)
    assert api.get_statement(response.statement_id).status.state is StatementState.RUNNING
    api.cancel_execution(response.statement_id)
    assert api.get_statement(response.statement_id).status.state is StatementState.CANCELED
    began_at = time.monotonic()
    assert served.rows("SELECT 1") == [["1"]]
    assert time.monotonic() - began_at < 3


def test_a_statement_is_cancelled_when_waiting_for_it_times_out(served: Served) -> None:
    cancel = ExecuteStatementRequestOnWaitTimeout.CANCEL
    response = served.execute(SLOW, wait_timeout="5s", on_wait_timeout=cancel)
    assert response.status.state is StatementState.CANCELED


def test_requests_that_make_no_sense_are_refused(served: Served) -> None:
    with pytest.raises(ResourceDoesNotExist):
        served.execute("SELECT 1", warehouse_id="0" * 16)
    with pytest.raises(InvalidParameterValue):
        served.execute("SELECT 1", warehouse_id="my warehouse")
    with pytest.raises(InvalidParameterValue):
        served.execute("SELECT 1", wait_timeout="3s")
    with pytest.raises(InvalidParameterValue):
        served.execute("SELECT 1", format=Format.CSV)
    with pytest.raises(InvalidParameterValue, match="scalar"):
        served.execute("SELECT :a", given={"a": ("ARRAY<INT>", "[1]")})
    with pytest.raises(NotFound):
        served.client.statement_execution.get_statement("01f0aa22-1111-1222-9333-444455556666")


def test_old_statements_are_forgotten(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"disposition": Disposition.EXTERNAL_LINKS, "format": Format.JSON_ARRAY}
    first = served.execute("SELECT 1", **options)
    old, link = first.statement_id, first.result.external_links[0].external_link
    monkeypatch.setattr(served.engine.limits, "remembered_statements", 2)
    new = [served.execute("SELECT 1").statement_id for _ in range(3)][-1]
    with pytest.raises(NotFound):
        served.client.statement_execution.get_statement(old)
    assert requests.get(link, timeout=5).status_code == 403
    assert served.client.statement_execution.get_statement(new).status.state is StatementState.SUCCEEDED


def test_files_are_kept_listed_and_removed(served: Served) -> None:
    files, folder = served.client.files, f"{STAGE}/files 100%"
    for name in ("a b.txt", "ü?#.txt", "z"):
        files.upload(f"{folder}/deep/{name}", io.BytesIO(name.encode()))
    with pytest.raises(AlreadyExists):
        files.upload(f"{folder}/deep/z", io.BytesIO(b"other"))
    files.upload(f"{folder}/deep/z", io.BytesIO(b"other"), overwrite=True)
    assert files.download(f"{folder}/deep/z").contents.read() == b"other"
    assert files.get_metadata(f"{folder}/deep/ü?#.txt").content_length == len("ü?#.txt".encode())
    listed = files.list_directory_contents(f"{folder}/deep", page_size=1)
    assert [(entry.path, entry.is_directory) for entry in listed] == [
        (f"{folder}/deep/{name}", False) for name in ("a b.txt", "z", "ü?#.txt")
    ]
    with pytest.raises(BadRequest):
        files.delete_directory(f"{folder}/deep")
    for name in ("a b.txt", "ü?#.txt", "z"):
        files.delete(f"{folder}/deep/{name}")
    files.delete_directory(f"{folder}/deep")
    for missing in (lambda: files.download(f"{folder}/deep/z"), lambda: files.delete(f"{folder}/deep/z")):
        with pytest.raises(NotFound):
            missing()


@pytest.mark.parametrize(
    "path",
    [
        "/Volumes/main/genie_analytics/staging/../../../catalog.json",
        "/Volumes/main/genie_analytics/staging/..%2F..%2F..%2Fcatalog.json",
        "/Volumes/main/genie_analytics/staging/%2e%2e/x",
        "/Volumes/main/../staging/x",
        "/Volumes/main/genie_analytics",
        "/Volumes/main/genie_analytics/staging//x",
        "/etc/passwd",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_path_leaves_its_volume(served: Served, method: str, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    connection.request(method, "/api/2.0/fs/files" + path, body=b"x" if method == "PUT" else None)
    answer = connection.getresponse()
    assert answer.status == 400
    assert json.loads(answer.read())["error_code"] == "INVALID_PARAMETER_VALUE"


def test_tables_views_and_files_outlive_the_engine(tmp_path: Path) -> None:
    first = Served(tmp_path)
    try:
        first.rows("CREATE TABLE t (id INT NOT NULL) CLUSTER BY (id)")
        first.rows("INSERT INTO t VALUES (7)")
        first.rows("CREATE VIEW v (number) AS SELECT id FROM t")
        first.rows("CREATE VOLUME vol")
        first.client.files.upload("/Volumes/main/default/vol/f", io.BytesIO(b"kept"))
    finally:
        first.close()
    second = Served(tmp_path)
    try:
        assert second.rows("SELECT number FROM v JOIN t ON t.id = v.number") == [["7"]]
        assert second.client.files.download("/Volumes/main/default/vol/f").contents.read() == b"kept"
        assert second.rows("SELECT count(*) FROM system.query.history") == [["300"]]  # not loaded twice
        second.rows("DROP TABLE t")
        assert second.failure("SELECT * FROM v").startswith("[TABLE_OR_VIEW_NOT_FOUND]")
    finally:
        second.close()
