"""Tables of the SQL warehouse: written, described, maintained."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from genie_assets_tests.sandbox.warehouse import STAGE, TABLE, Served, merge_of


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
    assert served.rows(merge_of(f"parquet.`{path}`")) == [["2", "0", "0", "2"]]
    folder = f"read_files('{STAGE}/run 1/', format => 'parquet')"
    assert served.rows(merge_of(folder)) == [["0", "0", "0", "0"]]
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
    assert served.rows(merge_of(source), payload=("STRING", payload)) == [[str(rows), "0", "0", str(rows)]]
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


def test_rows_that_are_added_at_once_are_all_there(served: Served, table: str) -> None:
    def add(number: int) -> list[list[str | None]]:
        return served.rows(
            f"INSERT INTO {table} (workspace_id, message_id, created_date) VALUES ('w', 'm{number}', '2026-08-12')"
        )

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(add, range(12))) == [[["1", "1"]]] * 12
    assert served.rows(f"SELECT count(DISTINCT message_id) FROM {table}") == [["12"]]
