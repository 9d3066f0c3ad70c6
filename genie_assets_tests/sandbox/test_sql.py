"""The SQL warehouse, over HTTP with the real SDK, on Sail and real Delta tables: what statements say."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genie_assets_tests.sandbox.warehouse import HOUR, NOON, STAGE, Served
from genie_sandbox.sql.system_tables import spelled

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
        ("GRANT SELECT ON TABLE a TO b", "[TABLE_OR_VIEW_NOT_FOUND]"),
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
