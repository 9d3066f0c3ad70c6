"""`genie-assets doctor --contract`: what we take for true, held against a sandbox's account and against lies."""

import copy
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from genie_assets.commands.account_sampling import Taken, take_samples
from genie_assets.commands.cli import main
from genie_assets.commands.doctor_contract import lines
from genie_assets.domain.contract import FactVerdict
from genie_assets.domain.contract_facts import FACTS, verdicts
from genie_assets.domain.contract_questions import answers
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.samples import Sample, Samples
from genie_assets.pipeline.account_samples import MOST_REQUESTS, MOST_STATEMENTS
from genie_assets.settings import load_settings
from genie_assets_tests.e2e.pipelines import point_at, sandbox_of
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate

ANCHOR = dt.datetime(2026, 8, 12, 20, tzinfo=dt.UTC)
# What the made-up account holds on purpose to be odd: ids that are none of Genie's, a status that nobody knows.
ODD = {"ids.form", "messages.words"}
ODD_ACTIONS = "audit.actions"  # actions that nobody knows, in the week before the anchor
Edit = Callable[[Any], object]


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(seed=5, anchor=ANCHOR, days=2, messages=80, late=0.1)


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account") / "account") as running:
        yield running


@pytest.fixture(scope="module")
def samples(sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Samples:
    with pytest.MonkeyPatch.context() as patch:
        point_at(sandbox, tmp_path_factory.mktemp("nowhere") / "tables", patch)
        return take_samples(load_settings(), ANCHOR).samples


@pytest.fixture(autouse=True)
def place(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    point_at(sandbox, tmp_path / "tables", monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(samples: Samples) -> dict[str, FactVerdict]:
    return {fact.name: judged.verdict for fact, judged in verdicts(samples)}


def test_the_account_is_tested_within_bounds_and_its_texts_stay_where_they_are(
    sandbox: SandboxProcess, account: Account, place: Path
) -> None:
    sandbox.reset_requests()
    done = CliRunner().invoke(main, ["doctor", "--contract", "--json"])
    assert done.exit_code == 1, "facts are contradicted"
    found = json.loads(done.output)
    by_call = sandbox.requests(0)["by_call"]
    statements = by_call.pop("POST statements")
    assert (found["statements"], statements <= MOST_STATEMENTS) == (statements, True)
    assert found["requests"] <= MOST_REQUESTS
    writes = {"POST token"}
    assert all(call.startswith("GET ") for call in by_call.keys() - writes), by_call
    verdict = {each["name"]: each["verdict"] for each in found["facts"]}
    assert {name for name, each in verdict.items() if each == "contradicted"} == ODD
    assert sum(each == "held" for each in verdict.values()) >= 18
    assert {each["number"] for each in found["open_questions"]} == set(range(1, 11))
    assert list(place.iterdir()) == [], "nothing is written"
    for text in texts_of(account):
        assert text not in done.output


def texts_of(account: Account) -> set[str]:
    """Ids, questions and titles of the account."""
    found = {account.principal.client_secret, account.principal.application_id}
    for message in account.messages:
        found |= {message.message_id, message.conversation_id, message.space_id}
        found |= {state.body.get("content") for state in message.states}
    found |= {space.body.get("title") for space in account.spaces}
    return {text for text in found if isinstance(text, str) and len(text) > 8}


def test_people_read_it_at_eighty_columns(samples: Samples) -> None:
    told = [line for line, _ in lines(Taken(samples, 69, 11), verdicts(samples))]
    text = "\n".join(told)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "held         lists.page_size: Lists take page_size=100." in told
    assert "Relied on by: domain.audit" in text
    assert " ".join(text.split()).endswith("It took 69 requests and 11 statements.")
    assert "  8  How long conversations are kept" in text
    shown = {question.number for question, each in answers(samples) if each is not None}
    assert {2, 5, 6, 7} <= shown
    assert not shown & {4, 8}, "nothing that only reads shows these"


@pytest.mark.parametrize("options", [["--write", "--contract"], ["--contract", "--sideways"]])
def test_options_that_do_not_go_together_are_told_in_one_sentence(options: list[str]) -> None:
    refused = CliRunner().invoke(main, ["doctor", *options])
    assert (refused.exit_code, refused.output.count("Error:")) == (2, 1)


def changed(samples: Samples, kind: str, edit: Edit) -> Samples:
    """The samples with the answers of a kind changed, or with one if there is none."""
    taken = []
    for sample in samples.taken:
        if sample.kind == kind and sample.body is not None:
            body = copy.deepcopy(dict(sample.body))
            edit(body)
            taken.append(replace(sample, body=body))
        else:
            taken.append(sample)
    if not list(samples.bodies(kind)):
        body = {}
        edit(body)
        taken.append(Sample(kind, {}, body))
    return Samples(samples.at, taken)


def each_of(key: str, **values: Any) -> Edit:
    def edit(body: dict[str, Any]) -> None:
        for each in body.get(key) or ():
            each.update(values)

    return edit


def column(name: str, **values: Any) -> Edit:
    def edit(body: dict[str, Any]) -> None:
        for each in body["manifest"]["schema"]["columns"]:
            if each["name"] == name:
                each.update(values)

    return edit


def row(*cells: str) -> Edit:
    return lambda body: body["result"]["data_array"].append(list(cells))


def query(**values: Any) -> Edit:
    def edit(body: dict[str, Any]) -> None:
        for message in body["messages"]:
            for attachment in message.get("attachments") or ():
                if "query" in attachment:
                    attachment["query"].update(values)

    return edit


# For each fact an answer that contradicts it.
LIES: Mapping[str, tuple[str, Edit]] = {
    "lists.form": ("conversations", lambda body: body.update(next_page_token=7)),
    "lists.paging": ("spaces.one", lambda body: body.update(spaces=body["spaces"] * 2)),
    "ids.form": ("spaces", each_of("spaces", space_id="01F0")),
    "times.unit": ("messages", each_of("messages", created_timestamp=1_795_753_627)),
    "numbers.form": ("messages", each_of("messages", user_id=1.5)),
    "conversations.entries": ("conversations", each_of("conversations", agent_type="GENIE_NEW")),
    "conversations.everybodys": (
        "conversations.own",
        lambda body: body.update(conversations=[{"conversation_id": "mine alone"}]),
    ),
    "messages.list_and_get": ("message", lambda body: body.update(only_here=1)),
    "messages.words": ("messages", each_of("messages", status="PONDERING")),
    "messages.attachments": ("message", lambda body: body.update(attachments=[{"query": {}, "text": {}}])),
    "messages.queries": ("messages", query(statement_id="17")),
    "spaces.export": ("space", lambda body: body.update(serialized_space='{"version": 3}')),
    "spaces.permissions": ("permissions", lambda body: body.pop("access_control_list")),
    "comments.form": ("comments", lambda body: body.update(comments=[{"content": "secret"}])),
    "agents.items": ("items", lambda body: body.update(data=[{"id": "1", "type": "soliloquy"}])),
    "evaluations.form": ("evaluations", each_of("eval_runs", eval_run_status="ENDED")),
    "statements.inline": ("sql.one", lambda body: body["result"].update(data_array=[[1]])),
    "statements.links": ("sql.links", lambda body: body.update(result={"external_links": [{"url": "x"}]})),
    "statements.failure": ("sql.nothing", lambda body: body["status"]["error"].update(message="not there")),
    "audit.columns": ("sql.audit_columns", column("request_params", type_name="STRING")),
    "audit.actions": ("sql.audit_actions", row("askTheOracle", "[]", "0", "1")),
    "audit.ids": ("sql.audit_actions", row("genieGetConversationMessage", '["space"]', "0", "1")),
    "history.table": ("sql.history_columns", column("compute", type_text="STRUCT<cluster_id: STRING>")),
    "workspaces.table": ("sql.workspaces_statuses", row("ASLEEP", "1")),
}
PROBLEMS = {
    "lists.page_size": ("spaces", FetchError(ErrorClass.SERVER, "no", 400, "INVALID_PARAMETER_VALUE")),
    "errors.not_found": ("missing.space", FetchError(ErrorClass.NOT_FOUND, "no", 404)),
    "errors.forbidden": ("space", FetchError(ErrorClass.AUTH, "no", 403, "403")),
}


def test_each_fact_that_an_account_contradicts_is_named_and_only_its_form_is_told(samples: Samples) -> None:
    assert {*LIES, *PROBLEMS} == {fact.name for fact in FACTS}
    before = told(samples)
    for name, (kind, edit) in LIES.items():
        judged = {fact.name: each for fact, each in verdicts(changed(samples, kind, edit))}
        assert judged[name].verdict is FactVerdict.CONTRADICTED, name
        assert "secret" not in judged[name].seen
    for name, (kind, problem) in PROBLEMS.items():
        lied = [replace(each, body=None, problem=problem) if each.kind == kind else each for each in samples.taken]
        assert told(Samples(samples.at, lied))[name] is FactVerdict.CONTRADICTED, name
    assert {name for name, each in before.items() if each is FactVerdict.CONTRADICTED} == ODD | {ODD_ACTIONS}
    assert told(samples) == before, "the samples themselves were not changed"


def test_what_no_sample_shows_is_neither_held_nor_contradicted_and_questions_stay_open() -> None:
    nothing = Samples(dt.datetime(2026, 3, 2, tzinfo=dt.UTC), ())
    assert set(told(nothing).values()) == {FactVerdict.NOT_SHOWN}
    assert [shown for _, shown in answers(nothing)] == [None] * 10


def test_an_answer_of_an_odd_shape_keeps_no_other_from_being_judged(samples: Samples) -> None:
    for body in ({"messages": [None, 7, {"attachments": {"query": []}, "feedback": "yes"}]}, {"messages": "all"}):
        taken = [replace(each, body=body) if each.kind == "messages" else each for each in samples.taken]
        odd = told(Samples(samples.at, taken))
        assert odd["spaces.export"] is FactVerdict.HELD


def test_where_nothing_answers_the_contract_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    done = CliRunner().invoke(main, ["doctor", "--contract"])
    assert (done.exit_code, done.output.count("Error:")) == (1, 1)
