"""Cases that were missed or forgotten once, each on purpose, through the real code location."""

import datetime as dt
from pathlib import Path

import pytest

from genie_assets_tests.e2e.pipelines import (
    Pipeline,
    days_of,
    differences_from_truth,
    metadata_of,
    point_at,
    recent_anchor,
    sandbox_of,
)
from genie_sandbox.made_up.generator import generate
from genie_sandbox.made_up.scenarios import (
    account_level_rows,
    agent_events,
    asked_by_ourselves,
    from_the_year_9999,
    returns_from_deletion,
    vote_after_a_read,
    with_scenarios,
    without_a_time,
)
from genie_sandbox.randomness import DAY

pytestmark = pytest.mark.slow


@pytest.mark.long
def test_days_loaded_newest_first_are_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = generate(seed=1, anchor=recent_anchor(), days=6, messages=60)
    cases = (
        from_the_year_9999,
        without_a_time,
        account_level_rows,
        agent_events,
        asked_by_ourselves,
        returns_from_deletion,
        vote_after_a_read,
    )
    began = plain.anchor - 5 * DAY
    account = with_scenarios(plain, began, cases)
    with sandbox_of(account, tmp_path / "account") as sandbox:
        point_at(sandbox, tmp_path / "lake", monkeypatch)
        pipeline = Pipeline()
        results = {day: pipeline.run("genie_daily", day) for day in reversed(days_of(account))}
        pipeline.run("genie_spaces")
        assert differences_from_truth(account, sandbox, pipeline) == []
    asked = dt.datetime.fromtimestamp(began / 1000, dt.UTC).date()
    assert metadata_of(results[asked], "audit_messages")["unnamed"] == 3
