"""The whole pipeline on tables in Unity Catalog: every row is the truth, and nothing is left in the volume."""

import pytest

from genie_assets.domain.tables import TABLES
from genie_assets.gateways.lakehouse.unity.names import Place
from genie_assets.gateways.sql.volumes import Volumes
from genie_assets.settings import load_settings
from genie_assets.wiring import open_workspaces
from genie_assets_tests.e2e.pipelines import (
    Pipeline,
    days_of,
    differences_from_truth,
    point_at,
    recent_anchor,
    sandbox_of,
)
from genie_assets_tests.e2e.views_of_truth import differences_of_views
from genie_sandbox.made_up.generator import generate

pytestmark = pytest.mark.slow

PLACE = Place("main", "genie_analytics")


@pytest.mark.long
def test_the_tables_in_unity_catalog_are_the_truth_before_and_after_maintenance(tmp_path, monkeypatch):
    account = generate(seed=3, anchor=recent_anchor(), days=2, messages=80, late=0.1)
    with sandbox_of(account, tmp_path / "account") as sandbox:
        point_at(sandbox, tmp_path / "nowhere", monkeypatch)
        monkeypatch.setenv("GENIE_LAKEHOUSE", f"uc://{PLACE.catalog}.{PLACE.schema}")
        pipeline, days = Pipeline(), days_of(account)
        sandbox.advance(hours=24)
        for day in days:
            pipeline.run("genie_daily", day)
        pipeline.run("genie_spaces")
        assert differences_from_truth(account, sandbox, pipeline) == []
        assert differences_of_views(account, sandbox, pipeline.lake, days) == []
        assert sum(map(len, pipeline.tables().values())) > 100

        before = pipeline.tables()
        pipeline.run("genie_daily", days[-1])
        pipeline.run("genie_maintenance")
        assert pipeline.tables() == before

        settings = load_settings()
        volumes = Volumes(open_workspaces(settings, settings.databricks()).home)
        folders = volumes.names(PLACE.volume_path)
        assert folders
        assert not any(volumes.names(f"{PLACE.volume_path}/{folder}") for folder in folders)
        assert not (tmp_path / "nowhere").exists()
        assert all(pipeline.lake.exists(table) for table in TABLES)
