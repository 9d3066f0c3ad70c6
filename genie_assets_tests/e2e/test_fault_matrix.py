"""Every fault, alone and mixed: it lands in its class, costs no message, and leaves nothing behind."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.outcomes import ErrorClass, error_type
from genie_assets.domain.requests import FetchResult, MessagesRequest
from genie_assets.domain.tables import GENIE_API_MESSAGES, MESSAGE_DETAILS, MESSAGE_FETCH_ERRORS
from genie_assets.pipeline.waiting import due_days
from genie_assets_tests.e2e.faulty import ATTEMPTS, DAY, HOUR, NOW, UNTIL_DUE, Faulty, account, asked
from genie_assets_tests.e2e.pipelines import sandbox_of
from genie_assets_tests.sandbox.accounts import ELSEWHERE, FIRST, SALES, SECOND
from genie_sandbox.client import SandboxProcess

pytestmark = pytest.mark.slow

# Fetched by one LIST and three GETs.
FEW = (*(asked(f"few{n}", "talk") for n in range(5)), *(asked(f"alone{n}", f"alone{n}") for n in range(3)))
HERE = tuple(asked(f"here{n}", f"here{n}") for n in range(60))
THERE = tuple(asked(f"there{n}", f"there{n}", workspace_id=SECOND, space_id=ELSEWHERE) for n in range(60))
CONVERSATIONS = {each.conversation_id for each in FEW}
# Two pages.
LONG = tuple(asked(f"long{n:03}", "long") for n in range(130))
MANY = (
    *(asked(f"many{n}-{m}", f"many{n}") for n in range(12) for m in range(5)),
    *(asked(f"single{n}", f"single{n}") for n in range(40)),
    *(asked(f"elsewhere{n}", f"elsewhere{n}", workspace_id=SECOND, space_id=ELSEWHERE) for n in range(40)),
)

# The way to the API is at fault: a run that met nothing else has failed.
OF_THE_WAY = {"AUTH", "CONFIG", "NETWORK", "TIMEOUT", "SERVER", "RATE_LIMITED"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(
        account([*FEW, *LONG, *MANY, *SPELT, *HERE, *THERE]), tmp_path_factory.mktemp("account"), sql=False
    ) as running:
        yield running


@pytest.fixture
def sandbox(server: SandboxProcess) -> Iterator[SandboxProcess]:
    server.reset_requests()
    yield server
    server.clear_faults()


@pytest.fixture
def few(sandbox: SandboxProcess, tmp_path: Path) -> Faulty:
    return Faulty(sandbox, tmp_path, FEW)


@dataclass(frozen=True)
class Fault:
    """A fault, where it belongs in the ledger, and whether trying again at once heals one that passes."""

    rule: dict[str, Any]
    error_class: ErrorClass
    http_status: int | None
    is_passing: bool = True
    client: dict[str, Any] = field(default_factory=dict)


def status(code: int, error_class: ErrorClass, *, is_passing: bool = True, **options: Any) -> Fault:
    return Fault({"effect": "status", "status": code, **options}, error_class, code, is_passing)


IMPATIENT: dict[str, Any] = {"timeout_seconds": 1.0}

FAULTS: dict[str, Fault] = {
    "429 without Retry-After": status(429, ErrorClass.RATE_LIMITED),
    "429 with seconds": status(429, ErrorClass.RATE_LIMITED, retry_after=1),
    "429 with a date": status(429, ErrorClass.RATE_LIMITED, retry_after="date"),
    "500": status(500, ErrorClass.SERVER),
    "503 with Retry-After": status(503, ErrorClass.SERVER, retry_after=1),
    "a dropped connection": Fault({"effect": "drop"}, ErrorClass.NETWORK, None),
    "a hanging connection": Fault({"effect": "hang", "seconds": 3}, ErrorClass.TIMEOUT, None, client=IMPATIENT),
    "a truncated body": Fault({"effect": "truncate"}, ErrorClass.BAD_PAYLOAD, 200),
    "a body that is cut off": Fault({"effect": "cut"}, ErrorClass.NETWORK, None),
    "a login page": Fault({"effect": "non_json"}, ErrorClass.BAD_PAYLOAD, 200),
    "JSON that is no object": Fault({"effect": "json_not_object"}, ErrorClass.BAD_PAYLOAD, 200, is_passing=False),
    "401": status(401, ErrorClass.AUTH, is_passing=False),
    "403": status(403, ErrorClass.PERMISSION, is_passing=False),
    "404": status(404, ErrorClass.NOT_FOUND, is_passing=False),
    "404 that speaks of the API": status(
        404, ErrorClass.CONFIG, is_passing=False, error_code="ENDPOINT_NOT_FOUND"
    ),
    "400": status(400, ErrorClass.BAD_REFERENCE, is_passing=False, error_code="INVALID_PARAMETER_VALUE"),
    "410": status(410, ErrorClass.NOT_FOUND, is_passing=False, error_code="GONE"),
}


def assert_open_errors(few: Faulty, faults: dict[str, Fault]) -> None:
    """Every message is an open error; its conversation's fault says of which class."""
    errors = few.errors()
    assert errors.keys() == few.messages.keys()
    for row in errors.values():
        fault = faults[row["conversation_id"]]
        assert (row["error_class"], row["http_status"]) == (fault.error_class, fault.http_status), row
        assert row["error_type"] == error_type(fault.error_class)
        assert (row["retry_count"], row["event_date"]) == (0, DAY)
        assert row["first_error_timestamp"] == row["error_timestamp"] == NOW
        assert not row["resolved"]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_lasting_fault_is_an_open_error_of_its_class_and_heals_when_it_ends(few, fault):
    few.sandbox.faults(fault.rule)
    run = few.run(**fault.client)
    assert run.success == (fault.error_class not in OF_THE_WAY)
    assert_open_errors(few, dict.fromkeys(CONVERSATIONS, fault))
    assert few.rows(GENIE_API_MESSAGES) == {}
    assert (run.numbers["failed"], run.numbers["not_attempted"]) == (len(FEW), 0)
    few.assert_accounted_for()

    few.sandbox.clear_faults()
    assert due_days(few.lake, few.time) == {}
    few.time += UNTIL_DUE
    if fault.error_class is ErrorClass.BAD_REFERENCE:
        # Ids that the API refuses will not get better: such a message is not asked for again by itself.
        assert due_days(few.lake, few.time) == {}
        return
    assert due_days(few.lake, few.time) == {DAY: len(FEW)}
    assert few.run().success
    assert len(few.rows(MESSAGE_FETCH_ERRORS)) == len(FEW)
    few.assert_healed()


def test_an_error_that_is_not_due_asks_nobody(few):
    few.sandbox.faults(FAULTS["500"].rule)
    few.run()
    errors = few.errors()
    few.sandbox.clear_faults()
    few.count_anew()
    assert few.run().numbers["wanted"] == 0
    assert few.requests_for_messages() == 0
    assert few.errors() == errors


# A conversation of two for each: all of them side by side, as LIST and as GET.
SPELLINGS: dict[str, Fault] = {
    **{
        f"{code} as {body}": status(code, ErrorClass.TIMEOUT if code == 504 else ErrorClass.SERVER, body=body)
        for code in (500, 502, 503, 504)
        for body in ("json", "html", "text", "empty", "unparseable")
    },
    "429 with a date that has passed": status(429, ErrorClass.RATE_LIMITED, retry_after="date:-60"),
    "429 with nonsense": status(429, ErrorClass.RATE_LIMITED, retry_after="soon", body="html"),
    "429 for an hour": status(429, ErrorClass.RATE_LIMITED, is_passing=False, retry_after=3600),
    "an empty body": Fault({"effect": "truncate", "keep": 0}, ErrorClass.BAD_PAYLOAD, 200),
    "an endless drip": Fault({"effect": "slow_drip", "seconds": 12, "pieces": 120}, ErrorClass.TIMEOUT, None),
    "JSON null": Fault(
        {"effect": "json_not_object", "json": "null"}, ErrorClass.BAD_PAYLOAD, 200, is_passing=False
    ),
    "JSON text": Fault(
        {"effect": "json_not_object", "json": '"text"'}, ErrorClass.BAD_PAYLOAD, 200, is_passing=False
    ),
}
SPELT = tuple(asked(f"{name}: {n}", name) for name in SPELLINGS for n in range(2))


def test_the_spelling_of_an_answer_does_not_change_its_class(sandbox, tmp_path):
    spelt = Faulty(sandbox, tmp_path, SPELT)
    sandbox.faults(*(fault.rule | {"conversation_id": name} for name, fault in SPELLINGS.items()))
    spelt.run(**IMPATIENT)
    assert_open_errors(spelt, SPELLINGS)
    spelt.assert_accounted_for()
    sandbox.clear_faults()
    spelt.time += UNTIL_DUE
    assert spelt.run().success
    spelt.assert_healed()


@pytest.mark.parametrize(
    "fault", [f for f in FAULTS.values() if f.is_passing], ids=[n for n, f in FAULTS.items() if f.is_passing]
)
def test_a_passing_fault_leaves_no_error(few, fault):
    few.sandbox.faults(fault.rule | {"times": ATTEMPTS - 1})
    assert few.run(**fault.client).success
    assert [each["fired"] for each in few.sandbox.fault_report()] == [ATTEMPTS - 1]
    assert few.rows(MESSAGE_FETCH_ERRORS) == {}
    few.assert_healed()


def test_every_spelling_of_a_passing_fault_leaves_no_error(sandbox, tmp_path):
    spelt = Faulty(sandbox, tmp_path, [m for m in SPELT if SPELLINGS[m.conversation_id].is_passing])
    rules = [
        fault.rule | {"conversation_id": name, "times": ATTEMPTS - 1}
        for name, fault in SPELLINGS.items()
        if fault.is_passing
    ]
    sandbox.faults(*rules)
    assert spelt.run(**IMPATIENT).success
    assert {each["fired"] for each in sandbox.fault_report()} == {ATTEMPTS - 1}
    assert spelt.rows(MESSAGE_FETCH_ERRORS) == {}
    spelt.assert_healed()


HARMLESS: dict[str, dict[str, Any]] = {
    "another content type": {"effect": "wrong_content_type", "content_type": "text/html"},
    "a slow drip": {"effect": "slow_drip", "seconds": 0.4},
    "newest first": {"effect": "newest_first"},
    "small pages": {"effect": "max_page_size", "limit": 2},
}


@pytest.mark.parametrize("rule", HARMLESS.values(), ids=HARMLESS)
def test_an_odd_but_whole_answer_is_a_success(few, rule):
    few.sandbox.faults(rule)
    assert few.run().success
    assert few.rows(MESSAGE_FETCH_ERRORS) == {}
    few.assert_healed()


@pytest.mark.parametrize("message_ids", [["alone0"], ["few0"]], ids=["GET", "LIST"])
def test_a_message_of_ten_megabytes_is_stored_whole(few, message_ids):
    few.sandbox.faults({"effect": "oversize", "megabytes": 10, "conversation_id": "talk"})
    few.sandbox.faults({"effect": "oversize", "megabytes": 10, "conversation_id": "alone0"})
    assert few.run().success
    row = few.rows(GENIE_API_MESSAGES)[FIRST, message_ids[0]]
    assert len(row["raw_json"]) > 10_000_000
    content = few.rows(MESSAGE_DETAILS)[FIRST, message_ids[0]]["content"]
    assert content == f"Question {message_ids[0]}" + " " * 10_000_000
    assert few.rows(MESSAGE_FETCH_ERRORS) == {}
    few.assert_accounted_for()


def test_a_list_that_goes_in_circles_is_left_and_its_messages_are_read_one_by_one(sandbox, tmp_path):
    long = Faulty(sandbox, tmp_path, LONG)
    sandbox.faults({"effect": "repeat_page_token"})
    assert long.run().success
    # The first page, the same again, and what was missing.
    assert long.requests_for_messages() == 2 + 30
    assert long.rows(MESSAGE_FETCH_ERRORS) == {}
    long.assert_healed()


def test_a_message_in_the_place_of_another_is_not_taken_for_it(few):
    few.sandbox.faults({"effect": "foreign_message", "route": "get_message"})
    assert few.run().success
    assert few.error_classes() == {"BAD_PAYLOAD": 3}
    few.assert_stored(FEW[:5])
    few.assert_accounted_for()
    few.sandbox.clear_faults()
    few.time += UNTIL_DUE
    few.run()
    few.assert_healed()


def test_tokens_that_expire_all_the_time_cost_no_message(sandbox, tmp_path):
    """The host says that they last an hour, and refuses them after a moment."""
    many = Faulty(sandbox, tmp_path, MANY)
    sandbox.faults(
        {"effect": "token_ttl", "seconds": 0.2, "told_seconds": 3600},
        {"effect": "latency", "latency_ms": 50},
    )
    assert many.run(service_principal=True, threads=4).success
    counts = sandbox.requests(0)["counts"]
    assert sum(each["count"] for each in counts if each["route"] == "token") >= 4
    assert sum(each["count"] for each in counts if each["status"] == 401) >= 2
    assert many.rows(MESSAGE_FETCH_ERRORS) == {}
    sandbox.clear_faults()
    many.assert_healed()


def test_credentials_that_are_not_accepted_are_an_error_of_auth_until_they_are(few):
    assert not few.run(token="dapi-not-ours").success
    assert few.error_classes() == {"AUTH": len(FEW)}
    few.time += UNTIL_DUE
    assert few.run().success
    few.assert_healed()


def test_a_grant_heals_a_whole_space_and_hardly_costs_a_request_until_then(few):
    few.sandbox.faults({"effect": "status", "status": 403, "space_id": SALES})
    few.run()
    assert few.error_classes() == {"PERMISSION": len(FEW)}
    for repeat in (1, 2):
        few.time += repeat * UNTIL_DUE
        few.count_anew()
        # The probe, and at most one message, in case that more may be read than may be listed.
        assert few.run().numbers["requests"] <= 2
        assert few.requests_for_messages() <= 1
        assert {row["retry_count"] for row in few.errors().values()} == {repeat}
    few.sandbox.clear_faults()
    few.time += 3 * UNTIL_DUE
    few.run()
    few.assert_healed()


def test_one_forbidden_conversation_does_not_spoil_the_others(few):
    few.sandbox.faults({"effect": "status", "status": 403, "conversation_id": "alone1"})
    assert few.run().success
    assert few.errors().keys() == {(FIRST, "alone1")}
    few.assert_accounted_for()
    few.sandbox.clear_faults()
    few.time += UNTIL_DUE
    few.run()
    few.assert_healed()


def test_not_found_after_it_was_read_is_a_deletion(few):
    """The row stays; before it was ever read, the same answer is an error (see the matrix)."""
    few.run()
    few.refer(FEW, last_change_time=few.time + HOUR)
    few.time += UNTIL_DUE
    few.sandbox.faults({"effect": "status", "status": 404, "conversation_id": "alone0"})
    run = few.run()
    assert (run.numbers["found_deleted"], run.numbers["failed"]) == (1, 0)
    assert few.errors() == {}
    assert {k: row["resolution"] for k, row in few.rows(MESSAGE_FETCH_ERRORS).items()} == {
        (FIRST, "alone0"): "DELETED"
    }
    deleted = {key for key, row in few.rows(MESSAGE_DETAILS).items() if row["is_deleted"]}
    assert deleted == {(FIRST, "alone0")}
    few.assert_stored(FEW)
    few.assert_accounted_for()


@pytest.mark.parametrize("url", ["https://workspace.example.com", None, "not an address"])
def test_a_workspace_without_a_usable_address_is_never_called(few, url):
    few.refer(FEW, workspace_url=url)
    assert not few.run().success
    assert few.error_classes() == {"CONFIG": len(FEW)}
    assert few.last.numbers["requests"] == 0
    few.assert_accounted_for()
    few.refer(FEW)
    few.time += UNTIL_DUE
    few.run()
    few.assert_healed()


# Every tenth request or so is hit by each.
MIXED = [
    *(fault.rule for fault in FAULTS.values()),
    {"effect": "foreign_message", "route": "get_message"},
    {"effect": "repeat_page_token"},
    {"effect": "wrong_content_type"},
    {"effect": "newest_first"},
]
# These would, rightly, end in a deletion or be parked.
FINAL = {404, 410, 400}


def test_all_faults_at_once_lose_nothing_and_double_nothing(sandbox, tmp_path):
    many = Faulty(sandbox, tmp_path, MANY)
    rules = [
        # Named, so that the storm is the same whatever was switched on before.
        rule | {"id": f"storm {number} {route}", "probability": 0.02, "seed": number, "route": route}
        for number, rule in enumerate(MIXED)
        for route in ("get_message", "list_messages")
        if rule.get("status") not in FINAL and rule.get("route", route) == route
        if route == "list_messages" or rule["effect"] not in ("repeat_page_token", "newest_first")
    ]
    sandbox.faults(*rules)
    seen: Counter[str] = Counter()
    for _ in range(3):
        many.run(timeout_seconds=1)
        seen += many.error_classes()
        many.assert_accounted_for()
        many.time += 30 * HOUR
    assert len(seen) >= 3, "the storm is too mild to prove anything"
    sandbox.clear_faults()
    while many.errors():
        assert due_days(many.lake, many.time)
        many.run()
        many.time += 30 * HOUR
    many.assert_healed()
    many.count_anew()
    assert many.run().success
    assert many.requests_for_messages(FIRST) == many.requests_for_messages(SECOND) == 0


THREADS = 4
# A breaker opens after this many unreachable requests in a row; those in flight then still end.
PATIENCE = THREADS + 4


def results_in_order(both: Faulty, **options: Any) -> list[FetchResult]:
    """What a fetch of all messages yields, one by one, in the order in which it came."""
    requests = [
        MessagesRequest(
            each.workspace_id,
            both.sandbox.urls[each.workspace_id],
            each.space_id,
            each.conversation_id,
            (each.message_id,),
            "GET",
        )
        for each in both.messages.values()
    ]
    return list(both.genie(threads=THREADS, **options).fetch(requests, deadline=time.monotonic() + 120))


@pytest.mark.parametrize(
    "rule", [{"effect": "hang", "seconds": 2}, {"effect": "latency", "latency_ms": 250}], ids=["dead", "slow"]
)
def test_a_workspace_that_hangs_or_is_slow_does_not_hold_up_another(sandbox, tmp_path, rule):
    """By the order of the results, for the time that they take is the machine's affair."""
    both = Faulty(sandbox, tmp_path, [*THERE, *HERE])
    sandbox.faults(rule | {"workspace_id": SECOND})
    results = results_in_order(both, timeout_seconds=1)
    assert len(results) == len(both.messages)
    order = [result.request.workspace_id for result in results]
    last_here = max(position for position, workspace_id in enumerate(order) if workspace_id == FIRST)
    assert order[:last_here].count(SECOND) < len(THERE) / 4
    assert all(result.answers for result in results if result.request.workspace_id == FIRST)


def test_what_is_left_of_a_dead_workspace_is_put_off_after_few_requests(sandbox, tmp_path):
    both = Faulty(sandbox, tmp_path, [*THERE, *HERE])
    sandbox.faults({"effect": "drop", "workspace_id": SECOND})
    for repeat in (0, 1):
        sandbox.reset_requests()
        run = both.run(threads=THREADS)
        assert run.success or repeat, "one workspace works"
        assert both.rows(GENIE_API_MESSAGES).keys() == {(FIRST, each.message_id) for each in HERE}
        assert both.error_classes() == {"NETWORK": len(THERE)}
        asked_for = len(THERE) - run.numbers["put_off"]
        assert PATIENCE <= asked_for <= PATIENCE + THREADS
        # Each was tried so often; those in flight when the breaker opened may have been tried once less.
        assert both.requests_for_messages(SECOND) <= asked_for * ATTEMPTS
        both.assert_accounted_for()
        put_off = {k for k, row in both.errors().items() if row["error_message"].startswith("Not asked for")}
        assert len(put_off) == run.numbers["put_off"]
        # To be put off is no attempt.
        counts = {row["retry_count"] for key, row in both.errors().items() if key in put_off}
        assert counts <= set(range(repeat + 1))
        assert 0 in counts
        both.time += UNTIL_DUE
    sandbox.clear_faults()
    assert both.run().success
    both.assert_healed()
