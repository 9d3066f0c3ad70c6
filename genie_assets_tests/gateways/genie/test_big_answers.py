"""A page that is too big is asked for in smaller parts; only a message that is too big alone fails."""

import time

import pytest

from genie_assets.domain.outcomes import POLICIES, ErrorClass, FetchError
from genie_assets.domain.requests import Answer, MessagesRequest
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.genie.limits import Limits
from genie_assets_tests.gateways.genie.server import Genie, message
from genie_assets_tests.gateways.stub_server import Reply, StubServer

TOKEN = "dapi0123456789abcdef0123456789abcdef"
MB = 1_000_000


class Big(Genie):
    """A conversation `c` whose messages have the sizes that a test gives, in bytes by id."""

    def __init__(self, sizes, **options):
        super().__init__({"c": list(sizes)}, **options)
        self.sizes = sizes

    def message(self, conversation_id, message_id):  # type: ignore[override]
        return super().message(conversation_id, message_id) | {"content": "x" * self.sizes[message_id]}


@pytest.fixture
def stub():
    with StubServer(lambda _: Reply({})).running() as server:
        yield server


def genie(server, **limits):
    workspaces = Workspaces(server.url, token=TOKEN, policy=HostPolicy(["127.0.0.1"]), timeouts=Timeouts(30))
    return GenieApi(
        workspaces,
        threads=4,
        retries=Retries(attempts=3, first_wait=0.01),
        pacer_of=lambda _: Pacer(5000),
        limits=Limits(**limits),
    )


def fetch(server, *message_ids, endpoint="LIST", **limits):
    request = MessagesRequest("1", server.url, "s", "c", message_ids, endpoint)
    (result,) = genie(server, **limits).fetch([request], deadline=time.monotonic() + 60)
    return result


def asked(server):
    """How it was asked: the page size of a LIST, or the id of a GET."""
    return [
        request.query.get("page_size", "LIST") if request.path.endswith("/messages") else request.path[-2:]
        for request in server.requests
    ]


@pytest.mark.parametrize("endpoint", ["GET", "LIST"])
def test_a_message_of_five_megabytes_is_read_whole(stub, endpoint):
    stub.answer = Big({"m1": 5 * MB, "m2": 10})
    result = fetch(stub, "m1", "m2", endpoint=endpoint)
    assert sorted(len(answer.body["content"]) for answer in result.answers.values()) == [10, 5 * MB]
    assert result.errors == {}


def test_a_page_that_is_too_big_is_asked_for_in_smaller_ones(stub):
    names = [f"m{number:02}" for number in range(30)]
    stub.answer = Big(dict.fromkeys(names, MB))
    result = fetch(stub, *names)
    assert sorted(answer.body["message_id"] for answer in result.answers.values()) == names
    assert result.errors == {}
    # From where it was too big, and so to the end.
    assert asked(stub) == ["100", "10", "10", "10"]


def test_only_the_message_that_is_too_big_alone_fails(stub):
    """One huge message kept all others of its conversation from being read."""
    stub.answer = Big({"m1": 10, "m2": 20 * MB, "m3": 10, "m4": 17 * MB})
    result = fetch(stub, "m1", "m2", "m3", "m4")
    assert sorted(answer.body["message_id"] for answer in result.answers.values()) == ["m1", "m3"]
    assert {name: error.error_class for name, error in result.errors.items()} == dict.fromkeys(
        ["m2", "m4"], ErrorClass.TOO_BIG
    )
    assert result.errors["m2"].message == (
        "This message alone is too big to be read. The answer is bigger than 16 MiB."
    )
    # Each once: what is too big is too big the next moment, too.
    assert asked(stub) == ["100", "10", "m1", "m2", "m3", "m4"]
    assert result.requests_made == 6


def test_it_is_looked_at_a_few_times_more_and_then_parked():
    assert POLICIES[ErrorClass.TOO_BIG].attempts == 2


def test_a_server_that_minds_page_sizes_is_not_asked_the_same_twice(stub):
    big = Big({"m1": 9 * MB, "m2": 9 * MB})
    stub.answer = lambda request: (
        Reply({"error_code": "INVALID_PARAMETER_VALUE"}, 400) if "page_size" in request.query else big(request)
    )
    result = fetch(stub, "m1", "m2")
    assert len(result.answers) == 2
    assert asked(stub) == ["100", "LIST", "m1", "m2"] or asked(stub) == ["100", "LIST", "10", "LIST", "m1", "m2"]


def test_a_server_that_minds_another_size_in_the_middle_of_a_list_loses_nothing(stub):
    big = Big({f"m{n}": (10 if n < 3 else 6 * MB) for n in range(6)}, page=3)

    def answer(request):
        if request.query.get("page_token") and request.query.get("page_size") == "10":
            return Reply({"error_code": "INVALID_PARAMETER_VALUE", "message": "page_token"}, 400)
        return big(request)

    stub.answer = answer
    result = fetch(stub, *(f"m{n}" for n in range(6)))
    assert len(result.answers) == 6
    assert result.errors == {}


def test_spaces_are_listed_in_smaller_pages_too(stub):
    def answer(request):
        start, size = int(request.query.get("page_token", 0)), int(request.query["page_size"])
        spaces = [{"space_id": f"s{n}", "description": "x" * MB} for n in range(start, min(start + size, 25))]
        more = {"next_page_token": str(start + size)} if start + size < 25 else {}
        return Reply({"spaces": spaces} | more)

    stub.answer = answer
    listed = genie(stub).list_spaces("1", stub.url)
    assert (len(listed.spaces), listed.error) == (25, None)


def test_what_is_held_of_one_conversation_has_a_limit_and_the_rest_comes_the_next_time(stub):
    """Many threads hold as much at the same time; a list without an end would fill the memory."""
    sizes = {f"m{number}": MB for number in range(12)}
    wanted = set(sizes)
    runs = 0
    while wanted:
        stub.answer = Big(sizes, page=2)
        result = fetch(stub, *sorted(wanted), endpoint="LIST" if runs else "GET", wanted_bytes=4 * MB)
        got = {answer.body["message_id"] for answer in result.answers.values()} & wanted
        assert 0 < len(got) <= 6
        assert result.errors == {}
        assert set(result.not_attempted) == wanted - got
        wanted -= got
        runs += 1
    assert runs >= 3


def test_what_nobody_asked_for_is_let_go_where_much_is_held(stub):
    stub.answer = Big({f"m{number:02}": MB for number in range(10)}, page=2)
    result = fetch(stub, "m09", unasked_bytes=2 * MB)
    assert "m09" in {answer.body["message_id"] for answer in result.answers.values()}
    assert len(result.answers) <= 5


def test_a_list_of_spaces_without_an_end_is_left(stub):
    stub.answer = lambda request: Reply(
        {
            "spaces": [{"space_id": "s", "description": "x" * MB}],
            "next_page_token": request.query.get("page_token", "") + "x",
        }
    )
    listed = genie(stub, list_bytes=5 * MB).list_spaces("1", stub.url)
    assert listed.error is not None
    assert listed.error.error_class is ErrorClass.TOO_BIG
    assert len(stub.requests) == 5


def test_an_answer_under_way_when_the_time_is_up_is_waited_for_a_moment_and_no_error_else(stub):
    """A run that ends in a hurry must not count its own haste against the messages."""
    api = genie(stub, grace_seconds=0.5)
    request = MessagesRequest("1", stub.url, "s", "c", ("m1",), "GET")
    for patience, attempted in ((0.3, True), (3.0, False)):
        message = Reply({"message_id": "m1", "conversation_id": "c"}, hang_seconds=patience)
        stub.answer = lambda _, message=message: message
        started = time.monotonic()
        (result,) = api.fetch([request], deadline=started + 0.1)
        assert (len(result.answers), result.errors) == (int(attempted), {})
        assert result.not_attempted == (() if attempted else ("m1",))
        assert time.monotonic() - started < 2.5


def test_a_single_look_at_a_message_that_is_too_big_is_a_value(stub):
    stub.answer = Big({"m1": 17 * MB, "m2": 10})
    answers = [message(genie(stub), stub, name) for name in ("m1", "m2")]
    assert isinstance(answers[0], FetchError)
    assert isinstance(answers[1], Answer)
