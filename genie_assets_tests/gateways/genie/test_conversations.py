"""Conversations: one LIST, and the single GETs that mend it."""

import itertools
import time

import pytest

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.databricks.retries import Retries
from genie_assets_tests.gateways.genie.server import DENIED, NOT_FOUND, Genie, fetch, genie_at, ids, wanting
from genie_assets_tests.gateways.stub_server import Reply


def test_a_list_brings_all_pages_and_ends_when_all_that_was_wanted_is_seen(stub):
    many = [f"m{number:03}" for number in range(250)]
    stub.answer = Genie({"c": many})
    result = fetch(genie_at(stub), wanting(stub, "m249"))[0]
    assert (ids(result), result.requests_made) == (many, 3)
    assert {answer.endpoint for answer in result.answers.values()} == {"LIST"}
    result = fetch(genie_at(stub), wanting(stub, "m005"))[0]
    assert (len(result.answers), result.requests_made) == (100, 1)


def test_what_a_list_lacks_is_asked_for_by_itself(stub):
    """Absence from a list is no proof: only the message's own 404 says that it is gone."""
    stub.answer.on_list = lambda _: Reply({"messages": [Genie.message("c", "m1"), {"no": "id"}, 7]})
    result = fetch(genie_at(stub), wanting(stub, "m1", "m2", "m4"))[0]
    assert ids(result) == ["m1", "m2"]
    assert {name: error.error_class for name, error in result.errors.items()} == {"m4": ErrorClass.NOT_FOUND}
    assert result.requests_made == 3


def test_messages_of_another_conversation_are_not_taken(stub):
    stub.answer.on_list = lambda _: Reply({"messages": [Genie.message("other", "m1"), Genie.message("c", "m2")]})
    result = fetch(genie_at(stub), wanting(stub, "m1", "m2"))[0]
    assert {(answer.body["message_id"], answer.body["conversation_id"]) for answer in result.answers.values()} == {
        ("m1", "c"),
        ("m2", "c"),
    }


@pytest.mark.parametrize(
    "list_answer",
    [
        Reply({"messages": [], "next_page_token": "again"}),  # names itself for ever
        Reply({"messages": {"m1": {}}}),
        Reply({"messages": [], "next_page_token": 7}),
        Reply({"error_code": "INVALID_PARAMETER_VALUE"}, 400),
        Reply({"error_code": "ENDPOINT_NOT_FOUND"}, 404),
        Reply({"error_code": "PERMISSION_DENIED"}, 403),
        Reply({"error_code": "INTERNAL_ERROR"}, 500),
        Reply("<html>", 200),
    ],
)
def test_a_list_that_does_not_work_is_replaced_by_single_gets(stub, list_answer):
    stub.answer.on_list = lambda _: list_answer
    result = fetch(genie_at(stub, retries=Retries(attempts=2, first_wait=0.01)), wanting(stub, "m1", "m2", "m9"))[
        0
    ]
    assert ids(result) == ["m1", "m2"]
    assert result.errors["m9"].error_class is ErrorClass.NOT_FOUND
    assert result.requests_made <= 7


def test_a_conversation_that_is_forbidden_or_gone_costs_two_requests(stub):
    stub.answer = lambda _: DENIED
    result = fetch(genie_at(stub), wanting(stub, *"abcdefgh"))[0]
    assert {error.error_class for error in result.errors.values()} == {ErrorClass.PERMISSION}
    assert (len(result.errors), result.requests_made) == (8, 2)
    stub.answer = lambda _: NOT_FOUND
    result = fetch(genie_at(stub), wanting(stub, *"abcdefgh"))[0]
    assert {error.error_class for error in result.errors.values()} == {ErrorClass.NOT_FOUND}
    assert result.requests_made == 2


BREAKS = {
    "500": Reply({"error_code": "INTERNAL_ERROR"}, 500),
    "html": Reply("<html>", 200),
    "reset": Reply(drop=True),
    "cut": Reply({"messages": []}, cut=True),
    "504": Reply({"error_code": "DEADLINE_EXCEEDED"}, 504),
}


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("endpoint", ["LIST", "GET"])
@pytest.mark.parametrize("broken", ["m1", "m2", "m4"])
def test_whichever_message_is_broken_its_neighbours_are_read(stub, how, endpoint, broken):
    """If it was the first to be asked for after the LIST it broke, the others failed with it, unasked."""
    stub.answer = Genie({"c": ["m1", "m2", "m3", "m4"]})
    stub.answer.on_list = lambda _: BREAKS[how]
    stub.answer.on_get = lambda _, message_id: BREAKS[how] if message_id == broken else None
    genie = genie_at(stub, retries=Retries(attempts=1))
    result = fetch(genie, wanting(stub, "m1", "m2", "m3", "m4", endpoint=endpoint))[0]
    assert sorted(result.answers) == sorted({"m1", "m2", "m3", "m4"} - {broken})
    assert {name: error.was_asked for name, error in result.errors.items()} == {broken: True}
    assert result.requests_made == (5 if endpoint == "LIST" else 4)


@pytest.mark.parametrize("how", BREAKS)
def test_what_was_not_asked_for_in_a_conversation_that_only_fails_is_no_attempt(stub, how):
    stub.answer = lambda _: BREAKS[how]
    result = fetch(genie_at(stub, retries=Retries(attempts=1)), wanting(stub, *"abcdefgh"))[0]
    assert {name for name, error in result.errors.items() if error.was_asked} == {"a", "b"}
    assert len({error.error_class for error in result.errors.values()}) == 1
    assert all(e.message.startswith("Not asked for") for e in result.errors.values() if not e.was_asked)
    assert (len(result.errors), result.requests_made) == (8, 3)


def test_a_404_of_a_proxy_does_not_make_a_conversation_of_a_deleted_message(stub):
    """Told to be deleted by Databricks' own 404 of one message, the others were never asked for again."""
    stub.answer = Genie({"c": ["m2", "m3"]})
    stub.answer.on_list = lambda _: Reply("Not here.", 404, content_type="text/plain")
    result = fetch(genie_at(stub), wanting(stub, "m1", "m2", "m3"))[0]
    assert (ids(result), set(result.errors)) == (["m2", "m3"], {"m1"})


def test_a_server_that_objects_to_the_page_size_is_asked_without_and_that_is_remembered(stub):
    def answer(request):
        if "page_size" in request.query:
            return Reply({"error_code": "INVALID_PARAMETER_VALUE"}, 400)
        return Genie({"c": ["m1"]})(request)

    stub.answer = answer
    genie = genie_at(stub)
    assert [fetch(genie, wanting(stub, "m1"))[0].requests_made for _ in range(2)] == [2, 1]


def test_what_came_before_a_page_that_cannot_be_read_is_kept_and_the_rest_is_asked_for_by_itself(stub):
    stub.answer = Genie({"c": ["m1", "m2", "m3"]}, page=2)
    pages = iter([None, Reply({}, 500)])
    stub.answer.on_list = lambda _: next(pages)
    result = fetch(genie_at(stub, retries=Retries(attempts=1)), wanting(stub, "m1", "m2", "m3"))[0]
    endpoints = {name: answer.endpoint for name, answer in result.answers.items()}
    assert (endpoints, result.errors) == ({"m1": "LIST", "m2": "LIST", "m3": "GET"}, {})
    assert result.requests_made == 3


_OLD = {"message_id": "m1", "content": "an older state of it, with many words", "last_updated_timestamp": 1000}
_POOR = {"message_id": "m1", "content": "x", "last_updated_timestamp": 2000, "status": "COMPLETED"}
_RUNNING = {**_POOR, "status": "EXECUTING_QUERY", "content": "still running, with many words, and more of them"}
_RICH = {**_POOR, "attachments": [{"attachment_id": "a", "text": {"content": "the answer"}}]}


@pytest.mark.parametrize("shown", list(itertools.permutations([_OLD, _POOR, _RUNNING, _RICH])))
@pytest.mark.parametrize("page_size", [1, 4])
def test_of_a_message_that_is_listed_twice_the_newest_and_richest_entry_counts(stub, shown, page_size):
    """The last one won, wherever it stood: a withheld or an older one, too."""
    pages = [shown[start : start + page_size] for start in range(0, 4, page_size)]

    def answer(request):
        number = int(request.query.get("page_token", 0))
        following = {"next_page_token": str(number + 1)} if number + 1 < len(pages) else {}
        return Reply({"messages": [*pages[number], *([] if following else [{"message_id": "m2"}])], **following})

    stub.answer = answer
    (result,) = fetch(genie_at(stub), wanting(stub, "m1", "m2"))
    assert result.answers["m1"].body == _RICH


@pytest.mark.parametrize("gone", [0, 3])
def test_a_page_size_that_a_workspace_refuses_is_named_once(stub, gone):
    """Conversations that are gone do not tell, and the next one finds it out."""
    names = [str(number) for number in range(8)]
    stub.answer = Genie({name: ["m1", "m2"] for name in names[gone:]})
    list_it = stub.answer._list
    stub.answer._list = lambda conversation_id, query: (
        Reply({"error_code": "INVALID_PARAMETER_VALUE"}, 400)
        if "page_size" in query and conversation_id in names[gone:]
        else list_it(conversation_id, query)
    )
    wanted = [wanting(stub, "m1", "m2", conversation_id=name) for name in names]
    found = [ids(result) for result in fetch(genie_at(stub), *wanted)]
    assert sorted(found) == [[]] * gone + [["m1", "m2"]] * (8 - gone)
    named = [request.path.split("/")[7] for request in stub.requests if "page_size" in request.query]
    assert len([name for name in named if name in names[gone:]]) == 1


def test_lists_of_another_kind_say_nothing_of_the_page_size(stub):
    """A workspace may take it for its spaces and refuse it for messages."""
    messages = Genie({"c": ["m1", "m2"]})

    def answer(request):
        if request.path.endswith("/spaces"):
            return Reply({"spaces": [{"space_id": "s"}]})
        return Reply({"error_code": "INVALID_PARAMETER_VALUE"}, 400) if "page_size" in request.query else None

    stub.answer = lambda request: answer(request) or messages(request)
    genie = genie_at(stub)
    for _ in range(2):
        assert len(genie.list_spaces("1", stub.url).spaces) == 1
        assert ids(fetch(genie, wanting(stub, "m1", "m2"))[0]) == ["m1", "m2"]
    sizes = ["page_size" in request.query for request in stub.requests]
    assert sizes == [True, True, False, True, False]


def test_a_first_list_that_hangs_holds_up_no_other(stub):
    stub.answer = Genie({"c": ["m1", "m2"], "hangs": ["m1", "m2"]})
    stub.answer.on_list = lambda conversation_id: Reply({}, hang_seconds=6) if conversation_id == "hangs" else None
    genie = genie_at(stub, timeout=20.0)
    places = ("hangs", "c", "c", "c")
    found = genie.fetch(
        [wanting(stub, "m1", "m2", conversation_id=place) for place in places], deadline=time.monotonic() + 20
    )
    began = time.monotonic()
    assert [next(found).request.conversation_id for _ in range(3)] == ["c"] * 3
    assert time.monotonic() - began < 5
    found.close()
