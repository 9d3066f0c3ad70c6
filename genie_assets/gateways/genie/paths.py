"""Where the Genie API's things are: paths under a workspace's host."""

from urllib.parse import quote

from genie_assets.domain.fetch_plan import is_usable_id
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import CallError

SPACES = "/api/2.0/genie/spaces"
AGENTS = "/api/2.0/genie/agents"
PERMISSIONS = "/api/2.0/permissions/genie"
TAGS = "/api/2.0/entity-tag-assignments/geniespaces"


def path_of(*segments: str, below: str = SPACES) -> str:
    """The path of a space and what is below it, or below another root.

    Ids come from outside: each is one quoted segment, whatever it is.

    Raises:
        CallError: BAD_REFERENCE, for an id that cannot be a path segment.
    """
    for segment in segments:
        if not is_usable_id(segment):
            text = "The id of the space, conversation or message cannot be used in an address."
            raise CallError(FetchError(ErrorClass.BAD_REFERENCE, text))
    try:
        return "/".join((below, *(quote(segment, safe="") for segment in segments)))
    except UnicodeEncodeError:
        text = "The id of the space, conversation or message is not valid Unicode."
    raise CallError(FetchError(ErrorClass.BAD_REFERENCE, text))
