"""The scales of the report's charts, worked out by the page's own script in a browser, for any values."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from genie_assets.report import page as page_module
from genie_assets_tests.report.browser import WITH_BROWSER, opened

pytestmark = [pytest.mark.servers, WITH_BROWSER]

SCRIPT = Path(page_module.__file__).with_name("scale.js").read_text(encoding="utf-8")
UNITS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "days": 86_400_000, "": 1}
ON_CLOCKS = {"s": {1, 2, 5, 10, 20, 30}, "min": {1, 2, 5, 10, 20, 30}, "h": {1, 2, 6, 12}}
USUAL = st.one_of(st.none(), st.integers(0, 50), st.integers(0, 40_000))
ANY = st.one_of(USUAL, st.integers(0, 10**11))
CASES = st.lists(
    st.tuples(
        st.one_of(st.lists(USUAL, max_size=40), st.lists(ANY, max_size=12)), st.booleans(), st.integers(2, 6)
    ),
    min_size=60,
    max_size=150,
)


def scaled(cases: list[Any], folder: Path) -> list[dict[str, Any]]:
    """What the script says of each case: its values, whether they are times, and how many marks there may be."""
    path = folder / "scales.html"
    path.write_text(
        f"""<pre id="said"></pre><script>{SCRIPT}
        const cases = {json.dumps(cases)};
        const said = cases.map(([values, isTime, most]) => scales.scale(values, isTime, most));
        document.getElementById("said").textContent = JSON.stringify(said);</script>""",
        encoding="utf-8",
    )
    elements, console = opened(path)
    assert console == ""
    found: list[dict[str, Any]] = json.loads(next(each for each in elements.texts if each.startswith("[{")))
    return found


def is_round(step: int, *, is_time: bool) -> bool:
    """Whether a step is one, two or five of a power of ten, or one that a clock has."""
    unit = next((name for name in ("days", "h", "min", "s") if is_time and step >= UNITS[name]), "")
    count, rest = divmod(step, UNITS[unit])
    if rest or unit in ON_CLOCKS:
        return not rest and count in ON_CLOCKS[unit]
    return count // 10 ** (len(str(count)) - 1) in (1, 2, 5) and set(str(count)[1:]) <= {"0"}


def meant(label: str) -> tuple[float, str]:
    """The number that a label says, and its unit."""
    found = re.fullmatch(r"([\d,.]+) ?(ms|s|min|h|days|)", label)
    assert found, label
    return float(found[1].replace(",", "")) * UNITS[found[2]], found[2]


# To look for a smaller list that fails would start a browser for each.
@settings(max_examples=4, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(cases=CASES)
def test_marks_are_round_and_few_and_what_is_above_them_is_named(
    cases: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    for (values, is_time, most), said in zip(cases, scaled(cases, tmp_path_factory.mktemp("scales")), strict=True):
        case = (values, is_time, most, said)
        marks = said["marks"]
        step = marks[1]
        assert marks == [n * step for n in range(len(marks))], case
        assert 2 <= len(marks) <= most + 1, case
        assert is_round(step, is_time=is_time), case
        assert said["labels"][0] == "0", case
        written = [meant(label) for label in said["labels"][1:]]
        assert [number for number, _ in written] == pytest.approx(marks[1:]), case
        assert len({unit for _, unit in written}) == 1, case

        counted = sorted(value for value in values if value)
        above = [values[place] for place in said["above"]]
        below = [value for value in counted if value <= said["top"]]
        assert said["above"] == [n for n, value in enumerate(values) if (value or 0) > said["top"]], case
        assert len(above) <= len(counted) / 4, case
        if above:
            assert len(counted) >= 4, case
            assert min(above) > 4 * counted[math.ceil(len(counted) * 0.75) - 1], case
        if below:  # no empty room above the highest bar
            assert max(below) > said["top"] - step, case


def test_one_odd_day_is_above_the_scale_of_the_others(tmp_path: Path) -> None:
    weeks = [9_000, 11_000, 12_500, None, 8_000, 30 * 86_400_000, 12_000]
    times, counts, few, none, zeros = scaled(
        [
            (weeks, True, 5),
            ([30, 200, 1, 0, 180, 4_000], False, 5),
            ([1, 900], False, 5),
            ([], True, 3),
            ([0], False, 3),
        ],
        tmp_path,
    )
    assert (times["labels"][-1], times["above"]) == ("15 s", [5])
    assert (counts["top"], counts["above"]) == (200, [5])
    assert (few["top"], few["above"]) == (1000, [])
    assert none["labels"] == ["0", "1 ms"]
    assert zeros["labels"] == ["0", "1"]
