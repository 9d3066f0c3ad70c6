"""Messages of one conversation: the LIST, and the single GETs that mend it."""

from dataclasses import replace

from genie_assets.domain.messages import message_id_of
from genie_assets.domain.outcomes import POLICIES, ErrorClass, FetchError
from genie_assets.domain.requests import MessagesRequest
from genie_assets.gateways.genie.asking import Asking, ask

# A refusal of a LIST and of one of its messages in the same words is one of the whole conversation.
_OF_THE_CONVERSATION = frozenset({ErrorClass.PERMISSION, ErrorClass.NOT_FOUND})
# Of other failures a single broken message may be the reason: a second one is asked for before the rest is left.
_ENOUGH = 2


@ask.register
def ask_for_messages(request: MessagesRequest, asking: Asking[MessagesRequest]) -> None:
    """Everything that is wanted of one conversation.

    A LIST ends as soon as all wanted messages were seen. What a whole LIST lacks is asked for by GET, so that it
    is the message's own 404 that says it is gone. A LIST that fails is checked by GETs: if one is refused as the
    LIST was, all are; if two in a row fail as it did, the rest is left, and that is no attempt; if one works, the
    rest is fetched one by one. Of a conversation that is too big to be held at once the rest is left to the next
    time.
    """
    failure = _list(request, asking) if request.endpoint == "LIST" else None
    in_a_row = 0
    for message_id in asking.missing():
        error = _get(request, asking, message_id)
        if error is None or not (POLICIES[error.error_class].of_the_way or _alike(error, failure)):
            failure, in_a_row = None, 0
            continue
        in_a_row += 1
        if error.error_class in _OF_THE_CONVERSATION or not error.was_sent:
            asking.give_up(error)
            return
        if in_a_row == _ENOUGH or error.error_class is ErrorClass.AUTH:
            asking.give_up(_unasked(error))
            return


def _unasked(error: FetchError) -> FetchError:
    text = f"Not asked for, because others of its conversation had failed: {error.message}"
    return replace(error, message=text, was_asked=False)


def _alike(error: FetchError, failure: FetchError | None) -> bool:
    if failure is None or error.error_class is not failure.error_class:
        return False
    if error.error_class in _OF_THE_CONVERSATION:
        # A 404 that is not Databricks' own says nothing of one that is.
        return error.error_code == failure.error_code
    return error.error_class is not ErrorClass.TOO_BIG  # a list that is says nothing of its messages


def _list(request: MessagesRequest, asking: Asking[MessagesRequest]) -> FetchError | None:
    def pages() -> None:
        listed = asking.calls.messages(asking.target, request.space_id, request.conversation_id)
        for page in listed:
            for answer in page:
                asking.take(message_id_of(answer.body) or "", answer)
            if not asking.missing():
                return

    failure = asking.guarded(pages)
    if failure is not None and not (failure.was_sent and POLICIES[failure.error_class].a_single_get_may_work):
        asking.give_up(failure)
    return failure


def _get(request: MessagesRequest, asking: Asking[MessagesRequest], message_id: str) -> FetchError | None:
    def get() -> None:
        answer = asking.calls.message(asking.target, request.space_id, request.conversation_id, message_id)
        asking.take(message_id, answer)

    error = asking.guarded(get)
    if error is not None:
        asking.fail(message_id, error)
    return error
