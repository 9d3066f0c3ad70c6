"""Reading Genie, against a real HTTP server that each test programs."""

import datetime as dt
import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import unquote

import pytest

from genie_assets.domain.fetch_plan import MessageRef
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer, MessagesRequest
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets_tests.gateways.stub_server import Reply, StubServer

TOKEN = "dapi0123456789abcdef0123456789abcdef"
NOT_FOUND = Reply({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}, 404)
DENIED = Reply({"error_code": "PERMISSION_DENIED", "message": "no"}, 403)


class Genie:
    """A Genie server: conversations by id, message ids by conversation. Hooks replace single answers."""

    def __init__(self, conversations, page=100):
        self.conversations, self.page = conversations, page
        self.on_list = self.on_get = lambda conversation_id, message_id=None: None

    def __call__(self, request):
        parts = [unquote(part) for part in request.path.split("/")][4:]
        assert parts[0] == "spaces"
        if len(parts) == 5:
            return self.on_list(parts[3]) or self._list(parts[3], request.query)
        return self.on_get(parts[3], parts[5]) or self._get(parts[3], parts[5])

    def _get(self, conversation_id, message_id):
        if message_id not in self.conversations.get(conversation_id, ()):
            return NOT_FOUND
        return Reply(self.message(conversation_id, message_id))

    def _list(self, conversation_id, query):
        if conversation_id not in self.conversations:
            return NOT_FOUND
        start = int(query.get("page_token", 0))
        end = start + min(self.page, int(query.get("page_size", 20)))
        ids = self.conversations[conversation_id]
        page = {"messages": [self.message(conversation_id, message_id) for message_id in ids[start:end]]}
        return Reply(page | ({"next_page_token": str(end)} if end < len(ids) else {}))

    @staticmethod
    def message(conversation_id, message_id):
        return {"message_id": message_id, "conversation_id": conversation_id, "content": f"about {message_id}"}


@pytest.fixture
def stub():
    with StubServer(Genie({"c": ["m1", "m2", "m3"]})).running() as server:
        yield server


def genie_at(server, *, threads=8, timeout=2.0, **options):
    workspaces = Workspaces(
        server.url, token=TOKEN, policy=HostPolicy(["127.0.0.1"]), threads=threads, timeouts=Timeouts(timeout)
    )
    options = {"retries": Retries(first_wait=0.01), "pacer_of": lambda _: Pacer(5000), **options}
    return GenieApi(workspaces, threads=threads, **options)


def ref(server, message_id="m1", conversation_id="c", space_id="s"):
    return MessageRef("1", server.url, space_id, conversation_id, message_id)


def wanting(server, *message_ids, conversation_id="c", endpoint="LIST", workspace_id="1", space_id="s"):
    return MessagesRequest(workspace_id, server.url, space_id, conversation_id, message_ids, endpoint)


def fetch(genie, *requests, seconds=20.0):
    return list(genie.fetch(requests, deadline=time.monotonic() + seconds))


def ids(result):
    return sorted(answer.body["message_id"] for answer in result.answers.values())


def test_a_message_comes_untouched_with_the_time_of_its_request(stub):
    genie = genie_at(stub)
    before = dt.datetime.now(dt.UTC)
    answer = genie.get_message(ref(stub))
    assert isinstance(answer, Answer)
    assert answer.body == {"message_id": "m1", "conversation_id": "c", "content": "about m1"}
    assert answer.endpoint == "GET"
    assert before <= answer.requested_at <= dt.datetime.now(dt.UTC)


@pytest.mark.parametrize("hostile", ["a/b", "../x", "a?b=c", "a#b", "a%2Fb", "a b", "ü😀", "a;b", "'--", "a\\b"])
def test_an_id_is_one_segment_of_the_path_whatever_is_in_it(stub, hostile):
    stub.answer = Genie({hostile: [hostile]})
    answer = genie_at(stub).get_message(ref(stub, hostile, hostile, hostile))
    assert isinstance(answer, Answer)
    assert answer.body["message_id"] == hostile
    assert [unquote(part) for part in stub.requests[-1].path.split("/")[5::2]] == [hostile] * 3
    assert stub.requests[-1].query == {}


@pytest.mark.parametrize("unusable", ["", ".", "..", "a\nb", "a\x00b", "x" * 300, "\ud800"])
def test_an_id_that_cannot_be_in_a_path_is_never_sent(stub, unusable):
    genie = genie_at(stub)
    for reference in (ref(stub, unusable), ref(stub, "m", unusable), ref(stub, "m", "c", unusable)):
        error = genie.get_message(reference)
        assert isinstance(error, FetchError)
        assert error.error_class is ErrorClass.BAD_REFERENCE
    result = fetch(genie, wanting(stub, unusable, "m1", endpoint="GET"))[0]
    assert (ids(result), result.errors[unusable].error_class) == (["m1"], ErrorClass.BAD_REFERENCE)
    result = fetch(genie, wanting(stub, "m1", "m2", conversation_id=unusable))[0]
    assert {error.error_class for error in result.errors.values()} == {ErrorClass.BAD_REFERENCE}
    assert result.requests_made == 0
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"message_id": "m2", "conversation_id": "c"},
        {"message_id": "m1", "conversation_id": "other"},
        {"message_id": ["m1"]},
        {},
        [{"message_id": "m1"}],
        "just text",
    ],
)
def test_an_answer_that_is_not_the_message_is_a_bad_payload(stub, body):
    """Stored under the asked id, it would overwrite a good message with somebody else's."""
    stub.answer = lambda _: Reply(body)
    error = genie_at(stub).get_message(ref(stub))
    assert isinstance(error, FetchError)
    assert (error.error_class, error.http_status) == (ErrorClass.BAD_PAYLOAD, 200)


def test_the_legacy_id_is_as_good(stub):
    stub.answer = lambda _: Reply({"id": "m1"})
    assert isinstance(genie_at(stub).get_message(ref(stub)), Answer)


def test_passing_trouble_is_retried_and_counted(stub):
    troubles = [
        Reply({}, 500),
        Reply({}, 429, {"Retry-After": "0"}),
        Reply({}, drop=True),
        Reply({"message_id": "m1"}, cut=True),
    ]
    stub.answer.on_get = lambda *_: troubles.pop() if troubles else None
    result = fetch(genie_at(stub), wanting(stub, "m1", endpoint="GET"))[0]
    assert (ids(result), result.requests_made, result.throttled) == (["m1"], 5, 1)


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


def test_pages_can_be_read_one_by_one_and_an_error_ends_them(stub):
    genie = genie_at(stub, retries=Retries(attempts=1))
    stub.answer = Genie({"c": ["m1", "m2", "m3"]}, page=2)
    assert [len(page) for page in genie.list_messages("1", stub.url, "s", "c")] == [2, 1]
    first_page = Reply({"messages": [Genie.message("c", "m1")], "next_page_token": "2"})
    stub.answer = lambda request: Reply({}, 500) if "page_token" in request.query else first_page
    pages = list(genie.list_messages("1", stub.url, "s", "c"))
    assert len(pages) == 2
    assert isinstance(pages[1], FetchError)


def test_spaces_are_listed_whole_or_with_an_error(stub):
    pages = {
        None: {"spaces": [{"space_id": "a"}, {"title": "no id"}], "next_page_token": "2"},
        "2": {"spaces": [{"space_id": "a"}, {"space_id": "b"}]},
    }
    stub.answer = lambda request: Reply(pages[request.query.get("page_token")])
    genie = genie_at(stub, retries=Retries(attempts=1))
    listed = genie.list_spaces("1", stub.url)
    assert ([answer.body["space_id"] for answer in listed.spaces], listed.error) == (["a", "b"], None)
    stub.answer = lambda request: DENIED if "page_token" in request.query else Reply(pages[None])
    listed = genie.list_spaces("1", stub.url)
    assert [answer.body["space_id"] for answer in listed.spaces] == ["a"]
    assert listed.error is not None
    assert listed.error.error_class is ErrorClass.PERMISSION


def test_a_space_is_read_with_its_configuration_on_demand(stub):
    stub.answer = lambda request: Reply({"space_id": "s", "query": request.query})
    genie = genie_at(stub)
    with_it = genie.get_space("1", stub.url, "s", include_serialized_space=True)
    without = genie.get_space("1", stub.url, "s")
    assert isinstance(with_it, Answer)
    assert isinstance(without, Answer)
    assert with_it.body["query"] == {"include_serialized_space": "true"}
    assert without.body["query"] == {}
    other = genie.get_space("1", stub.url, "t")
    assert isinstance(other, FetchError)
    assert other.error_class is ErrorClass.BAD_PAYLOAD


def test_requests_of_a_workspace_run_side_by_side_up_to_the_number_of_threads(stub):
    lock, flying, most = threading.Lock(), 0, 0

    def answer(request):
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.05)
        with lock:
            flying -= 1
        return Genie({f"c{number}": ["m"] for number in range(40)})(request)

    stub.answer = answer
    started = time.monotonic()
    results = fetch(genie_at(stub), *(wanting(stub, "m", conversation_id=f"c{number}") for number in range(40)))
    assert Counter(len(result.answers) for result in results) == {1: 40}
    assert most == 8
    assert time.monotonic() - started < 1.5  # one by one: 2 s at least


def test_a_slow_and_a_dead_workspace_do_not_hold_up_a_good_one(stub):
    with StubServer(lambda _: Reply({})).running() as dead:
        pass
    genie = genie_at(stub, threads=2, timeout=0.5, retries=Retries(attempts=2, first_wait=0.01))
    arrivals: dict[str, Any] = {}
    with StubServer(lambda _: Reply({}, hang_seconds=0.8)).running() as slow:
        servers = {"slow": slow, "dead": dead, "good": stub}
        requests = [
            wanting(server, "m1", workspace_id=name) for name, server in servers.items() for _ in range(30)
        ]
        for result in genie.fetch(requests, deadline=time.monotonic() + 3):
            arrivals.setdefault(result.request.workspace_id, []).append((time.monotonic(), result))
    assert all(ids(result) for _, result in arrivals["good"])
    assert arrivals["good"][-1][0] < arrivals["slow"][0][0]
    assert not any(ids(result) for _, result in arrivals["slow"])
    assert {result.errors["m1"].error_class for _, result in arrivals["dead"]} == {ErrorClass.NETWORK}
    assert [len(arrivals[name]) for name in ("slow", "dead", "good")] == [30, 30, 30]


def test_a_workspace_that_only_fails_is_given_up_for_this_time(stub):
    stub.answer = lambda _: Reply({"error_code": "UNAUTHENTICATED"}, 401)
    requests = [wanting(stub, "m1", conversation_id=f"c{number}") for number in range(120)]
    results = fetch(genie_at(stub, threads=4), *requests)
    assert len(results) == 120
    assert {result.errors["m1"].error_class for result in results} == {ErrorClass.AUTH}
    assert len(stub.requests) < 20
    assert sum(result.requests_made for result in results) == len(stub.requests)


def test_single_bad_messages_do_not_give_up_a_workspace(stub):
    conversations = {f"c{number}": ["m1"] for number in range(80)}
    stub.answer = Genie(conversations)
    stub.answer.on_list = lambda conversation_id: DENIED if conversation_id[-1] in "1234567" else None
    stub.answer.on_get = lambda *_: DENIED
    results = fetch(
        genie_at(stub, threads=4), *(wanting(stub, "m1", conversation_id=name) for name in conversations)
    )
    assert Counter(len(result.answers) for result in results) == {0: 56, 1: 24}


def test_a_workspace_without_an_address_fails_without_a_request(stub):
    results = list(
        genie_at(stub).fetch(
            [MessagesRequest("9", None, "s", "c", ("m1", "m2"), "LIST")], deadline=time.monotonic() + 5
        )
    )
    assert {error.error_class for error in results[0].errors.values()} == {ErrorClass.CONFIG}
    assert set(results[0].errors) == {"m1", "m2"}
    assert results[0].requests_made == 0


def test_nothing_is_sent_after_the_deadline_and_the_rest_is_not_attempted(stub):
    stub.answer = Genie({f"c{number}": ["m1"] for number in range(200)})
    genie = genie_at(stub, threads=2, pacer_of=lambda _: Pacer(20))
    started = time.monotonic()
    requests = [wanting(stub, "m1", "m2", conversation_id=f"c{number}") for number in range(200)]
    results = fetch(genie, *requests, seconds=0.5)
    assert len(results) == 200
    for result in results:
        wanted = Counter(("m1", "m2"))
        assert Counter(ids(result)) + Counter(list(result.errors)) + Counter(result.not_attempted) == wanted
    assert not any(result.errors.get("m1") for result in results)
    assert sum(bool(result.not_attempted) for result in results) > 150
    # At this pace all of them would take twenty seconds.
    assert max(request.at for request in stub.requests) < started + 5


def test_no_retry_waits_beyond_the_deadline(stub):
    stub.answer = lambda _: Reply({}, 503, {"Retry-After": "30"})
    started = time.monotonic()
    result = fetch(genie_at(stub), wanting(stub, "m1", endpoint="GET"), seconds=1)[0]
    assert result.errors["m1"].error_class is ErrorClass.SERVER
    assert time.monotonic() - started < 15  # the server asked for thirty seconds


def test_results_wait_for_whoever_takes_them_so_that_memory_stays_flat(stub):
    stub.answer = Genie({f"c{number}": ["m1"] for number in range(120)})
    requests = [wanting(stub, "m1", conversation_id=f"c{number}") for number in range(120)]
    results = genie_at(stub, threads=4).fetch(requests, deadline=time.monotonic() + 30)
    next(results)
    time.sleep(0.5)
    assert len(stub.requests) <= 1 + 4 * 2 + 4
    assert len(list(results)) == 119


def test_whoever_stops_taking_results_stops_the_work(stub):
    stub.answer = Genie({f"c{number}": ["m1"] for number in range(120)})
    before = threading.active_count()
    requests = [wanting(stub, "m1", conversation_id=f"c{number}") for number in range(120)]
    results = genie_at(stub, threads=4).fetch(requests, deadline=time.monotonic() + 30)
    next(results)
    results.close()
    time.sleep(0.6)
    sent = len(stub.requests)
    time.sleep(0.2)
    assert len(stub.requests) == sent < 30
    assert threading.active_count() <= before + 4  # the server's own, one per open connection


def test_a_defect_in_the_work_is_not_swallowed(stub):
    def broken(_workspace_id):
        raise KeyError("defect")

    with pytest.raises(KeyError, match="defect"):
        fetch(genie_at(stub, pacer_of=broken), wanting(stub, "m1"))


@pytest.mark.slow
def test_an_allowed_rate_is_used_up_over_the_wire_and_little_is_refused(stub):
    """Like the simulation, with real threads, sockets and clocks; short, so it includes the search."""
    limit, burst = 40.0, 20.0
    lock, tokens, filled_at, refused = threading.Lock(), burst, time.monotonic(), 0
    genie_server = Genie({f"c{number}": ["m1"] for number in range(600)})

    def answer(request):
        nonlocal tokens, filled_at, refused
        with lock:
            now = time.monotonic()
            tokens = min(burst, tokens + (now - filled_at) * limit)
            filled_at = now
            if tokens < 1:
                refused += 1
                return Reply({"error_code": "REQUEST_LIMIT_EXCEEDED"}, 429, {"Retry-After": "1"})
            tokens -= 1
        time.sleep(0.05)
        return genie_server(request)

    stub.answer = answer
    started = time.monotonic()
    requests = [wanting(stub, "m1", conversation_id=f"c{number}") for number in range(600)]
    results = fetch(genie_at(stub, threads=16, pacer_of=lambda _: Pacer(50)), *requests, seconds=60)
    seconds = time.monotonic() - started
    assert all(ids(result) for result in results)
    assert 600 / seconds >= 0.8 * limit
    assert refused == sum(result.throttled for result in results) < 0.03 * len(stub.requests)


@pytest.mark.parametrize("unnamed", [None, ""])
@pytest.mark.parametrize("endpoint", ["GET", "LIST"])
def test_a_message_that_does_not_name_its_conversation_is_taken(stub, unnamed, endpoint):
    body = {"message_id": "m1", "conversation_id": unnamed}
    stub.answer = lambda request: Reply(body if request.path.endswith("/m1") else {"messages": [body]})
    (result,) = fetch(genie_at(stub), wanting(stub, "m1", endpoint=endpoint))
    assert ids(result) == ["m1"]


def test_an_empty_object_in_place_of_a_list_is_an_empty_page(stub):
    stub.answer = lambda _: Reply({"spaces": {}})
    listed = genie_at(stub).list_spaces("1", stub.url)
    assert (listed.spaces, listed.error) == ((), None)


@pytest.mark.parametrize(
    ("message", "error_class"),
    [
        ("RPC token bucket limit has been exceeded", ErrorClass.RATE_LIMITED),
        ("Unexpected error", ErrorClass.SERVER),
    ],
)
def test_a_400_that_databricks_says_will_pass_is_retried_and_not_the_messages_fault(stub, message, error_class):
    stub.answer = lambda _: Reply({"error_code": "BAD_REQUEST", "message": message}, 400)
    answer = genie_at(stub, retries=Retries(attempts=3, first_wait=0.01)).get_message(ref(stub))
    assert isinstance(answer, FetchError)
    assert (answer.error_class, answer.http_status, len(stub.requests)) == (error_class, 400, 3)


def test_a_probe_asks_for_one_conversation_of_anybody(stub):
    stub.answer = lambda _: Reply({})
    assert genie_at(stub).may_read("1", stub.url, "s") is None
    assert stub.requests[-1].query == {"include_all": "true", "page_size": "1"}
    stub.answer = lambda _: DENIED
    refused = genie_at(stub).may_read("1", stub.url, "s")
    assert refused is not None
    assert refused.error_class is ErrorClass.PERMISSION
