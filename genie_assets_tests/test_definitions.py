"""The code location as Dagster sees it."""

import datetime as dt
import re
from typing import Any

import dagster as dg
import pytest
from markdown_it import MarkdownIt

import genie_assets.definitions
from genie_assets import daily_dashboard, daily_sql_alert, new_rows
from genie_assets.definitions import build_defs
from genie_assets.domain.side_ledgers import SIDE_LEDGERS
from genie_assets.domain.tables import TABLES
from genie_assets.runs import JOB_NAMES
from genie_assets_tests.day_runs import CHECKS_OF_ASSETS, DAILY, DAILY_CHECKS

TABLE_OF = {
    "audit_messages": "genie_messages_to_fetch",
    "genie_api_messages": "genie_api_messages",
    "enriched_message_details": "message_details",
    "genie_space_details": "genie_space_details",
    "reconciled_conversations": "reconciled_conversations",
    "message_comments": "message_comments",
    "agent_items": "agent_items",
    "genie_evaluation_runs": "genie_evaluation_runs",
    "genie_run_costs": "genie_run_costs",
}


# Filled by the runs of an asset, without one of their own.
BESIDE = {table.name: table.asset for table in TABLES if table.name not in TABLE_OF.values()}
BY_DAYS = {table.name for table in TABLES if table.partitioned_by is not None}


STANDING_CHECKS = {
    "message_fetch_errors:no_open_errors_left",
    "message_fetch_errors:no_message_is_lost",
    *(f"{table.name}:no_key_is_twice" for table in TABLES if table.partitioned_by is None),
    *(f"{each.table.name}:ledger_is_clear" for each in SIDE_LEDGERS),
    "genie_run_costs:budget_is_kept",
    "genie_day_loads:no_day_is_late",
    "message_fetch_errors:every_stored_day_is_a_partition",
    "space_fetch_errors:spaces_are_backed_up",
    "genie_space_permissions:no_access_was_widened",
    "reconciled_spaces:spaces_are_reconciled",
    "system/access/audit:audit_is_fresh",
    "system/access/audit:every_day_is_loaded",
}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs()


def checks_of(job: dg.JobDefinition) -> set[str]:
    return {key.to_user_string() for key in job.asset_layer.asset_graph.asset_check_keys}


def test_everything_fits_together(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_the_graph_is_the_one_that_the_documentation_draws(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    shape = {
        key.to_user_string(): (
            sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
            graph.get(key).is_partitioned,
            sorted(getattr(graph.get(key), "pools", None) or ()),
        )
        for key in graph.get_all_asset_keys()
    }
    pool = ["genie_api"]
    assert shape == {
        "system/access/audit": ([], False, []),
        "system/query/history": ([], False, []),
        "databricks/genie": ([], False, []),
        "audit_messages": (["system/access/audit"], True, []),
        "genie_api_messages": (["audit_messages", "databricks/genie"], True, pool),
        "enriched_message_details": (["genie_api_messages", "system/query/history"], True, pool),
        "genie_space_details": (["databricks/genie", "enriched_message_details"], False, pool),
        "reconciled_conversations": (["databricks/genie", "genie_space_details"], False, pool),
        "message_comments": (["audit_messages", "databricks/genie"], False, pool),
        "agent_items": (["audit_messages", "databricks/genie"], False, pool),
        "genie_evaluation_runs": (["databricks/genie", "genie_space_details"], False, pool),
        "genie_run_costs": ([], False, []),
        "observability_views": (["enriched_message_details", "genie_space_details"], False, []),
        "observability_report": (["enriched_message_details", "genie_space_details"], False, []),
        **{table: ([asset], table in BY_DAYS, []) for table, asset in BESIDE.items()},
    }
    assert len(BESIDE) == len(TABLES) - len(TABLE_OF)
    assert BY_DAYS & BESIDE.keys() == {"genie_deletions", "genie_message_looks", "message_attachments"}


def test_every_table_is_in_the_graph(definitions: dg.Definitions) -> None:
    shown = [spec.metadata.get("dagster/table_name") for spec in definitions.resolve_all_asset_specs()]
    assert sorted(filter(None, shown)) == sorted(f"genie_analytics.{table.name}" for table in TABLES)


SHOWN_AS_SOMETHING_ELSE = {"html_inline", "html_block", "link_open", "image"}


def kinds_in(markdown: str) -> set[str]:
    parsed = MarkdownIt("commonmark").enable("table").parse(markdown)
    return {each.type for token in parsed for each in (token, *(token.children or ()))}


def test_every_asset_says_what_it_is(definitions: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    tables = {table.name: table for table in TABLES}
    for name, spec in specs.items():
        assert spec.description, name
        assert spec.kinds, name
        ours = name in TABLE_OF or name in BESIDE or name in {"observability_report", "observability_views"}
        assert spec.group_name == ("genie" if ours else "databricks")
    for name, table_name in (TABLE_OF | {name: name for name in BESIDE}).items():
        spec, table = specs[name], tables[table_name]
        assert spec.owners == ["team:data-platform"]
        assert spec.metadata["dagster/table_name"] == f"genie_analytics.{table_name}"
        columns = spec.metadata["dagster/column_schema"].columns
        assert [(c.name, c.constraints.nullable) for c in columns] == [(c.name, c.nullable) for c in table.columns]
        assert all(column.description for column in columns)
        # Dagster's page has no sign for LONG, nor for what none of these words is in.
        assert [c.type for c in columns if not re.search("bool|str|arr|int|float|double|time|date", c.type)] == []
        texts = [spec.description or "", *(column.description or "" for column in columns)]
        assert [text for text in texts if SHOWN_AS_SOMETHING_ELSE & kinds_in(text)] == []
        assert [text for text in texts if "://" in text] == [], "the page would make it a link that leads nowhere"


def test_every_check_says_what_it_holds_true(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    specs = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert {key.to_user_string() for key in graph.asset_check_keys} == DAILY_CHECKS | STANDING_CHECKS
    assert all(spec.description for spec in specs)
    # A blocking check would keep good rows of a day from being folded because of bad ones.
    assert not any(spec.blocking for spec in specs)


def test_every_job_runs_what_its_name_says(definitions: dg.Definitions) -> None:
    expected: dict[str, tuple[list[str], set[str], bool]] = {
        "genie_daily": (sorted(DAILY), DAILY_CHECKS, True),
        "genie_retry": (["enriched_message_details", "genie_api_messages"], DAILY_CHECKS, True),
        "genie_spaces": (["genie_space_details"], {"genie_space_details:no_key_is_twice"}, False),
        "genie_reconciliation": (["reconciled_conversations"], set(), False),
        "genie_conversations": (["agent_items", "message_comments"], set(), False),
        "genie_evaluations": (["genie_evaluation_runs"], set(), False),
        "genie_costs": (["genie_run_costs"], set(), False),
        "genie_standing_checks": ([], STANDING_CHECKS, False),
        "genie_late_days": ([], set(), False),
        "genie_maintenance": ([], set(), False),
        "genie_views": (["observability_views"], set(), False),
        "genie_report": (["observability_report"], set(), False),
    }
    jobs = {job.name: job for job in definitions.get_repository_def().get_all_jobs() if job.name[0] != "_"}
    assert set(jobs) == set(expected)
    # Of a job whose name is not there, old runs would stay for ever.
    assert {*jobs, daily_dashboard.JOB, daily_sql_alert.JOB, new_rows.JOB} == JOB_NAMES
    for name, (assets, checks, partitioned) in expected.items():
        layer = jobs[name].asset_layer
        assert jobs[name].description
        assert sorted(key.to_user_string() for key in layer.selected_asset_keys) == assets, name
        assert checks_of(jobs[name]) == checks, name
        assert (jobs[name].partitions_def is not None) is partitioned
        # Not by the definitions: in a project with an executor of its own, ours must still be one process.
        assert jobs[name].executor_def is dg.in_process_executor


def test_a_backfill_of_assets_runs_the_checks_of_the_day_and_no_others(definitions: dg.Definitions) -> None:
    """Selected in the UI, assets bring all their checks along, once per day of the backfill."""
    keys = [dg.AssetKey(name) for name in DAILY]
    (job,) = (j for j in definitions.get_repository_def().get_all_jobs() if j.name == "__ASSET_JOB")
    assert checks_of(job.get_subset(asset_selection=set(keys))) == CHECKS_OF_ASSETS
    for key in keys:
        assert checks_of(job.get_subset(asset_selection={key})) == {
            check for check in CHECKS_OF_ASSETS if check.startswith(key.to_user_string())
        }
    spaces = job.get_subset(asset_selection={dg.AssetKey("genie_space_details")})
    assert checks_of(spaces) == {"genie_space_details:no_key_is_twice"}


def test_what_a_schedule_makes_tells_when_nothing_makes_it_any_more(definitions: dg.Definitions) -> None:
    """A dead man's switch fires later than two ticks of the schedule, and not before a run may take its time."""
    hours = dict.fromkeys(DAILY, (3, 6))
    daily = (
        "genie_space_details",
        "message_comments",
        "agent_items",
        "genie_evaluation_runs",
        "reconciled_conversations",
        "genie_run_costs",
        "observability_views",
        "observability_report",
    )
    hours |= dict.fromkeys(daily, (26, 36))
    policies = {
        spec.key.to_user_string(): spec.freshness_policy
        for spec in definitions.resolve_all_asset_specs()
        if spec.freshness_policy is not None
    }
    assert policies == {
        name: dg.FreshnessPolicy.time_window(
            warn_window=dt.timedelta(hours=warned), fail_window=dt.timedelta(hours=failed)
        )
        for name, (warned, failed) in hours.items()
    }


def test_every_schedule_and_sensor_says_what_it_does(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    automations: list[Any] = [*repository.schedule_defs, *repository.sensor_defs]
    assert automations
    assert [each.name for each in automations if not each.description] == []


def test_assets_that_are_selected_in_the_ui_run_in_one_process_where_we_are_alone() -> None:
    assert genie_assets.definitions.defs.executor is dg.in_process_executor
    assert build_defs().executor is None


def test_an_unknown_resource_is_refused() -> None:
    with pytest.raises(TypeError, match="warehouse"):
        build_defs(warehouse=object())
