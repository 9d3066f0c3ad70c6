"""Samples as examples that can be given away: one document for each kind, with every value replaced.

Structure, types and words of known vocabularies stay; texts, ids, addresses, names and numbers do not. What a
recorded example says is read again by `samples_in`, and by our own parsers.
"""

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from genie_assets.domain.messages import as_object
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.samples import Sample, Samples, items
from genie_assets.domain.scrubbed_values import Choose, Scrubber, json_in, texts_in, times_in

_OF_STATEMENTS, _NAMES_PARAMETERS = "sql.", "sql.audit_actions"
# Parameters that are ours, and say nothing of the account.
_OURS = frozenset({"page_size", "include_all", "include_serialized_space", "limit", "order", "disposition"})
_COUNTS = ("chunk_index", "row_offset", "row_count")
_TYPE = re.compile(r"[A-Za-z0-9_<>:, ()]{1,20000}")
_CODE = re.compile(r"[A-Z][A-Z_]{2,60}|\d{3}")
_CONDITION = re.compile(r"\[[A-Z][A-Z_.]{2,100}\]")
_NAME = re.compile(r"[a-z][A-Za-z_]{1,60}")
# Of what is shorter, or made of digits and short, chance makes the same again.
_SHORTEST_TEXT, _SHORTEST_NUMBER = 6, 14
_DIGITS = re.compile(r"[0-9a-f-]+")
# What is made up of a count tells nothing, though a text of the account may stand in it: `example`, or `00:00:00`.
_MADE = re.compile(r"text \d+|user\d+@example\.com|https://example\.com/\d+|2\d{3}-\d\d-\d\d[T ]\d\d:\d\d:00Z?")


class TellsTooMuchError(Exception):
    """A recorded example would hold a text of the account. The message is the kind of the sample."""


def documents(samples: Samples, choose: Choose) -> dict[str, dict[str, Any]]:
    """The documents to give away, by kind.

    Args:
        samples: What was answered.
        choose: Chance.

    Raises:
        TellsTooMuchError: a text of the account is left in one of them, which is a fault of ours.
    """
    met = [value for sample in samples.taken for value in (sample.asked, sample.body)]
    times = (ms for value in met for ms in times_in(_plain(value)))
    scrubber = Scrubber(choose, times, (text for value in met for text in texts_in(_plain(value))))
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for sample in samples.taken:
        found[sample.kind].append(_answer(sample, scrubber))
    made = {kind: {"kind": kind, "answers": answers} for kind, answers in found.items()}
    _refuse_what_tells(samples, made, scrubber.kept)
    return made


def samples_in(found: Iterable[Mapping[str, Any]], at: dt.datetime) -> Samples:
    """The samples that documents hold.

    Args:
        found: The documents, as JSON gives them.
        at: When they are read, UTC.
    """
    return Samples(at, [_sample(each["kind"], answer) for each in found for answer in each["answers"]])


def _answer(sample: Sample, scrubber: Scrubber) -> dict[str, Any]:
    asked = {name: value if name in _OURS else scrubber.text(value) for name, value in sample.asked.items()}
    scrubber.kept.update(value for name, value in sample.asked.items() if name in _OURS)
    if sample.problem is not None:
        return {"asked": asked, "problem": _problem(sample.problem)}
    body = _plain(sample.body or {})
    if not sample.kind.startswith(_OF_STATEMENTS):
        return {"asked": asked, "body": scrubber.value(body)}
    return {"asked": asked, "body": _statement(body, scrubber, lists_stay=sample.kind == _NAMES_PARAMETERS)}


def _problem(problem: FetchError) -> dict[str, Any]:
    code = problem.error_code
    return {
        "error_class": str(problem.error_class),
        "http_status": problem.http_status,
        "error_code": code if code is None or _CODE.fullmatch(code) else "OTHER",
    }


def _sample(kind: str, answer: Mapping[str, Any]) -> Sample:
    problem = answer.get("problem")
    if problem is None:
        return Sample(kind, answer["asked"], answer["body"])
    error = FetchError(
        ErrorClass(problem["error_class"]), "recorded", problem["http_status"], problem["error_code"]
    )
    return Sample(kind, answer["asked"], problem=error)


def _statement(body: Mapping[str, Any], scrubber: Scrubber, *, lists_stay: bool) -> dict[str, Any]:
    """An answer of the SQL API: its columns and counts are of our own statements, and stay.

    With `lists_stay`, lists in its cells are names of parameters, and stay if they look like such.
    """
    names = [as_object(each).get("name") for each in items(_schema(body).get("columns"))]
    made = {key: scrubber.value(each) for key, each in body.items() if key not in ("status", "manifest", "result")}
    if isinstance(status := body.get("status"), Mapping):
        made["status"] = _status(status, scrubber)
    if isinstance(manifest := body.get("manifest"), Mapping):
        made["manifest"] = _kept(manifest, scrubber)
    if isinstance(result := body.get("result"), Mapping):
        made["result"] = {
            key: each
            if key in _COUNTS
            else _cells(each, names, scrubber, lists_stay=lists_stay)
            if key == "data_array"
            else scrubber.value(each)
            for key, each in result.items()
        }
        for link, new in zip(
            items(result.get("external_links")), items(made["result"].get("external_links")), strict=False
        ):
            new.update({key: link[key] for key in _COUNTS if key in link})
    return made


def _status(status: Mapping[str, Any], scrubber: Scrubber) -> dict[str, Any]:
    made: dict[str, Any] = scrubber.value(status)
    error = status.get("error")
    if isinstance(error, Mapping):
        code, message = error.get("error_code"), error.get("message")
        if isinstance(code, str) and _CODE.fullmatch(code):
            made["error"]["error_code"] = code
            scrubber.kept.add(code)
        if isinstance(message, str) and (condition := _CONDITION.match(message)):
            made["error"]["message"] = f"{condition[0]} {scrubber.text(message)}"
            scrubber.kept.add(condition[0][1:-1])
    return made


def _kept(value: Any, scrubber: Scrubber) -> Any:
    """A manifest: types, names of columns and counts as they are."""
    if isinstance(value, Mapping):
        return {key: _kept(each, scrubber) for key, each in value.items()}
    if isinstance(value, list):
        return [_kept(each, scrubber) for each in value]
    if isinstance(value, str):
        if not _TYPE.fullmatch(value):
            return scrubber.text(value)
        scrubber.kept.add(value)
    return value


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return as_object(as_object(body.get("manifest")).get("schema"))


def _cells(rows: Any, columns: Sequence[Any], scrubber: Scrubber, *, lists_stay: bool) -> Any:
    """Rows, by the names of their columns."""
    if not isinstance(rows, list):
        return scrubber.value(rows)
    return [
        [
            _cell(name, each, scrubber, lists_stay=lists_stay)
            for name, each in zip([*columns, *[None] * len(row)], row, strict=False)
        ]
        if isinstance(row, list)
        else None
        for row in rows
    ]


def _cell(column: Any, cell: Any, scrubber: Scrubber, *, lists_stay: bool) -> Any:
    names = json_in(cell) if lists_stay and isinstance(cell, str) else None
    if isinstance(names, list) and all(isinstance(each, str) and _NAME.fullmatch(each) for each in names):
        scrubber.kept.update(names)
        return json.dumps(names, separators=(",", ":"))
    return scrubber.under(str(column), cell)


def _refuse_what_tells(samples: Samples, made: Mapping[str, Mapping[str, Any]], kept: set[str]) -> None:
    """Compare what is given away with every text that it was made of.

    Raises:
        TellsTooMuchError: one of them is in it.
    """
    told = {
        text
        for document in made.values()
        for answer in document["answers"]
        for text in texts_in([answer["asked"], answer.get("body")])
        if text not in kept and not _MADE.fullmatch(text)
    }
    # Most of it are ids, in which no other text can stand: they are looked through for ids only.
    ids = "\n".join(each for each in told if _DIGITS.fullmatch(each))
    others = "\n".join(each for each in told if not _DIGITS.fullmatch(each))
    for sample in samples.taken:
        for text in (*texts_in(_plain(sample.body)), *texts_in(_plain(sample.asked))):
            is_id = _DIGITS.fullmatch(text) is not None
            if (
                len(text) < (_SHORTEST_NUMBER if is_id else _SHORTEST_TEXT)
                or text in kept
                or _MADE.fullmatch(text)
            ):
                continue
            if text in others or (is_id and text in ids):
                raise TellsTooMuchError(sample.kind)


def _plain(value: Any) -> Any:
    """JSON values only."""
    return dict(value) if isinstance(value, Mapping) else value
