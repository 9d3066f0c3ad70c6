"""Many requests over many workspaces: side by side, until the deadline, and no faster than they are taken."""

import threading
import time
from collections import Counter
from typing import Any

import pytest

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.requests import MessagesRequest
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets_tests.gateways.genie.server import DENIED, Genie, fetch, genie_at, ids, wanting
from genie_assets_tests.gateways.stub_server import Reply, StubServer


def test_requests_of_a_workspace_run_side_by_side_up_to_the_number_of_threads(stub):
    lock, flying, most = threading.Lock(), 0, 0

    def answer(request):
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.15)
        with lock:
            flying -= 1
        return Genie({f"c{number}": ["m"] for number in range(40)})(request)

    stub.answer, genie = answer, genie_at(stub)
    fetch(genie, wanting(stub, "m", conversation_id="c0"))  # the first list of a workspace goes alone
    results = fetch(genie, *(wanting(stub, "m", conversation_id=f"c{number}") for number in range(40)))
    assert Counter(len(result.answers) for result in results) == {1: 40}
    assert most == 8


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


@pytest.mark.long
def test_an_allowed_rate_is_found_over_the_wire_and_little_is_refused(stub):
    """Like the simulation, with real threads, sockets and clocks; how fast it is there, `benchmarks` measures."""
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
    requests = [wanting(stub, "m1", conversation_id=f"c{number}") for number in range(600)]
    results = fetch(genie_at(stub, threads=16, pacer_of=lambda _: Pacer(50)), *requests, seconds=60)
    assert all(ids(result) for result in results)
    assert refused == sum(result.throttled for result in results) < 0.03 * len(stub.requests)


def test_a_run_begins_with_the_pace_on_which_an_earlier_one_has_settled(stub):
    pacer = Pacer(5000)
    genie = genie_at(stub, pacer_of=lambda _: pacer)
    genie.expect_pace({"1": 40.0, "another": 7.0})
    assert [ids(result) for result in fetch(genie, wanting(stub, "m1"))] == [["m1", "m2", "m3"]]
    assert pacer.rate == pytest.approx(40.0, rel=0.1)
    assert genie.settled_pace() == {"1": 40.0, "another": 7.0}
