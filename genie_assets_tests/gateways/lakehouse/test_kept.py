"""Files beside the tables, on every engine."""

import os
import stat
from pathlib import Path

import pytest

from genie_assets.gateways.lakehouse.beside import FILES_FOLDER
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import MONDAY, NOTES, note


def test_a_file_is_kept_beside_the_tables_until_another_takes_its_place(lake: Lakehouse) -> None:
    lake.append(NOTES, NOTES.frame([note("a", 1, MONDAY)]))  # makes what there is to be beside
    assert lake.kept_json("a.json") is None
    first = lake.keep("a.json", b'{"key": "\xc3\xa9"}')
    assert lake.kept_json("a.json") == {"key": "é"}
    assert lake.keep("a.json", b"{}") == first
    assert lake.kept_json("a.json") == {}
    assert first.endswith("/a.json")
    assert len(lake.read(NOTES)) == 1


def test_a_kept_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        address = open_lakehouse(str(tmp_path / "lake")).keep("page.html", b"<html>")
    finally:
        os.umask(before)
    folder = tmp_path / "lake" / FILES_FOLDER
    assert address == (folder / "page.html").as_uri()
    assert stat.S_IMODE((folder / "page.html").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [each.name for each in folder.iterdir()] == ["page.html"]


def test_a_file_that_cannot_be_kept_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / FILES_FOLDER).write_text("in the way", encoding="utf-8")
    with pytest.raises(LakehouseError, match=r"GENIE_LAKEHOUSE: page.html cannot be written into .*exists"):
        open_lakehouse(str(tmp_path / "lake")).keep("page.html", b"<html>")
