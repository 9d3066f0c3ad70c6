"""What comes back from the Genie API, and what is accepted as an answer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.messages import as_object, message_id_of
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Answer
from genie_assets.domain.space_facts import agent_id_of
from genie_assets.gateways.databricks.retries import CallError


@dataclass(frozen=True)
class SpaceList:
    """The spaces that one workspace lists. With an `error` it is incomplete: absence says nothing."""

    spaces: tuple[Answer, ...] = ()
    error: FetchError | None = None


def is_of_conversation(body: Mapping[str, Any], conversation_id: str) -> bool:
    """Whether a body is a message of that conversation. Old answers need not name it."""
    return message_id_of(body) is not None and (body.get("conversation_id") or conversation_id) == conversation_id


def objects_of_page(body: Mapping[str, Any], key: str, names: Collection[str] = ()) -> list[dict[str, Any]]:
    """The objects under `key` of one page. What is no object is left out; Databricks leaves out empty lists.

    One odd entry holds up no other. If all are odd, the page is not what it is taken for: that is no empty list.

    Args:
        body: The answer.
        key: What the page is of.
        names: The keys that name an entry: each has one of them, as text. None if entries need no name.

    Raises:
        CallError: BAD_PAYLOAD, if there is something else than a list, something else altogether, or only entries
            that cannot be read. What has `next_page_token` is a page, whatever new it says beside it.
    """
    items = body.get(key)
    if key not in body and body and "next_page_token" not in body:
        raise bad_payload(f"The answer is something else than a page of {key}.")
    if items in (None, [], {}):
        return []
    if not isinstance(items, list):
        raise bad_payload(f"The answer's {key} are not a list.")
    found = [item for item in items if isinstance(item, dict)]
    if not any(_is_named(item, names) for item in found):
        raise bad_payload(f"None of the answer's {key} can be read: each should be an object{_with(names)}.")
    return found


def agents_of_page(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The agents on one page of the newer list of spaces.

    Raises:
        CallError: BAD_PAYLOAD, if it is something else, or none of them has a name like `agents/01ef`.
    """
    found = objects_of_page({key: each for key, each in body.items() if key != "unreachable"}, "genie_agents")
    if found and not any(agent_id_of(each.get("name")) for each in found):
        raise bad_payload(
            "None of the answer's genie_agents can be read: each should have a name like agents/01ef."
        )
    return found


def _is_named(item: Mapping[str, Any], names: Collection[str]) -> bool:
    return not names or any(isinstance(item.get(name), str) and item[name] for name in names)


def _with(names: Collection[str]) -> str:
    return f" with {' or '.join(names)}" if names else ""


def next_page_token(body: Mapping[str, Any]) -> str | None:
    """The token of the page that follows; None if this one is the last.

    Raises:
        CallError: BAD_PAYLOAD, if it is not text.
    """
    return _text_of_page(body, "next_page_token")


def items_of_page(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps on one page of those of a conversation with an agent.

    Raises:
        CallError: BAD_PAYLOAD, if it is something else.
    """
    is_empty = "data" not in body and body.get("object") == "list"
    return [] if is_empty else objects_of_page(body, "data")


def last_id_of_page(body: Mapping[str, Any]) -> str | None:
    """The id behind which such a list goes on; None if the page is the last, or names none.

    A page that says that more follows and names no id ends with the entry behind which it does.

    Raises:
        CallError: BAD_PAYLOAD, if it is not text.
    """
    if body.get("has_more") is False:
        return None
    last_id = _text_of_page(body, "last_id")
    if last_id is None and body.get("has_more") is True and isinstance(body.get("data"), list) and body["data"]:
        return _text_of_page(as_object(body["data"][-1]), "id")
    return last_id


def _text_of_page(body: Mapping[str, Any], key: str) -> str | None:
    text = body.get(key)
    if text is not None and not isinstance(text, str):
        raise bad_payload(f"The answer's {key} is not text.")
    return text or None


def bad_payload(message: str) -> CallError:
    """An answer with status 200 that is not what was asked for."""
    return CallError(FetchError(ErrorClass.BAD_PAYLOAD, message, http_status=200))
