"""A small account written by hand, with every case that the server must tell apart."""

from typing import Any

from genie_sandbox.account import Account, Message, MessageState, Principal, Space, Workspace

ANCHOR = 1_786_500_000_000
HOUR = 3_600_000

PRINCIPAL = Principal(
    "5f0c1d7e-0000-4000-8000-00000000abcd", "s3cret:with/odd+chars=", "dapi0123456789", 2**53 + 3
)

FIRST, SECOND = "1111", "2222"  # workspaces
SALES, RUN_ONLY, FORBIDDEN, TRASHED, ELSEWHERE = (f"space{number}" for number in range(5))

ODD_ID = "q'uo\"te /sla%sh ☃"


def message(
    message_id: str,
    *,
    conversation_id: str = "talk",
    space_id: str = SALES,
    workspace_id: str = FIRST,
    asked: int = ANCHOR - 10 * HOUR,
    states: tuple[tuple[int, dict[str, Any]], ...] = (),
    deleted_at: int | None = None,
    access: str = "ok",
) -> Message:
    """A message that was completed when it was asked, unless `states` (ms, changed fields) say otherwise."""
    body = {
        "space_id": space_id,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "user_id": 77,
        "content": f"Question {message_id}",
        "created_timestamp": asked,
        "status": "COMPLETED",
    }
    history = states or ((asked, {}),)
    return Message(
        workspace_id,
        space_id,
        conversation_id,
        message_id,
        tuple(MessageState(at, body | change) for at, change in history),
        deleted_at,
        access,
    )


MESSAGES = (
    *(message(f"m{number:03}", asked=ANCHOR - (200 - number) * 60_000) for number in range(130)),
    message(
        "changing",
        conversation_id="change",
        states=(
            (ANCHOR - HOUR, {"status": "ASKING_AI", "user_id": "9007199254740993"}),
            (ANCHOR + HOUR, {"status": "COMPLETED", "content": "lone \ud800 surrogate"}),
        ),
    ),
    message("future", conversation_id="change", asked=ANCHOR + 5 * HOUR),
    message("leaves", conversation_id="leaves", deleted_at=ANCHOR + HOUR),
    message("hidden", conversation_id="hidden", access="none"),
    message(ODD_ID, conversation_id=ODD_ID, asked=ANCHOR - 2 * HOUR),
    message("mine", conversation_id="mine", states=((ANCHOR - HOUR, {"user_id": str(PRINCIPAL.user_id)}),)),
    message("run", space_id=RUN_ONLY),
    message("no", space_id=FORBIDDEN),
    message("gone", space_id=TRASHED),
    message("m000", space_id=ELSEWHERE, workspace_id=SECOND),
)


def space(
    space_id: str, workspace_id: str = FIRST, access: str = "manage", trashed_at: int | None = None
) -> Space:
    """A space with a configuration."""
    body = {
        "space_id": space_id,
        "title": f"Title of {space_id}",
        "warehouse_id": "wh",
        "etag": f"etag-{space_id}",
        "serialized_space": '{"version":2}',
    }
    return Space(workspace_id, space_id, body, access, trashed_at)


ACCOUNT = Account(
    account_id="account",
    anchor=ANCHOR,
    first_day="2026-08-11",
    last_day="2026-08-12",
    warehouse_id="wh",
    principal=PRINCIPAL,
    workspaces=(Workspace(FIRST, "one"), Workspace(SECOND, "two")),
    spaces=(
        space(SALES),
        space(RUN_ONLY, access="run"),
        space(FORBIDDEN, access="none"),
        space(TRASHED, trashed_at=ANCHOR - HOUR),
        space(ELSEWHERE, SECOND),
    ),
    messages=MESSAGES,
)
