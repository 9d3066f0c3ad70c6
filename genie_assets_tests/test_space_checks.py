"""The check that every space is backed up."""

from pathlib import Path

import pytest

from genie_assets_tests.day_runs import standing
from genie_assets_tests.pipeline.world import FORBIDDEN, HOUR, NOT_FOUND, World
from genie_assets_tests.test_check_sentences import HOSTILE, tokens

pytestmark = pytest.mark.slow  # real tables, real runs

DAY = 24 * HOUR


def test_a_space_that_is_not_backed_up_for_days_is_told_until_it_is(tmp_path: Path) -> None:
    world = World(tmp_path)
    good = {"space_id": "s1", "title": HOSTILE, "serialized_space": "{}"}
    world.genie.spaces = {"s1": good, "gone": {**good, "space_id": "gone"}, "never": FORBIDDEN}
    world.back_up()
    world.genie.spaces |= {"s1": FORBIDDEN, "gone": NOT_FOUND}
    world.now += DAY
    world.back_up()
    world.now += 2.5 * DAY
    told = standing(world, "spaces_are_backed_up")
    assert not told.passed
    description = told.description or ""
    assert description.startswith("1 space was not backed up for more than 3 days, the first since 2026-03-02:")
    world.now += DAY
    description = standing(world, "spaces_are_backed_up").description or ""
    assert description.startswith("2 spaces were not backed up")
    assert "`PERMISSION` 2" in description
    assert tokens(description) == {"paragraph_open", "paragraph_close", "inline", "text", "code_inline"}
    world.genie.spaces |= {"s1": good, "never": {**good, "space_id": "never"}}
    world.now += 2 * DAY
    world.back_up()
    assert standing(world, "spaces_are_backed_up").passed
    world.now += 4 * DAY
    assert "`SUCCESS` 2" in (standing(world, "spaces_are_backed_up").description or "")
