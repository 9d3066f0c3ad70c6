"""How messages are fetched."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.domain.fetch_plan import (
    LONGEST_ID,
    MessageRef,
    MessagesRequest,
    is_usable_id,
    plan_requests,
    spared_by_a_probe,
)
from genie_assets.domain.outcomes import ErrorClass, FetchError

Conversation = tuple[str, str, str]


def ref(
    message_id: str, conversation_id: str = "c1", space_id: str = "s1", workspace_id: str = "w1"
) -> MessageRef:
    return MessageRef(workspace_id, f"https://{workspace_id}.example.com", space_id, conversation_id, message_id)


def conversation_of(item: MessageRef | MessagesRequest) -> Conversation:
    return item.workspace_id, item.space_id, item.conversation_id


def calls(request: MessagesRequest, sizes: dict[Conversation, int], page_size: int) -> int:
    wanted = len(request.message_ids)
    if request.endpoint == "GET":
        return wanted
    return math.ceil(max(sizes.get(conversation_of(request), 0), wanted) / page_size)


_names = st.sampled_from("abc")
_refs = st.lists(st.builds(ref, st.sampled_from("uvwxyz"), _names, _names, _names), max_size=30)
_sizes = st.dictionaries(st.tuples(_names, _names, _names), st.integers(0, 40), max_size=8)


@given(_refs, _sizes, st.integers(1, 10))
def test_every_message_is_asked_for_once_and_no_dearer_than_one_by_one(
    refs: list[MessageRef], sizes: dict[Conversation, int], page_size: int
) -> None:
    plan = plan_requests(refs, sizes, page_size=page_size)
    planned = Counter((*conversation_of(request), m) for request in plan for m in request.message_ids)
    assert planned == Counter({(*conversation_of(r), r.message_id) for r in refs})
    for request in plan:
        wanted = len(request.message_ids)
        listing = math.ceil(max(sizes.get(conversation_of(request), 0), wanted) / page_size)
        assert calls(request, sizes, page_size) == min(wanted, listing)
    assert all(r.workspace_url == f"https://{r.workspace_id}.example.com" for r in plan)


@given(_refs, _sizes)
def test_a_conversation_is_one_request(refs: list[MessageRef], sizes: dict[Conversation, int]) -> None:
    plan = plan_requests(refs, sizes)
    assert len({conversation_of(request) for request in plan}) == len(plan)


def test_several_messages_are_listed_and_a_single_one_is_got() -> None:
    plan = plan_requests([ref("m1", "c1"), ref("m2", "c2"), ref("m3", "c2")], {})
    assert [(r.message_ids, r.endpoint) for r in plan] == [(("m1",), "GET"), (("m2", "m3"), "LIST")]


@pytest.mark.parametrize(("size", "endpoint"), [(100, "LIST"), (101, "GET"), (500, "GET")])
def test_a_long_conversation_is_not_paged_through_for_two_messages(size: int, endpoint: str) -> None:
    (request,) = plan_requests([ref("m1"), ref("m2")], {("w1", "s1", "c1"): size})
    assert request.endpoint == endpoint


@pytest.mark.parametrize(
    "value", ["01f0", "a b", "../..", "a/b", "x'; DROP", "größe", "...", "%2e", "a" * LONGEST_ID]
)
def test_an_id_that_can_be_quoted_into_one_path_segment_is_usable(value: str) -> None:
    assert is_usable_id(value)


@pytest.mark.parametrize(
    "value", [None, "", ".", "..", "a\x00", "a\nb", "\x1f", "a\x7f", "a\x85", "\ud800", "a" * (LONGEST_ID + 1)]
)
def test_an_id_that_would_change_the_path_is_not_usable(value: str | None) -> None:
    assert not is_usable_id(value)


@given(st.integers(2, 9), st.floats(0, 1, exclude_max=True))
def test_after_a_refused_probe_one_of_its_messages_is_asked_for_and_the_others_are_not(
    number: int, chance: float
) -> None:
    refs = [ref(f"m{n}", f"c{n}") for n in range(number)]
    spared = spared_by_a_probe(refs, FetchError(ErrorClass.PERMISSION, "No."), chance=chance)
    assert len({*refs} - {*spared}) == 1
    assert {*spared} <= {*refs}


@pytest.mark.parametrize("error_class", sorted({*ErrorClass} - {ErrorClass.PERMISSION}))
def test_a_probe_that_fails_for_another_reason_spares_nothing(error_class: ErrorClass) -> None:
    assert spared_by_a_probe([ref("m1", "c1"), ref("m2", "c2")], FetchError(error_class, "?"), chance=0) == []
