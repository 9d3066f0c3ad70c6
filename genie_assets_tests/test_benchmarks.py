import json

import pytest

from benchmarks import fetch
from benchmarks.measuring import Goal, report
from benchmarks.worker import run_here

TINY = fetch.Sizes(
    conversations=6, single_messages=8, sample=3, settling_seconds=0.2, steady_seconds=0.3, many=20, few=10
)


# In so short a time the limited server may have answered nothing.
MAY_BE_ZERO = {
    "steady_state_message_requests",
    "share_of_allowed_rate_at_first",
    "share_of_allowed_rate",
    "share_answered_429",
}


@pytest.fixture(scope="module")
def lines():
    """What a benchmark of a few messages, all in this process, prints."""
    capture = pytest.MonkeyPatch()
    printed: list[str] = []
    capture.setattr("builtins.print", lambda text, **_: printed.append(text))
    try:
        verdicts = list(fetch.measure(TINY, run_here))
    finally:
        capture.undo()
    found = [json.loads(line) for line in printed]
    assert verdicts == [line["ok"] for line in found], "the exit status follows from what is printed"
    return {line["name"]: line for line in found}


def test_every_number_is_printed_once_as_json_with_its_goal(lines):
    goals = {name: line["goal"] for name, line in lines.items()}
    assert goals == {
        "speedup_at_100ms": ">= 50",
        "requests_per_message": "<= 0.25",
        "steady_state_message_requests": "<= 0",
        "speedup_at_100ms_get_only": ">= 14",
        "share_of_allowed_rate_at_first": None,
        "share_of_allowed_rate": ">= 0.95",
        "share_answered_429": "< 0.02",
        "peak_rss_mb": "< 700",
        "peak_rss_mb_10k": None,
        "peak_rss_ratio": "<= 2",
        "cpu_ms_per_message": None,
        "cpu_ms_per_message_bare_sdk": None,
    }
    assert all(set(line) == {"name", "value", "goal", "ok"} for line in lines.values())
    assert all(line["value"] > 0 for name, line in lines.items() if name not in MAY_BE_ZERO)


def test_requests_are_counted_at_the_server(lines):
    """These depend on no clock: one LIST for five messages, and nothing the second time."""
    assert lines["requests_per_message"]["value"] == 0.2
    assert lines["steady_state_message_requests"] == {
        "name": "steady_state_message_requests",
        "value": 0.0,
        "goal": "<= 0",
        "ok": True,
    }


@pytest.mark.parametrize(
    ("sign", "value", "ok"),
    [(">=", 0.95, True), (">=", 0.94, False), ("<=", 0.95, True), ("<=", 0.96, False), ("<", 0.95, False)],
)
def test_a_goal_is_met_on_its_own_side_of_the_bound(sign, value, ok, capsys):
    assert report("share", value, Goal(sign, 0.95)) is ok
    assert json.loads(capsys.readouterr().out) == {
        "name": "share",
        "value": value,
        "goal": f"{sign} 0.95",
        "ok": ok,
    }
