"""Exported spaces: what was told of permissions stays where nothing is known any more."""

from pathlib import Path

import click
import pytest

from genie_assets.commands.space_files import SpaceFiles

ROW = {"workspace_id": "1", "space_id": "a", "title": "Refunds", "serialized_space": '{"version":2}'}


def test_permissions_that_are_not_known_any_more_stay_in_all_files(tmp_path: Path) -> None:
    name = SpaceFiles(tmp_path).write(ROW, {("USER", "ann@x"): "CAN_RUN"})
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert b"ann@x" in before[tmp_path / "resources" / f"{name}.genie_space.yml"]
    SpaceFiles(tmp_path).write(ROW)
    assert {file: file.read_bytes() for file in before} == before
    (tmp_path / "spaces" / name / "permissions.json").write_text("{}")
    with pytest.raises(click.ClickException, match=r"permissions\.json: Each entry must name one principal"):
        SpaceFiles(tmp_path).write(ROW)
