"""The truth about events of spaces: literal rows for hand-written ones."""

from genie_assets_tests.sandbox.tiny import HOUR, NOW, START, account_of, audit_row, ids_of, utc
from genie_sandbox.truth.tables import truth_of_space_events

S1 = {"space_id": "s1"}


def test_what_was_done_to_spaces_and_by_whom() -> None:
    rows = truth_of_space_events(
        account_of(
            audit=(
                audit_row(1, START, "createSpace", {}, result='{"space_id": "s9"}'),
                audit_row(2, START, "cloneSpace", S1, result='{"spaceId": "s8"}', email=None, subject="app"),
                audit_row(3, START, "genieUpdateSpace", {"spaceId": "s1"}),
                audit_row(3, START, "genieUpdateSpace", {"spaceId": "s1"}),
                audit_row(4, START, "deleteInstruction", S1),
                audit_row(5, START, "genieTrashSpace", S1),
                audit_row(6, START, "restoreSpace", S1),
                audit_row(7, START, "deleteSpace", S1, status=None),
                audit_row(8, START, "updateSpace", S1, status=403),
                audit_row(9, START, "getSpace", S1),
                audit_row(10, START, "updateSpace", {}),
                audit_row(11, START, "deleteConversation", ids_of("m")),
                audit_row(12, START, "updateSpace", ids_of("m")),
                audit_row(13, START, "updateSpace", S1, service="dashboards"),
                audit_row(14, START, "createEvaluationRun", S1),
                audit_row(15, START, "updateSpace", S1, arrives_at=NOW + HOUR),
            )
        ),
        at=NOW,
    )["genie_space_events"]
    assert [(row["event_id"].removeprefix("event-"), row["space_id"], row["event"]) for row in rows] == [
        ("1", "s9", "CREATED"),
        ("2", "s8", "CREATED"),
        ("3", "s1", "UPDATED"),
        ("4", "s1", "UPDATED"),
        ("5", "s1", "TRASHED"),
        ("6", "s1", "RESTORED"),
        ("7", "s1", "DELETED"),
    ]
    assert (rows[1]["actor"], rows[1]["event_time"], rows[1]["workspace_id"]) == ("app", utc(START), "1")
