"""`genie-assets doctor --contract` and `--record`: what we take for true, held against an account and lies."""

import copy
import datetime as dt
import json
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from genie_assets.commands.account_sampling import Taken, take_samples
from genie_assets.commands.cli import main
from genie_assets.commands.doctor_contract import lines
from genie_assets.domain.contract import FactVerdict, is_hex_id
from genie_assets.domain.contract_facts import FACTS, verdicts
from genie_assets.domain.contract_questions import answers
from genie_assets.domain.keys import SpaceKey
from genie_assets.domain.messages import as_datetime, parse_message, parse_time
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.recording import TellsTooMuchError, documents, samples_in
from genie_assets.domain.samples import Sample, Samples
from genie_assets.domain.scrubbed_values import Scrubber, is_word
from genie_assets.domain.spaces import look_of
from genie_assets.gateways.databricks.pacing import Pacer
from genie_assets.gateways.genie.sampling import GenieSampler
from genie_assets.gateways.sql.answers import statement_of
from genie_assets.gateways.sql.values import frame
from genie_assets.pipeline.account_samples import MOST_REQUESTS, MOST_STATEMENTS
from genie_assets.settings import load_settings
from genie_assets.wiring import open_samplers, open_workspaces
from genie_assets_tests.e2e.pipelines import point_at, sandbox_of
from genie_sandbox.__main__ import main as sandbox_command
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.generator import generate
from genie_sandbox.recorded import account_of

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
        return take_samples(load_settings(), ANCHOR, with_rows=True).samples


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
    assert "Relied on by: domain.actions" in text
    assert " ".join(text.split()).endswith("It took 69 requests and 11 statements.")
    assert "  8  How long conversations are kept" in text
    shown = {question.number for question, each in answers(samples) if each is not None}
    assert {2, 5, 6, 7, 9} <= shown
    assert not shown & {4, 8}, "nothing that only reads shows these"


@pytest.mark.parametrize(
    "options", [["--write", "--contract"], ["--contract", "--record", "out"], ["--contract", "--sideways"]]
)
def test_options_that_do_not_go_together_are_told_in_one_sentence(options: list[str]) -> None:
    refused = CliRunner().invoke(main, ["doctor", *options])
    assert (refused.exit_code, refused.output.count("Error:")) == (2, 1)


def test_samples_end_with_the_requests_and_the_time_that_they_may_take(sandbox: SandboxProcess) -> None:
    settings = load_settings()
    connection = settings.databricks()
    workspaces = open_workspaces(settings, connection)
    home = next(iter(sandbox.urls.items()))
    sampler = GenieSampler(workspaces, Pacer(100), 2)
    taken = [sampler.get("spaces", home, (), {}) for _ in range(3)]
    assert [each is not None and each.body is not None for each in taken] == [True, True, False]
    assert sampler.requests == 2
    assert GenieSampler(workspaces, Pacer(100), 2, seconds=0).get("spaces", home, (), {}) is None
    assert GenieSampler(workspaces, Pacer(100), 2).get("space", home, ("..",), {}) is None


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


def strings_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value, those of JSON in texts and of keys with signs in them included."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from strings_in(each)
            if not key.replace("_", "").isalnum():
                yield key
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings_in(each)
    elif isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            inner = None
        yield from strings_in(inner) if isinstance(inner, dict | list) else (value,)
    elif isinstance(value, int) and value > 10**9:
        yield str(value)


def secrets_of(account: Account) -> set[str]:
    """Whatever the account's rows and answers say: texts, ids, addresses of people, big numbers, times."""
    bodies: list[Any] = [state.body for message in account.messages for state in message.states]
    bodies += [space.body for space in account.spaces]
    bodies += [item.body for agent in account.agents for item in agent.items]
    bodies += [comment.body for message in account.messages for comment in message.comments]
    bodies += [vars(row) if hasattr(row, "__dict__") else row for row in (*account.audit, *account.query_history)]
    bodies.append([account.principal.application_id, account.principal.client_secret])
    return {text for text in strings_in(bodies) if len(text) >= 6 and not is_word(text)}


def test_recorded_examples_tell_nothing_of_the_account_and_our_own_parsers_read_them(
    account: Account, place: Path
) -> None:
    done = CliRunner().invoke(main, ["doctor", "--record", "out", "--json"])
    assert done.exit_code == 0, done.output
    files = {file.name: file.read_text(encoding="utf-8") for file in (place / "out").iterdir()}
    assert json.loads(done.output)["files"].keys() == files.keys()
    assert {"messages.json", "space.json", "sql.links.json", "missing.space.json"} <= files.keys()
    assert stat.S_IMODE((place / "out").stat().st_mode) == 0o700
    assert [each.name for each in place.iterdir()] == ["out"], "nothing is left beside it"

    read = [json.loads(text) for text in files.values()]
    assert leaks(account, read) == []

    recorded = samples_in(read, dt.datetime.now(dt.UTC))
    messages = [parse_message(body) for _, body in recorded.messages()]
    assert len({each.message_id for each in messages}) > 10
    assert all(each.message_id and each.created_timestamp and each.content for each in messages)
    assert any(each.query for each in messages)
    for _, body in recorded.bodies("space"):
        assert look_of(SpaceKey("1", body["space_id"]), body, None).error is None
    for kind in ("sql.one", "sql.links", "sql.audit_columns", "sql.workspaces_statuses"):
        ((_, body),) = recorded.bodies(kind)
        answer = statement_of(body)
        assert answer.state == "SUCCEEDED"
        assert len(frame(answer.columns, answer.first.rows)) == (0 if kind == "sql.links" else answer.total_rows)

    again = CliRunner().invoke(main, ["doctor", "--record", "out"])
    assert (again.exit_code, again.output.count("\n")) == (1, 1)
    assert "out is not an empty folder" in again.output


def leaks(account: Account, documents: list[dict[str, Any]]) -> list[str]:
    texts = (text for document in documents for text in strings_in(list(answers_of(document))))
    told = "\n".join(text for text in texts if not is_word(text))
    names = {name for document in documents for name in names_in(document)}
    hidden = secrets_of(account)
    assert len(hidden) > 500
    return [text for text in hidden - names if text in told]


def answers_of(document: Mapping[str, Any]) -> Iterator[Any]:
    """What a document says, but for the columns and types of our own statements."""
    for answer in document["answers"]:
        yield {name: each for name, each in (answer.get("body") or {}).items() if name != "manifest"}
        yield answer["asked"]


def names_in(document: Mapping[str, Any]) -> Iterator[str]:
    """Names of parameters in the audit log, which are Databricks' own."""
    for answer in document["answers"]:
        if document["kind"] == "sql.audit_actions":
            yield from strings_in([row[1] for row in answer["body"]["result"].get("data_array", ())])


def by_chance(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))


def test_examples_are_judged_as_the_answers_that_they_were_made_of(account: Account, samples: Samples) -> None:
    made = json.loads(json.dumps(list(documents(samples, by_chance).values())))
    assert leaks(account, made) == []
    before, after = told(samples), told(samples_in(made, samples.at))
    assert {name: each for name, each in after.items() if each != before[name]} == {}
    other = json.loads(json.dumps(list(documents(samples, by_chance).values())))
    ids = [[each["message_id"] for _, each in samples_in(x, samples.at).messages()] for x in (made, other)]
    assert {each for each in ids[0] if is_hex_id(each)}.isdisjoint(ids[1]), "by chance, which nobody can repeat"
    assert [len(set(each)) for each in ids] == [len({each["message_id"] for _, each in samples.messages()})] * 2


def test_the_sandbox_serves_recorded_examples_again(samples: Samples, place: Path) -> None:
    for kind, document in documents(samples, by_chance).items():
        (place / f"{kind}.json").write_text(json.dumps(document), encoding="utf-8")
    made = [json.loads(file.read_text(encoding="utf-8")) for file in place.glob("*.json")]
    recorded = samples_in(made, ANCHOR)
    replayed = account_of(place)
    asked = [row.row["request_params"] for row in replayed.audit]
    assert len(asked) > 20
    assert {each.message_id for each in replayed.messages} & {each.get("message_id") for each in asked if each}
    with sandbox_of(replayed, place / "account", sql=False) as running, pytest.MonkeyPatch.context() as patch:
        point_at(running, place / "tables", patch)
        settings = load_settings()
        genie, _ = open_samplers(settings, settings.databricks(), 100)
        compared = 0
        for sample, body in recorded.bodies("messages", "space", "comments", "items"):
            workspace_id = sample.asked["workspace_id"]
            query = {name: sample.asked[name] for name in QUERY if name in sample.asked}
            below = "agents" if sample.kind == "items" else "spaces"
            path = path_of(sample)
            again = genie.get(sample.kind, (workspace_id, running.urls[workspace_id]), path, query, below=below)
            assert again is not None
            assert again.body == body or not any(map(bool, body.values())), (sample, again)
            compared += 1
    assert compared > 10
    (place / "odd.json").write_text("[]", encoding="utf-8")
    for options, told in (
        (["--recorded", str(place)], "odd.json is no recorded example"),
        (["--recorded", str(place), "--data", str(place)], "Give one of --data and --recorded."),
    ):
        refused = CliRunner().invoke(sandbox_command, options)
        assert (refused.exit_code > 0, refused.output.count("Error:"), told in refused.output) == (True, 1, True)


QUERY = ("page_size", "include_serialized_space", "limit", "order")


def path_of(sample: Sample) -> list[str]:
    """The path that a sample was taken at."""
    asked = sample.asked
    path = [asked["space_id"]]
    if sample.kind != "space":
        path += ["conversations", asked["conversation_id"], {"items": "items"}.get(sample.kind, "messages")]
    return [*path, asked["message_id"], "comments"] if sample.kind == "comments" else path


def test_one_thing_is_replaced_by_one_thing_and_forms_are_kept() -> None:
    scrubber = Scrubber(by_chance, [1_795_753_627_831, 1_795_753_627_000], ["text 1"])
    first = scrubber.value(
        {
            "user_id": 9007199254740995,
            "user": "9007199254740995",
            "email": "ana@example.org",
            "created_timestamp": 1_795_753_627_831,
            "create_time": "2026-11-27T04:27:07Z",
            "said": "a secret",
            "again": ["a secret", "", None, True, 0.5],
            "ana@example.org": {"version": 2},
            "inside": '{"id":"01f0aa0000000000000000000000d001","said":"a secret"}',
            "status": "COMPLETED",
        }
    )
    assert str(first["user_id"]) == first["user"] != "9007199254740995"
    assert len(first["user"]) == 16
    assert first["email"].endswith("@example.com")
    assert first[first["email"]] == {"version": 2}
    assert first["said"] == first["again"][0] != "a secret"
    assert first["said"] != "text 1", "that is somebody else's"
    assert first["again"][1:4] == ["", None, True]
    assert isinstance(first["again"][4], float)
    inside = json.loads(first["inside"])
    assert (len(inside["id"]), inside["said"]) == (32, first["said"])
    assert parse_time(first["create_time"]) < as_datetime(first["created_timestamp"]), "their order is kept"
    assert first["status"] == "COMPLETED"


def test_what_would_tell_of_the_account_is_not_written() -> None:
    odd = Sample("sql.one", {}, {"result": {"row_count": "a secret of ours"}})
    with pytest.raises(TellsTooMuchError, match=r"^sql\.one$"):
        documents(Samples(ANCHOR, [odd]), by_chance)
