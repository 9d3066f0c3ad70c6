"""The Genie API as an observer sees it: spaces, conversations and messages at the moment of the clock."""

import json
from typing import Any

from genie_sandbox.account import ADMINISTRATOR, Comment, Principal, Space
from genie_sandbox.responses import Answer, ApiError, endpoint_not_found, json_answer, list_answer, to_json
from genie_sandbox.server.agent_list import list_of_agents
from genie_sandbox.server.evaluations import Evaluations
from genie_sandbox.server.faults import Plan
from genie_sandbox.server.paging import Page, items_page
from genie_sandbox.server.request import Request
from genie_sandbox.server.spaces import Spaces, without_export
from genie_sandbox.server.state import Clock, Conversation, Conversations, StoredMessage


class GenieApi:
    """Answers requests of the Genie routes; who asks has been checked before."""

    def __init__(self, principal: Principal, spaces: Spaces, conversations: Conversations, clock: Clock) -> None:
        self._principal = principal
        self._spaces = spaces
        self._conversations = conversations
        self._clock = clock
        self._evaluations = Evaluations(spaces, clock)

    def answer(self, request: Request, plan: Plan, body: bytes = b"", caller: str = "") -> Answer:
        """The answer to a request of one of the Genie routes.

        Raises:
            ApiError: for every refusal.
        """
        match request.route:
            case "get_message":
                return self._get_message(request)
            case "list_messages":
                return self._list_messages(request, plan)
            case "list_comments":
                return self._list_comments(request, plan)
            case "list_items":
                return self._list_items(request, plan)
            case "list_conversations":
                return self._list_conversations(request, plan)
            case "get_space":
                return self._get_space(request, plan)
            case "list_spaces":
                return self._list_spaces(request, plan)
            case route if "evaluation" in route:
                return self._evaluations.answer(request, self._page(request, plan))
            case "list_agents":
                return list_of_agents(self._spaces, request, plan, self._clock.now_ms)
            case _:
                return self._about_a_space(request, plan, body, caller)

    def _about_a_space(self, request: Request, plan: Plan, body: bytes, caller: str) -> Answer:
        match request.route:
            case "list_tags":
                return self._list_tags(request, plan)
            case "space_permissions":
                return self._permissions(request, body, caller)
            case _:
                return self._change_space(request, plan, body)

    def _get_message(self, request: Request) -> Answer:
        return Answer(200, self._message(request).body(self._clock.now_ms))

    def _list_comments(self, request: Request, plan: Plan) -> Answer:
        now = self._clock.now_ms

        def show(comment: Comment) -> dict[str, Any] | None:
            return comment.body if comment.is_there(now) else None

        comments = _ordered(list(self._message(request).comments), plan)
        rows, token = self._page(request, plan).cut(comments, show)
        return list_answer("comments", rows, token)

    def _list_items(self, request: Request, plan: Plan) -> Answer:
        """The steps behind the one that `after` names: at most `limit`, in the `order` that is asked for."""
        now = self._clock.now_ms
        conversation = self._conversation(request)
        if conversation is None or conversation.agent is None or not conversation.visible(now):
            raise ApiError(404, f"Conversation {request.conversation_id} does not exist.")
        if not any(message.readable and message.visible(now) for message in conversation.messages):
            raise _hidden(request)
        return json_answer(items_page(conversation.agent.items, request.query, now, _limit_of(plan)))

    def _message(self, request: Request) -> StoredMessage:
        conversation = self._conversation(request)
        message = conversation.by_id.get(request.message_id) if conversation else None
        if message is None or not message.visible(self._clock.now_ms):
            raise ApiError(404, f"Message {request.message_id} does not exist.")
        if not message.readable:
            raise _hidden(request)
        return message

    def _list_messages(self, request: Request, plan: Plan) -> Answer:
        now = self._clock.now_ms
        conversation = self._conversation(request)
        if conversation is None or not conversation.visible(now):
            raise ApiError(404, f"Conversation {request.conversation_id} does not exist.")
        if not any(message.readable and message.visible(now) for message in conversation.messages):
            raise _hidden(request)

        def show(message: StoredMessage) -> bytes | None:
            return message.body(now) if message.readable and message.visible(now) else None

        page = self._page(request, plan)
        bodies, token = page.cut(_ordered(conversation.messages, plan), show)
        tail = b',"next_page_token":' + to_json(token) if token else b""
        return Answer(200, b'{"messages":[' + b",".join(bodies) + b"]" + tail + b"}")

    def _list_conversations(self, request: Request, plan: Plan) -> Answer:
        include_all = request.query.get("include_all", "").lower() == "true"
        find = self._spaces.managed if include_all else self._spaces.readable
        now = self._clock.now_ms
        find(request.workspace_id, request.space_id, now)
        me = str(self._principal.user_id)

        def show(conversation: Conversation) -> dict[str, Any] | None:
            mine = include_all or conversation.owner() == me
            return conversation.summary() if mine and conversation.visible(now) else None

        conversations = self._conversations.of_space(request.workspace_id, request.space_id)
        rows, token = self._page(request, plan).cut(_ordered(conversations, plan), show)
        return list_answer("conversations", rows, token)

    def _list_spaces(self, request: Request, plan: Plan) -> Answer:
        def show(space: Space | None) -> dict[str, Any] | None:
            return without_export(space) if space else None

        spaces = self._spaces.listed(request.workspace_id, self._clock.now_ms, stale=plan.has("stale"))
        rows, token = self._page(request, plan).cut(_ordered(spaces, plan), show)
        return list_answer("spaces", rows, token)

    def _list_tags(self, request: Request, plan: Plan) -> Answer:
        space = self._spaces.readable(request.workspace_id, request.space_id, self._clock.now_ms)
        ids = {"entity_type": "geniespaces", "entity_id": request.space_id}
        # A tag may be a key alone.
        tags = [
            {**ids, "tag_key": key, **({"tag_value": value} if value else {})} for key, value in space.tags.items()
        ]
        rows, token = self._page(request, plan).cut(tags, lambda tag: tag)
        return list_answer("tag_assignments", rows, token)

    def _get_space(self, request: Request, plan: Plan) -> Answer:
        export = request.query.get("include_serialized_space", "").lower() == "true"
        find = self._spaces.editable if export else self._spaces.readable
        space = find(request.workspace_id, request.space_id, self._clock.now_ms, stale=plan.has("stale"))
        return json_answer(space.body if export else without_export(space))

    def _change_space(self, request: Request, plan: Plan, body: bytes) -> Answer:
        now = self._clock.now_ms
        if request.route == "trash_space":
            self._spaces.trash(request.workspace_id, request.space_id, now)
            return json_answer({})
        if request.route == "create_space":
            return json_answer(self._spaces.create(request.workspace_id, _object(body), now).body)
        weakly = plan.has("weak_etag")
        wanted = _object(body)
        updated = self._spaces.update(request.workspace_id, request.space_id, wanted, now, weakly=weakly)
        return json_answer(updated.body)

    def _permissions(self, request: Request, body: bytes, caller: str) -> Answer:
        now, ids = self._clock.now_ms, (request.workspace_id, request.space_id)
        if caller != ADMINISTRATOR:
            self._spaces.managed(*ids, now)
        if request.method not in ("GET", "PATCH", "PUT"):
            return endpoint_not_found(request.method, request.shown_path)
        if request.method != "GET":
            entries = _object(body).get("access_control_list")
            self._spaces.grant(*ids, entries, now, only=request.method == "PUT")
        return json_answer(self._spaces.permissions(*ids, now))

    def _conversation(self, request: Request) -> Conversation | None:
        self._spaces.readable(request.workspace_id, request.space_id, self._clock.now_ms)
        return self._conversations.find(request.workspace_id, request.space_id, request.conversation_id)

    @staticmethod
    def _page(request: Request, plan: Plan) -> Page:
        order = "newest" if plan.has("newest_first") else "oldest"
        ids = (
            *(request.workspace_id, request.space_id, request.conversation_id),
            *(request.message_id, request.run_id),
        )
        name = "/".join((request.route, *ids, order))
        return Page.of(request.query, name, _limit_of(plan), repeat=plan.has("repeat_page_token"))


def _limit_of(plan: Plan) -> int | None:
    return plan.option("max_page_size", "limit")


def _ordered(items: list[Any], plan: Plan) -> list[Any]:
    return items[::-1] if plan.has("newest_first") else items


def _hidden(request: Request) -> ApiError:
    return ApiError(403, f"You do not have permission to view conversation {request.conversation_id}.")


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise ApiError(400, f"The request body is not valid JSON: {error}", "MALFORMED_REQUEST") from error
    if not isinstance(value, dict):
        raise ApiError(400, "The request body must be a JSON object.", "MALFORMED_REQUEST")
    return value
