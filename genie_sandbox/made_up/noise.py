"""What else the system tables hold: rows that say nothing about a message, or something misleading."""

import json
import random
from collections.abc import Callable

from genie_sandbox.made_up.audit_rows import AuditLog
from genie_sandbox.made_up.drafts import Draft, Statement
from genie_sandbox.made_up.history_rows import QueryHistory
from genie_sandbox.made_up.hostile import UNUSABLE_IDS
from genie_sandbox.made_up.timetable import Window
from genie_sandbox.made_up.world import Person, Room, World
from genie_sandbox.randomness import DAY, MINUTE, dashed_id, genie_id

_BROWSING = (
    ("listConversations", 12),
    ("genieListConversations", 2),
    ("getSpace", 20),
    ("genieGetSpace", 3),
    ("listGenieSpaceMessages", 4),
    ("listGenieSpaceUserMessages", 2),
    ("getConversation", 8),
    ("genieListConversationMessages", 4),
    ("listInstructions", 3),
    ("updateInstruction", 1),
    ("updateSampleQuestions", 1),
    ("listCuratedQuestions", 2),
    ("createEvaluationRun", 1),
    ("getEvaluationRun", 2),
    ("listEvaluationResults", 1),
    ("getEvaluationResultDetails", 1),
    ("updateGenieColumnConfigs", 1),
    ("previewAgentMemory", 1),  # an action of a later release
)
_FOREIGN = (
    ("unityCatalog", "getTable"),
    ("unityCatalog", "generateTemporaryTableCredential"),
    ("databrickssql", "commandSubmit"),
    ("databrickssql", "startEndpoint"),
    ("dashboards", "getPublishedDashboard"),
    ("genieChat", "createGenieChatResponse"),
    ("genieChat", "updateGenieChatConversationFeedback"),
)


class Noise:
    """Fills the system tables with everything that is not about a message."""

    def __init__(
        self, rng: random.Random, world: World, period: Window, audit: AuditLog, history: QueryHistory
    ) -> None:
        self._rng = rng
        self._world = world
        self._period = period
        self._audit = audit
        self._history = history

    def fill(self, drafts: list[Draft], messages: int) -> None:
        """Add noise for an account of `messages` messages."""
        for make, share in (
            (self._browse, 0.25),
            (self._foreign, 0.08),
            (self._refused_ask, 0.012),
            (self._read_of_nonsense, 0.004),
            (self._account_level, 0.01),
            (self._profiling, 0.05),
            (self._other_sql, 0.05),
        ):
            self._repeat(make, share, messages)
        whole = json.dumps({"space_id": genie_id(self._rng), "message_id": genie_id(self._rng)})
        for result in (whole[:-9] + "... truncated", "", "OK", "[1, 2]", "null", '"text"', "<html></html>"):
            self._broken_result(result)
        for _ in range(max(3, round(0.05 * messages))):
            self._our_own_reads(self._rng.choice(drafts))
        self._unusable_references()

    def _repeat(self, make: Callable[[], None], share: float, messages: int) -> None:
        for _ in range(max(2, round(share * messages))):
            make()

    def _moment(self) -> int:
        return self._rng.randint(self._period.first, self._period.last)

    def _somebody(self) -> Person:
        return self._rng.choice(self._world.people)

    def _room(self) -> Room:
        return self._rng.choice(self._world.rooms)

    def _browse(self) -> None:
        """People look around in spaces; a few of these rows arrive after the anchor, too."""
        rng, room, at = self._rng, self._room(), self._moment()
        action = rng.choices([name for name, _ in _BROWSING], [weight for _, weight in _BROWSING])[0]
        params = {"space_id": room.space.space_id}
        if "onversation" in action:
            params["conversation_id"] = genie_id(rng)
        late = at > self._period.anchor - 2 * DAY and rng.random() < 0.05
        self._audit.add(at, room.workspace_id, self._somebody(), action, params, late=late)

    def _foreign(self) -> None:
        """Other services, some of them with ids that look like ours."""
        rng = self._rng
        service, action = rng.choice(_FOREIGN)
        params = {"full_name_arg": "retail.sales.orders"}
        if service in {"genieChat", "dashboards"}:
            params = {"conversation_id": genie_id(rng), "message_id": genie_id(rng), "space_id": genie_id(rng)}
        workspace = rng.choice(self._world.workspaces).workspace_id
        self._audit.add(self._moment(), workspace, self._somebody(), action, params, service=service)

    def _refused_ask(self) -> None:
        """Questions that were never taken: too many, or not allowed. There is no message."""
        rng, room = self._rng, self._room()
        status, error = rng.choice(((429, "REQUEST_LIMIT_EXCEEDED"), (429, None), (403, "PERMISSION_DENIED")))
        action = rng.choice(
            ("createConversationMessage", "genieStartConversationMessage", "genieCreateConversationMessage")
        )
        params = {"space_id": room.space.space_id}
        if action != "genieStartConversationMessage":
            params["conversation_id"] = genie_id(rng)
        self._audit.add(
            self._moment(), room.workspace_id, self._somebody(), action, params, status=status, error=error
        )

    def _read_of_nonsense(self) -> None:
        """Reads of ids that do not exist."""
        rng, room = self._rng, self._room()
        ids = [rng.choice((genie_id(rng), "undefined", "null", "%s", "1234")) for _ in range(2)]
        params = {"space_id": room.space.space_id, "conversation_id": ids[0], "message_id": ids[1]}
        action = rng.choice(("getConversationMessage", "genieGetConversationMessage"))
        self._audit.add(self._moment(), room.workspace_id, self._somebody(), action, params, status=404)

    def _broken_result(self, result: str) -> None:
        """An ask whose result is no JSON, cut off in the middle of an id, or not an object."""
        room = self._room()
        params = {"space_id": room.space.space_id}
        self._audit.add(
            self._moment(), room.workspace_id, self._somebody(), "createConversationMessage", params, result=result
        )

    def _account_level(self) -> None:
        """Rows of the account itself."""
        action = self._rng.choice(("tokenLogin", "listUsers", "getWorkspace"))
        self._audit.add(self._moment(), "0", self._somebody(), action, {}, service="accounts")

    def _our_own_reads(self, draft: Draft) -> None:
        """Our principal's reads of earlier runs, of real messages and of ones that are long gone."""
        rng, us = self._rng, self._world.ourselves
        at = min(
            draft.created + int(rng.uniform(0.1, 4) * DAY), self._period.anchor - rng.randrange(MINUTE, 9 * MINUTE)
        )
        params = dict(draft.ids)
        action = rng.choice(("genieGetConversationMessage", "genieListConversationMessages"))
        if action == "genieListConversationMessages":
            del params["message_id"]
        elif rng.random() < 0.1:
            params["message_id"] = genie_id(rng)
        self._audit.add(at, draft.plan.room.workspace_id, us, action, params)

    def _unusable_references(self) -> None:
        """A few messages whose ids are incomplete, or such that no request may be made with them."""
        rng = self._rng
        for conversation_id in (None, *UNUSABLE_IDS):
            room = self._room()
            params = {"space_id": room.space.space_id, "message_id": genie_id(rng)}
            if conversation_id is not None:
                params["conversation_id"] = conversation_id
            action = "recordAgentStep" if conversation_id is None else "getConversationMessage"
            self._audit.add(self._moment(), room.workspace_id, self._somebody(), action, params)

    def _profiling(self) -> None:
        """Statements of a space that belong to no message: authoring, profiling, benchmarks."""
        room = self._room()
        self._statement(room.workspace_id, room.space.space_id, "DESCRIBE TABLE " + room.business.fact_table)

    def _other_sql(self) -> None:
        """Statements that have nothing to do with Genie."""
        self._statement(self._room().workspace_id, None, "SHOW TABLES IN retail.sales")

    def _statement(self, workspace_id: str, space_id: str | None, text: str) -> None:
        rng = self._rng
        status, error = (
            ("FINISHED", None) if rng.random() < 0.95 else ("FAILED", "[TABLE_OR_VIEW_NOT_FOUND] no table")
        )
        statement = Statement(dashed_id(rng), text, self._moment(), rng.randrange(30, 9000), 3, status, error)
        self._history.add(statement, workspace_id, self._somebody(), space_id)
