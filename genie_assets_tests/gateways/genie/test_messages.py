"""Single messages, against a real HTTP server that each test programs."""

import datetime as dt
from urllib.parse import unquote

import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets_tests.gateways.genie.server import Genie, fetch, genie_at, ids, message, wanting
from genie_assets_tests.gateways.stub_server import Reply


def test_a_message_comes_untouched_with_the_time_of_its_request(stub):
    genie = genie_at(stub)
    before = dt.datetime.now(dt.UTC)
    answer = message(genie, stub)
    assert isinstance(answer, Answer)
    assert answer.body == {"message_id": "m1", "conversation_id": "c", "content": "about m1"}
    assert answer.endpoint == "GET"
    assert before <= answer.requested_at <= dt.datetime.now(dt.UTC)


@pytest.mark.parametrize("hostile", ["a/b", "../x", "a?b=c", "a#b", "a%2Fb", "a b", "ü😀", "a;b", "'--", "a\\b"])
def test_an_id_is_one_segment_of_the_path_whatever_is_in_it(stub, hostile):
    stub.answer = Genie({hostile: [hostile]})
    answer = message(genie_at(stub), stub, hostile, hostile, hostile)
    assert isinstance(answer, Answer)
    assert answer.body["message_id"] == hostile
    assert [unquote(part) for part in stub.requests[-1].path.split("/")[5::2]] == [hostile] * 3
    assert stub.requests[-1].query == {}


@pytest.mark.parametrize("unusable", ["", ".", "..", "a\nb", "a\x00b", "x" * 300, "\ud800"])
def test_an_id_that_cannot_be_in_a_path_is_never_sent(stub, unusable):
    genie = genie_at(stub)
    for place in ((unusable,), ("m", unusable), ("m", "c", unusable)):
        error = message(genie, stub, *place)
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
    error = message(genie_at(stub), stub)
    assert isinstance(error, FetchError)
    assert (error.error_class, error.http_status) == (ErrorClass.BAD_PAYLOAD, 200)


def test_the_legacy_id_is_as_good(stub):
    stub.answer = lambda _: Reply({"id": "m1"})
    assert isinstance(message(genie_at(stub), stub), Answer)


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


@pytest.mark.parametrize("unnamed", [None, ""])
@pytest.mark.parametrize("endpoint", ["GET", "LIST"])
def test_a_message_that_does_not_name_its_conversation_is_taken(stub, unnamed, endpoint):
    body = {"message_id": "m1", "conversation_id": unnamed}
    stub.answer = lambda request: Reply(body if request.path.endswith("/m1") else {"messages": [body]})
    (result,) = fetch(genie_at(stub), wanting(stub, "m1", endpoint=endpoint))
    assert ids(result) == ["m1"]


@pytest.mark.parametrize(
    ("text", "error_class"),
    [
        ("RPC token bucket limit has been exceeded", ErrorClass.RATE_LIMITED),
        ("Unexpected error", ErrorClass.SERVER),
    ],
)
def test_a_400_that_databricks_says_will_pass_is_retried_and_not_the_messages_fault(stub, text, error_class):
    stub.answer = lambda _: Reply({"error_code": "BAD_REQUEST", "message": text}, 400)
    answer = message(genie_at(stub, retries=Retries(attempts=3, first_wait=0.01)), stub)
    assert isinstance(answer, FetchError)
    assert (answer.error_class, answer.http_status, len(stub.requests)) == (error_class, 400, 3)


@pytest.mark.parametrize("asked", ["3600", "Fri, 27 Nov 2099 00:00:00 GMT", "1e300"])
@pytest.mark.parametrize("status", [429, 503])
def test_messages_of_which_the_server_asks_for_hours_hold_up_no_other(stub, asked, status):
    """Each of them held its whole workspace for a minute; when they are due again, says their ledger."""
    odd, naps = ("m1", "m2", "m3"), [0.0]
    stub.answer = Genie({"c": [*odd, "m4", "m5"]})
    refusal = Reply({}, status, {"Retry-After": asked})
    stub.answer.on_get = lambda _, message_id: refusal if message_id in odd else None
    genie = genie_at(stub, pacer_of=lambda _: Pacer(50, clock=lambda: sum(naps), sleep=naps.append))
    results = fetch(genie, *(wanting(stub, message_id, endpoint="GET") for message_id in (*odd, "m4", "m5")))
    errors = {name: error for result in results for name, error in result.errors.items()}
    assert errors.keys() == set(odd)
    assert all(error.asks_for_long and error.was_asked for error in errors.values())
    assert sorted(name for result in results for name in ids(result)) == ["m4", "m5"]
    assert len(stub.requests) == 5
    assert sum(naps) < 10


def test_a_workspace_that_asks_for_an_hour_whatever_is_wanted_is_soon_left_alone(stub):
    stub.answer.on_get = lambda *_: Reply({}, 429, {"Retry-After": "3600"})
    naps = [0.0]
    genie = genie_at(stub, threads=1, pacer_of=lambda _: Pacer(5000, clock=lambda: sum(naps), sleep=naps.append))
    results = fetch(genie, *(wanting(stub, f"m{number}", endpoint="GET") for number in range(60)))
    errors = [error for result in results for error in result.errors.values()]
    assert (len(errors), len(stub.requests)) == (60, 25)
    assert sum(error.was_asked for error in errors) == 25
    assert {error.retry_after_seconds for error in errors} == {3600}


def test_messages_that_are_refused_whatever_the_pace_do_not_slow_the_others(stub):
    """A pace that was halved at every try of two of them had the others wait seconds for each request."""
    odd, naps = {"m10", "m20"}, [0.0]
    many = [f"m{number}" for number in range(60)]
    stub.answer = Genie({"c": many})
    stub.answer.on_get = lambda _, message_id: Reply({}, 429) if message_id in odd else None
    pacer = Pacer(50, clock=lambda: sum(naps), sleep=naps.append)
    genie = genie_at(stub, threads=4, pacer_of=lambda _: pacer, retries=Retries(first_wait=0.1))
    results = fetch(genie, *(wanting(stub, message_id, endpoint="GET") for message_id in many))
    assert {name for result in results for name in result.errors} == odd
    assert len(stub.requests) == 58 + 2 * 5
    assert pacer.rate > 6  # each of them may slow it once
