"""What belongs to messages and conversations and is listed by itself: comments, and the steps of agents."""

from collections.abc import Iterable

from genie_assets.domain.requests import Answer, CommentsOfMessage, ItemsOfConversation
from genie_assets.gateways.genie.asking import Asking, ask


@ask.register
def ask_for_comments(request: CommentsOfMessage, asking: Asking[CommentsOfMessage]) -> None:
    """Every comment on the message, or none: a list that ends early would show what is left as deleted."""

    def pages() -> None:
        listed = asking.calls.comments(
            asking.target, request.space_id, request.conversation_id, request.message_id
        )
        asking.take(request.message_id, _together("comments", listed))

    if error := asking.guarded(pages):
        asking.fail(request.message_id, error)


@ask.register
def ask_for_items(request: ItemsOfConversation, asking: Asking[ItemsOfConversation]) -> None:
    """Every step of a conversation with an agent, or none."""

    def pages() -> None:
        listed = asking.calls.items(asking.target, request.space_id, request.conversation_id)
        asking.take(request.conversation_id, _together("data", listed))

    if error := asking.guarded(pages):
        asking.fail(request.conversation_id, error)


def _together(name: str, pages: Iterable[Answer]) -> Answer:
    """All pages as one answer, which is as old as the first of them."""
    listed = list(pages)
    bodies = [body for page in listed for body in page.body[name]]
    return Answer({name: bodies}, "LIST", listed[0].requested_at, sum(page.size for page in listed))
