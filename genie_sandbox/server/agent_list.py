"""The newer list of spaces, as agents: other names and other rules than those of the older list."""

from typing import Any

from genie_sandbox.account import Space
from genie_sandbox.responses import Answer, ApiError, json_answer
from genie_sandbox.server.faults import Plan
from genie_sandbox.server.paging import MAX_PAGE_SIZE, Page
from genie_sandbox.server.request import Request
from genie_sandbox.server.spaces import Spaces

_BASIC, _FULL = "GENIE_AGENT_VIEW_BASIC", "GENIE_AGENT_VIEW_FULL"
_FULL_PAGE = 10  # whole agents come in smaller pages
# What the newer list calls what the older one tells.
_BASIC_FIELDS = {
    "display_name": "title",
    **{name: name for name in ("description", "warehouse_id", "create_time", "update_time")},
}


def list_of_agents(spaces: Spaces, request: Request, plan: Plan, now_ms: int) -> Answer:
    """One page of it. What a dashboard made is left out; whole agents that may not be read are named as such.

    Raises:
        ApiError: 400 for a view, a page size or a token that is none.
    """
    query = request.query
    view = query.get("view", "") or _BASIC
    if view not in (_BASIC, _FULL):
        raise ApiError(400, f"view must be {_BASIC} or {_FULL}.")
    size = query.get("page_size", "")
    if size.isascii() and size.isdigit():
        # More than is allowed is taken for as much as is allowed.
        query = {**query, "page_size": str(min(int(size), MAX_PAGE_SIZE))}
    limits = [
        each for each in (plan.option("max_page_size", "limit"), _FULL_PAGE if view == _FULL else None) if each
    ]
    name = f"list_agents/{request.workspace_id}/{view}"
    page = Page.of(query, name, min(limits, default=None), repeat=plan.has("repeat_page_token"))
    found, token = page.cut(
        spaces.listed(request.workspace_id, now_ms),
        lambda space: space if space is not None and not space.is_companion else None,
    )
    whole = [each for each in found if view == _BASIC or spaces.may_export(each, now_ms)]
    unreachable = [_name(each) for each in found if each not in whole]
    body = {
        "genie_agents": [_agent(each, view) for each in whole],
        "next_page_token": token,
        "unreachable": unreachable,
    }
    return json_answer({key: value for key, value in body.items() if value})


def _name(space: Space) -> str:
    return f"agents/{space.space_id}"


def _agent(space: Space, view: str) -> dict[str, Any]:
    told = {new: space.body[old] for new, old in _BASIC_FIELDS.items() if space.body.get(old)}
    more = {name: space.body[name] for name in ("parent_path", "etag") if view == _FULL and space.body.get(name)}
    return {"name": _name(space), **told, **more}
