"""What is there, whoever asked: the conversations of a space, and which messages each of them has."""

from genie_assets.domain.messages import message_id_of
from genie_assets.domain.requests import Answer, ConversationsOfSpace, MessagesOfConversation
from genie_assets.gateways.genie.asking import Asking, ask

_KEPT = ("created_timestamp", "agent_type")


@ask.register
def ask_for_conversations(request: ConversationsOfSpace, asking: Asking[ConversationsOfSpace]) -> None:
    """Every conversation of the space; an error says that the list is not complete."""

    def pages() -> None:
        for page in asking.calls.conversations(asking.target, request.space_id):
            for answer in page:
                asking.take(answer.body["conversation_id"], _kept(answer))

    asking.fail(request.space_id, asking.guarded(pages))


@ask.register
def ask_which_messages(request: MessagesOfConversation, asking: Asking[MessagesOfConversation]) -> None:
    """Ids and times of all messages of a conversation; their texts are let go at once."""

    def pages() -> None:
        listed = asking.calls.messages(asking.target, request.space_id, request.conversation_id)
        for page in listed:
            for answer in page:
                asking.take(message_id_of(answer.body) or "", _kept(answer))

    asking.fail(request.conversation_id, asking.guarded(pages))


def _kept(answer: Answer) -> Answer:
    """Only its time and kind, which take no room worth counting: a list is kept whole, however long it is."""
    return Answer({name: answer.body.get(name) for name in _KEPT}, answer.endpoint, answer.requested_at)
