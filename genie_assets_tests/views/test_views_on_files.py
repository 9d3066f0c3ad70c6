"""What every view says, on files: exactly what plain Python makes of the same truth."""

import datetime as dt
from collections import Counter

import pytest
from sqlglot import exp

from genie_assets.domain.views import needed
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.reading import parsed
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.world import ask, differences, golden_rows, lake_of

VIEWS = sorted(shipped_views())


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    return lake_of(golden_rows(), tmp_path_factory.mktemp("lakehouse"))


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden(golden_rows(), dt.datetime.now(dt.UTC))


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_says_what_the_truth_says(lake: Lakehouse, golden: Golden, view: str) -> None:
    expected = golden.answer(view)
    assert expected
    assert differences(view, ask(lake, f"SELECT * FROM {view}"), expected) == []


@pytest.mark.parametrize("view", VIEWS)
def test_named_queries_differ_from_those_of_the_views_that_are_read(view: str) -> None:
    """Engines that put the texts of views into one statement may take one for the other."""
    named = [
        {cte.alias for cte in parsed(each.query).find_all(exp.CTE)} for each in needed([view], shipped_views())
    ]
    assert [name for name, count in Counter(name for names in named for name in names).items() if count > 1] == []
