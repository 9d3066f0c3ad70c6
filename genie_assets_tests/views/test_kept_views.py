"""The asset `observability_views` on a SQL warehouse: what it makes, changes, and leaves alone."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from genie_assets.daily_views import NOTHING_TO_MAKE
from genie_assets.definitions import build_defs
from genie_assets.domain.views import View
from genie_assets.gateways.lakehouse.delta.lakehouse import DeltaLakehouse, delta_root
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.lakehouse.results import ViewsKept
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.day_runs import QUIET
from genie_assets_tests.gateways.lakehouse.recording import Recording
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.views.golden import Golden
from genie_assets_tests.views.world import fill, golden_rows

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnityServer]:
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as started:
        yield started


class Schema:
    """A schema of its own, what its warehouse is asked, and what the job does there."""

    def __init__(self, server: UnityServer) -> None:
        self.name = f"main.views_{uuid4().hex}"
        self.warehouse = Recording(server.warehouse())
        self.lake: Lakehouse = open_lakehouse(
            f"uc://{self.name}", databricks=lambda: (self.warehouse, server.volumes())
        )

    def run(self) -> tuple[dg.ExecuteInProcessResult, Counter[str]]:
        """Run the job; with it the kinds of statements that the warehouse was sent."""
        self.warehouse.statements.clear()
        return run(self.lake), Counter(self.warehouse.kinds)

    def described(self, view: str) -> dict[str, tuple[str | None, str | None]]:
        """Columns and facts of a view, each with its type or value and its comment."""
        found = self.warehouse.query(f"--\nDESCRIBE TABLE EXTENDED {self.name}.{view}")
        rows = found.astype(object).where(found.notna(), None).itertuples(index=False)
        return {name: (value, comment) for name, value, comment in rows}


@pytest.fixture
def schema(server: UnityServer) -> Schema:
    return Schema(server)


def run(lake: Lakehouse) -> dg.ExecuteInProcessResult:
    job = build_defs(lake=dg.ResourceDefinition.hardcoded_resource(lake)).resolve_job_def("genie_views")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    assert result.success
    (made,) = result.asset_materializations_for_node("observability_views")
    return {name: value.value for name, value in made.metadata.items() if not name.startswith("dagster")}


def assert_told(schema: Schema, view: View) -> None:
    described = schema.described(view.name)
    assert [described[column.name][1] for column in view.columns] == [each.description for each in view.columns]
    assert described["Comment"][0] == view.description


@pytest.mark.long
def test_views_are_made_with_their_comments_have_the_rows_of_the_truth_and_are_not_touched_again(
    schema: Schema,
) -> None:
    fill(schema.lake, golden_rows())
    views = shipped_views()
    result, _ = schema.run()
    assert metadata(result) == {"created": len(views), "changed": 0, "unchanged": 0}
    golden = Golden(golden_rows(), dt.datetime.now(dt.UTC))
    for view in views.values():
        assert_told(schema, view)
        (found,) = schema.warehouse.query(f"--\nSELECT COUNT(*) AS n FROM {schema.name}.{view.name}")["n"]
        assert found == len(list(golden.answer(view.name))), view.name
    again, asked = schema.run()
    assert metadata(again) == {"created": 0, "changed": 0, "unchanged": len(views)}
    assert asked == {"SHOW TABLES IN": 1, "SHOW TABLE EXTENDED IN": 1}


def test_a_text_that_changed_is_altered_and_its_comments_are_there_again(schema: Schema) -> None:
    view = shipped_views()["workspaces"]
    schema.lake.keep_views([replace(view, query=f"SELECT * FROM (\n{view.query}\n) AS older", question="Old?")])
    before = schema.described(view.name)
    schema.warehouse.statements.clear()
    assert schema.lake.keep_views([view]) == ViewsKept(changed=[view.name])
    # Its text, and before and after it the mark.
    assert Counter(schema.warehouse.kinds)["ALTER VIEW"] == 3
    after = schema.described(view.name)
    assert "older" in (before["View Text"][0] or "")
    assert "older" not in (after["View Text"][0] or "")
    assert_told(schema, view)
    assert not [text for text in schema.warehouse.statements if "REPLACE VIEW" in text]  # it would drop grants


@pytest.mark.parametrize("dies_at", ["ALTER VIEW", "COMMENT ON COLUMN"])
def test_a_change_that_was_broken_off_is_done_again_even_back_to_the_old_text(
    server: UnityServer, schema: Schema, dies_at: str
) -> None:
    view = shipped_views()["workspaces"]
    newer = replace(view, query=f"SELECT * FROM (\n{view.query}\n) AS newer")
    schema.lake.keep_views([view])

    def die(statement: str) -> None:
        if f"\n{dies_at} " in statement and "SET TBLPROPERTIES" not in statement:
            raise KeyboardInterrupt

    dying = open_lakehouse(
        f"uc://{schema.name}", databricks=lambda: (Recording(server.warehouse(), die), server.volumes())
    )
    with pytest.raises(KeyboardInterrupt):
        dying.keep_views([newer])
    assert schema.lake.keep_views([view]) == ViewsKept(changed=[view.name])
    assert "newer" not in (schema.described(view.name)["View Text"][0] or "")
    assert_told(schema, view)


@pytest.mark.long
def test_what_is_not_ours_is_left_alone_and_named_and_stops_only_what_would_read_it(schema: Schema) -> None:
    schema.lake.keep_views([shipped_views()["calendar"]])
    schema.warehouse.execute(f"--\nCREATE VIEW {schema.name}.feedback AS SELECT 7 AS theirs")
    schema.warehouse.execute(f"--\nCREATE TABLE {schema.name}.failures (theirs INT)")
    result, _ = schema.run()
    made = metadata(result)
    assert made == {"created": len(shipped_views()) - 3, "changed": 0, "unchanged": 1} | {
        "left_alone": "failures, feedback"
    }
    assert schema.warehouse.query(f"--\nSELECT theirs FROM {schema.name}.feedback")["theirs"].tolist() == [7]
    schema.warehouse.execute(f"--\nDROP VIEW {schema.name}.question_signals")
    schema.warehouse.execute(f"--\nCREATE TABLE {schema.name}.question_signals (theirs INT)")
    refused, _ = schema.run()
    assert not refused.success
    (failure,) = [event.step_failure_data for event in refused.all_events if event.is_step_failure]
    assert failure.user_failure_data is not None
    sentence = failure.user_failure_data.description or ""
    assert sentence.startswith(
        f"2 of {len(shipped_views())} views could not be made or changed. conversations reads question_signals, "
    )
    assert failure.user_failure_data.metadata["left_alone"].value == "question_signals, failures, feedback"


def test_over_files_the_asset_says_that_there_is_nothing_to_make(tmp_path: Path) -> None:
    lake = DeltaLakehouse(delta_root(str(tmp_path / "lake")))
    assert metadata(run(lake)) == {"views": NOTHING_TO_MAKE}
    assert not (tmp_path / "lake").exists()
