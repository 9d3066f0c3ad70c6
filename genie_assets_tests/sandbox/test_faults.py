"""Every fault does on the wire what it says, hits what it is about, and counts how often it did."""

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from databricks.sdk import errors
from hypothesis import given
from hypothesis import strategies as st

from genie_assets_tests.sandbox.accounts import ELSEWHERE, FIRST, MESSAGES, SALES, SECOND
from genie_assets_tests.sandbox.wire import Reply, call, genie_path, workspace_client
from genie_sandbox.client import SandboxProcess
from genie_sandbox.server.faults import Bucket, FaultBook
from genie_sandbox.server.request import Request

MESSAGE = genie_path(SALES, "talk", "m000")
TALK = genie_path(SALES, "talk")


@pytest.fixture
def faulty(sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    sandbox.reset_requests()
    yield sandbox
    sandbox.clear_faults()


def get(sandbox: SandboxProcess, path: str = MESSAGE) -> Reply:
    return call(sandbox.host, path, sandbox.token)


def statuses(sandbox: SandboxProcess, count: int, path: str = MESSAGE) -> list[int]:
    return [get(sandbox, path).status for _ in range(count)]


class TestRefusals:
    @pytest.mark.parametrize(
        ("rule", "error", "text"),
        [
            ({"status": 500}, errors.InternalError, "A fault was injected"),
            ({"status": 500, "body": "html", "message": "Bad day"}, errors.InternalError, "Bad day"),
            ({"status": 502, "body": "text"}, errors.DatabricksError, "upstream connect error"),
            ({"status": 504, "body": "empty"}, errors.DeadlineExceeded, "Gateway Timeout"),
            ({"status": 500, "body": "unparseable"}, errors.InternalError, "unable to parse response"),
            ({"status": 401}, errors.Unauthenticated, "A fault"),
            ({"status": 403, "message": "no"}, errors.PermissionDenied, "no"),
            ({"status": 400, "error_code": "FEATURE_DISABLED"}, errors.BadRequest, "A fault"),
        ],
    )
    def test_the_sdk_sees_the_status_and_body_that_were_asked_for(
        self, faulty: SandboxProcess, rule: dict[str, Any], error: type[Exception], text: str
    ) -> None:
        client = workspace_client(faulty)
        faulty.faults({"effect": "status", "route": "get_message"} | rule)
        with pytest.raises(error, match=text) as caught:
            client.api_client.do("GET", MESSAGE)
        if "error_code" in rule:
            assert getattr(caught.value, "error_code", None) == rule["error_code"]
        assert get(faulty, genie_path(SALES)).status == 200

    def test_the_text_of_a_proxy_makes_the_sdk_leak_its_token(self, faulty: SandboxProcess) -> None:
        """Production code must scrub this; it can only be tested against a server that provokes it."""
        client = workspace_client(faulty)
        token = client.config.authenticate()["Authorization"]
        faulty.faults({"effect": "status", "status": 503, "body": "text", "route": "get_message"})
        with pytest.raises(errors.TemporarilyUnavailable) as caught:
            client.api_client.do("GET", MESSAGE)
        assert token in str(caught.value)

    @pytest.mark.parametrize("value", [None, 0, 7, 86400, "1.5", "soon"])
    def test_retry_after_is_sent_as_asked(self, faulty: SandboxProcess, value: Any) -> None:
        faulty.faults({"effect": "status", "status": 429, "retry_after": value})
        assert get(faulty).headers["Retry-After"] == (None if value is None else str(value))

    @pytest.mark.parametrize(("value", "seconds"), [("date", 1), ("date:90", 90), ("date:-60", -60)])
    def test_retry_after_may_be_a_date(self, faulty: SandboxProcess, value: str, seconds: int) -> None:
        faulty.faults({"effect": "status", "status": 503, "retry_after": value})
        date = parsedate_to_datetime(str(get(faulty).headers["Retry-After"]))
        assert date.timestamp() - time.time() == pytest.approx(seconds, abs=2)

    def test_a_page_in_place_of_json_is_a_success_that_cannot_be_read(self, faulty: SandboxProcess) -> None:
        client = workspace_client(faulty)
        faulty.faults({"effect": "non_json", "route": "get_message"})
        assert get(faulty).headers["Content-Type"].startswith("text/html")
        with pytest.raises(requests.exceptions.JSONDecodeError):
            client.api_client.do("GET", MESSAGE)

    @pytest.mark.parametrize("value", ["[]", "null", "17"])
    def test_json_need_not_be_an_object(self, faulty: SandboxProcess, value: str) -> None:
        faulty.faults({"effect": "json_not_object", "json": value})
        reply = get(faulty)
        assert (reply.status, reply.body.decode()) == (200, value)

    def test_a_dropped_connection_is_no_answer_at_all(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "drop", "times": 1})
        with pytest.raises(http.client.RemoteDisconnected):
            get(faulty)
        assert get(faulty).status == 200
        assert [entry["count"] for entry in faulty.requests()["counts"] if entry["status"] == 0] == [1]

    def test_the_sdk_survives_a_dropped_connection(self, faulty: SandboxProcess) -> None:
        client = workspace_client(faulty)
        faulty.faults({"effect": "drop", "times": 1, "route": "get_message"})
        message: Any = client.api_client.do("GET", MESSAGE)
        assert message["message_id"] == "m000"

    def test_a_rate_limit_lets_through_what_it_allows_in_each_workspace(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "rate_limit", "requests_per_second": 10, "burst": 5, "retry_after": 2})
        began = time.monotonic()
        found = statuses(faulty, 60)
        elapsed = time.monotonic() - began
        allowed = found.count(200)
        assert found[:5] == [200] * 5
        assert 429 in found
        assert 5 <= allowed <= 5 + 10 * elapsed + 1
        assert faulty.requests()["rate_limited"] == 60 - allowed
        elsewhere = genie_path(ELSEWHERE, "talk", "m000")
        assert call(faulty.urls[SECOND], elsewhere, faulty.token).status == 200
        time.sleep(0.15)
        assert get(faulty).status == 200

    def test_a_rate_limit_names_the_wait(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "rate_limit", "requests_per_second": 0.01, "burst": 1, "retry_after": None})
        assert statuses(faulty, 2) == [200, 429]
        reply = get(faulty)
        assert reply.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
        assert reply.headers["Retry-After"] is None


class TestDelays:
    def test_latency_delays_every_answer_but_not_the_requests_beside_it(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "latency", "latency_ms": 200, "jitter_ms": 20})
        began = time.monotonic()
        with ThreadPoolExecutor(10) as pool:
            assert set(pool.map(lambda _: get(faulty).status, range(10))) == {200}
        assert 0.2 <= time.monotonic() - began < 1.9  # one after the other: 2 s
        assert faulty.requests()["max_in_flight"] == 10

    def test_a_hanging_request_is_answered_in_the_end(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "hang", "seconds": 0.3, "times": 1})
        began = time.monotonic()
        assert get(faulty).json()["message_id"] == "m000"
        assert time.monotonic() - began >= 0.3


class TestSpoiledAnswers:
    def test_a_truncated_answer_is_complete_http_with_half_a_json(self, faulty: SandboxProcess) -> None:
        whole = get(faulty).body
        faulty.faults({"effect": "truncate"})
        reply = get(faulty)
        assert reply.status == 200
        assert reply.body == whole[: len(whole) // 2]
        assert int(reply.headers["Content-Length"]) == len(reply.body)

    @pytest.mark.parametrize("keep", [0, 0.5])
    def test_a_cut_answer_ends_before_its_length(self, faulty: SandboxProcess, keep: float) -> None:
        whole = get(faulty).body
        faulty.faults({"effect": "cut", "keep": keep})
        with pytest.raises(http.client.IncompleteRead) as caught:
            get(faulty)
        assert caught.value.partial == whole[: int(len(whole) * keep)]

    def test_a_dripping_answer_comes_whole_but_slowly(self, faulty: SandboxProcess) -> None:
        whole = get(faulty).body
        faulty.faults({"effect": "slow_drip", "seconds": 0.4, "pieces": 8})
        began = time.monotonic()
        assert get(faulty).body == whole
        assert time.monotonic() - began >= 0.39

    def test_the_content_type_may_be_wrong(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "wrong_content_type"})
        assert get(faulty).headers["Content-Type"].startswith("text/plain")

    @pytest.mark.parametrize("path", [MESSAGE, TALK])
    def test_a_foreign_message_has_the_id_of_another(self, faulty: SandboxProcess, path: str) -> None:
        faulty.faults({"effect": "foreign_message"})
        value = get(faulty, path).json()
        message = value.get("messages", [value])[0]
        assert message["content"] == "Question m000"
        assert message["message_id"] in {other.message_id for other in MESSAGES} - {"m000"}

    def test_an_oversize_message_is_as_big_as_asked(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "oversize", "megabytes": 3})
        reply = get(faulty)
        assert len(reply.body) >= 3_000_000
        assert reply.json()["message_id"] == "m000"

    def test_spoilers_leave_refusals_readable_as_such(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "foreign_message"}, {"effect": "oversize", "megabytes": 1})
        assert get(faulty, genie_path(SALES, "talk", "nobody")).status == 404


class TestSettings:
    def test_pages_may_be_smaller_than_asked(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "max_page_size", "limit": 7})
        page = get(faulty, f"{TALK}?page_size=100").json()
        assert len(page["messages"]) == 7
        following = get(faulty, f"{TALK}?page_size=100&page_token={page['next_page_token']}").json()
        assert following["messages"][0]["message_id"] == "m007"

    def test_lists_may_come_newest_first(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "newest_first"})
        found = [message["message_id"] for message in get(faulty, f"{TALK}?page_size=3").json()["messages"]]
        assert found == ["m129", "m128", "m127"]

    def test_a_page_token_may_lead_in_circles(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "repeat_page_token"})
        first = get(faulty, TALK).json()
        again = get(faulty, f"{TALK}?page_token={first['next_page_token']}").json()
        assert again == first

    def test_tokens_may_live_shorter_than_they_say(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "token_ttl", "seconds": 0.5, "told_seconds": 3600})
        client = workspace_client(faulty)
        message: Any = client.api_client.do("GET", MESSAGE)
        assert message["message_id"] == "m000"
        time.sleep(0.55)
        with pytest.raises(errors.Unauthenticated, match="expired"):
            client.api_client.do("GET", MESSAGE)

    def test_clients_renew_tokens_that_are_told_to_be_short(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "token_ttl", "seconds": 1})
        client = workspace_client(faulty)
        for _ in range(3):
            message: Any = client.api_client.do("GET", MESSAGE)
            assert message["message_id"] == "m000"
            time.sleep(0.5)
        assert faulty.requests()["by_route"]["token"] > 1


class TestWhatIsHit:
    def test_a_rule_is_about_the_ids_it_names(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "status", "status": 500, "message_id": "m001", "workspace_id": FIRST})
        assert statuses(faulty, 1, genie_path(SALES, "talk", "m001")) == [500]
        assert statuses(faulty, 1) == [200]
        assert call(faulty.urls[SECOND], genie_path(ELSEWHERE, "talk", "m000"), faulty.token).status == 200

    def test_every_and_times_say_how_often(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "status", "status": 500, "every": 3, "times": 2, "id": "mine"})
        assert statuses(faulty, 10) == [200, 200, 500, 200, 200, 500, 200, 200, 200, 200]
        (rule,) = faulty.fault_report()
        assert (rule["id"], rule["met"], rule["fired"]) == ("mine", 10, 2)

    def test_chance_follows_the_seed(self, faulty: SandboxProcess) -> None:
        rule = {"effect": "status", "status": 500, "probability": 0.5, "id": "coin"}
        runs = []
        for seed in (1, 1, 2):
            faulty.faults(rule | {"seed": seed})
            runs.append(statuses(faulty, 40))
        assert runs[0] == runs[1] != runs[2]
        assert 8 <= runs[0].count(500) <= 32

    def test_rules_compose(self, faulty: SandboxProcess) -> None:
        faulty.faults(
            {"effect": "latency", "latency_ms": 100, "id": "slow"},
            {"effect": "status", "status": 500, "id": "first"},
            {"effect": "status", "status": 503, "id": "second"},
            {"effect": "truncate", "keep": 0.1, "id": "half"},
        )
        began = time.monotonic()
        reply = get(faulty)
        assert time.monotonic() - began >= 0.1
        assert reply.status == 500
        with pytest.raises(json.JSONDecodeError):
            reply.json()
        fired = {rule["id"]: rule["fired"] for rule in faulty.fault_report()}
        assert fired == {"slow": 1, "first": 1, "second": 0, "half": 1}

    def test_what_is_dropped_is_not_counted_as_spoiled(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "truncate", "times": 1}, {"effect": "drop", "times": 1})
        with pytest.raises(http.client.RemoteDisconnected):
            get(faulty)
        assert [rule["fired"] for rule in faulty.fault_report()] == [0, 1]
        with pytest.raises(json.JSONDecodeError):
            get(faulty).json()

    def test_cleared_faults_are_gone(self, faulty: SandboxProcess) -> None:
        faulty.faults({"effect": "status", "status": 500})
        faulty.clear_faults()
        assert (statuses(faulty, 1), faulty.fault_report()) == ([200], [])

    @pytest.mark.parametrize(
        ("rule", "reason"),
        [
            ({"effect": "explode"}, "unknown effect"),
            ({"effect": "status"}, "needs status"),
            ({"effect": "status", "status": "500"}, "option status"),
            ({"effect": "status", "status": 500, "boddy": "text"}, "no option 'boddy'"),
            ({"effect": "status", "status": 500, "route": "nowhere"}, "unknown route"),
            ({"effect": "status", "status": 500, "retry_after": "date:x"}, "option retry_after"),
            ({"effect": "status", "status": 500, "retry_after": "a\r\nb: c"}, "option retry_after"),
            ({"effect": "drop", "probability": 2}, "option probability"),
        ],
    )
    def test_an_unusable_rule_is_refused_and_switches_nothing_on(
        self, faulty: SandboxProcess, rule: dict[str, Any], reason: str
    ) -> None:
        with pytest.raises(RuntimeError, match=reason):
            faulty.faults({"effect": "drop"}, rule)
        assert faulty.fault_report() == []


@given(
    st.floats(0.1, 1000),
    st.floats(1, 100),
    st.lists(st.floats(0, 0.5, allow_subnormal=False), min_size=1, max_size=200),
)
def test_a_bucket_gives_no_more_than_size_and_rate_allow(rate: float, size: float, gaps: list[float]) -> None:
    now, given_out = 0.0, 0
    bucket = Bucket(rate, size, size, now)
    for gap in gaps:
        now += gap
        given_out += bucket.take(now)
    assert given_out <= size + now * rate + 1e-6
    assert given_out >= min(len(gaps), int(size))


def test_settings_do_not_hit_routes_they_mean_nothing_to() -> None:
    book = FaultBook()
    book.add([{"effect": "token_ttl", "seconds": 1}, {"effect": "max_page_size", "limit": 1}])
    request = Request("GET", b"/", b"", FIRST, "get_message")
    assert book.plan(request).rules == ()
    assert [rule["met"] for rule in book.report()] == [0, 0]
