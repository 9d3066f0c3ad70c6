from functools import cache
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.tokens import TokenType

from genie_assets import schema_files
from genie_assets.domain.schema_text import (
    Layout,
    clustering_columns,
    data_dictionary_markdown,
    maintenance,
    spark_ddl,
    views_markdown,
)
from genie_assets.domain.tables import MESSAGE_ATTACHMENTS, MESSAGE_DETAILS, TABLES, Column, Table
from genie_assets.gateways.sql.views import shipped_views
from genie_assets.schema_files import marks

CHECKOUT = Path(__file__).resolve().parents[1]
LAYOUTS: tuple[Layout, ...] = ("partitioned", "liquid")
SPARK_TYPES = {"LONG": "BIGINT"}


@cache
def created_tables(layout: Layout) -> dict[str, exp.Create]:
    statements = sqlglot.parse(spark_ddl(TABLES, catalog="main", schema="g", layout=layout), dialect="databricks")
    creations = [s for s in statements if isinstance(s, exp.Create) and s.kind == "TABLE"]
    return {statement.find(exp.Table).name: statement for statement in creations}


def columns_of(creation: exp.Create, kind: type[exp.Expression]) -> tuple[str, ...]:
    found = creation.find(kind)
    return tuple(name.name for name in found.find_all(exp.Identifier)) if found else ()


def test_the_generated_files_in_the_checkout_are_current():
    assert schema_files.stale(CHECKOUT) == []


def test_writing_renews_exactly_what_is_out_of_date_and_keeps_the_prose(tmp_path):
    (tmp_path / "sql").mkdir()
    (tmp_path / "docs").mkdir()
    document = tmp_path / schema_files.DOCUMENT
    sections = [
        f"{name}\n{begin}\nWORN OUT\n{end}\n" for name in schema_files.SECTIONS for begin, end in [marks(name)]
    ]
    document.write_text(f"Before.\n{''.join(sections)}After.\n", encoding="utf-8")

    everything = {schema_files.DDL, schema_files.DASHBOARD_FILE, schema_files.DOCUMENT}
    assert set(schema_files.write(tmp_path)) == everything
    assert schema_files.stale(tmp_path) == []
    text = document.read_text(encoding="utf-8")
    assert text.startswith("Before.\n")
    assert text.endswith("\nAfter.\n")
    assert "WORN OUT" not in text
    assert [text.count(f"\n{name}\n") for name in schema_files.SECTIONS] == [1] * len(schema_files.SECTIONS)

    (tmp_path / schema_files.DDL).write_text("-- edited by hand\n", encoding="utf-8")
    assert schema_files.stale(tmp_path) == [schema_files.DDL]
    assert schema_files.write(tmp_path) == [schema_files.DDL]


def test_a_document_without_marks_is_refused_instead_of_overwritten(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / schema_files.DOCUMENT).write_text("All prose.", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks the marks"):
        schema_files.write(tmp_path)
    assert (tmp_path / schema_files.DOCUMENT).read_text(encoding="utf-8") == "All prose."


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_ddl_has_every_column_of_every_table_with_its_type_null_rule_and_comment(layout):
    creations = created_tables(layout)
    assert list(creations) == [table.name for table in TABLES]
    for table in TABLES:
        found = [
            (
                column.name,
                column.kind.sql("databricks"),
                column.find(exp.NotNullColumnConstraint) is not None,
                column.find(exp.CommentColumnConstraint).this.name,
            )
            for column in creations[table.name].this.find_all(exp.ColumnDef)
        ]
        assert found == [
            (
                column.name,
                SPARK_TYPES.get(column.type, column.type),
                not column.nullable or column.name in table.key,
                column.description.replace(";", ","),
            )
            for column in table.columns
        ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_table_names_its_primary_key(layout):
    for table in TABLES:
        key = created_tables(layout)[table.name].find(exp.PrimaryKey)
        assert [column.name for column in key.expressions] == list(table.key)


def test_a_table_is_partitioned_or_clustered_and_never_both():
    """Spark refuses PARTITIONED BY together with CLUSTER BY."""
    for table in TABLES:
        partitioned, liquid = (created_tables(layout)[table.name] for layout in LAYOUTS)
        assert columns_of(partitioned, exp.PartitionedByProperty) == tuple(filter(None, [table.partitioned_by]))
        assert columns_of(partitioned, exp.ClusterProperty) == ()
        assert columns_of(liquid, exp.PartitionedByProperty) == ()
        assert columns_of(liquid, exp.ClusterProperty) == clustering_columns(table)
    assert clustering_columns(MESSAGE_DETAILS) == ("created_date", "workspace_id", "space_id")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_statistics_fit_the_layout(layout):
    """Spark refuses statistics of a partition column, and a clustering key without statistics."""
    for table in TABLES:
        properties = created_tables(layout)[table.name].find_all(exp.Property)
        (listed,) = [p.text("value") for p in properties if p.name == "delta.dataSkippingStatsColumns"]
        names = listed.split(",")
        if layout == "partitioned":
            assert table.partitioned_by not in names
        else:
            assert set(clustering_columns(table)) <= set(names)


def test_a_naive_split_at_semicolons_gives_the_same_statements():
    """Some clients split a script at every semicolon, even inside a comment or a text."""
    script = (CHECKOUT / schema_files.DDL).read_text(encoding="utf-8")
    tokens = sqlglot.tokenize(script, dialect="databricks")
    assert script.count(";") == sum(token.token_type is TokenType.SEMICOLON for token in tokens)


def test_names_and_texts_are_quoted():
    table = Table(
        name="t",
        asset="a",
        row="r",
        description="it's; a \\ slash",
        columns=(Column("odd `name`", "STRING", "don't"),),
        key=("odd `name`",),
    )
    (schema, creation) = sqlglot.parse(
        spark_ddl([table], catalog="my-catalog", schema="x`y"), dialect="databricks"
    )
    assert schema.find(exp.Table).parts[0].name == "my-catalog"
    assert schema.find(exp.Table).parts[1].name == "x`y"
    assert creation.find(exp.ColumnDef).name == "odd `name`"
    assert creation.find(exp.CommentColumnConstraint).this.name == "don't"
    assert creation.find(exp.SchemaCommentProperty).this.name == "it's, a \\ slash"


def test_the_view_and_the_attachments_table_together_hold_what_message_details_says_about_attachments():
    shown = {column.name: column for column in shipped_views()["messages"].columns}
    of_message = [column for column in MESSAGE_DETAILS.columns if not column.of_attachment]
    # Two of the attachments' columns are so often wanted that they stand here, too.
    assert set(shown) == {column.name for column in of_message} | {"query_sql", "statement_id"}
    assert {"query_title", "query_description", "attachments_json", "answer_text"}.isdisjoint(shown)
    assert {"query_sql", "query_title", "query_description", "statement_id"} <= {*MESSAGE_ATTACHMENTS.column_names}
    assert [shown[column.name].type for column in of_message] == [column.type for column in of_message]


def test_the_ddl_makes_the_view_that_is_shipped():
    (creation,) = [
        each
        for each in sqlglot.parse((CHECKOUT / schema_files.DDL).read_text(encoding="utf-8"), dialect="databricks")
        if isinstance(each, exp.Create) and each.kind == "VIEW"
    ]
    view = shipped_views()["messages"]
    assert [each.name for each in creation.this.expressions] == [column.name for column in view.columns]
    assert (
        creation.expression.sql()
        == sqlglot.parse_one(
            view.query_in({MESSAGE_DETAILS.name: f"main.genie_analytics.{MESSAGE_DETAILS.name}"}),
            dialect="databricks",
        ).sql()
    )


def test_only_partitioned_tables_are_z_ordered():
    """Delta refuses ZORDER BY on a clustered table."""
    z_ordered = "OPTIMIZE m.g.message_details ZORDER BY (workspace_id, space_id, conversation_id, message_id)"
    assert maintenance(MESSAGE_DETAILS, "m.g", "partitioned") == z_ordered
    assert maintenance(MESSAGE_DETAILS, "m.g", "liquid") == "OPTIMIZE m.g.message_details"


def test_the_dictionary_of_views_has_one_line_per_column_and_the_question_of_each():
    text = views_markdown(shipped_views().values())
    for view in shipped_views().values():
        section = text.partition(f"### `{view.name}`\n")[2].partition("\n### ")[0]
        assert view.question in section
        names = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert names == [column.name for column in view.columns]


def test_the_data_dictionary_has_one_line_per_column():
    lines = data_dictionary_markdown(TABLES).splitlines()
    for table in TABLES:
        start = lines.index(f"### `{table.name}`")
        cells = [line.split(" | ") for line in lines[start : start + 9 + len(table.columns)]]
        names = [row[0].removeprefix("| ").strip("`") for row in cells if row[0].startswith("| `")]
        assert names == list(table.column_names)
