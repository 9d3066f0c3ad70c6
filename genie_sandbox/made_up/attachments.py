"""Attachments of an answer, one by one."""

import random
from typing import Any

from genie_sandbox.made_up.drafts import Draft, Statement
from genie_sandbox.made_up.questions import Question
from genie_sandbox.randomness import dashed_id, genie_id

_THOUGHTS = ("DESCRIPTION", "UNDERSTANDING", "DATA_SOURCING", "INSTRUCTIONS", "STEPS")
ANSWER = "TEXT_ATTACHMENT_PURPOSE_ANSWER"


class AttachmentMaker:
    """Makes the attachments of one answer and runs the statements that they need, one after the other."""

    def __init__(self, rng: random.Random, draft: Draft, start: int) -> None:
        self._rng = rng
        self._draft = draft
        self.clock = start + int(rng.uniform(1200, 5000))

    def run(self, text: str, rows: int, *, status: str = "FINISHED", error: str | None = None) -> Statement:
        """Run a statement; the clock moves to its end."""
        total_ms = min(int(self._rng.lognormvariate(7.0, 0.9)) + 40, 25_000)
        statement = Statement(dashed_id(self._rng), text, self.clock, total_ms, rows, status, error)
        self._draft.statements.append(statement)
        self.clock = statement.end + int(self._rng.uniform(100, 900))
        return statement

    def query(
        self,
        question: Question,
        *,
        parameterised: bool = False,
        thoughts: bool = False,
        status: str = "FINISHED",
        error: str | None = None,
    ) -> dict[str, Any]:
        """A query attachment; its statement is run."""
        sql = question.sql(parameterised=parameterised)
        rows = question.row_count(self._rng)
        statement = self.run(sql, rows, status=status, error=error)
        query: dict[str, Any] = {
            "title": question.title,
            "description": question.description,
            "query": sql,
            "statement_id": statement.statement_id,
            "last_updated_timestamp": statement.end,
        }
        if status == "FINISHED":
            query["query_result_metadata"] = {"row_count": rows, "is_truncated": False}
        if parameterised:
            query["parameters"] = question.parameters()
        if thoughts:
            query["thoughts"] = [
                {"thought_type": f"THOUGHT_TYPE_{kind}", "content": f"Uses `{question.business.fact_table}`."}
                for kind in self._rng.sample(_THOUGHTS, self._rng.randint(1, 3))
            ]
        return {"attachment_id": genie_id(self._rng), "query": query}

    def text(self, content: str, purpose: str | None = ANSWER, **more: Any) -> dict[str, Any]:
        """A text attachment; `purpose` None leaves the field away."""
        text: dict[str, Any] = {"content": content}
        if purpose is not None:
            text["purpose"] = purpose
        return {"attachment_id": genie_id(self._rng), "text": {**text, **more}}

    def thinking(self, content: str) -> dict[str, Any]:
        """A text of the thinking phase: no answer."""
        return self.text(content, purpose=None, phase="RESPONSE_PHASE_THINKING")

    def viz(self, query: dict[str, Any], title: str) -> dict[str, Any]:
        """A chart of a query attachment."""
        return {
            "attachment_id": genie_id(self._rng),
            "viz": {"query_attachment_id": query["attachment_id"], "title": title},
        }

    def suggestions(self, question: Question) -> dict[str, Any]:
        """Suggested questions; they come without an attachment id."""
        return {"suggested_questions": {"questions": question.follow_ups(self._rng)}}

    def unknown(self) -> dict[str, Any]:
        """An attachment of a kind that nobody has heard of yet."""
        return {
            "attachment_id": genie_id(self._rng),
            "forecast": {"horizon_days": 30, "model": "auto", "note": "a kind that comes later"},
        }
