"""What is particular about tables in Unity Catalog: statements that may run twice, staged files, and grants."""

import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pyarrow as pa
import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.questions import Counted, Equals, Exists, Filter, In, Newest, Not, Rows, Wanted
from genie_assets.domain.tables import GENIE_API_MESSAGES, MESSAGE_FETCH_ERRORS
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.lakehouse.results import MergeResult
from genie_assets.gateways.lakehouse.unity.conditions import LONGEST_LISTS
from genie_assets.gateways.lakehouse.unity.lakehouse import UnityLakehouse
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.lakehouse.unity.staging import Staging
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets.gateways.sql.values import frame
from genie_assets_tests.gateways.lakehouse.examples import (
    HOSTILE_TEXTS,
    LEDGER,
    MONDAY,
    NOON,
    NOTES,
    TUESDAY,
    WEDNESDAY,
    authors,
    column,
    expected_rows,
    note,
    stored,
)
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer

NEWER = replace(NOTES, columns=(*NOTES.columns, column("mood", "STRING")))


@pytest.fixture
def place() -> Place:
    return Place("main", f"lake_{uuid4().hex}")


@pytest.fixture
def warehouse(unity_server: UnityServer) -> Recording:
    return Recording(unity_server.warehouse())


@pytest.fixture
def lake(unity_server: UnityServer, warehouse: Recording, place: Place) -> Lakehouse:
    return opened(unity_server, warehouse, place)


def opened(unity_server: UnityServer, warehouse: Recording, place: Place, **options: Any) -> Lakehouse:
    uri = f"uc://{place.catalog}.{place.schema}"
    return open_lakehouse(uri, databricks=lambda: (warehouse, unity_server.volumes()), **options)


@pytest.fixture
def losing(unity_server: UnityServer) -> Iterator[UnityServer]:
    """A server that loses the first answer to every statement."""
    unity_server.loses_answers, unity_server.lost = True, 0
    yield unity_server
    unity_server.loses_answers = False


def staged_files(unity_server: UnityServer, place: Place) -> list[str]:
    volumes = unity_server.volumes()
    folders = volumes.names(place.volume_path) or []
    return [file for folder in folders for file in volumes.names(f"{place.volume_path}/{folder}") or []]


def story(lake: Lakehouse) -> list[Any]:
    """Every kind of write, each in more than one state of the table; what they answered."""
    later: dict[str, Any] = {"written_at": NOON + timedelta(hours=1)}
    return [
        lake.append(NOTES, NOTES.frame([note("a"), note("b", None)])),
        lake.append(NOTES, NOTES.frame([note("c"), note("c", 2), note("c", 2)])),
        lake.merge(LEDGER, LEDGER.frame([note("a", text="old"), note("b"), note("n", None)])),
        lake.merge(
            LEDGER,
            LEDGER.frame([note("a", text="new", **later), note("b", **later), note("d")]),
            delete=LEDGER.frame([note("n", None), note("gone")]),
        ),
        lake.merge(NEWER, NEWER.frame([note("a", mood="good"), note("e", day=TUESDAY)])),
        lake.replace_day(NEWER, TUESDAY, NEWER.frame([note("f", day=TUESDAY, mood="bad")])),
        lake.replace_day(NEWER, TUESDAY, NEWER.frame([note("f", day=TUESDAY, mood="bad", **later)])),
        lake.replace_day(NEWER, TUESDAY, NEWER.frame([])),
    ]


def test_answers_that_get_lost_change_nothing(unity_server: UnityServer, losing: UnityServer) -> None:
    """The client cannot know that a statement ran: it sends it again, and every statement must bear that."""
    troubled = losing.new_lake()
    answers = story(troubled)
    assert losing.lost > 30
    losing.loses_answers = False
    calm = unity_server.new_lake()
    assert answers == story(calm)
    assert answers[3:5] == [MergeResult(inserted=1, updated=1, deleted=1), MergeResult(inserted=1, updated=1)]
    for table in (NEWER, LEDGER):
        assert stored(troubled, table) == stored(calm, table)


def test_a_row_that_is_stored_twice_is_not_taken_for_another_one(lake: Lakehouse) -> None:
    """Two rows are stored and two of the stored ones are right, but it is one row, twice."""
    lake.append(NOTES, NOTES.frame([note("a"), note("a")]))
    assert lake.replace_day(NOTES, MONDAY, NOTES.frame([note("a"), note("b")]))
    assert authors(lake.read(NOTES)) == ["a", "b"]


def test_a_statement_that_comes_late_cannot_undo_later_writes(lake: Lakehouse, warehouse: Recording) -> None:
    """Sent twice after a lost answer, the first one may wait in a queue until other writes are done."""
    lake.merge(NOTES, NOTES.frame([note("a", text="old")]))
    lake.replace_day(NOTES, TUESDAY, NOTES.frame([note("a", day=TUESDAY, text="old")]))
    sent = zip(warehouse.statements, warehouse.parameters, strict=True)
    late = [(text, given) for text, given in sent if "MERGE INTO" in text or "REPLACE WHERE" in text]
    lake.merge(NOTES, NOTES.frame([note("a", text="new")]))
    lake.replace_day(NOTES, TUESDAY, NOTES.frame([note("a", day=TUESDAY, text="new")]))
    assert len(late) == 2
    for statement, given in late:
        with pytest.raises(WarehouseError, match="PATH_NOT_FOUND"):
            warehouse.execute(statement, given)
    assert lake.read(NOTES)["text"].tolist() == ["new", "new"]


def test_rows_that_another_process_stores_at_the_same_time_are_stored_once(
    unity_server: UnityServer, place: Place
) -> None:
    """What was counted before a MERGE may not be so any more when it runs."""
    other = unity_server.lake(f"uc://{place.catalog}.{place.schema}")
    other.merge(LEDGER, LEDGER.frame([note("old", text="x")]))
    frame, gone = LEDGER.frame([note("a"), note("b", None, text="t")]), LEDGER.frame([note("old")])

    def overtake(statement: str) -> None:
        if "MERGE INTO" in statement:
            assert other.merge(LEDGER, frame, delete=gone).inserted == 2
            assert other.append(NOTES, NOTES.frame([note("a")])) == 1

    first = opened(unity_server, Recording(unity_server.warehouse(), overtake), place)
    assert first.merge(LEDGER, frame, delete=gone) == MergeResult(inserted=2, deleted=1)
    other.merge(LEDGER, LEDGER.frame([]), delete=frame)
    first.append(NOTES, NOTES.frame([note("a")]))
    assert authors(other.read(LEDGER)) == ["a", "b"]
    assert authors(other.read(NOTES)) == ["a"]


def test_a_write_takes_few_statements_once_the_table_is_known(lake: Lakehouse, warehouse: Recording) -> None:
    """A statement costs a second of a warehouse."""
    lake.append(NOTES, NOTES.frame([note("a")]))
    warehouse.statements.clear()
    lake.append(NOTES, NOTES.frame([note("b")]))
    lake.read(NOTES, where=[Equals("author", "a")])
    assert warehouse.kinds == ["MERGE INTO", "SELECT t."]
    warehouse.statements.clear()
    lake.merge(NOTES, NOTES.frame([note("a", text="t")]))
    lake.merge(NOTES, NOTES.frame([note("a", text="t")]))
    assert [kind.split("(")[0] for kind in warehouse.kinds] == ["SELECT count_if", "MERGE INTO", "SELECT count_if"]


def test_what_is_known_to_differ_is_written_without_a_look(lake: Lakehouse, warehouse: Recording) -> None:
    """It takes one statement, and leaves the same behind as with a look."""
    lake.append(NOTES, NOTES.frame([note("a"), note("b")]))
    warehouse.statements.clear()
    lake.store(NOTES, NOTES.frame([note("a", text="t"), note("c")]), delete=NOTES.frame([note("b")]))
    assert warehouse.kinds == ["MERGE INTO"]
    assert sorted((row["author"], row["text"]) for row in lake.records(NOTES)) == [("a", "t"), ("c", None)]
    warehouse.statements.clear()
    lake.store_day(NOTES, MONDAY, NOTES.frame([note("d")]))
    lake.store(NOTES, NOTES.frame([]))
    assert warehouse.kinds == ["INSERT INTO"]
    assert authors(lake.read(NOTES)) == ["d"]


def test_who_may_only_use_a_schema_needs_no_grant_to_create_one(
    unity_server: UnityServer, lake: Lakehouse, place: Place
) -> None:
    lake.prepare(LEDGER)

    def refuse(statement: str) -> None:
        if "CREATE SCHEMA" in statement:
            raise WarehouseError("no", condition="INSUFFICIENT_PERMISSIONS")

    other = opened(unity_server, Recording(unity_server.warehouse(), refuse), place)
    assert other.append(NOTES, NOTES.frame([note("a")])) == 1
    assert authors(other.read(NOTES)) == ["a"]


@pytest.mark.parametrize("words", ["CREATE TABLE", "MERGE INTO", "DESCRIBE", "SELECT"])
def test_a_missing_grant_is_said_with_the_table_and_without_the_servers_words(
    unity_server: UnityServer, place: Place, words: str
) -> None:
    def refuse(statement: str) -> None:
        if words in statement:
            raise WarehouseError("SECRET of a row", condition="INSUFFICIENT_PERMISSIONS")

    lake = opened(unity_server, Recording(unity_server.warehouse(), refuse), place)
    with pytest.raises(LakehouseError, match=r"notes: .*INSUFFICIENT_PERMISSIONS.*grant .*MODIFY") as caught:
        lake.merge(NOTES, NOTES.frame([note("a")]))
    assert "SECRET" not in "".join(traceback.format_exception(caught.value))
    assert place.schema in str(caught.value)
    assert staged_files(unity_server, place) == []


def test_a_schema_that_cannot_be_created_is_said(unity_server: UnityServer) -> None:
    lake = unity_server.lake("uc://system.genie")
    with pytest.raises(LakehouseError, match=r"notes: .*INSUFFICIENT_PERMISSIONS.*CREATE SCHEMA on the catalog"):
        lake.append(NOTES, NOTES.frame([note("a")]))


def test_another_process_sees_a_table_as_soon_as_it_exists(unity_server: UnityServer, place: Place) -> None:
    uri = f"uc://{place.catalog}.{place.schema}"
    asked = Recording(unity_server.warehouse())
    reader, writer = opened(unity_server, asked, place), unity_server.lake(uri)
    assert reader.read(NEWER).empty
    assert asked.kinds == ["DESCRIBE TABLE EXTENDED"]
    assert not reader.exists(NEWER)
    writer.append(NOTES, NOTES.frame([note("a")]))
    assert reader.read(NEWER)["mood"].tolist() == [None]
    writer.merge(NEWER, NEWER.frame([note("a", mood="good")]))
    assert reader.read(NEWER)["mood"].tolist() == ["good"]


def test_a_table_that_another_process_extended_is_extended_once(unity_server: UnityServer, place: Place) -> None:
    """Whoever loses the race is told that the column is there already."""
    uri = f"uc://{place.catalog}.{place.schema}"
    faster = unity_server.lake(uri)
    faster.append(NOTES, NOTES.frame([note("a")]))

    def overtake(statement: str) -> None:
        if "ADD COLUMNS" in statement:
            faster.prepare(NEWER)

    lake = opened(unity_server, Recording(unity_server.warehouse(), overtake), place)
    lake.append(NEWER, NEWER.frame([note("b", mood="good")]))
    assert sorted(map(str, lake.read(NEWER)["mood"])) == ["None", "good"]


def test_a_table_that_was_made_anew_with_other_columns_is_looked_up_again(
    unity_server: UnityServer, lake: Lakehouse, warehouse: Recording, place: Place
) -> None:
    lake.replace_day(NEWER, MONDAY, NEWER.frame([note("a")]))
    unity_server.warehouse().execute(f"DROP TABLE {place.table(NOTES)}")
    unity_server.lake(f"uc://{place.catalog}.{place.schema}").prepare(NOTES)
    assert lake.read(NEWER, where=[Equals("mood", "good")]).empty
    assert lake.replace_day(NEWER, MONDAY, NEWER.frame([note("a", mood="good")]))
    assert lake.read(NEWER)["mood"].tolist() == ["good"]


def test_a_table_that_conditions_ask_about_is_looked_up_again_as_well(
    unity_server: UnityServer, lake: Lakehouse, place: Place
) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    lake.merge(LEDGER, LEDGER.frame([note("a")]))
    in_ledger = [Exists(Rows(LEDGER), ["author"])]
    assert len(lake.read(NOTES, where=in_ledger)) == 1
    unity_server.warehouse().execute(f"DROP TABLE {place.table(LEDGER)}")
    assert lake.read(NOTES, where=in_ledger).empty


def test_tables_that_exist_are_taken_to_be_as_defined_and_looked_up_only_where_they_are_not(
    lake: Lakehouse, unity_server: UnityServer, place: Place
) -> None:
    log, ledger = GENIE_API_MESSAGES, MESSAGE_FETCH_ERRORS
    ids = {"workspace_id": "w", "space_id": "s", "conversation_id": "c", "message_id": "m"}
    lake.append(log, log.frame([{**ids, "content_hash": "h", "created_date": MONDAY}]))
    lake.merge(ledger, ledger.frame([{**ids, "event_date": MONDAY, "resolved": False}]))
    asked = Recording(unity_server.warehouse())
    later = opened(unity_server, asked, place)
    questions: dict[str, Wanted | Counted] = {
        "log": Wanted(Rows(log), ["message_id", "raw_json"]),
        "ledger": Counted(Rows(ledger), by=["space_id"]),
    }
    answers = [{"message_id": "m", "raw_json": None}]
    assert later.together(questions) == {"log": answers, "ledger": [{"space_id": "s", "count": 1}]}
    assert [kind.split()[0] for kind in asked.kinds] == ["SHOW", "SELECT"]
    unity_server.warehouse().execute(f"DROP TABLE {place.table(ledger)}")
    assert later.together(questions) == {"log": answers, "ledger": []}


@pytest.mark.parametrize("made", ["TABLE", "SCHEMA", "VOLUME"])
def test_what_another_process_makes_at_the_same_moment_is_used(
    unity_server: UnityServer, place: Place, made: str
) -> None:
    """IF NOT EXISTS looks first: two that look at once both find nothing."""

    def refuse(statement: str) -> None:
        if f"CREATE {made}" in statement and refused.count(made) < 1:
            refused.append(made)
            unity_server.lake(f"uc://{place.catalog}.{place.schema}").append(NOTES, NOTES.frame([note("a")]))
            condition = f"{'TABLE_OR_VIEW' if made == 'TABLE' else made}_ALREADY_EXISTS"
            raise WarehouseError("it is there already", condition=condition)

    refused: list[str] = []
    lake = opened(unity_server, Recording(unity_server.warehouse(), refuse), place)
    if made == "TABLE":
        unity_server.lake(f"uc://{place.catalog}.{place.schema}").prepare(LEDGER)
    lake.append(NOTES, NOTES.frame([note("b")]))
    assert refused == [made]
    assert authors(lake.read(NOTES)) == ["a", "b"]


@pytest.mark.parametrize(("made", "later"), [("partitioned", "liquid"), ("liquid", "partitioned")])
def test_a_table_keeps_its_layout_when_the_setting_changes(
    unity_server: UnityServer, place: Place, made: Any, later: Any
) -> None:
    """Statistics of a partition are refused, and a clustering key needs them."""
    warehouse = Recording(unity_server.warehouse())
    opened(unity_server, warehouse, place, layout=made).append(NOTES, NOTES.frame([note("a")]))
    lake = opened(unity_server, warehouse, place, layout=later)
    lake.append(NEWER, NEWER.frame([note("b", mood="good")]))
    lake.append(NEWER, NEWER.frame([note("c", mood="bad")]))
    (properties,) = (text for text in warehouse.statements if "SET TBLPROPERTIES" in text)
    assert ("day" in properties) == (made == "liquid")
    assert lake.maintain(NEWER, today=WEDNESDAY).days_compacted == 1
    assert sorted(map(str, lake.read(NEWER)["mood"])) == ["None", "bad", "good"]


def test_a_table_that_somebody_made_anew_without_any_layout_is_maintained(
    unity_server: UnityServer, lake: Lakehouse, warehouse: Recording, place: Place
) -> None:
    for author in "ab":
        lake.append(NOTES, NOTES.frame([note(author)]))
    table = place.table(NOTES)
    unity_server.warehouse().execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM {table}")
    lake.append(NOTES, NOTES.frame([note("c")]))
    warehouse.statements.clear()
    report = lake.maintain(NOTES, today=WEDNESDAY)
    assert (report.files_before, report.files_after) == (2, 1)
    assert not any("OPTIMIZE" in text and "WHERE" in text for text in warehouse.statements)
    assert authors(lake.read(NOTES)) == ["a", "b", "c"]


def test_a_table_that_databricks_clusters_by_itself_is_not_z_ordered(
    unity_server: UnityServer, place: Place
) -> None:
    def refuse(statement: str) -> None:
        if "ZORDER" in statement:
            raise WarehouseError("clustered", condition="DELTA_CLUSTERING_WITH_ZORDER_BY")

    lake = opened(unity_server, Recording(unity_server.warehouse(), refuse), place)
    for author in "ab":
        lake.append(NOTES, NOTES.frame([note(author)]))
    assert lake.maintain(NOTES, today=WEDNESDAY).files_after == 1


def test_two_merges_of_the_same_new_key_must_conflict(
    unity_server: UnityServer, lake: Lakehouse, place: Place
) -> None:
    """With deletion vectors Databricks would let both pass: two new rows are not the same row."""
    for table in (NOTES, LEDGER):
        lake.prepare(table)
        detail = unity_server.warehouse().query(f"DESCRIBE DETAIL {place.table(table)}")
        assert "'delta.enableDeletionVectors': 'false'" in str(dict(detail["properties"].iloc[0]))


@pytest.mark.parametrize("column_of", [{"name": "author", "type_name": "INT"}, {"name": "other"}])
def test_a_result_that_is_not_what_was_asked_for_is_refused_without_its_values(
    unity_server: UnityServer, place: Place, column_of: dict[str, str]
) -> None:
    class Wrong(Recording):
        def batches(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
            yield frame([column_of], [["4711"]])

    lake = opened(unity_server, Wrong(unity_server.warehouse()), place)
    lake.append(NOTES, NOTES.frame([note("a")]))
    with pytest.raises(LakehouseError, match=r"notes: .*author") as caught:
        lake.read(NOTES, columns=["author"])
    assert "4711" not in "".join(traceback.format_exception(caught.value))


def test_values_travel_apart_from_the_statement(lake: Lakehouse, warehouse: Recording) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    warehouse.statements.clear()
    marked = [f"{text}MARK" for text in HOSTILE_TEXTS]
    conditions: list[Filter] = [
        Equals("author", marked[1]),
        In("text", marked),
        Not([Exists(Rows(NOTES, [In("author", marked[:3])]), ["author"])]),
    ]
    lake.read(NOTES, where=conditions, newest=Newest(["author"], ["number"]))
    lake.count(NOTES, by=["author"], flags={"marked": conditions[1]}, where=conditions)
    assert len(warehouse.statements) == 2
    assert "MARK" not in "".join(warehouse.statements)
    assert str(warehouse.parameters).count("MARK") > 50


def test_a_write_looks_only_where_its_keys_can_be(lake: Lakehouse, warehouse: Recording) -> None:
    """In a day of a million messages a batch of a hundred must not be compared with all of them."""
    lake.append(NOTES, NOTES.frame([note("a"), note("z")]))
    lake.merge(
        NOTES, NOTES.frame([note(HOSTILE_TEXTS[0]), note("c", text="new")]), delete=NOTES.frame([note("a")])
    )
    ranges = [given for given in warehouse.parameters if given]
    ends = sorted(["a", "c", HOSTILE_TEXTS[0]])
    assert ranges == [{"low": "a", "high": "z"}, *[{"low": ends[0], "high": ends[-1]}] * 2]
    writes = [text for text in warehouse.statements if "MERGE INTO" in text]
    assert all("t.`day` = DATE '2026-03-02' AND t.`author` BETWEEN :low AND :high" in text for text in writes)
    assert authors(lake.read(NOTES)) == sorted([HOSTILE_TEXTS[0], "c", "z"])


@pytest.mark.parametrize("longest", [0, 2_000, LONGEST_LISTS])
def test_a_list_that_is_too_long_for_a_request_travels_in_a_file(
    unity_server: UnityServer, place: Place, longest: int
) -> None:
    lake = UnityLakehouse(place, lambda: (unity_server.warehouse(), unity_server.volumes()), longest_lists=longest)
    moments = [NOON + timedelta(microseconds=number) for number in range(40)]
    rows = [note(f"a{number}", number, read_at=moment) for number, moment in enumerate(moments)]
    lake.append(NOTES, NOTES.frame(rows))
    few = {
        "author": [*HOSTILE_TEXTS, "a3", "a39"],
        "number": [3, 39, 2**62, *range(-40, -1)],
        "read_at": [moments[3], moments[39], *(NOON - timedelta(microseconds=n) for n in range(1, 40))],
    }
    for name, values in few.items():
        assert sorted(lake.read(NOTES, where=[In(name, values)])["number"]) == [3, 39]
        flagged = lake.count(NOTES, flags={"met": Not([In(name, values), In("author", few["author"])])})
        assert sorted((row["met"], row["count"]) for row in flagged) == [(False, 2), (True, 38)]
    assert staged_files(unity_server, place) == []


def test_rows_with_documents_come_through_links_and_others_inline(lake: Lakehouse, warehouse: Recording) -> None:
    """A result that turns out to be too big to come inline costs a second run of its statement."""
    row = {"workspace_id": "w", "space_id": "s", "conversation_id": "c", "message_id": "m", "content_hash": "h"}
    documents = GENIE_API_MESSAGES.frame([{**row, "created_date": MONDAY, "raw_json": '{"a": "it\'s"}'}])
    lake.append(GENIE_API_MESSAGES, documents)
    assert lake.read(GENIE_API_MESSAGES)["raw_json"].tolist() == ['{"a": "it\'s"}']
    assert lake.read(GENIE_API_MESSAGES, columns=["message_id"])["message_id"].tolist() == ["m"]
    assert warehouse.by_links == [True, False]


def test_files_that_killed_runs_left_behind_are_swept_and_those_of_others_are_not(
    unity_server: UnityServer, lake: Lakehouse, place: Place
) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    volumes, now = unity_server.volumes(), datetime.now(UTC)

    def leave(age: timedelta) -> str:
        folder = f"{place.volume_path}/{now - age:%Y%m%dT%H%M%SZ}-{uuid4().hex}"
        volumes.upload(f"{folder}/1.parquet", b"x")
        volumes.upload(f"{folder}/2.parquet", b"x")
        return folder.rpartition("/")[2]

    old, recent = leave(timedelta(hours=25)), leave(timedelta(hours=23))
    volumes.upload(f"{place.volume_path}/theirs/notes.txt", b"x")
    for tidy_up in (
        lambda: unity_server.lake(f"uc://{place.catalog}.{place.schema}").append(NOTES, NOTES.frame([note("b")])),
        lambda: lake.maintain(NOTES, today=WEDNESDAY),
    ):
        tidy_up()
        found = volumes.names(place.volume_path) or []
        assert {recent, "theirs"} <= set(found)
        assert old not in found
        old = leave(timedelta(days=3))


def test_a_process_that_lives_for_days_does_not_stage_in_a_folder_that_looks_dead(
    unity_server: UnityServer, lake: Lakehouse, place: Place
) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    staging = Staging(unity_server.volumes, place, now=lambda: clock[0])
    for _ in range(3):
        clock[0] += timedelta(hours=20)
        with staging.staged(pa.table({"value": [1]}), lambda: None) as path:
            Staging(unity_server.volumes, place, now=lambda: clock[0] + timedelta(hours=3)).sweep()
            assert unity_server.volumes().delete_file(path)


@pytest.mark.parametrize("layout", ["partitioned", "liquid"])
def test_only_days_that_were_written_since_are_compacted_again(
    unity_server: UnityServer, warehouse: Recording, place: Place, layout: Any
) -> None:
    lake = opened(unity_server, warehouse, place, layout=layout)
    for author in "ab":
        for day in (MONDAY, TUESDAY, WEDNESDAY):
            lake.append(NOTES, NOTES.frame([note(author, day=day)]))
    days = 2 if layout == "partitioned" else 1
    assert lake.maintain(NOTES, today=WEDNESDAY).days_compacted == days
    now = datetime.now(UTC)
    lake.append(NOTES, NOTES.frame([note("c", day=TUESDAY, written_at=now)]))
    warehouse.statements.clear()
    report = lake.maintain(NOTES, today=WEDNESDAY)
    assert report.days_compacted == 1
    assert report.files_after < report.files_before
    optimize = next(text for text in warehouse.statements if "OPTIMIZE" in text)
    assert ("DATE '2026-03-03'" in optimize, "ZORDER" in optimize) == ((layout == "partitioned"),) * 2
    assert "2026-03-02" not in optimize
    version = lake.version(NOTES)
    again = lake.maintain(NOTES, today=WEDNESDAY)
    assert (again.days_compacted, again.version_after) == (0, version)
    rows = [note(author, day=day) for author in "ab" for day in (MONDAY, TUESDAY, WEDNESDAY)]
    assert stored(lake, NOTES) == expected_rows(NOTES, [*rows, note("c", day=TUESDAY, written_at=now)])


def test_many_days_are_compacted_in_several_statements(lake: Lakehouse, warehouse: Recording) -> None:
    """One statement over years of days would be cancelled for taking too long, again each time."""
    days = [MONDAY - timedelta(days=number) for number in range(70)]
    lake.append(NOTES, NOTES.frame([note("a", day=day) for day in days]))
    lake.append(NOTES, NOTES.frame([note("b", day=day) for day in days]))
    warehouse.statements.clear()
    report = lake.maintain(NOTES, today=TUESDAY)
    assert (report.days_compacted, report.files_before, report.files_after) == (70, 140, 70)
    assert [text.count("DATE '") for text in warehouse.statements if "OPTIMIZE `" in text] == [60, 10]


@pytest.mark.parametrize(
    "uri",
    ["uc://", "uc://main", "uc://main.", "uc://.genie", "uc://main.a.b", "uc://ma in.genie", "uc://main/x.genie"],
)
def test_a_place_must_be_a_catalog_and_a_schema(uri: str) -> None:
    with pytest.raises(LakehouseError, match=r"^GENIE_LAKEHOUSE: .*uc://catalog\.schema"):
        open_lakehouse(uri, databricks=lambda: pytest.fail("nothing is asked for"))


def test_names_that_need_quotes_are_quoted(unity_server: UnityServer) -> None:
    lake = unity_server.lake("uc://main.it's-a`schema\\;%2F")
    lake.append(NOTES, NOTES.frame([note("a", text="x")]))
    assert lake.merge(NOTES, NOTES.frame([note("a", text="y")])) == MergeResult(updated=1)
    assert lake.read(NOTES)["text"].tolist() == ["y"]


def test_a_probe_writes_a_file_into_the_staging_volume_and_removes_it(
    unity_server: UnityServer, lake: Lakehouse, warehouse: Recording, place: Place
) -> None:
    assert not lake.probe()
    lake.prepare(NOTES)
    assert lake.probe()  # there is a schema, in which the first write makes the volume
    lake.append(NOTES, NOTES.frame([note("a")]))
    before = unity_server.volumes().names(place.volume_path)
    warehouse.statements.clear()
    assert lake.probe()
    assert warehouse.statements == []
    assert unity_server.volumes().names(place.volume_path) == before
    lake.append(NOTES, NOTES.frame([note("b")]))
    assert staged_files(unity_server, place) == []


class Refusing:
    """Volumes that may not be written."""

    def upload(self, path: str, data: bytes) -> bool:
        raise CallError(FetchError(ErrorClass.PERMISSION, "The workspace refused the call.", http_status=403))


def test_a_probe_says_which_grants_are_missing(unity_server: UnityServer, place: Place) -> None:
    lake = open_lakehouse(place.uri, databricks=lambda: (unity_server.warehouse(), cast("Any", Refusing())))
    with pytest.raises(
        LakehouseError, match=r"^GENIE_LAKEHOUSE: files cannot be staged in .* WRITE VOLUME"
    ) as failed:
        lake.probe()
    assert failed.value.__cause__ is None

    def refuse(statement: str) -> None:
        raise WarehouseError("SECRET", condition="NO_SUCH_CATALOG_EXCEPTION")

    nowhere = opened(unity_server, Recording(unity_server.warehouse(), refuse), place)
    with pytest.raises(
        LakehouseError, match=r"^GENIE_LAKEHOUSE: .*\(NO_SUCH_CATALOG_EXCEPTION\); is it the right one"
    ):
        nowhere.probe()
