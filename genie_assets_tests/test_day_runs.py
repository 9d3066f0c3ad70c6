"""A day that is run: its checks, its numbers, and a run in which nothing worked."""

from pathlib import Path

import dagster as dg
from markdown_it import MarkdownIt

from genie_assets.definitions import build_defs
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.tables import TABLES
from genie_assets.meanings import MEANINGS
from genie_assets.placement import Placement
from genie_assets.showing import spaces_table
from genie_assets_tests.day_runs import DAILY_CHECKS, run_day
from genie_assets_tests.pipeline.world import FORBIDDEN, MONDAY, World

# They tell something only where there is something; tests of their own look at it.
TELL_OF_THEMSELVES = {
    *("reconciled_conversations", "message_comments", "agent_items"),
    *("genie_evaluation_runs", "genie_run_costs"),
}


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
        counts = {name.removeprefix("messages_"): value.value for name, value in lost.metadata.items()}
        assert (counts["discovered"], counts["stored"], counts["pending"], counts["lost"]) == (6, 4, 2, 0)
        world.genie.requests_allowed = 100
        assert run_day(world, instance, "genie_retry").success


def test_whatever_a_run_tells_is_explained_at_its_asset(tmp_path: Path) -> None:
    world = World(tmp_path / "lake")
    world.ask("m1", "m2", attachments=[{"query": {"query": "SELECT 1", "statement_id": "st-1"}}])
    world.event("gone", "c9")
    told: dict[str, set[str]] = {}
    readable = {dg.MarkdownMetadataValue, dg.TableMetadataValue}
    with dg.DagsterInstance.ephemeral() as instance:
        for job in ("genie_daily", "genie_spaces"):
            for event in run_day(world, instance, job).get_asset_materialization_events():
                assert event.asset_key is not None
                metadata = event.step_materialization_data.materialization.metadata
                told[event.asset_key.to_user_string()] = set(metadata)
                texts = [name for name, each in metadata.items() if not isinstance(each.value, int | float)]
                assert {type(metadata[name]) for name in texts} <= readable
    # The tables beside them tell their rows and nothing else.
    beside = {names.pop() for asset, names in told.items() if asset not in MEANINGS}
    assert beside == {"dagster/row_count", "dagster/partition_row_count"}
    told = {asset: names for asset, names in told.items() if asset in MEANINGS}
    assert told.keys() == MEANINGS.keys() - TELL_OF_THEMSELVES
    specs = {spec.key.to_user_string(): spec for spec in build_defs().resolve_all_asset_specs()}
    for asset, names in told.items():
        # In the order in which they are explained, and all but what the day had no reason to tell.
        assert len(names) > len(MEANINGS[asset]) / 2
        assert [name for name in names if f"| `{name}` | " not in (specs[asset].description or "")] == []


def test_every_table_shows_after_a_run_how_many_rows_it_has(tmp_path: Path) -> None:
    """Also those without a step of their own: of the day where they lie by days, of all days where they do not."""
    world = World(tmp_path / "lake")
    world.ask("m1", "m2", attachments=[{"query": {"query": "SELECT 1", "statement_id": "st-1"}}])
    world.event("gone", "c9")
    with dg.DagsterInstance.ephemeral() as instance:
        for job in ("genie_daily", "genie_spaces"):
            assert run_day(world, instance, job).success
        for table in {each for each in TABLES if each.asset not in TELL_OF_THEMSELVES}:
            key = Placement().table_key(table)
            events = [
                *instance.fetch_materializations(key, 1).records,
                *instance.fetch_observations(key, 1).records,
            ]
            told: dict[str, object] = {}
            for event in events:
                said = event.asset_materialization or event.event_log_entry.asset_observation
                assert said is not None
                told |= {name: one.value for name, one in said.metadata.items() if name.endswith("row_count")}
            name = "dagster/partition_row_count" if table.partitioned_by else "dagster/row_count"
            assert told == {name: len(world.rows(table))}, table.name
            assert {event.partition_key for event in events} == {
                MONDAY.isoformat() if table.partitioned_by else None
            }


def test_a_run_leads_to_the_spaces_that_it_is_about_and_nowhere_else() -> None:
    hostile = "Sales](https://evil.example) | x ![y](//evil.example/p.png)"
    spaces = [
        (SpaceKey("17", "s1"), hostile, "https://adb-17.azuredatabricks.net/?o=17"),
        (SpaceKey("17", "s2](https://evil.example)"), None, "https://adb-17.azuredatabricks.net"),
        (SpaceKey("18", "s3"), "Away", None),
    ]
    shown = spaces_table("spaces", spaces, {"messages": [3, 2, 1]})["spaces"].value or ""
    parsed = MarkdownIt("commonmark").enable("table").parse(shown)
    inside = [child for token in parsed for child in token.children or ()]
    links = [child.attrs["href"] for child in inside if child.type == "link_open"]
    assert links == ["https://adb-17.azuredatabricks.net/genie/rooms/s1?o=17"]
    assert not [child for child in inside if child.type in ("image", "html_inline")]
    assert sum(token.type == "tr_open" for token in parsed) == 4
    (name,) = [child.content for child in inside if child.type == "code_inline" and "Sales" in child.content]
    assert name == "Sales](https://evil.example) ¦ x ![y](//evil.example/p.png)"
    assert spaces_table("spaces", []) == {}
    many = spaces_table("spaces", [(SpaceKey("17", f"s{number}"), None, None) for number in range(25)])
    assert (many["spaces"].value or "").endswith("and 5 more")
    assert "](" not in (many["spaces"].value or ""), "no way into any of them is known"


def test_a_run_in_which_nothing_worked_fails_but_leaves_its_ledger(tmp_path: Path) -> None:
    world = World(tmp_path / "lake")
    for n in range(20):
        world.event(f"m{n}", f"c{n}")
        world.genie.errors[f"m{n}"] = FORBIDDEN
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_day(world, instance)
    assert [event.step_key for event in result.all_events if event.is_step_failure] == ["genie_api_messages"]
    assert world.state().accounting().open_errors == 20
