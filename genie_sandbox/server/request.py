"""A request to the sandbox, taken apart once: which API call it is and which ids its path names."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from genie_sandbox.sql.presigned import PRESIGNED_PREFIX

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ADMIN_PREFIX = b"/_sandbox/"

ENGINE_ROUTES = frozenset({"statements", "files", "metastore", "presigned"})
OPEN_ROUTES = frozenset({"discovery", "host_metadata", "token", "presigned"})

_SPACES = b"/api/2.0/genie/spaces"
_AGENTS = b"/api/2.0/genie/agents"
_SPACE_PERMISSIONS = b"/api/2.0/permissions/genie/"
_TAGS = b"/api/2.0/entity-tag-assignments/geniespaces/"
_FIXED = {
    ("GET", b"/oidc/.well-known/oauth-authorization-server"): "discovery",
    ("GET", b"/.well-known/databricks-config"): "host_metadata",
    ("POST", b"/oidc/v1/token"): "token",
    ("GET", b"/api/2.0/preview/scim/v2/Me"): "me",
    ("POST", b"/api/2.0/token/create"): "tokens",
    ("GET", b"/api/2.0/sql/warehouses"): "warehouses",
    ("GET", _SPACES): "list_spaces",
    ("POST", _SPACES): "create_space",
    ("GET", _AGENTS): "list_agents",
}
_PREFIXES = (
    (b"/api/2.0/sql/warehouses/", "warehouses"),  # before the statements, which begin alike
    (b"/api/2.1/unity-catalog/tables/", "tables"),
    (b"/api/2.1/unity-catalog/functions/", "functions"),
    (b"/api/2.1/unity-catalog/current-metastore-assignment", "metastore"),
    (b"/api/2.1/unity-catalog/metastores/", "metastore"),
    (b"/api/2.0/sql/", "statements"),
    (b"/api/2.0/fs/", "files"),
    (b"/api/2.0/lakeview/dashboards", "dashboards"),
    (b"/api/2.0/alerts", "alerts"),
    (b"/api/2.0/workspace/", "workspace_objects"),
    (b"/api/2.0/permissions/dashboards/", "dashboard_permissions"),
    (b"/api/2.0/permissions/warehouses/", "warehouse_permissions"),
    (b"/api/2.0/preview/scim/v2/ServicePrincipals/", "principals"),
    (_SPACE_PERMISSIONS, "space_permissions"),
    (PRESIGNED_PREFIX.encode(), "presigned"),
)
# By verb and by the number of path segments below the spaces; every second segment is an id.
_BELOW_SPACES = {
    ("GET", 1): "get_space",
    ("PATCH", 1): "update_space",
    ("DELETE", 1): "trash_space",
    ("GET", 2): "list_conversations",
    ("GET", 4): "list_messages",
    ("GET", 5): "get_message",
    ("GET", 6): "list_comments",
}
_EVALUATIONS = {
    2: "list_evaluations",
    3: "get_evaluation",
    4: "list_evaluation_results",
    5: "get_evaluation_result",
}
# What the ids of a path name, from the left.
_OF_CONVERSATIONS = ("space_id", "conversation_id", "message_id")
_OF_EVALUATIONS = ("space_id", "run_id", "result_id")
_ITEMS = "list_items"  # GET, below the agents
_OF_TAGS = "list_tags"  # GET, below the assignments of tags

ROUTES = frozenset(
    {
        *_FIXED.values(),
        *(name for _, name in _PREFIXES),
        *_BELOW_SPACES.values(),
        *_EVALUATIONS.values(),
        *(_ITEMS, _OF_TAGS, "unknown"),
    }
)
LIST_ROUTES = frozenset(
    {
        *("list_spaces", "list_conversations", "list_messages", "list_comments", _ITEMS),
        *("list_evaluations", "list_evaluation_results", "list_agents", _OF_TAGS),
    }
)


@dataclass(slots=True)
class Request:
    """What was asked of which workspace. Ids that the path does not name are empty."""

    method: str
    path: bytes  # as sent: still percent-encoded, without the query
    query_string: bytes
    workspace_id: str
    route: str
    space_id: str = ""
    conversation_id: str = ""
    message_id: str = ""
    run_id: str = ""  # of an evaluation
    result_id: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The query parameters; the last one of a name counts."""
        return dict(parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True))

    @property
    def shown_path(self) -> str:
        """The path for messages and logs; that of a presigned link is a secret and is left out."""
        if self.route == "presigned":
            return PRESIGNED_PREFIX
        return self.path.decode("ascii", "replace")


def read_request(scope: Scope, workspace_id: str) -> Request:
    """Take the request of an ASGI `scope` apart."""
    method, path = scope["method"], scope["raw_path"]
    if path.startswith(_AGENTS + b"/"):
        parts = path[len(_AGENTS) + 1 :].split(b"/")
        is_items = (
            method == "GET" and all(parts) and len(parts) == 4 and parts[1::2] == [b"conversations", b"items"]
        )
        found = [_decoded(part) for part in parts[::2]] if is_items else []
        return Request(
            method, path, scope["query_string"], workspace_id, _ITEMS if is_items else "unknown", *found
        )
    if path.startswith(_TAGS):
        space_id, _, rest = path[len(_TAGS) :].partition(b"/")
        is_tags = method == "GET" and bool(space_id) and rest == b"tags"
        tagged = _decoded(space_id) if is_tags else ""
        return Request(
            method, path, scope["query_string"], workspace_id, _OF_TAGS if is_tags else "unknown", tagged
        )
    if path.startswith(_SPACES + b"/"):
        segments = path[len(_SPACES) + 1 :].split(b"/")
        route = _below_spaces(method, segments)
        ids = [_decoded(segment) for segment in segments[::2]] if route != "unknown" else []
        named = _OF_EVALUATIONS if route in _EVALUATIONS.values() else _OF_CONVERSATIONS
        whose = dict(zip(named, ids, strict=False))
        return Request(method, path, scope["query_string"], workspace_id, route, **whose)
    route = _FIXED.get((method, path)) or _prefixed(path)
    space_id = _decoded(path.removeprefix(_SPACE_PERMISSIONS)) if route == "space_permissions" else ""
    return Request(method, path, scope["query_string"], workspace_id, route, space_id)


def _below_spaces(method: str, segments: list[bytes]) -> str:
    count = len(segments)
    names = segments[1::2]
    if all(segments) and names and names == [b"eval-runs", b"results"][: len(names)]:
        return _EVALUATIONS.get(count, "unknown") if method == "GET" else "unknown"
    if not all(segments) or names != [b"conversations", b"messages", b"comments"][: len(names)]:
        return "unknown"
    return _BELOW_SPACES.get((method, count), "unknown")


def _prefixed(path: bytes) -> str:
    return next((route for prefix, route in _PREFIXES if path.startswith(prefix)), "unknown")


def _decoded(segment: bytes) -> str:
    # Split first, decode after: an id may hold an encoded slash.
    raw = unquote_to_bytes(segment) if b"%" in segment else segment
    return raw.decode("utf-8", "replace")
