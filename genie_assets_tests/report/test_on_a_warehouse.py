"""The report over tables in Unity Catalog: what it says on files, for one statement of each of its questions."""

from collections.abc import Iterator
from typing import Any

import pytest

from genie_assets.domain.report_document import Document
from genie_assets.gateways.sql.texts import sql_names
from genie_assets.pipeline.published_report import asking
from genie_assets.pipeline.report import gather
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.report.choices import REQUEST
from genie_assets_tests.views.world import fill, golden_rows

pytestmark = pytest.mark.servers
# Views that the report asks as they are; what is kept of a session is no statement of its own here.
ASKED_AS_THEY_ARE, KEPT = 3, 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as running:
        yield running


@pytest.mark.long
def test_each_question_of_the_report_is_one_statement_and_has_the_answer_of_files(
    server: UnityServer, document: Document
) -> None:
    lake = server.new_lake()
    fill(lake, golden_rows())
    before = server.statements
    with asking(lake) as ask:
        found = gather(ask, REQUEST)
    assert server.statements - before == ASKED_AS_THEY_ARE + len(sql_names("report")) - KEPT
    assert differing(found, document) == []


def differing(found: Any, expected: Any, place: str = "") -> list[str]:
    """Where two documents differ; the order of equals in a list is no difference."""
    if isinstance(found, dict) and isinstance(expected, dict):
        names = [*found, *(name for name in expected if name not in found)]
        return [
            each for name in names for each in differing(found.get(name), expected.get(name), f"{place}/{name}")
        ]
    if isinstance(found, list) and isinstance(expected, list):
        return [] if sorted(map(repr, found)) == sorted(map(repr, expected)) else [place]
    return [] if found == expected else [place]
