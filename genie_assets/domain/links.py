"""Addresses of Genie's pages in a workspace, of ids and addresses that come from outside."""

import re

# As `workspaces_latest` has it: https://host, or https://host/?o=<the workspace's id>.
_WORKSPACE = re.compile(r"(https://[A-Za-z0-9.-]+(?::\d{1,5})?)/?(?:\?o=\d+)?")
_ID, _NUMBER = re.compile(r"[A-Za-z0-9_-]+"), re.compile(r"\d+")


def space_link(workspace_url: str | None, workspace_id: str, space_id: str | None) -> str | None:
    """Where a space is opened; None where that is not known, or an id has characters that no id of Genie has.

    Nothing in it means anything to Markdown or HTML.

    Args:
        workspace_url: The workspace's address, from the audit log's list of workspaces.
        workspace_id: Its id: one address may lead to several workspaces.
        space_id: The space.
    """
    found = _WORKSPACE.fullmatch(workspace_url or "")
    if not found or not _NUMBER.fullmatch(workspace_id) or not _ID.fullmatch(space_id or ""):
        return None
    return f"{found[1]}/genie/rooms/{space_id}?o={workspace_id}"
