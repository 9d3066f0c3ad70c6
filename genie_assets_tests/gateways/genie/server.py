"""A Genie server that each test programs, and how it is asked."""

import time
from urllib.parse import unquote

from genie_assets.domain.requests import MessagesRequest
from genie_assets.gateways.databricks.exchange import Timeouts
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets_tests.gateways.stub_server import Reply

TOKEN = "dapi0123456789abcdef0123456789abcdef"


NOT_FOUND = Reply({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}, 404)


DENIED = Reply({"error_code": "PERMISSION_DENIED", "message": "no"}, 403)


class Genie:
    """A Genie server: conversations by id, message ids by conversation. Hooks replace single answers."""

    def __init__(self, conversations, page=100):
        self.conversations, self.page = conversations, page
        self.on_list = self.on_get = lambda conversation_id, message_id=None: None

    def __call__(self, request):
        parts = [unquote(part) for part in request.path.split("/")][4:]
        assert parts[0] == "spaces"
        if len(parts) == 5:
            return self.on_list(parts[3]) or self._list(parts[3], request.query)
        return self.on_get(parts[3], parts[5]) or self._get(parts[3], parts[5])

    def _get(self, conversation_id, message_id):
        if message_id not in self.conversations.get(conversation_id, ()):
            return NOT_FOUND
        return Reply(self.message(conversation_id, message_id))

    def _list(self, conversation_id, query):
        if conversation_id not in self.conversations:
            return NOT_FOUND
        start = int(query.get("page_token", 0))
        end = start + min(self.page, int(query.get("page_size", 20)))
        ids = self.conversations[conversation_id]
        page = {"messages": [self.message(conversation_id, message_id) for message_id in ids[start:end]]}
        return Reply(page | ({"next_page_token": str(end)} if end < len(ids) else {}))

    @staticmethod
    def message(conversation_id, message_id):
        return {"message_id": message_id, "conversation_id": conversation_id, "content": f"about {message_id}"}


def genie_at(server, *, threads=8, timeout=2.0, **options):
    workspaces = Workspaces(
        server.url, token=TOKEN, policy=HostPolicy(["127.0.0.1"]), threads=threads, timeouts=Timeouts(timeout)
    )
    options = {"retries": Retries(first_wait=0.01), "pacer_of": lambda _: Pacer(5000), **options}
    return GenieApi(workspaces, threads=threads, **options)


def wanting(server, *message_ids, conversation_id="c", endpoint="LIST", workspace_id="1", space_id="s"):
    return MessagesRequest(workspace_id, server.url, space_id, conversation_id, message_ids, endpoint)


def fetch(genie, *requests, seconds=20.0):
    return list(genie.fetch(requests, deadline=time.monotonic() + seconds))


def ids(result):
    return sorted(answer.body["message_id"] for answer in result.answers.values())


def outcome(genie, request):
    """What came of the only thing that a request wants: an answer, a failure, or None where neither is good."""
    (result,) = fetch(genie, request)
    (thing_id,) = request.wanted
    return result.errors.get(thing_id) or result.answers.get(thing_id)


def message(genie, server, message_id="m1", conversation_id="c", space_id="s", workspace_id="1"):
    """What came of a GET of one message."""
    place = {"conversation_id": conversation_id, "space_id": space_id, "workspace_id": workspace_id}
    return outcome(genie, wanting(server, message_id, endpoint="GET", **place))
