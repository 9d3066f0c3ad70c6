"""What lists and tags tell of a space, and what an absence does not prove."""

import json

import pytest

from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.space_facts import (
    AgentList,
    MadeBy,
    SpaceFacts,
    agent_list,
    made_by,
    tags_in,
    tags_text,
    together,
    with_facts,
)

WHOLE = AgentList(frozenset({"a"}), frozenset({"u"}), is_whole=True)


@pytest.mark.parametrize(
    ("lists", "space_id", "older", "told"),
    [
        (WHOLE, "a", False, MadeBy.PEOPLE),
        (WHOLE, "b", True, MadeBy.UNLISTED),
        (WHOLE, "b", False, None),  # known from the log alone: it may be forbidden, or gone
        (WHOLE, "u", True, None),  # it is there and could not be read
        (AgentList(WHOLE.shown, is_whole=False), "b", True, None),
        (AgentList(frozenset(), is_whole=True), "b", True, None),  # a list that shows nothing may be refused so
        (None, "b", True, None),
    ],
)
def test_only_a_whole_list_that_shows_others_tells_of_who_is_missing(lists, space_id, older, told):
    assert made_by(space_id, lists, is_in_the_older_list=older) == told


def test_what_is_known_stays_where_a_look_tells_nothing_and_people_made_it_for_good():
    known = SpaceFacts("PEOPLE", '{"a": "1"}')
    assert together(known, SpaceFacts()) == known
    assert together(known, SpaceFacts("UNLISTED", "{}")) == SpaceFacts("PEOPLE", "{}")
    assert together(SpaceFacts("UNLISTED"), SpaceFacts("PEOPLE")).made_by == "PEOPLE"
    row = {"workspace_id": "1", "space_id": "s", "title": "T", "made_by": None, "tags": "{}"}
    told = {SpaceKey("1", "s"): SpaceFacts("PEOPLE")}
    assert with_facts([row], told) == [{**row, "made_by": "PEOPLE"}]
    assert with_facts([{**row, "made_by": "PEOPLE"}], told) == []


def test_names_of_other_kinds_of_resources_are_no_agents():
    names = ["agents/a", "agents/a/versions/1", "agents/", "spaces/b", "agents/..", None, 7]
    page = {"genie_agents": [{"name": each} for each in names], "unreachable": ["agents/u", "folders/x", {}]}
    assert agent_list([page], is_whole=True) == AgentList(frozenset({"a"}), frozenset({"u"}), is_whole=True)
    assert agent_list([{"genie_agents": [], "unreachable": "agents/u"}], is_whole=True).unreachable == frozenset()


def test_tags_are_kept_as_keys_and_values_in_one_order_whatever_they_hold():
    hostile = 'x" \\ \n\u202e\ud800'
    assignments = [{"tag_key": "owner", "tag_value": hostile}, {"tag_key": "certified"}, {"tag_value": "keyless"}]
    text = tags_text(assignments)
    assert text == tags_text(reversed(assignments))
    text.encode()
    assert json.loads(text) == {"certified": "", "owner": 'x" \\ \n\u202e\ufffd'}
    assert tags_text([]) == "{}"
    assert (tags_in(text), tags_in("{}")) == (json.loads(text), {})
    assert [tags_in(each) for each in (None, "", "[]", "{", '"x"')] == [None] * 5
