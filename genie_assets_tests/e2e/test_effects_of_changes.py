"""What `configuration_effects` says after runs of a pipeline, compared with plain Python over the account.

Spaces are looked at twice, days apart by the pipeline's clock; in between somebody changed two of them, and one of
these says when. Nothing of the expected answer is read from our tables.
"""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genie_assets_tests.e2e.pipelines import (
    ClockThatStands,
    Pipeline,
    days_of,
    point_at,
    recent_anchor,
    sandbox_of,
)
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.world import as_stored, ask, differences
from genie_sandbox.account import Account, Space
from genie_sandbox.made_up.uniform import generate_uniform
from genie_sandbox.truth.tables import truth

HOUR = dt.timedelta(hours=1)
NOW = recent_anchor()
FIRST_LOOK, CHANGED, SECOND_LOOK = NOW - 40 * HOUR, NOW - 20 * HOUR, NOW - 18 * HOUR


def changed(space: Space, at: dt.datetime | None) -> Space:
    """The space with other benchmarks; `at` is when it says that it was changed."""
    configuration = json.loads(space.body["serialized_space"])
    configuration["benchmarks"]["questions"][0]["question"] = ["How many?"]
    body = {name: value for name, value in space.body.items() if name != "update_time"}
    told = {"update_time": at.isoformat()} if at else {}
    return replace(space, body={**body, **told, "serialized_space": json.dumps(configuration)})


def failing_since(account: Account, space: Space, at: dt.datetime) -> Account:
    """The account in which half of what is asked in the space since then fails, and takes longer."""

    def body_of(number: int, body: dict[str, Any]) -> dict[str, Any]:
        slow = {**body, "last_updated_timestamp": body["last_updated_timestamp"] + 20_000}
        return {**slow, "status": "FAILED", "attachments": []} if number % 2 else slow

    messages, hit = [], 0
    for message in account.messages:
        (state,) = message.states
        if message.space_id == space.space_id and state.at >= at.timestamp() * 1000:
            hit += 1
            message = replace(message, states=(replace(state, body=body_of(hit, state.body)),))
        messages.append(message)
    return replace(account, messages=tuple(messages))


def version(
    space: Space, found: dt.datetime, told: dt.datetime | None, sections: list[str] | None
) -> dict[str, Any]:
    ids = {"workspace_id": space.workspace_id, "space_id": space.space_id, "title": space.body["title"]}
    return {**ids, "valid_from": found, "update_time": told, "changed_sections": sections}


@pytest.mark.parametrize("place", ["files", "unity"])
def test_effects_of_changes_are_told_as_the_account_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    lakehouse: Any = "uc://main.genie_analytics" if place == "unity" else tmp_path / "lakehouse"
    tables = tmp_path / "tables"
    before = generate_uniform(seed=5, anchor=NOW, conversations=1_100, messages_per_conversation=2, days=3)
    telling, silent, *others = before.spaces
    after = failing_since(before, telling, CHANGED)
    after = replace(after, spaces=(changed(telling, CHANGED), changed(silent, None), *others))
    with sandbox_of(before, tmp_path / "before", state=tables) as sandbox:
        point_at(sandbox, lakehouse, monkeypatch)
        Pipeline().run("genie_spaces", clock=ClockThatStands(FIRST_LOOK))
    with sandbox_of(after, tmp_path / "after", state=tables) as sandbox:
        point_at(sandbox, lakehouse, monkeypatch)
        pipeline = Pipeline()
        pipeline.run("genie_spaces", clock=ClockThatStands(SECOND_LOOK))
        for day in days_of(after):
            pipeline.run("genie_daily", day)
        found = ask(pipeline.lake, "SELECT * FROM configuration_effects")
        rows = truth(after, at=sandbox.now_ms(), now=sandbox.now_ms(), urls=sandbox.urls)

    versions = [
        *(version(each, FIRST_LOOK, None, None) for each in before.spaces),
        version(telling, SECOND_LOOK, CHANGED, ["benchmarks"]),
        version(silent, SECOND_LOOK, None, ["benchmarks"]),
    ]
    stored = {name: [as_stored(row) for row in of_table] for name, of_table in rows.items()}
    loads = [{"event_date": day} for day in days_of(after)]
    golden = Golden({**stored, "genie_day_loads": loads, "genie_space_versions": versions}, NOW)
    expected = golden.answer("configuration_effects")
    told = {(row["space_id"], row["measure"]): row["verdict"] for row in expected}
    assert told[telling.space_id, "SUCCESS"] == told[telling.space_id, "RESPONSE TIME"] == "WORSE"
    assert {row["space_id"] for row in expected} == {telling.space_id, silent.space_id}
    assert {row["changed_at"] for row in expected} == {CHANGED, None}
    assert differences("configuration_effects", found, expected) == []
