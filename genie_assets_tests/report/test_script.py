"""The page's script is of several files: how they stand to each other."""

import re
from pathlib import Path

from genie_assets.report import page

HERE = Path(page.__file__).parent
_DECLARED = re.compile(r"^(?:function (\w+)|const (\w+) =)", re.MULTILINE)
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|`|\$\{|[{}]|(?<![.\w])\w+(?!\w*:)|\n|.', re.DOTALL)


def names_in(script: str) -> set[str]:
    """What a script speaks of: words that are no property, no key and no part of a text."""
    names, within = set[str](), ["{"]  # the innermost last: a block, or a text between backticks
    for token in _TOKEN.findall(script):
        in_text = within[-1] == "`"
        if token == "`":
            within = within[:-1] if in_text else [*within, "`"]
        elif token == "${" or (token == "{" and not in_text):
            within.append("{")
        elif token == "}" and not in_text:
            within.pop()
        elif not in_text and re.fullmatch(r"\w+", token):
            names.add(token)
    return names


def test_each_part_of_the_script_speaks_only_of_those_before_it() -> None:
    """No part of it is left out either, and none has a name that another one has."""
    assert {page.SCALES, *page.PARTS} == {each.name for each in HERE.glob("*.js")}
    texts = {name: (HERE / name).read_text(encoding="utf-8") for name in page.PARTS}
    declared = {name: {a or b for a, b in _DECLARED.findall(text)} for name, text in texts.items()}
    names = [each for of in declared.values() for each in of]
    assert len(names) == len(set(names)) > 60
    for place, name in enumerate(page.PARTS):
        spoken = names_in(texts[name])
        assert declared[name] - spoken == set(), "it has names, and they were found"
        for later in page.PARTS[place + 1 :]:
            assert spoken & declared[later] == set(), f"{name} speaks of what stands in {later}"


def test_no_part_of_the_script_is_long() -> None:
    assert {each.name for each in HERE.glob("*.js") if each.read_text(encoding="utf-8").count("\n") > 150} == set()
