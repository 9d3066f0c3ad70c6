"""Spaces: read whole, listed, and probed."""

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import AgentsOfWorkspace, Answer, ReadProbe, SpaceRequest, TagsOfSpace
from genie_assets.gateways.databricks.retries import Retries
from genie_assets_tests.gateways.genie.server import DENIED, fetch, genie_at, outcome
from genie_assets_tests.gateways.stub_server import Reply


def test_spaces_are_listed_whole_or_with_an_error(stub):
    pages = {
        None: {"spaces": [{"space_id": "a"}, {"title": "no id"}], "next_page_token": "2"},
        "2": {"spaces": [{"space_id": "a"}, {"space_id": "b"}]},
    }
    stub.answer = lambda request: Reply(pages[request.query.get("page_token")])
    genie = genie_at(stub, retries=Retries(attempts=1))
    listed = genie.list_spaces("1", stub.url)
    assert ([answer.body["space_id"] for answer in listed.spaces], listed.error) == (["a", "b"], None)
    stub.answer = lambda request: DENIED if "page_token" in request.query else Reply(pages[None])
    listed = genie.list_spaces("1", stub.url)
    assert [answer.body["space_id"] for answer in listed.spaces] == ["a"]
    assert listed.error is not None
    assert listed.error.error_class is ErrorClass.PERMISSION


def test_a_space_is_read_with_its_configuration(stub):
    stub.answer = lambda request: Reply({"space_id": "s", "query": request.query})
    genie = genie_at(stub)
    for space in (genie.get_space("1", stub.url, "s"), outcome(genie, SpaceRequest("1", stub.url, "s"))):
        assert isinstance(space, Answer)
        assert space.body["query"] == {"include_serialized_space": "true"}
    for other in (genie.get_space("1", stub.url, "t"), outcome(genie, SpaceRequest("1", stub.url, "t"))):
        assert isinstance(other, FetchError)
        assert other.error_class is ErrorClass.BAD_PAYLOAD


def test_a_space_that_may_not_be_exported_is_read_without_its_configuration(stub):
    stub.answer = lambda request: DENIED if request.query else Reply({"space_id": "s", "title": "Desk"})
    (result,) = fetch(genie_at(stub), SpaceRequest("1", stub.url, "s"))
    assert result.answers["s"].body == {"space_id": "s", "title": "Desk"}
    assert result.errors["s"].error_class is ErrorClass.PERMISSION
    assert result.requests_made == 2


def test_an_empty_object_in_place_of_a_list_is_an_empty_page(stub):
    stub.answer = lambda _: Reply({"spaces": {}})
    listed = genie_at(stub).list_spaces("1", stub.url)
    assert (listed.spaces, listed.error) == ((), None)


def test_a_probe_asks_for_one_conversation_of_anybody(stub):
    stub.answer = lambda _: Reply({})
    assert outcome(genie_at(stub), ReadProbe("1", stub.url, "s")) is None
    assert stub.requests[-1].query == {"include_all": "true", "page_size": "1"}
    stub.answer = lambda _: DENIED
    refused = outcome(genie_at(stub), ReadProbe("1", stub.url, "s"))
    assert refused is not None
    assert refused.error_class is ErrorClass.PERMISSION


def test_the_newer_list_keeps_what_came_before_it_failed_or_went_round(stub):
    first = {"genie_agents": [{"name": "agents/a"}], "unreachable": ["agents/u"], "next_page_token": "2"}
    pages: dict[str | None, Reply] = {None: Reply(first), "2": Reply({"unreachable": ["agents/v"]})}
    stub.answer = lambda request: pages[request.query.get("page_token")]
    (result,) = fetch(genie_at(stub), AgentsOfWorkspace("1", stub.url))
    kept = [(len(page["genie_agents"]), page["unreachable"]) for page in result.answers["1"].body["pages"]]
    assert (kept, result.errors) == ([(1, ["agents/u"]), (0, ["agents/v"])], {})
    asked = {"view": "GENIE_AGENT_VIEW_BASIC", "page_size": "100"}
    assert [request.query for request in stub.requests] == [asked, {**asked, "page_token": "2"}]
    for broken, told in ((DENIED, ErrorClass.PERMISSION), (Reply(first), ErrorClass.BAD_PAYLOAD)):
        pages["2"] = broken
        (result,) = fetch(genie_at(stub, retries=Retries(attempts=1)), AgentsOfWorkspace("1", stub.url))
        assert result.answers["1"].body["pages"][0]["genie_agents"] == [{"name": "agents/a"}]
        assert result.errors["1"].error_class is told


def test_tags_come_whole_or_not_at_all(stub):
    first = {"tag_assignments": [{"tag_key": "owner", "tag_value": "ann"}], "next_page_token": "2"}
    pages = {None: Reply(first), "2": Reply({"tag_assignments": [{"tag_key": "certified"}]})}
    stub.answer = lambda request: pages[request.query.get("page_token")]
    tags = outcome(genie_at(stub), TagsOfSpace("1", stub.url, "a/b"))
    assert isinstance(tags, Answer)
    assert tags.body == {"tag_assignments": [{"tag_key": "owner", "tag_value": "ann"}, {"tag_key": "certified"}]}
    assert stub.requests[0].path == "/api/2.0/entity-tag-assignments/geniespaces/a%2Fb/tags"
    pages["2"] = DENIED
    (result,) = fetch(genie_at(stub), TagsOfSpace("1", stub.url, "s"))
    assert (result.answers, result.errors["s"].error_class) == ({}, ErrorClass.PERMISSION)
