"""What is called an effect of a changed configuration: rarely none, and always a big one."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from genie_assets_tests.views.changed_spaces import Draw, golden_effects, odd_changes, space
from genie_assets_tests.views.world import ask, differences, lake_of

pytestmark = pytest.mark.slow  # tens of thousands of messages


def verdicts(folder: Path, draws: Sequence[Draw], size: int) -> list[dict[str, str]]:
    """The verdicts on these changes by measure."""
    rng = random.Random(8)
    spaces = [space(f"s{number:04d}", draw, size, rng) for number, draw in enumerate(draws)]
    rows = {
        "genie_space_versions": [row for versions, _ in spaces for row in versions],
        "message_details": [row for _, messages in spaces for row in messages],
    }
    found: list[dict[str, str]] = [{} for _ in draws]
    for row in ask(lake_of(rows, folder), "SELECT space_id, measure, verdict FROM configuration_effects"):
        found[int(row["space_id"][1:])][row["measure"]] = row["verdict"]
    return found


def test_effects_are_told_as_the_truth_has_them(tmp_path: Path) -> None:
    expected = golden_effects(odd_changes())
    said = Counter(row["verdict"] for row in expected)
    assert min(said[each] for each in ("BETTER", "WORSE", "NO DIFFERENCE", "TOO FEW")) > 0
    found = ask(lake_of(odd_changes(), tmp_path), "SELECT * FROM configuration_effects")
    assert differences("configuration_effects", found, expected) == []


def test_of_a_thousand_changes_without_effect_few_are_called_beyond_chance(tmp_path: Path) -> None:
    found = verdicts(tmp_path, [lambda is_after: (0.8, 0.7, 8.0)] * 1000, 40)
    for measure in ("SUCCESS", "POSITIVE RATING", "RESPONSE TIME"):
        said = Counter(each[measure] for each in found)
        assert said["BETTER"] + said["WORSE"] <= 70, measure
        assert said["TOO FEW"] == 0 or measure != "RESPONSE TIME"
        assert min(said["BETTER"], said["WORSE"]) > 0  # or it would call nothing anything


def test_effects_of_some_size_are_found_and_small_samples_are_too_few(tmp_path: Path) -> None:
    def better(is_after: bool) -> tuple[float, float, float]:
        return (0.9, 0.85, 5.0) if is_after else (0.6, 0.5, 10.0)

    def worse(is_after: bool) -> tuple[float, float, float]:
        return better(not is_after)

    found = verdicts(tmp_path / "many", [better] * 20 + [worse] * 20, 150)
    assert all(set(each.values()) == {"BETTER"} for each in found[:20])
    assert all(set(each.values()) == {"WORSE"} for each in found[20:])
    few = verdicts(tmp_path / "few", [better] * 3, 29)
    assert all(set(each.values()) == {"TOO FEW"} for each in few)
