"""Which statements are run at all: those that only read what is ours."""

import pytest
from sqlglot import exp

from genie_assets.domain.tables import TABLES
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.reading import Reading, in_databricks, mentioned, narrowed, parsed, understood
from genie_assets.gateways.sql.views import shipped_views

NAMES = [table.name for table in TABLES]


def read(text: str, *schema: str) -> Reading:
    return understood(text, NAMES, shipped_views(), schema)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-- nothing",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE message_details",
        "WITH x AS (INSERT INTO message_details VALUES (1)) SELECT * FROM x",
        "WITH x AS (DELETE FROM message_details RETURNING *) SELECT * FROM x",
        "INSERT INTO message_details SELECT * FROM message_details",
        "MERGE INTO message_details t USING messages s ON t.message_id = s.message_id WHEN MATCHED THEN DELETE",
        "UPDATE message_details SET content = ''",
        "DELETE FROM message_details",
        "TRUNCATE TABLE message_details",
        "DROP TABLE message_details",
        "CREATE TABLE x AS SELECT 1",
        "CREATE OR REPLACE VIEW messages AS SELECT 1",
        "ALTER TABLE message_details ADD COLUMN x INT",
        "GRANT SELECT ON message_details TO someone",
        "COPY message_details TO '/tmp/x'",
        "COPY INTO message_details FROM '/tmp/x'",
        "ATTACH '/tmp/x.db' AS y",
        "SET x = 1",
        "RESET x",
        "USE other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "CALL f()",
        "EXPLAIN SELECT 1",
        "DESCRIBE message_details",
        "SHOW TABLES",
        "CACHE TABLE message_details",
        "SELECT * INTO x FROM message_details",
        "SELECT * FROM message_details FOR UPDATE",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM read_files('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM parquet.`/etc/passwd`",
        "SELECT * FROM `message_details.parquet`",
        "SELECT * FROM VALUES (1), ((SELECT content FROM secret_table)) AS t(x)",
        "SELECT http_get('http://127.0.0.1')",
        "SELECT http_request(conn => 'c', method => 'GET', path => '/')",
        "SELECT ai_query('endpoint', content) FROM message_details",
        "SELECT reflect('java.lang.Runtime', 'getRuntime')",
        "SELECT java_method('java.lang.System', 'exit', 1)",
        "SELECT secret('scope', 'key')",
        "SELECT getvariable('x'), current_setting('home_directory')",
        "SELECT * FROM range(10)",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM pragma_version()",
        "SELECT * FROM system.access.audit",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM main.other.message_details",
        "SELECT * FROM sqlite_master",
        "SELECT (SELECT MAX(x) FROM elsewhere)",
        "SELECT * FROM message_details WHERE content = :content",
        "SELECT * FROM message_details WHERE content = ?",
        "WITH messages AS (SELECT 1 AS x) SELECT * FROM messages",
        "SELEC 1",
        "SELECT (",
        "(" * 3000,
    ],
)
def test_what_does_more_than_read_ours_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(LakehouseError) as refused:
        read(text, "main", "genie")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "select * from MESSAGE_DETAILS",
        "SELECT m.content FROM messages AS m JOIN message_attachments a USING (workspace_id, message_id)",
        "WITH own AS (SELECT day FROM calendar) SELECT * FROM own UNION ALL SELECT day FROM own LIMIT 3;",
        "SELECT * FROM genie.calendar",
        "SELECT genie.calendar.day FROM main.genie.calendar",
        "SELECT EXPLODE(SEQUENCE(1, 3)) AS n",
        "SELECT TRANSLATE(question, 'a', 'b'), PERCENTILE(sql_time_ms, 0.5) FROM message_overview",
        "SELECT t.x FROM VALUES (1), (2) AS t(x)",
        "SELECT * FROM (SELECT day FROM calendar) QUALIFY ROW_NUMBER() OVER (ORDER BY day) = 1",
        "FROM calendar SELECT day",
    ],
)
def test_what_reads_is_understood(text: str) -> None:
    reading = read(text, "main", "genie")
    assert not any(table.db for table in reading.tree.find_all(exp.Table))


def test_a_statement_brings_along_what_its_views_read() -> None:
    reading = read("SELECT * FROM open_errors_by_class")
    assert [view.name for view in reading.views] == ["workspaces", "open_errors", "open_errors_by_class"]
    assert "space_fetch_errors" in reading.tables
    assert read("SELECT 1").tables == ()


def test_what_is_worked_out_already_spares_what_only_it_reads() -> None:
    whole = read("SELECT * FROM open_errors_by_class CROSS JOIN calendar")
    left = narrowed(whole, {"open_errors"})
    assert [view.name for view in left.views] == ["calendar", "open_errors_by_class"]
    assert left.tables == ("genie_day_loads",)
    assert narrowed(whole, ()) == whole


def test_names_that_are_nearly_right_are_told() -> None:
    with pytest.raises(LakehouseError, match=r"did you mean message_overview\?"):
        read("SELECT * FROM mesage_overview")


def test_exact_percentiles_stay_exact() -> None:
    """The library's own writer makes approximations of them."""
    text = "SELECT PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY x) FROM t"
    assert in_databricks(parsed(text)) == text


def test_only_what_is_mentioned_need_be_read() -> None:
    assert mentioned(read("SELECT * FROM calendar")) is None
    names = mentioned(read("SELECT COUNT(*) FROM feedback"))
    assert {"feedback_rating", "attachments_count"} <= names
    assert "attachments_json" not in names
