"""Another kind of thing, fetched, paced, retried, batched and accounted for by the machinery as it is.

What `COMMENTS` to `Comments` says is all that a new endpoint takes beside its definition in `domain.tables`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genie_assets.domain.keys import Row
from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.requests import Answer, Became
from genie_assets.domain.table import Column, Table, records
from genie_assets.domain.tables import SPACE_FETCH_ERRORS
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.gateways.genie.asking import Asking, ask
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.pipeline.batches import ask_for_due
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.things import Look, Stored
from genie_assets_tests.gateways.stub_server import Reply, Request, StubServer

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)

COMMENTS = Table(
    name="comments",
    asset="comments",
    row="comment",
    description="What users say.",
    key=("workspace_id", "comment_id"),
    columns=tuple(Column(name, "STRING", "") for name in ("workspace_id", "comment_id", "text")),
    bookkeeping=(),
)
_ID = Column("comment_id", "STRING", "Comment.", nullable=False)
COMMENT_FETCH_ERRORS = replace(
    SPACE_FETCH_ERRORS,
    name="comment_fetch_errors",
    key=COMMENTS.key,
    columns=tuple(_ID if column.name == "space_id" else column for column in SPACE_FETCH_ERRORS.columns),
    statistics=COMMENTS.key,
)


@dataclass(frozen=True)
class CommentRequest:
    workspace_id: str
    workspace_url: str | None
    comment_id: str

    @property
    def wanted(self) -> tuple[str, ...]:
        return (self.comment_id,)


@ask.register
def ask_for_a_comment(request: CommentRequest, asking: Asking[CommentRequest]) -> None:
    def get() -> None:
        asking.take(
            request.comment_id, asking.calls.below_a_space(asking.target, "s", "comments", request.comment_id)
        )

    if error := asking.guarded(get):
        asking.fail(request.comment_id, error)


class Comments:
    errors = COMMENT_FETCH_ERRORS

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake

    def ids(self, request: CommentRequest, thing_id: str) -> Mapping[str, str | None]:
        return {"workspace_id": request.workspace_id, "comment_id": thing_id}

    def look(
        self, request: CommentRequest, thing_id: str, answer: Answer | None, problem: FetchError | None
    ) -> Look[Row]:
        ids = self.ids(request, thing_id)
        return Look(ids, {**ids, "text": answer.body["text"]} if answer else None, problem)

    def was_stored(self, key: Any) -> bool:
        return False

    def store(self, looks: Sequence[Look[Row]], stamp: Mapping[str, Any]) -> Stored:
        rows = [look.row for look in looks if look.row]
        self._lake.merge(COMMENTS, COMMENTS.frame(rows))
        return Stored({(row["workspace_id"], row["comment_id"]): Became.NEW for row in rows})


def test_another_kind_of_thing_needs_no_change_of_the_machinery(tmp_path: Path) -> None:
    lake, now, broken = open_lakehouse(str(tmp_path)), [NOON], {"c7", "c9"}

    def answer(request: Request) -> Reply:
        name = request.path.rpartition("/")[2]
        return Reply({"error_code": "INTERNAL_ERROR"}, 500) if name in broken else Reply({"text": f"{name}!"})

    def load() -> tuple[int, int, int, int]:
        requests = [CommentRequest("w", server.url, f"c{number}") for number in range(250)]
        run = Run(NOON.date(), "run", lambda: now[0])
        tally = ask_for_due(requests, Comments(lake), genie=genie, lake=lake, run=run)
        return tally.stored, tally.failed, tally.waiting, tally.batches

    with StubServer(answer).running() as server:
        workspaces = Workspaces(server.url, token="a-token-of-tests", policy=HostPolicy(["127.0.0.1"]))
        genie = GenieApi(
            workspaces, threads=4, pacer_of=lambda _: Pacer(5000), retries=Retries(attempts=1, first_wait=0.01)
        )
        assert load() == (248, 2, 0, 3)
        assert {row["comment_id"] for row in records(lake.read(COMMENT_FETCH_ERRORS))} == broken
        assert load()[1:3] == (0, 2)
        now[0] += dt.timedelta(hours=1)
        broken.remove("c9")
        assert load()[:3] == (249, 1, 0)
    errors = {row["comment_id"]: row for row in records(lake.read(COMMENT_FETCH_ERRORS))}
    assert (errors["c9"]["resolution"], errors["c7"]["retry_count"]) == ("FETCHED", 1)
    assert len(lake.read(COMMENTS)) == 249
