"""What a failed check says: enough for whoever sees nothing else, and nothing that the UI takes for markup."""

import datetime as dt
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from markdown_it import MarkdownIt

from genie_assets.commands.cli import main
from genie_assets.definitions import build_defs
from genie_assets.domain.advice import ADVICE, advice
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.tables import (
    COMMENT_FETCH_ERRORS,
    EVALUATION_FETCH_ERRORS,
    GENIE_EVALUATION_RUNS,
    MESSAGE_FETCH_ERRORS,
)
from genie_assets.run_notes import causes_of
from genie_assets_tests.day_runs import QUIET, evaluations, run_day, standing, standing_run
from genie_assets_tests.pipeline.world import BROKEN, FORBIDDEN, HOUR, MONDAY, NOON, World

HOSTILE = "# Sales](https://evil.example) ![x](//evil.example/p.png) | <b>\n\n## more"


def tokens(markdown: str) -> set[str]:
    parsed = MarkdownIt("commonmark").enable("table").parse(markdown)
    return {each.type for token in parsed for each in (token, *(token.children or ()))}


def test_a_day_of_which_too_little_can_be_read_says_whose_how_many_why_where_and_what_to_do(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    world.genie.spaces = {"s1": {"space_id": "s1", "title": HOSTILE}}
    for number in range(100):
        world.ask(f"m{number}", conversation_id=f"c{number}")
    for number in range(20):
        world.genie.errors[f"m{number}"] = FORBIDDEN if number < 15 else BROKEN
    with dg.DagsterInstance.ephemeral() as instance:
        rate = evaluations(run_day(world, instance))["api_success_rate"]
    assert not rate.passed
    assert (rate.description or "").split("\n\n") == [
        "Workspace `Prod` (`w1`): 20 of 100 messages touched on 2026-03-02 cannot be read. 80.0% can, with the "
        "benefit of doubt 86.7%; the check warns under 99% and fails under 95%. By class: `PERMISSION` 15, "
        "`SERVER` 5. By space: `# Sales](https://evil.example) ![x](//evil.example/p.png) ¦ <b> ## more` 20.",
        f"`PERMISSION`: {ADVICE[ErrorClass.PERMISSION]}",
        f"`SERVER`: {ADVICE[ErrorClass.SERVER]}",
    ]
    assert tokens(rate.description or "") == {"paragraph_open", "paragraph_close", "inline", "text", "code_inline"}


def test_many_workspaces_and_spaces_are_few_lines(tmp_path: Path) -> None:
    world = World(tmp_path)
    rows = []
    for workspace in range(8):
        for number in range(30):
            ids = {"workspace_id": f"w{workspace}", "space_id": f"s{number}", "conversation_id": f"c{number}"}
            world.event(f"m{number}", f"c{number}", workspace_id=f"w{workspace}", space_id=f"s{number}")
            rows.append(open_error("NETWORK", message_id=f"m{number}", **ids))
    world.discover()
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows))
    with dg.DagsterInstance.ephemeral() as instance:
        definitions = build_defs(lake=world.lake)
        job = definitions.get_repository_def().get_job("__ASSET_JOB")
        (check,) = [
            key for key in definitions.resolve_asset_graph().asset_check_keys if key.name == "api_success_rate"
        ]
        alone = job.get_subset(asset_selection=set(), asset_check_selection={check})
        result = alone.execute_in_process(
            instance=instance, tags={"dagster/partition": MONDAY.isoformat()}, run_config=QUIET
        )
    paragraphs = (evaluations(result)["api_success_rate"].description or "").split("\n\n")
    assert len(paragraphs) == 7
    assert "and 20 more" in paragraphs[0]
    assert paragraphs[-2] == "3 more workspaces: see the table."


def open_error(error_class: str, **cells: Any) -> dict[str, Any]:
    """An open row of the ledger."""
    row = {"workspace_id": "w1", "message_id": "m1", "space_id": "s1", "event_date": MONDAY, "resolved": False}
    return row | {"error_class": error_class, "error_timestamp": NOON, "retry_count": 0} | cells


def test_open_errors_are_told_with_what_helps_and_never_with_what_leads_round_in_circles(tmp_path: Path) -> None:
    """What cannot be asked for was to be requeued, and its day then ran every half hour for ever."""
    world = World(tmp_path)
    told = {name: each.description for name, each in evaluations(standing_run(world)).items()}
    assert (told.pop("no_day_is_late") or "").startswith("3 of the last days were not loaded since the day's end")
    assert told == dict.fromkeys(
        [
            "no_open_errors_left",
            "no_message_is_lost",
            "ledger_is_clear",
            "budget_is_kept",
            "no_key_is_twice",
            "every_stored_day_is_a_partition",
            "spaces_are_backed_up",
            "spaces_are_reconciled",
            "no_access_was_widened",
            "audit_is_fresh",
            "every_day_is_loaded",
        ],
        "",
    )
    rows = [open_error("BAD_REFERENCE", message_id=HOSTILE), open_error("FROM_A_LATER_VERSION", message_id="m2")]
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame(rows))
    around_messages(world)
    result = standing_run(world)
    errors = evaluations(result)["no_open_errors_left"]
    assert not errors.passed
    description = errors.description or ""
    assert description.startswith(
        "2 messages cannot be read: `BAD_REFERENCE` 1, `FROM_A_LATER_VERSION` 1. 2 of them are parked"
    )
    assert "requeue" not in description
    assert "`genie-assets errors close --class BAD_REFERENCE`" in description
    assert "update genie-assets" in description
    assert tokens(description) == {"paragraph_open", "paragraph_close", "inline", "text", "code_inline"}
    sample = errors.metadata["sample"]
    assert isinstance(sample, dg.TableMetadataValue)
    assert [each.data["message id"] for each in sample.records] == [" ".join(HOSTILE.split()), "m2"]
    told_of_ledgers(result)


def around_messages(world: World) -> None:
    """Comments given up, an evaluation that nobody read for three days, and one of two days before."""
    parked = open_error("SERVER", message_id=HOSTILE, next_retry_timestamp=None)
    later = open_error("PERMISSION", message_id="m2", next_retry_timestamp=NOON + HOUR)
    rows = [COMMENT_FETCH_ERRORS.part(row) for row in (parked, later)]
    world.lake.merge(COMMENT_FETCH_ERRORS, COMMENT_FETCH_ERRORS.frame(rows))
    failing = open_error("TOO_BIG", of_what="RESULTS", thing_id="failing", next_retry_timestamp=NOON)
    rows = [EVALUATION_FETCH_ERRORS.part(failing)]
    world.lake.merge(EVALUATION_FETCH_ERRORS, EVALUATION_FETCH_ERRORS.frame(rows))
    at = {"old": 72 * HOUR, "new": 30 * HOUR, "failing": 72 * HOUR, "runs": 72 * HOUR}
    runs = [
        {
            "workspace_id": "w1",
            "space_id": "s1",
            "eval_run_id": name,
            "status": "RUNNING" if name == "runs" else "DONE",
            "created_timestamp": round((NOON - age).timestamp() * 1000),
            "ingestion_timestamp": NOON - age,
        }
        for name, age in at.items()
    ]
    world.lake.merge(GENIE_EVALUATION_RUNS, GENIE_EVALUATION_RUNS.frame(runs))


def told_of_ledgers(result: dg.ExecuteInProcessResult) -> None:
    found = {
        each.asset_key.to_user_string(): each
        for each in result.get_asset_check_evaluations()
        if each.check_name == "ledger_is_clear"
    }
    comments, evaluated = found["comment_fetch_errors"], found["evaluation_fetch_errors"]
    assert found["agent_fetch_errors"].passed
    assert (comments.passed, comments.severity) == (False, dg.AssetCheckSeverity.ERROR)
    description = comments.description or ""
    assert description.startswith("2 messages' comments cannot be read:")
    assert "1 of them is parked" in description
    assert "`genie-assets errors requeue --of comments --class SERVER`" in description
    assert causes_of(comments.metadata) == {"SERVER": 1, "PERMISSION": 1}
    assert tokens(description) == {"paragraph_open", "paragraph_close", "inline", "text", "code_inline"}
    assert isinstance(comments.metadata["sample"], dg.TableMetadataValue)
    assert (evaluated.passed, evaluated.severity) == (False, dg.AssetCheckSeverity.WARN)
    description = evaluated.description or ""
    assert description.startswith("1 space's evaluations waited for a look for more than 2 days: is the schedule")
    assert "genie_evaluations on?" in description
    assert "errors close" not in description, "what is looked at each day cannot be closed"
    # What nobody looked at has no class: it is an incident of its own.
    assert "causes" not in evaluated.metadata


# Of Markdown and JSON a check's page shows nothing but a button.
SEEN_AT_ONCE = (
    *(dg.IntMetadataValue, dg.FloatMetadataValue, dg.TextMetadataValue),
    *(dg.TableMetadataValue, dg.TimestampMetadataValue),
)


def test_what_checks_found_is_seen_without_a_click_and_counts_say_of_what(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.ask("m1", "m2")
    world.genie.errors["m2"] = FORBIDDEN
    with dg.DagsterInstance.ephemeral() as instance:
        found = evaluations(run_day(world, instance)) | evaluations(standing_run(world))
    told = [(name, key, value) for name, check in found.items() for key, value in check.metadata.items()]
    assert len(told) > 30
    assert [each for each in told if not isinstance(each[2], SEEN_AT_ONCE)] == []
    numbers = {key for _, key, value in told if isinstance(value.value, int | float)}
    counted = ("messages", "errors", "spaces", "days", "rows", "accesses", "conversations", "minutes", "overdue")
    assert {key for key in numbers if not any(each in key for each in counted)} == {"success_rate", "newest_event"}


@pytest.mark.parametrize("error_class", ErrorClass)
def test_every_class_has_advice_whose_commands_exist(error_class: ErrorClass) -> None:
    words = advice(error_class).split("`")[1::2]
    for command in words:
        program, group, name, option, value, *more = command.split()
        assert (program, group, option, value) == ("genie-assets", "errors", "--class", error_class)
        found: Any = main.commands[group]
        options = {option for each in found.commands[name].params for option in each.opts}
        assert {option, *more[::2]} <= options, command


def test_what_is_nowhere_a_day_after_it_was_seen_is_lost_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pending was what the last good fetch had said: 89 of 94 messages were, and the check could not fail."""
    world = World(tmp_path)
    for n in range(3):
        world.ask(f"m{n}", conversation_id=f"c{n}")
    world.genie.requests_allowed = 1
    world.load()
    world.now += 23 * HOUR
    assert standing(world, "no_message_is_lost").passed
    assert (world.state().accounting().pending, world.state().accounting().lost) == (2, 0)
    world.now += 2 * HOUR
    told = standing(world, "no_message_is_lost")
    assert (told.passed, told.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "2 messages are neither stored nor in the ledger" in (told.description or "")
    assert "`2026-03-02` 2" in (told.description or "")
    assert (world.state().accounting().pending, world.state().accounting().lost) == (0, 2)
    monkeypatch.setenv("GENIE_LOOKBACK_DAYS", "1")
    world.now += 24 * HOUR
    assert standing(world, "no_message_is_lost").passed

    # A day of long ago, which somebody has just loaded, is no less than others.
    long_ago = MONDAY - dt.timedelta(days=400)
    world.ask("old", conversation_id="c9", day=long_ago)
    world.genie.requests_allowed = 0
    world.load(long_ago)
    world.now += 25 * HOUR
    told = standing(world, "no_message_is_lost")
    assert not told.passed
    assert f"`{long_ago}` 1" in (told.description or "")


def test_days_before_the_first_partition_and_in_the_future_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later GENIE_FIRST_DAY must not let stored days, or errors that are due on them, vanish in silence."""
    world = World(tmp_path)
    world.ask("m1", "m2")
    world.load()
    world.lake.merge(MESSAGE_FETCH_ERRORS, MESSAGE_FETCH_ERRORS.frame([open_error("SERVER", message_id="m9")]))
    assert standing(world, "every_stored_day_is_a_partition").passed
    monkeypatch.setenv("GENIE_FIRST_DAY", "2026-03-03")
    told = standing(world, "every_stored_day_is_a_partition")
    assert (told.passed, told.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert told.description == (
        "2 stored messages and 1 open error belong to 1 day before GENIE_FIRST_DAY, which is 2026-03-03: no run "
        "loads, checks or retries them. Set GENIE_FIRST_DAY to 2026-03-02 or earlier, or close the errors "
        "with `genie-assets errors close`."
    )
    world.now = NOON - dt.timedelta(days=1)
    monkeypatch.delenv("GENIE_FIRST_DAY")
    told = standing(world, "every_stored_day_is_a_partition")
    assert "belong to 1 day in the future, from 2026-03-02 on" in (told.description or "")


def test_an_audit_log_that_stopped_says_since_when(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.system_tables.log_ended = NOON - 7 * HOUR
    assert "2026-03-02 05:00 UTC" in (standing(world, "audit_is_fresh").description or "")
    world.system_tables.log_ended = NOON - 72 * HOUR
    stopped = standing(world, "audit_is_fresh")
    assert (stopped.passed, stopped.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "no event of the last two days" in (stopped.description or "")
