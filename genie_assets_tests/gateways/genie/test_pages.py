"""Lists that are not what they are taken for: never an empty list, which would say that all is well."""

from typing import Any

import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import (
    AgentsOfWorkspace,
    CommentsOfMessage,
    ConversationsOfSpace,
    EvaluationsOfSpace,
    ItemsOfConversation,
    MessagesOfConversation,
    ResultsOfEvaluation,
    SpacesOfWorkspace,
    TagsOfSpace,
)
from genie_assets.gateways.databricks.retries import Retries
from genie_assets_tests.gateways.genie.server import fetch, genie_at
from genie_assets_tests.gateways.stub_server import Reply

# Each kind of list: what is asked, the key of its page, and the keys that name an entry.
LISTS: dict[str, tuple[Any, str, str | None]] = {
    "spaces": (lambda url: SpacesOfWorkspace("1", url), "spaces", "space_id"),
    "conversations": (lambda url: ConversationsOfSpace("1", url, "s"), "conversations", "conversation_id"),
    "messages": (lambda url: MessagesOfConversation("1", url, "s", "c"), "messages", "message_id"),
    "comments": (lambda url: CommentsOfMessage("1", url, "s", "c", "m"), "comments", None),
    "items": (lambda url: ItemsOfConversation("1", url, "s", "c"), "data", None),
    "tags": (lambda url: TagsOfSpace("1", url, "s"), "tag_assignments", "tag_key"),
    "agents": (lambda url: AgentsOfWorkspace("1", url), "genie_agents", "name"),
    "evaluations": (lambda url: EvaluationsOfSpace("1", url, "s"), "eval_runs", "eval_run_id"),
    "results": (lambda url: ResultsOfEvaluation("1", url, "s", "e"), "eval_results", "result_id"),
}


def told(stub, kind: str, body: Any) -> FetchError | None:
    make, _, _ = LISTS[kind]
    stub.answer = lambda request: Reply(body if not request.query.get("after") else {})
    (result,) = fetch(genie_at(stub, retries=Retries(attempts=1)), make(stub.url))
    return next(iter(result.errors.values()), None)


@pytest.mark.parametrize("kind", LISTS)
def test_an_answer_that_is_no_page_of_the_list_is_told(stub, kind):
    _, key, name = LISTS[kind]
    odd: list[Any] = [
        {f"new_{key}": [{"x": 1}]},
        {key: {"x": 1}},
        {key: "x"},
        {key: ""},
        {key: False},
        {key: ["x"]},
    ]
    if name:
        odd += [{key: [{f"new_{name}": "x"}]}, {key: [{name: None}, {name: 7}]}]
    for body in odd:
        problem = told(stub, kind, body)
        assert problem is not None, body
        assert problem.error_class is ErrorClass.BAD_PAYLOAD, body


@pytest.mark.parametrize("kind", LISTS)
def test_an_empty_list_in_each_of_its_forms_is_empty_and_one_odd_entry_is_only_that(stub, kind):
    _, key, name = LISTS[kind]
    good = {name or "id": "agents/x", "message_id": "m", "conversation_id": "c"}
    bodies: list[Any] = [{}, {key: []}, {key: None}, {key: [7, {}, good]}]
    if kind != "items":  # which has no tokens: what names the next page is a page, whatever else it says
        bodies += [{"next_page_token": "", "new_total": 0}, {"next_page_token": None, "new": {}}]
    for body in bodies:
        assert told(stub, kind, body) is None, body


@pytest.mark.parametrize("named", [{"last_id": "2"}, {"has_more": True}, {"last_id": "2", "has_more": True}])
def test_steps_of_agents_are_listed_to_the_end_however_a_page_says_that_more_follow(stub, named):
    """A list that seems whole and is not would take the steps behind it for deleted."""
    make, _, _ = LISTS["items"]
    pages: dict[str | None, Any] = {
        None: {"data": [{"id": "1"}, {"id": "2"}], **named},
        "2": {"data": [{"id": "3"}], "last_id": "3", "has_more": False},
    }
    stub.answer = lambda request: Reply(pages[request.query.get("after")])
    (result,) = fetch(genie_at(stub), make(stub.url))
    (answer,) = result.answers.values()
    assert [item["id"] for item in answer.body["data"]] == ["1", "2", "3"]
