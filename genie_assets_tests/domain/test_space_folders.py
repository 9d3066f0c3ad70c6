"""A space as files comes back to the byte."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genie_assets.domain.configurations import kept_text
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.space_folders import SpaceFolderError, files_of, ids_of, key_of, space_of
from genie_assets_tests.domain.configurations import hostile, texts


def _row(text: str, **fields: Any) -> dict[str, Any]:
    unknown = dict.fromkeys(("title", "description", "warehouse_id", "parent_path"))
    return unknown | {"workspace_id": "1", "space_id": "a", "serialized_space": text} | fields


@settings(max_examples=60)
@given(texts, st.none() | hostile)
@example('{"b": 1.50}', None)
@example("not json", None)
@example('{"a":1}\r\n', "x")
@example('{"a": "\\ud800"}', "x")
def test_what_is_exported_and_imported_is_the_same_to_the_byte(text: str, title: str | None) -> None:
    row = _row(kept_text(text)[0], title=title and kept_text(title)[0])
    files = files_of(row)
    on_disk = {name: data.decode() for name, data in {name: text.encode() for name, text in files.items()}.items()}
    assert space_of(on_disk) == row
    assert files_of(space_of(on_disk)) == files


@pytest.mark.parametrize("text", ['{"a":{"b":[1]}}', '{"a": {"b": [1]}}', '{"a":"\\u00e4"}', '{"a":"ä"}'])
def test_usual_spellings_are_readable_line_by_line(text: str) -> None:
    assert files_of(_row(text))["configuration.json"].count("\n") > 2


@given(hostile, hostile, st.none() | hostile | st.text(max_size=300))
def test_no_title_decides_where_files_are(workspace_id: str, space_id: str, title: str | None) -> None:
    name = key_of(SpaceKey(workspace_id, space_id), title)
    assert re.fullmatch(r"[a-z][a-z0-9_]{8,60}", name)


def test_two_spaces_of_one_title_have_two_names() -> None:
    assert key_of(SpaceKey("1", "a"), "Sales & more") == "sales_more_" + key_of(SpaceKey("1", "a"), "")[-8:]
    assert key_of(SpaceKey("1", "a"), "Sales") != key_of(SpaceKey("2", "a"), "Sales")


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("space.json", None, "space.json is missing"),
        ("space.json", "[]", "must hold a JSON object"),
        ("space.json", "{", "space.json is no JSON"),
        ("space.json", '{"title": 1}', "title must be text"),
        ("space.json", '{"configuration": {"spelling": ["x"]}}', "spelling of the configuration must be one of"),
        ("configuration.json", None, "configuration.json is missing"),
        ("configuration.json", '{"a": 1, "a": 2}', "configuration.json is no JSON that can be kept"),
    ],
)
def test_files_that_are_no_space_say_which_is_wrong(file: str, text: str | None, problem: str) -> None:
    files = files_of(_row("{}")) | {file: text}
    with pytest.raises(SpaceFolderError, match=problem):
        space_of({name: text for name, text in files.items() if text is not None})


def test_files_without_ids_are_of_no_known_space() -> None:
    assert ids_of(files_of(_row("{}"))) == SpaceKey("1", "a")
    with pytest.raises(SpaceFolderError, match="must name its workspace_id and space_id"):
        ids_of({"space.json": json.dumps({"space_id": "a"})})
