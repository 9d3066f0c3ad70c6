"""Facts of the Genie API: lists and their pages, ids and times, conversations, spaces, evaluations, errors."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from genie_assets.domain.contract import Fact, FactVerdict, Judged, is_hex_id, judged
from genie_assets.domain.messages import as_int, as_object, as_text, epoch_ms, message_id_of
from genie_assets.domain.outcomes import ErrorClass
from genie_assets.domain.samples import Samples, form, items, word
from genie_assets.domain.space_permissions import PRINCIPALS
from genie_assets.domain.vocabularies import (
    CONVERSATION_TYPES,
    EVALUATION_STATUSES,
    PERMISSION_LEVELS,
)

_LISTS = {
    "spaces": "spaces",
    "conversations": "conversations",
    "messages": "messages",
    "evaluations": "eval_runs",
    "evaluation.results": "eval_results",
    "comments": "comments",
}
# What was asked of Genie before 2023 was not asked of Genie.
_FIRST_MS = 1_672_531_200_000
_TIMES = ("created_timestamp", "last_updated_timestamp")


def _lists(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for kind, key in _LISTS.items():
        for _, body in samples.bodies(kind):
            cases += 1
            found, token = body.get(key), body.get("next_page_token")
            if key not in body and body.keys() - {"next_page_token"}:
                flaws.append(f"{kind}: {form(body)}")
            elif found is not None and not isinstance(found, list):
                flaws.append(f"{kind}: {key} is {form(found)}")
            elif not all(isinstance(each, Mapping) for each in items(found)):
                flaws.append(f"{kind}: {key} holds something else than objects")
            elif token is not None and not isinstance(token, str):
                flaws.append(f"{kind}: next_page_token is {form(token)}")
    return judged(cases, flaws, "lists")


def _page_size(samples: Samples) -> Judged:
    asked = [each for each in samples.of(*_LISTS) if each.asked.get("page_size")]
    answered = [each for each in asked if each.body is not None]
    refused = [each for each in asked if each.problem is not None and each.problem.http_status == 400]
    flaws = [f"{each.kind}: page_size={each.asked['page_size']} is refused with 400" for each in refused]
    return judged(len(answered) + len(refused), flaws, "lists that were asked for 100 entries a page")


def _paging(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for kind in ("spaces", "messages"):
        first = next((body for _, body in samples.bodies(f"{kind}.one")), None)
        if first is None:
            continue
        cases += 1
        begun = items(first.get(kind))
        if len(begun) > 1:
            flaws.append(f"{kind}: page_size=1 brings {len(begun)}")
        elif not first.get("next_page_token"):
            flaws.append(f"{kind}: no next_page_token behind the first of several")
        for _, following in samples.bodies(f"{kind}.next"):
            if items(following.get(kind)) == begun:
                flaws.append(f"{kind}: the next page is the first one again")
    return judged(cases, flaws, "lists that were read in pages of one")


def _ids(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for name, value in _all_ids(samples):
        cases += 1
        if not is_hex_id(value):
            flaws.append(f"{name} is {form(value)}")
    return judged(cases, flaws, "ids")


def _all_ids(samples: Samples) -> Iterator[tuple[str, Any]]:
    for _, each in samples.objects("spaces", "spaces"):
        yield "space_id", each.get("space_id")
    for _, each in samples.objects("conversations", "conversations"):
        yield "conversation_id", each.get("conversation_id")
    for _, each in samples.messages():
        yield "message_id", message_id_of(each)


def _times(samples: Samples) -> Judged:
    cases, flaws = 0, []
    latest = (samples.at + dt.timedelta(days=1)).timestamp() * 1000
    conversations = samples.objects("conversations", "conversations")
    for _, each in (*samples.messages(), *conversations):
        for name in _TIMES:
            if each.get(name) is None:
                continue
            cases += 1
            number = as_int(each[name])
            if number is None or epoch_ms(number) != number or not _FIRST_MS <= number <= latest:
                digits = "" if number is None else f", of {len(str(abs(number)))} digits"
                flaws.append(f"{name} is {form(each[name])}{digits}")
    return judged(cases, flaws, "times")


def _whole_numbers(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for name, value in numbers(samples):
        cases += 1
        if as_int(value) is None or isinstance(value, float):
            flaws.append(f"{name} is {form(value)}")
    return judged(cases, flaws, "numbers")


def numbers(samples: Samples) -> Iterator[tuple[str, Any]]:
    """Whatever the API documents as a number of 64 bits, by the name of its field."""
    for _, each in samples.messages():
        yield from ((name, each[name]) for name in ("user_id", *_TIMES) if each.get(name) is not None)
    for attachment in samples.attachments():
        result = as_object(as_object(attachment.get("query")).get("query_result_metadata"))
        if result.get("row_count") is not None:
            yield "row_count", result["row_count"]
    for _, each in samples.objects("conversations", "conversations"):
        if each.get("created_timestamp") is not None:
            yield "conversations.created_timestamp", each["created_timestamp"]


def _conversations(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for _, each in samples.objects("conversations", "conversations"):
        cases += 1
        if as_text(each.get("conversation_id")) is None:
            flaws.append(f"conversation_id is {form(each.get('conversation_id'))}")
        if each.get("created_timestamp") is None:
            flaws.append("created_timestamp is missing")
        if each.get("agent_type") not in (None, *CONVERSATION_TYPES):
            flaws.append(f"agent_type is {word(each.get('agent_type'))}")
    return judged(cases, flaws, "conversations")


def _everybodys(samples: Samples) -> Judged:
    cases, more, flaws = 0, 0, []
    for own, body in samples.bodies("conversations.own"):
        for listed, whole in samples.bodies("conversations"):
            if listed.asked.get("space_id") != own.asked.get("space_id"):
                continue
            cases += 1
            mine, all_ = (
                {each.get("conversation_id") for each in items(page.get("conversations"))}
                for page in (body, whole)
            )
            more += len(all_) > len(mine)
            if mine - all_ and not whole.get("next_page_token"):
                flaws.append("our own conversations are not all in the list with include_all=true")
    if cases and not flaws and not more:
        return Judged(FactVerdict.NOT_SHOWN, "include_all=true shows as many conversations as our own")
    return judged(cases, flaws, "spaces whose list with include_all=true is longer than that of our own")


def _export(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for sample, space in samples.bodies("space"):
        text = space.get("serialized_space")
        if space.get("space_id") != sample.asked.get("space_id"):
            flaws.append("GET brings another space than was asked for")
        if text in (None, ""):
            continue  # with fewer rights it may be missing
        cases += 1
        if not isinstance(text, str):
            flaws.append(f"serialized_space is {form(text)}")
            continue
        try:
            told = json.loads(text)
        except ValueError:
            flaws.append("serialized_space is a text that is no JSON")
            continue
        if not isinstance(told, Mapping):
            flaws.append(f"serialized_space holds {form(told)}")
        elif told.get("version") not in (None, 1, 2):
            flaws.append("serialized_space has another version than 1 and 2")
    return judged(cases, flaws, "exported spaces")


def _permissions(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for sample in samples.of("permissions"):
        if sample.problem is not None and sample.problem.error_class is ErrorClass.NOT_FOUND:
            cases += 1
            flaws.append("/api/2.0/permissions/genie/{id} answers 404 for a space that is listed")
    for _, body in samples.bodies("permissions"):
        cases += 1
        entries = body.get("access_control_list")
        if not isinstance(entries, list):
            flaws.append(f"access_control_list is {form(entries)}")
        elif not entries:
            flaws.append("access_control_list is empty, without workspace admins")
        flaws += [f"no principal that we know in {form(each)}" for each in items(entries) if not _is_named(each)]
        for entry in items(entries):
            for each in items(as_object(entry).get("all_permissions")):
                level = as_object(each).get("permission_level")
                if level not in PERMISSION_LEVELS:
                    flaws.append(f"permission_level is {word(level)}")
    return judged(cases, flaws, "access lists")


def _is_named(entry: Any) -> bool:
    return any(as_text(as_object(entry).get(name)) for name in PRINCIPALS)


def _evaluations(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for _, each in samples.objects("eval_runs", "evaluations"):
        cases += 1
        if as_text(each.get("eval_run_id")) is None:
            flaws.append(f"no eval_run_id in {form(each)}")
        if each.get("eval_run_status") not in EVALUATION_STATUSES:
            flaws.append(f"eval_run_status is {word(each.get('eval_run_status'))}")
    for _, each in samples.objects("eval_results", "evaluation.results"):
        cases += 1
        if as_text(each.get("result_id")) is None:
            flaws.append(f"no result_id in {form(each)}")
    return judged(cases, flaws, "evaluations and results")


def _not_found(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for sample in samples.of("missing.message", "missing.conversation", "missing.space"):
        problem = sample.problem
        if problem is None:
            cases += 1
            flaws.append(f"{sample.kind}: answered with {form(sample.body)}")
        elif problem.http_status is not None and problem.error_class is not ErrorClass.RATE_LIMITED:
            cases += 1
            if problem.error_class is not ErrorClass.NOT_FOUND or not problem.error_code:
                code = word(problem.error_code or "")
                flaws.append(f"{sample.kind}: {problem.http_status} with the code {code}")
    return judged(cases, flaws, "things that are not there")


def _forbidden(samples: Samples) -> Judged:
    refused = [each.problem for each in samples.taken if each.problem and each.problem.http_status == 403]
    flaws = [
        f"403 with the code {word(each.error_code or '')}, taken for {each.error_class}"
        for each in refused
        if each.error_class is not ErrorClass.PERMISSION or not each.error_code
    ]
    return judged(len(refused), flaws, "refusals with 403")


FACTS = (
    Fact(
        "lists.form",
        "A list is an object with its entries under their name and next_page_token, a text or nothing.",
        "gateways.genie.answers",
        _lists,
    ),
    Fact("lists.page_size", "Lists take page_size=100.", "gateways.genie.page_sizes", _page_size),
    Fact(
        "lists.paging",
        "page_size=1 brings one entry, and its next_page_token the one after it.",
        "gateways.genie.calls",
        _paging,
    ),
    Fact(
        "ids.form",
        "Ids of spaces, conversations and messages are 32 hexadecimal digits in lower case.",
        "domain.fetch_plan; nothing breaks if they are not",
        _ids,
    ),
    Fact("times.unit", "Times of messages are milliseconds since 1970.", "domain.messages", _times),
    Fact(
        "numbers.form",
        "User ids, times and numbers of rows are whole numbers, or their digits as text.",
        "domain.messages",
        _whole_numbers,
    ),
    Fact(
        "conversations.entries",
        "A conversation in a list has its id, its time, and one of two types or none.",
        "domain.agents, pipeline.reconciled_conversations",
        _conversations,
    ),
    Fact(
        "conversations.everybodys",
        "With include_all=true and CAN MANAGE a space lists everybody's conversations.",
        "gateways.genie.calls, pipeline.reconciled_conversations",
        _everybodys,
    ),
    Fact(
        "spaces.export",
        "A space's configuration is JSON in a text, an object of version 1 or 2.",
        "domain.configurations",
        _export,
    ),
    Fact(
        "spaces.permissions",
        "Who may do what with a space stands at /api/2.0/permissions/genie/{id}, by name, in four levels.",
        "domain.space_permissions",
        _permissions,
    ),
    Fact(
        "evaluations.form",
        "Evaluations and their results have ids, and evaluations a status that we know.",
        "domain.evaluations",
        _evaluations,
    ),
    Fact(
        "errors.not_found",
        "What is not there answers 404 with an error_code of Databricks'.",
        "domain.outcomes",
        _not_found,
    ),
    Fact(
        "errors.forbidden",
        "What we may not see answers 403 with an error_code that speaks of rights.",
        "domain.outcomes",
        _forbidden,
    ),
)
