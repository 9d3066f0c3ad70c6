"""What was known of an answer stays known when a later look shows less."""

import datetime as dt
import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from genie_assets.domain.keys import Row
from genie_assets.domain.message_log import log_row
from genie_assets.domain.requests import Answer
from genie_assets.domain.tables import GENIE_API_MESSAGES, MESSAGE_ATTACHMENTS, MESSAGE_DETAILS, Table
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.pipeline.world import HOUR, MONDAY, NOON, TUESDAY, World
from genie_sandbox.truth.looks import shown

WHOLE = [
    {"attachment_id": "q", "query": {"query": "SELECT 1", "statement_id": "s1"}},
    {"attachment_id": "t", "text": {"content": "The answer is 1."}},
]
BARE = [WHOLE[0], {"attachment_id": "t", "text": {}}]
OTHER = [
    {"attachment_id": "q2", "query": {"query": "SELECT 2", "statement_id": "s2"}},
    {"attachment_id": "t2", "text": {"content": "No, it is 2."}},
]
SHOWN = ("query_sql", "statement_id", "query_duration_ms", "answer_text", "attachments_count", "content_withheld")
IS_WHOLE = ("SELECT 1", "s1", 900, "The answer is 1.", 2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.fixture
def world(world: World) -> World:
    for statement_id in ("s1", "s2"):
        world.statement(statement_id)
    return world


@pytest.fixture(params=["delta", pytest.param("unity", marks=pytest.mark.long)])
def on_both(request: pytest.FixtureRequest, world: World) -> World:
    if request.param == "unity":
        world.lake = request.getfixturevalue("server").new_lake()
    return world


def look_again(world: World, **bodies: Any) -> None:
    """A vote is given to each of the messages, and the API shows these attachments."""
    world.now += HOUR
    for message_id, attachments in bodies.items():
        world.event(message_id, message_id, action="updateConversationMessageFeedback")
        rating = {"rating": "POSITIVE", "comment": f"at {world.now}"}
        world.message(message_id, message_id, attachments=attachments, feedback=rating)
    world.load()


def shown_of(world: World, *names: str) -> dict[str, tuple[Any, ...]]:
    rows = world.rows(MESSAGE_DETAILS, columns=["workspace_id", "message_id", *names])
    return {row["message_id"]: tuple(row[name] for name in names) for row in rows}


def test_a_later_look_that_shows_less_takes_nothing_away(world: World) -> None:
    for message_id in ("gone", "absent", "bare", "back", "other"):
        world.ask(message_id, conversation_id=message_id, attachments=WHOLE)
    world.ask("poor", conversation_id="poor", attachments=[])
    world.load()
    assert set(shown_of(world, "content_withheld").values()) == {(False,)}
    look_again(world, gone=[], absent=None, bare=BARE, back=[], other=OTHER, poor=[])
    assert shown_of(world, *SHOWN) == {
        **dict.fromkeys(("gone", "absent", "bare", "back"), (*IS_WHOLE, True)),
        "other": ("SELECT 2", "s2", 900, "No, it is 2.", 2, False),
        "poor": (None, None, None, None, 0, False),
    }
    assert set(shown_of(world, "feedback_rating").values()) == {("POSITIVE",)}
    assert len(world.rows(MESSAGE_ATTACHMENTS)) == 10
    look_again(world, back=WHOLE)
    assert shown_of(world, *SHOWN)["back"] == (*IS_WHOLE, False)
    versions = world.versions(MESSAGE_DETAILS, MESSAGE_ATTACHMENTS)
    assert world.fold().details.changed == 0
    assert world.versions(MESSAGE_DETAILS, MESSAGE_ATTACHMENTS) == versions


def test_what_is_withheld_from_the_first_look_on_is_what_it_is_until_it_is_shown(world: World) -> None:
    world.ask("m", conversation_id="m", attachments=None)
    world.load()
    assert shown_of(world, *SHOWN)["m"] == (None, None, None, None, None, False)
    look_again(world, m=WHOLE)
    look_again(world, m=None)
    assert shown_of(world, *SHOWN)["m"] == (*IS_WHOLE, True)


def look_of(message_id: str, at: dt.datetime, body: Row) -> Row:
    """The row of the log for a look of a run of that hour, whenever it is stored."""
    ids = {"workspace_id": "w1", "space_id": "s1", "conversation_id": message_id, "message_id": message_id}
    row = log_row(ids, Answer(body, "GET", at), event_date=MONDAY, known=None)
    return {**row, "ingestion_timestamp": at, "ingestion_batch_id": "b"}


def test_a_look_that_a_paused_run_stores_late_counts_in_the_next_fold_of_today(on_both: World) -> None:
    """It is dated before today's fold, which looked only at what is dated later: it waited for tomorrow."""
    for message_id in ("m", "beside"):
        on_both.ask(message_id, conversation_id=message_id, attachments=[])
    paused = look_of("m", on_both.now, on_both.genie.messages["m"] | {"attachments": WHOLE})
    on_both.now += HOUR
    on_both.discover()
    on_both.fetch()
    on_both.now += HOUR
    on_both.fold()
    assert shown_of(on_both, "query_sql", "content_withheld")["m"] == (None, False)
    on_both.lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame([paused]))
    on_both.now += HOUR
    assert on_both.fold().messages == 2
    assert shown_of(on_both, *SHOWN)["m"] == (*IS_WHOLE, True)
    assert on_both.fold().messages == 0


class Watched:
    """A lakehouse that counts the texts that are read from the log."""

    def __init__(self, lake: Any) -> None:
        self._lake, self.texts, self.reads = lake, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lake, name)

    def read(self, table: Table, **kwargs: Any) -> Any:
        frame = self._lake.read(table, **kwargs)
        if table is GENIE_API_MESSAGES and "raw_json" in kwargs.get("columns", ()):
            self.texts, self.reads = self.texts + len(frame), self.reads + 1
        return frame

    def together(self, questions: Mapping[str, Any]) -> Any:
        found = self._lake.together(questions)
        for name, question in questions.items():
            if "raw_json" in getattr(question, "columns", ()):
                self.texts, self.reads = self.texts + len(found[name]), self.reads + 1
        return found


def test_at_most_two_texts_of_a_message_are_read_and_of_most_only_the_latest(world: World) -> None:
    world.ask("withheld", conversation_id="withheld", attachments=WHOLE)
    world.ask("plain", conversation_id="plain", attachments=WHOLE)
    world.load()
    watched: Any = Watched(world.lake)
    world.lake = watched
    for hour in range(3):
        watched.texts = watched.reads = 0
        look_again(world, withheld=[{"viz": {"hour": hour}}, *BARE], plain=WHOLE)
        assert (watched.texts, watched.reads) == (3, 2)
    watched.texts = watched.reads = 0
    look_again(world, withheld=WHOLE, plain=WHOLE)
    assert (watched.texts, watched.reads) == (2, 1)


def random_looks(rng: random.Random, message_id: str) -> list[Row]:
    """A series of looks at one message, as rows of the log."""
    rows = []
    for hour in range(rng.randint(2, 4)):
        status = rng.choice(["COMPLETED", "COMPLETED", "COMPLETED", "QUERY_RESULT_EXPIRED", "EXECUTING_QUERY"])
        body = {
            "status": status,
            "content": "How many?",
            "created_timestamp": int(NOON.timestamp() * 1000),
            "last_updated_timestamp": int(NOON.timestamp() * 1000) + hour,
            "attachments": rng.choice([WHOLE, WHOLE[::-1], BARE, OTHER, [], None]),
            "feedback": {"rating": rng.choice(["POSITIVE", "NEGATIVE", None])},
        }
        rows.append(look_of(message_id, NOON + hour * HOUR, body))
    return rows


def as_message(rows: list[Row], message_id: str, **cells: Any) -> list[Row]:
    return [{**row, "message_id": message_id, "conversation_id": message_id, **cells} for row in rows]


def test_the_order_in_which_looks_are_stored_changes_nothing(on_both: World) -> None:
    """Rich, poor, other, running and shown again, folded after each in any order, or once: the same comes of it.

    So does it of a log that an older version wrote, of which nobody knows what it shows before it is read.
    """
    world, rng = on_both, random.Random(11)
    world.now += 24 * HOUR  # of today, a fold looks at later answers only
    rounds: list[list[Row]] = [[], [], [], []]
    series = [random_looks(rng, "m") for _ in range(20)]
    for number, rows in enumerate(series):
        for place, row in enumerate(rng.sample(rows, len(rows))):
            rounds[place] += as_message([row], f"shuffled {number:02}")
        rounds[-1] += as_message(rows, f"at once {number:02}")
        rounds[-1] += as_message(rows, f"old {number:02}", attachments_shown=None)
    for rows in rounds:
        world.lake.append(GENIE_API_MESSAGES, GENIE_API_MESSAGES.frame(rows))
        world.fold()
    found = {name: told(world, name) for name in ("shuffled", "at once", "old")}
    assert found["shuffled"] == found["at once"] == found["old"]
    assert len(found["old"]) > 20
    columns = ("status", "feedback_rating", "attachments_count", "content_withheld")
    shown_now = shown_of(world, *columns)
    for number, rows in enumerate(series):
        right = shown([json.loads(row["raw_json"]) for row in rows])
        count = None if right.body["attachments"] is None else len(right.body["attachments"])
        rating = right.latest["feedback"]["rating"]
        assert shown_now[f"old {number:02}"] == (right.latest["status"], rating, count, right.withheld)
    assert {withheld for *_, withheld in shown_now.values()} == {True, False}


def told(world: World, name: str) -> list[Row]:
    """What both tables say of the messages whose ids begin so."""
    ids = ("conversation_id", "message_id")
    return [
        {**row, **{each: row[each].removeprefix(name) for each in ids}}
        for table in (MESSAGE_DETAILS, MESSAGE_ATTACHMENTS)
        for row in world.rows(table, columns=table.content)
        if row["message_id"].startswith(name)
    ]


def test_a_message_that_was_deleted_keeps_what_was_known_of_it(world: World) -> None:
    world.ask("m", conversation_id="m", attachments=WHOLE)
    world.load()
    look_again(world, m=[])
    world.now += dt.timedelta(days=1)
    world.delete("m", "m", day=TUESDAY)
    world.load(TUESDAY)
    world.load()
    assert shown_of(world, "is_deleted", *SHOWN)["m"] == (True, *IS_WHOLE, True)
