"""What every view says through a SQL warehouse: the same as on files, and as plain Python has it."""

import datetime as dt
from collections.abc import Iterator

import pytest

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.world import ask, differences, fill, golden_rows

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        filled = server.new_lake()
        fill(filled, golden_rows())
        yield filled


@pytest.mark.long
def test_every_view_says_what_the_truth_says(lake: Lakehouse) -> None:
    golden = Golden(golden_rows(), dt.datetime.now(dt.UTC))
    problems = [
        each
        for view in sorted(shipped_views())
        for each in differences(view, ask(lake, f"SELECT * FROM {view}"), golden.answer(view))
    ]
    assert problems == []
