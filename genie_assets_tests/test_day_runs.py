"""A day that is run: its checks, its numbers, and a run in which nothing worked."""

from pathlib import Path

import dagster as dg

from genie_assets.definitions import build_defs
from genie_assets.reporting import MEANINGS
from genie_assets_tests.day_runs import DAILY_CHECKS, run_day
from genie_assets_tests.pipeline.world import FORBIDDEN, MONDAY, World


def test_a_day_runs_and_its_checks_are_of_that_day(tmp_path: Path) -> None:
    """Partitioned checks are a preview: an upgrade that no longer records their day must be noticed."""
    world = World(tmp_path / "lake")
    world.ask("m1", "m2", attachments=[{"query": {"query": "SELECT 1", "statement_id": "st-1"}}])
    for n in range(4):
        world.ask(f"cut{n}", conversation_id=f"c{n + 2}")
    world.statement("st-1")
    world.genie.requests_allowed = 3
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_day(world, instance)
        assert result.success
        evaluations = result.get_asset_check_evaluations()
        assert {
            f"{e.asset_key.to_user_string()}:{e.check_name}": (e.passed, e.partition) for e in evaluations
        } == {name: (True, MONDAY.isoformat()) for name in DAILY_CHECKS}
        assert {e.description for e in evaluations} == {""}
        (lost,) = [e for e in evaluations if e.check_name == "nothing_is_lost"]
        counts = {name: value.value for name, value in lost.metadata.items()}
        assert (counts["discovered"], counts["stored"], counts["pending"], counts["lost"]) == (6, 4, 2, 0)
        world.genie.requests_allowed = 100
        assert run_day(world, instance, "genie_retry").success


def test_whatever_a_run_tells_is_explained_at_its_asset(tmp_path: Path) -> None:
    world = World(tmp_path / "lake")
    world.ask("m1", "m2", attachments=[{"query": {"query": "SELECT 1", "statement_id": "st-1"}}])
    world.event("gone", "c9")
    told: dict[str, set[str]] = {}
    with dg.DagsterInstance.ephemeral() as instance:
        for job in ("genie_daily", "genie_spaces"):
            for event in run_day(world, instance, job).get_asset_materialization_events():
                assert event.asset_key is not None
                metadata = event.step_materialization_data.materialization.metadata
                told[event.asset_key.to_user_string()] = set(metadata)
                texts = [name for name, each in metadata.items() if not isinstance(each.value, int | float)]
                # What sensors read is no text for people.
                readable = set(texts) - {"waiting"}
                assert {type(metadata[name]) for name in readable} <= {dg.MarkdownMetadataValue}
    assert told.keys() == MEANINGS.keys()
    specs = {spec.key.to_user_string(): spec for spec in build_defs().resolve_all_asset_specs()}
    for asset, names in told.items():
        # In the order in which they are explained, and all but what the day had no reason to tell.
        assert len(names) > len(MEANINGS[asset]) / 2
        assert [name for name in names if f"| `{name}` | " not in (specs[asset].description or "")] == []


def test_a_run_in_which_nothing_worked_fails_but_leaves_its_ledger(tmp_path: Path) -> None:
    world = World(tmp_path / "lake")
    for n in range(20):
        world.event(f"m{n}", f"c{n}")
        world.genie.errors[f"m{n}"] = FORBIDDEN
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_day(world, instance)
    assert [event.step_key for event in result.all_events if event.is_step_failure] == ["genie_api_messages"]
    assert world.state().accounting().open_errors == 20
