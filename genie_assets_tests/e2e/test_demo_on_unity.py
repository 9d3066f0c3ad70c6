"""The demo with its tables in Unity Catalog: the same truth. In a file of its own, beside which the others run."""

import pytest

from genie_assets_tests.e2e.test_demo import Newcomer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_the_demo_ends_with_the_same_tables_in_unity_catalog(installed, tmp_path):
    newcomer = Newcomer(tmp_path / "work", installed, tmp_path / "production")
    options = ("--messages", "600", "--lakehouse", "uc://main.genie_analytics", "--layout", "liquid")
    result, shown = newcomer.demo(*options)
    assert result["problems"] == []
    assert result["matches_truth"] is True
    assert result["messages_expected"] >= 600
    assert result["checks"]["nothing_is_lost"] is True
    assert result["checks"]["keys_are_unique"] is True
    assert "Tables  uc://main.genie_analytics\n" in shown
    assert not (tmp_path / "work/.genie/demo/lakehouse").exists()
    assert list(newcomer.production.iterdir()) == []
