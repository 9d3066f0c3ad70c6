"""Facts of messages: what LIST and GET show, their words and attachments, comments on them, and agents' steps."""

import re
from collections.abc import Collection
from typing import Any

from genie_assets.domain.contract import Fact, Judged, judged
from genie_assets.domain.messages import as_object, as_text, message_id_of
from genie_assets.domain.samples import Samples, form, items, shown_keys, word
from genie_assets.domain.vocabularies import (
    ATTACHMENTS,
    ITEM_TYPES,
    MESSAGE_STATUSES,
    RATINGS,
    TEXT_PHASES,
    TEXT_PURPOSES,
)

_DASHED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _same_message(samples: Samples) -> Judged:
    cases, flaws = 0, []
    listed = {message_id_of(each): each for _, each in samples.objects("messages", "messages")}
    for sample, got in samples.bodies("message"):
        cases += 1
        if message_id_of(got) != sample.asked.get("message_id"):
            flaws.append("GET brings another message than was asked for")
        elif got.get("conversation_id") not in (None, sample.asked.get("conversation_id")):
            flaws.append("GET names another conversation than was asked for")
        elif before := listed.get(message_id_of(got)):
            missing = got.keys() - before.keys()
            if missing and as_text(got.get("status")) == as_text(before.get("status")):
                flaws.append(f"LIST lacks {', '.join(shown_keys(dict.fromkeys(missing)))}")
    return judged(cases, flaws, "messages that were listed and got")


def _words(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for _, each in samples.messages():
        cases += 1
        feedback, error = each.get("feedback"), each.get("error")
        told = [("status", each.get("status"), MESSAGE_STATUSES)]
        told.append(("feedback.rating", as_object(feedback).get("rating"), RATINGS))
        for attachment in items(each.get("attachments")):
            text = as_object(as_object(attachment).get("text"))
            told += [
                ("text.purpose", text.get("purpose"), TEXT_PURPOSES),
                ("text.phase", text.get("phase"), TEXT_PHASES),
            ]
        flaws += [f"{name} is {word(value)}" for name, value, known in told if not _is_of(value, known)]
        if each.get("status") is None:
            flaws.append("status is missing")
        if error is not None and not (
            as_text(as_object(error).get("type")) or as_text(as_object(error).get("error"))
        ):
            flaws.append(f"error is {form(error)}")
    return judged(cases, flaws, "messages")


def _is_of(value: Any, known: Collection[str]) -> bool:
    """Whether a value is one of some words, or ends like one: what they begin with differs."""
    if value is None or value in known:
        return True
    ends = (*(f"_{each}" for each in known), "THUMBS_UP", "THUMBS_DOWN")
    return isinstance(value, str) and (value.endswith(ends) or any(each.endswith(f"_{value}") for each in known))


def _attachments(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for _, message in samples.messages():
        found = message.get("attachments")
        if found is not None and not isinstance(found, list):
            flaws.append(f"attachments is {form(found)}")
        for each in items(found):
            cases += 1
            kinds = [name for name in ATTACHMENTS if as_object(each).get(name) is not None]
            if len(kinds) != 1:
                flaws.append(form(each))
    return judged(cases, flaws, "attachments")


def _queries(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for attachment in samples.attachments():
        query = attachment.get("query")
        if query is None:
            continue
        cases += 1
        sql, statement_id = as_object(query).get("query"), as_object(query).get("statement_id")
        if sql is not None and not isinstance(sql, str):
            flaws.append(f"query.query is {form(sql)}")
        if statement_id is not None and not (isinstance(statement_id, str) and _DASHED.fullmatch(statement_id)):
            flaws.append(f"query.statement_id is {form(statement_id)}")
    return judged(cases, flaws, "attachments with a query")


def _comments(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for sample, each in samples.objects("comments", "comments"):
        cases += 1
        if as_text(each.get("message_comment_id")) is None:
            flaws.append(f"no message_comment_id in {form(each)}")
        if each.get("message_id") not in (None, sample.asked.get("message_id")):
            flaws.append("a comment names another message than the one whose comments were asked for")
    return judged(cases, flaws, "comments")


def _items(samples: Samples) -> Judged:
    cases, flaws = 0, []
    for _, body in samples.bodies("items"):
        if "data" not in body and body.get("object") != "list":
            cases += 1
            flaws.append(form(body))
        for each in items(body.get("data")):
            cases += 1
            if as_object(each).get("type") not in ITEM_TYPES:
                flaws.append(f"type is {word(as_object(each).get('type'))}")
            if as_text(as_object(each).get("id")) is None:
                flaws.append(f"no id in {form(each)}")
    return judged(cases, flaws, "steps of agents")


FACTS = (
    Fact(
        "messages.list_and_get",
        "LIST shows of a message what GET shows.",
        "gateways.genie.messages",
        _same_message,
    ),
    Fact(
        "messages.words",
        "Statuses, ratings, purposes and phases of messages are words that we know, or end like them.",
        "domain.messages",
        _words,
    ),
    Fact(
        "messages.attachments",
        "An attachment is exactly one of query, text, viz and suggested_questions.",
        "domain.messages",
        _attachments,
    ),
    Fact(
        "messages.queries",
        "A query has its SQL as text, and a statement_id with dashes, by which query history is asked.",
        "domain.messages, domain.executions",
        _queries,
    ),
    Fact("comments.form", "A comment has an id and names its message.", "domain.comments", _comments),
    Fact("agents.items", "A step of an agent has an id and a type that we know.", "domain.agents", _items),
)
