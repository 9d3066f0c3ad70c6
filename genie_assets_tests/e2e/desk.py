"""A user's desk: two workspaces of a sandbox with a space that was edited badly, a lakehouse, and the commands."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from genie_assets.commands.cli import main
from genie_assets.domain.keys import Row, SpaceKey
from genie_assets.domain.tables import GENIE_SPACE_APPLIES
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.genie.api import GenieApi
from genie_assets.pipeline.genie_space_details import look_at_spaces
from genie_assets.pipeline.space_permissions import keep_permissions
from genie_assets.settings import load_settings
from genie_assets.wiring import open_lake
from genie_assets_tests.pipeline.world import HOUR, NOON, World
from genie_assets_tests.sandbox.accounts import ACCOUNT, FIRST, SECOND
from genie_assets_tests.sandbox.wire import call, genie_path
from genie_sandbox.account import Securable, Space, save
from genie_sandbox.client import SandboxProcess

GOOD: dict[str, Any] = {
    "version": 2,
    "data_sources": {"tables": [{"identifier": "dev.shop.orders"}, {"identifier": "dev.shop.stores"}]},
    "instructions": {
        "text_instructions": [{"id": "a1", "content": ["Days are in UTC."]}],
        "example_question_sqls": [
            {"id": "b1", "question": ["How many?"], "sql": ["SELECT 1 FROM dev.shop.orders"]}
        ],
    },
    "later": {"key": "unknown"},
}
BAD: dict[str, Any] = GOOD | {
    "instructions": {"text_instructions": [{"id": "a1", "content": ["Days are local."]}]}
}
DESK, EDITED = "desk0", "edited0"  # the second one may be edited by our principal, and not managed
OUR_GROUP = "genie-managers"  # of which it is a member


def body(configuration: Any, **fields: Any) -> dict[str, Any]:
    known = {
        "title": "Refund desk",
        "description": "Refunds",
        "warehouse_id": "wh",
        "parent_path": "/Shared/genie",
    }
    return known | {"serialized_space": json.dumps(configuration)} | fields


@contextmanager
def account_of_a_desk(folder: Path, *, sql: bool = False) -> Iterator[SandboxProcess]:
    """Both workspaces, and the things that spaces there name; with `sql`, a warehouse that runs statements."""
    desk = Space(FIRST, DESK, {"space_id": DESK, "etag": "e0", **body(GOOD)})
    edited = Space(FIRST, EDITED, {"space_id": EDITED, "etag": "e0", **body(GOOD, title="Loan desk")}, "edit")
    things = (
        Securable("table", "prod.shop.orders"),
        Securable("table", "prod.shop.secrets", access="none"),
        Securable("table", "prod.shop.seen", access="browse"),
        Securable("function", "prod.tools.f"),
        Securable("warehouse", "ours", workspaces=(FIRST,)),
        Securable("warehouse", "old", state="DELETED"),
    )
    ours = replace(ACCOUNT.principal, groups=(OUR_GROUP,))
    save(replace(ACCOUNT, principal=ours, spaces=(*ACCOUNT.spaces, desk, edited), securables=things), folder)
    with SandboxProcess(folder, sql=sql) as running:
        yield running


class Desk:
    """A user's working folder, the lakehouse in it, and what others do to the spaces meanwhile."""

    def __init__(self, sandbox: SandboxProcess, folder: Path) -> None:
        self.sandbox, self.folder = sandbox, folder
        self.world = World(folder / "lake")
        self.world.lake = open_lake(load_settings())
        self.world.genie = GenieApi(  # type: ignore[assignment]
            Workspaces(sandbox.host, token=sandbox.token, urls=sandbox.urls, policy=HostPolicy(("127.0.0.1:*",)))
        )
        self.hours = 0

    def back_up(self, *keys: tuple[str, str]) -> None:
        self.world.now = NOON + self.hours * HOUR
        self.hours += 1
        spaces = [SpaceKey(*key) for key in keys or ((FIRST, DESK),)]
        look_at_spaces(
            spaces, self.sandbox.urls, genie=self.world.genie, lake=self.world.lake, run=self.world.run()
        )

    def look_at_permissions(self) -> None:
        """As of the last backup."""
        keep_permissions(
            [SpaceKey(FIRST, DESK)],
            self.sandbox.urls,
            genie=self.world.genie,
            lake=self.world.lake,
            run=self.world.run(),
        )

    def spaces(self, *arguments: str) -> Result:
        result = CliRunner().invoke(main, ["spaces", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert self.sandbox.token not in result.output
        return result

    def apply(self, file: str = "plan.json", patience: int = 2) -> Result:
        return self.spaces("apply", file, "--patience", str(patience))

    def send(self, workspace_id: str, path: str, body: Any, method: str = "PATCH") -> Any:
        reply = call(self.sandbox.urls[workspace_id], path, self.sandbox.token, method=method, body=body)
        assert reply.status == 200, reply.body
        return reply.json()

    def change(self, space_id: str = DESK, workspace_id: str = FIRST, **fields: Any) -> None:
        self.send(workspace_id, genie_path(space_id), fields)

    def read(self, space_id: str = DESK, workspace_id: str = FIRST) -> dict[str, Any]:
        path = f"{genie_path(space_id)}?include_serialized_space=true"
        return dict(call(self.sandbox.urls[workspace_id], path, self.sandbox.token).json())

    def titled(self, title: str, workspace_id: str) -> list[str]:
        listed = call(self.sandbox.urls[workspace_id], "/api/2.0/genie/spaces", self.sandbox.token).json()[
            "spaces"
        ]
        return [space["space_id"] for space in listed if space["title"] == title]

    def notes(self) -> list[tuple[str, str]]:
        return [(row["action"], row["result"]) for row in self.applies()]

    def applies(self) -> list[Row]:
        """Our notes of what was applied, the earliest first."""
        rows = open_lake(load_settings()).records(GENIE_SPACE_APPLIES)
        return sorted(rows, key=lambda row: row["started_timestamp"])


def promote(desk: Desk, *options: str) -> Result:
    """Plan to bring the space to the second workspace, where its tables are those of another catalog."""
    places = ("--from", FIRST, "--to", SECOND, "--warehouse", "wh", "--map", "dev=prod", "--plan", "plan.json")
    return desk.spaces("promote", DESK, *places, *options)


@contextmanager
def desk_in(
    sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lakehouse: str | None = None
) -> Iterator[Desk]:
    """The space is as it was at first, backed up, and then edited badly; `lakehouse` is a folder by default."""
    monkeypatch.chdir(tmp_path)
    urls = ",".join(f"{each}={url}" for each, url in sandbox.urls.items())
    for name, value in {
        **sandbox.environment(),
        "GENIE_LAKEHOUSE": lakehouse or str(tmp_path / "lake"),
        "GENIE_WORKSPACE_URLS": urls,
        "GENIE_ALLOW_SPACE_WRITES": "true",
    }.items():
        monkeypatch.setenv(name, value)
    one = Desk(sandbox, tmp_path)
    one.change(**body(GOOD))
    one.back_up()
    one.change(serialized_space=json.dumps(BAD), description="")
    one.back_up()
    yield one
    sandbox.clear_faults()
    for workspace_id in sandbox.urls:
        for title in ("Refund desk", "New desk"):
            for space_id in one.titled(title, workspace_id):
                if space_id != DESK:
                    one.send(workspace_id, genie_path(space_id), None, "DELETE")
