"""Plans: the same text whoever makes them, and what they say is what is done."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.configurations import as_json, said
from genie_assets.domain.space_plans import (
    Plan,
    PlanError,
    PlanVerdict,
    creation_plan,
    file_text,
    is_made,
    is_same_space,
    plan_of,
    request_of,
    state_of,
    update_plan,
    verdict,
)
from genie_assets_tests.domain.configurations import hostile, texts

NOW: dict[str, Any] = {
    "workspace_id": "1",
    "space_id": "a",
    "etag": "e1",
    "title": "Sales",
    "description": "All of it",
    "warehouse_id": "wh",
    "parent_path": "/Shared",
    "serialized_space": '{"version":2,"a":[]}',
}
WANTED = {"title": "Sales", "description": None, "serialized_space": '{"version":2,"b":1}'}


def plan(**wanted: Any) -> Plan:
    return update_plan("restore", "a version", NOW, WANTED | wanted)


@settings(max_examples=25)
@given(texts, texts, hostile, st.none() | hostile)
def test_a_plan_is_the_same_text_again_and_does_what_it_says(
    before: str, after: str, title: str, description: str | None
) -> None:
    now = NOW | {"serialized_space": before}
    wanted = {"title": title, "description": description, "serialized_space": after}
    made = update_plan("restore", "a version", now, wanted)
    text = file_text(made)
    assert text.isascii()
    assert plan_of(text) == made
    assert file_text(plan_of(text)) == text
    then = now | request_of(made)
    assert verdict(made, then) is PlanVerdict.DONE
    assert verdict(made, now) is (PlanVerdict.APPLY if made.changes else PlanVerdict.DONE)
    assert as_json(said(then["serialized_space"])) == as_json(said(after))


def test_only_what_differs_is_sent_with_the_etag_that_was_reviewed() -> None:
    assert request_of(plan()) == {"description": "", "serialized_space": WANTED["serialized_space"], "etag": "e1"}
    assert request_of(plan(serialized_space='{"a":[],"version":2}')) == {"description": "", "etag": "e1"}
    assert request_of(replace(plan(), etag=None)).keys() == {"description", "serialized_space"}


@pytest.mark.parametrize(
    "changed",
    [{"etag": "e2"}, {"title": "Other"}, {"parent_path": "/Users/x"}, {"serialized_space": '{"version":3}'}],
)
def test_whatever_changed_since_keeps_a_plan_from_being_carried_out(changed: dict[str, Any]) -> None:
    assert verdict(plan(), NOW) is PlanVerdict.APPLY
    assert verdict(plan(), NOW | changed) is PlanVerdict.CHANGED


def test_without_an_etag_the_states_decide_and_a_note_says_so() -> None:
    made = update_plan("restore", "a version", NOW | {"etag": None}, WANTED)
    assert "gave no version tag" in made.notes[0]
    assert verdict(made, NOW) is PlanVerdict.APPLY
    assert verdict(made, NOW | {"title": "x"}) is PlanVerdict.CHANGED


def test_a_new_space_needs_a_title_and_a_warehouse() -> None:
    made = creation_plan("promote", "x", "2", NOW)
    assert (made.key, request_of(made)) == (None, state_of(NOW))
    assert "new id" in made.notes[0]
    for missing, words in (("title", "needs a title"), ("warehouse_id", "--warehouse")):
        with pytest.raises(PlanError, match=words):
            creation_plan("promote", "x", "2", NOW | {missing: None})
    assert is_made(made, NOW | {"parent_path": "/Workspace/Shared/"})
    assert not is_made(made, NOW | {"description": None})


@pytest.mark.parametrize(
    ("listed", "is_same"),
    [
        ({"title": "Sales"}, True),
        ({"title": "Sales", "parent_path": "/Workspace/Shared/"}, True),
        ({"title": "Sales", "parent_path": "/Users"}, False),
        ({"title": "sales", "parent_path": "/Shared"}, False),
    ],
)
def test_a_space_is_the_planned_one_by_title_and_folder(listed: dict[str, Any], is_same: bool) -> None:
    assert is_same_space(creation_plan("promote", "x", "2", NOW), listed) is is_same


@pytest.mark.parametrize(
    "name", ["etag", "space_id", "workspace_id", "notes", "changes", "before", "after", "sha256"]
)
def test_a_plan_that_was_edited_is_refused(name: str) -> None:
    values = json.loads(file_text(plan()))
    values[name] = {"title": "Mine"} if isinstance(values[name], dict) else ["x"]
    with pytest.raises(PlanError, match=r"was changed after it was made|holds no plan"):
        plan_of(json.dumps(values))


@pytest.mark.parametrize("text", ["", "[]", "{}", "nothing", '{"plan": 1}', "[" * 100_000])
def test_what_is_no_plan_says_so(text: str) -> None:
    with pytest.raises(PlanError, match="holds no plan"):
        plan_of(text)


def test_a_plan_of_another_version_is_made_anew() -> None:
    values = json.loads(file_text(plan())) | {"plan": "form 0"}
    with pytest.raises(PlanError, match="another version"):
        plan_of(json.dumps(values))
