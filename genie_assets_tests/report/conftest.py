"""One lakehouse and one document for all tests of the report that change neither."""

import pytest

from genie_assets.domain.report_document import Document
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.published_report import asking
from genie_assets.pipeline.report import gather
from genie_assets_tests.report.choices import REQUEST
from genie_assets_tests.views.world import golden_rows, lake_of


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    return lake_of(golden_rows(), tmp_path_factory.mktemp("lakehouse"))


@pytest.fixture(scope="session")
def document(lake: Lakehouse) -> Document:
    with asking(lake) as ask:
        return gather(ask, REQUEST)
