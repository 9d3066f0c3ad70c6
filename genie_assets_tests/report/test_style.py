"""The report's colours can be read by everybody: WCAG 2.2, level AA, in both themes."""

import re
from pathlib import Path

import pytest

from genie_assets.report import page as page_module

STYLE = Path(page_module.__file__).with_name("page.css").read_text(encoding="utf-8")
# Text on what it stands on (4.5:1), and shapes that mean something on what they stand on (3:1).
TEXTS = [
    *((ink, ground) for ink in ("ink", "soft", "accent") for ground in ("page", "panel")),
    *((ink, "panel") for ink in ("good", "bad", "warn", "second")),
    ("warn", "warn-page"),
    *(("panel", ground) for ground in ("accent", "good", "bad")),
]
SHAPES = [*((shape, "panel") for shape in ("accent", "bad", "good", "second", "soft")), ("focus", "page")]


def colours(theme: str) -> dict[str, str]:
    block = re.search(re.escape(theme) + r" \{(.*?)\}", STYLE, re.DOTALL)
    assert block, theme
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block[1]))


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [":root", ':root[data-theme="dark"]'])
def test_text_and_shapes_stand_out_from_their_ground(theme: str) -> None:
    named = colours(theme)
    assert named.keys() == colours(":root").keys()
    weak = [pair for pair in TEXTS if contrast(*(named[name] for name in pair)) < 4.5]
    weak += [pair for pair in SHAPES if contrast(*(named[name] for name in pair)) < 3]
    assert weak == []


def test_what_is_printed_is_light() -> None:
    dark = STYLE.index(':root[data-theme="dark"]')
    assert STYLE.rindex("@media", 0, dark) == STYLE.rindex("@media screen", 0, dark)
