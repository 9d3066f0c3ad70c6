"""What a run says of its requests is what the server counted: in `genie_fetch_runs` and in the run's metadata."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from genie_assets.domain.tables import GENIE_FETCH_RUNS
from genie_assets_tests.e2e.pipelines import Pipeline, days_of, metadata_of, point_at, recent_anchor, sandbox_of
from genie_sandbox.made_up.uniform import generate_uniform

pytestmark = pytest.mark.slow
# How the sandbox calls the routes that a run over messages asks.
ROUTES = {"get_message": "GET", "list_messages": "LIST", "list_conversations": "LIST"}


def test_requests_refusals_and_second_tries_are_counted_by_workspace_and_endpoint_as_the_server_counts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = generate_uniform(
        seed=5, anchor=recent_anchor(), conversations=20, messages_per_conversation=2, workspaces=2
    )
    (day,) = days_of(account)
    with sandbox_of(account, tmp_path / "account") as sandbox:
        point_at(sandbox, tmp_path / "lake", monkeypatch)
        sandbox.faults(
            {"effect": "status", "status": 429, "route": "list_messages", "times": 2, "retry_after": 0},
            {"effect": "status", "status": 503, "route": "list_messages", "times": 1, "retry_after": 0},
        )
        sandbox.reset_requests()
        pipeline = Pipeline()
        result = pipeline.run("genie_daily", day)
        counts = sandbox.requests()["counts"]
    rows = pipeline.rows(GENIE_FETCH_RUNS)
    assert {row["workspace_id"] for row in rows} == {message.workspace_id for message in account.messages}
    seen = {(row["workspace_id"], name): told for row in rows for name, told in of(row).items()}
    assert {each: told["requests"] for each, told in seen.items()} == counted(counts)
    assert {each: told["answered_429"] for each, told in seen.items() if told["answered_429"]} == counted(
        counts, 429
    )
    refused = sum(one["count"] for one in counts if one["status"] in (429, 503) and one["route"] in ROUTES)
    assert refused == sum(told["retries"] for told in seen.values()) == 3
    for row in rows:
        assert row["requests"] == sum(told["requests"] for told in of(row).values())
        for told in of(row).values():
            assert 0 < told["p50_ms"] <= told["p95_ms"] <= row["fetch_ms"]
            assert told["bytes"] > 0
    told = metadata_of(result, "genie_api_messages")
    assert (told["requests"], told["requests_again"]) == (sum(counted(counts).values()), refused)
    assert told["answer_bytes"] == sum(each["bytes"] for each in seen.values())
    assert 0 < told["request_ms_p50"] <= told["request_ms_p95"]


def of(row: dict[str, Any]) -> dict[str, dict[str, int]]:
    return dict(json.loads(row["endpoints"]))


def counted(counts: list[dict[str, Any]], status: int | None = None) -> Counter[tuple[str, str]]:
    """The server's own counts, by workspace and endpoint; of one status, or of all."""
    found: Counter[tuple[str, str]] = Counter()
    for one in counts:
        if one["route"] in ROUTES and status in (None, one["status"]):
            found[one["workspace_id"], ROUTES[one["route"]]] += one["count"]
    return found
