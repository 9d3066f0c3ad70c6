"""How messages are fetched: one LIST per conversation where that costs fewer requests than single GETs."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genie_assets.domain.keys import MessageKey, SpaceKey
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import MessagesRequest

# The page size that is asked for. The API documents no maximum for messages; 100 is what public readers use.
LIST_PAGE_SIZE = 100
# No id of Databricks is longer; one that is would only make an unusable URL.
LONGEST_ID = 256
_UNUSABLE_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class MessageRef:
    """Where a message is: everything that its URL needs. Ids are opaque text from the audit log."""

    workspace_id: str
    workspace_url: str | None
    space_id: str
    conversation_id: str
    message_id: str

    @property
    def key(self) -> MessageKey:
        """Which message it is."""
        return MessageKey(self.workspace_id, self.message_id)


def is_usable_id(value: str | None) -> bool:
    """Whether an id can stand as one path segment of a URL.

    "." and ".." would change the path even when quoted; control characters, lone surrogates and over-long ids are
    refused too.
    """
    if not value or value in (".", "..") or len(value) > LONGEST_ID:
        return False
    return _UNUSABLE_CHARACTER.search(value) is None


def plan_requests(
    refs: Iterable[MessageRef],
    conversation_sizes: Mapping[tuple[str, str, str], int],
    *,
    page_size: int = LIST_PAGE_SIZE,
) -> list[MessagesRequest]:
    """Group messages by conversation and choose the cheaper endpoint for each group.

    Args:
        refs: Messages to fetch; a message named twice is fetched once.
        conversation_sizes: Messages known so far by (workspace_id, space_id, conversation_id). A conversation
            that is not in it is taken to be as large as what is wanted of it.
        page_size: Messages that one page of a LIST is expected to bring.

    Returns:
        Requests in a stable order. A GET request stands for one call per message, a LIST request for
        ceil(size / page_size) calls.
    """
    groups: dict[tuple[str, str, str], dict[str, MessageRef]] = {}
    for ref in refs:
        groups.setdefault((ref.workspace_id, ref.space_id, ref.conversation_id), {})[ref.message_id] = ref
    requests = []
    for key, members in groups.items():
        first = next(iter(members.values()))
        pages = math.ceil(max(conversation_sizes.get(key, 0), len(members)) / page_size)
        requests.append(
            MessagesRequest(
                workspace_id=first.workspace_id,
                workspace_url=first.workspace_url,
                space_id=first.space_id,
                conversation_id=first.conversation_id,
                message_ids=tuple(members),
                endpoint="LIST" if pages < len(members) else "GET",
            )
        )
    return requests


def worth_a_probe(waiting: Iterable[MessageRef]) -> list[list[MessageRef]]:
    """Messages that wait for permission, by space, where one probe may spare asking for them.

    A space with a single conversation among them is left out: asking for it is as cheap.
    """
    spaces: dict[SpaceKey, list[MessageRef]] = {}
    for ref in waiting:
        spaces.setdefault(SpaceKey(ref.workspace_id, ref.space_id), []).append(ref)
    return [refs for refs in spaces.values() if len({ref.conversation_id for ref in refs}) > 1]


def spared_by_a_probe(waiting: Sequence[MessageRef], refusal: FetchError, *, chance: float) -> list[MessageRef]:
    """Messages that need not be asked for, because a probe of their space says that nothing was granted.

    One is asked for all the same: reading may be granted where listing conversations is not.

    Args:
        waiting: The space's messages that wait for permission.
        refusal: What came of the probe; only one for want of a grant speaks of them all.
        chance: A random number in [0, 1) that chooses the one.
    """
    if refusal.error_class is not ErrorClass.PERMISSION:
        return []
    chosen = int(chance * len(waiting))
    return [ref for number, ref in enumerate(waiting) if number != chosen]
