"""Ten questions about Databricks that its documents leave open, and what samples of an account show of each."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.contract import ODD_SHAPES
from genie_assets.domain.contract_genie import numbers
from genie_assets.domain.contract_sql import columns, parameters, rows
from genie_assets.domain.messages import as_int
from genie_assets.domain.samples import Samples, items, word
from genie_assets.domain.vocabularies import is_known_action

_HOUR_MS = 3_600_000
_MOST_SHOWN = 8


@dataclass(frozen=True)
class OpenQuestion:
    """A question, and what shows something of it; None if nothing that only reads does."""

    number: int
    text: str
    look: Callable[[Samples], str | None]


def answers(samples: Samples) -> list[tuple[OpenQuestion, str | None]]:
    """Each question with what the samples show; None if it stays open."""
    return [(question, _looked(question, samples)) for question in QUESTIONS]


def _looked(question: OpenQuestion, samples: Samples) -> str | None:
    try:
        return question.look(samples)
    except ODD_SHAPES as problem:
        return f"an answer has a shape that cannot be judged ({type(problem).__name__}): please report it"


def _private(samples: Samples) -> str | None:
    refused = [each.problem for each in samples.of("messages", "message") if each.problem is not None]
    codes = Counter(
        f"{each.http_status} {word(each.error_code or '')}" for each in refused if each.http_status in (403, 404)
    )
    bare = sum(
        each.get("status") == "COMPLETED" and not items(each.get("attachments")) for _, each in samples.messages()
    )
    told = [f"reading messages of a listed conversation was refused with {_counted(codes)}"] if codes else []
    told += [f"{bare} completed messages came without attachments"] if bare else []
    return "; ".join(told) or None


def _pages(samples: Samples) -> str | None:
    told = []
    for kind, key in (("spaces", None), ("conversations", "created_timestamp"), ("messages", "created_timestamp")):
        pages = [items(body.get(kind)) for sample, body in samples.bodies(kind) if sample.asked.get("page_size")]
        longest = max(map(len, pages), default=0)
        if not longest:
            continue
        order = "" if key is None else _order(pages, key)
        told.append(f"{kind}: up to {longest} entries came on a page of 100{order}")
    for sample in samples.of("too_many"):
        if sample.problem is not None and sample.problem.http_status == 400:
            told.append(f"page_size=101 is refused with {word(sample.problem.error_code or '')}")
        elif sample.body is not None:
            told.append("page_size=101 is taken")
    return "; ".join(told) or None


def _order(pages: Iterable[Any], key: str) -> str:
    orders = set()
    for page in pages:
        times = [as_int(each.get(key)) for each in page if isinstance(each, Mapping)]
        known = [each for each in times if each is not None]
        if len(set(known)) > 1:
            ascending, descending = known == sorted(known), known == sorted(known, reverse=True)
            orders.add("the oldest first" if ascending else "the newest first" if descending else "in no order")
    return f", {' or '.join(sorted(orders))}" if orders else ""


def _touched(samples: Samples) -> str | None:
    told: Counter[str] = Counter()
    for _, each in samples.messages():
        asked, last = as_int(each.get("created_timestamp")), as_int(each.get("last_updated_timestamp"))
        if asked is None or last is None:
            continue
        late = "later than" if last - asked > _HOUR_MS else "within"
        if each.get("status") == "QUERY_RESULT_EXPIRED":
            told[f"an expired result, last updated {late} an hour after it was asked"] += 1
        if each.get("feedback"):
            told[f"feedback, last updated {late} an hour after it was asked"] += 1
    return f"messages with {_counted(told)}" if told else None


def _codes(samples: Samples) -> str | None:
    told = Counter(
        f"{each.kind.replace('.', ' ')}: {each.problem.http_status} {word(each.problem.error_code or '')}"
        for each in samples.of("missing.message", "missing.conversation", "missing.space", "space")
        if each.problem is not None and each.problem.http_status is not None
    )
    return _counted(told) if told else None


def _parameters(samples: Samples) -> str | None:
    named: defaultdict[str, set[str]] = defaultdict(set)
    for action, keys, _ in parameters(samples):
        if is_known_action(action):
            named[action].update(key for key in keys if key.replace("_", "").isalnum() and len(key) <= 60)
    if not named:
        return None
    lines = [f"{action}({', '.join(sorted(keys))})" for action, keys in sorted(named.items())]
    return f"{'; '.join(lines)}. How late rows arrive no column tells: that stays open"


def _numbers(samples: Samples) -> str | None:
    told: defaultdict[str, set[str]] = defaultdict(set)
    for name, value in numbers(samples):
        told[name].add("text" if isinstance(value, str) else "number")
    return "; ".join(f"{name}: {' or '.join(sorted(kinds))}" for name, kinds in sorted(told.items())) or None


def _unlisted(samples: Samples) -> str | None:
    """Conversations that the audit log shows and the whole list of their space lacks."""
    listed: defaultdict[str, set[Any]] = defaultdict(set)
    for sample, each in samples.objects("conversations", "conversations"):
        listed[sample.asked.get("space_id", "")].add(each.get("conversation_id"))
    seen = [row for row in rows(samples, "sql.audit_conversations") if len(row) == 3 and row[2] != "1"]
    if not seen:
        return None
    missing = sum(conversation_id not in listed[space_id] for space_id, conversation_id, _ in seen)
    return (
        f"of {len(seen)} conversations that the audit log shows there, and no deletion of them, {missing} "
        "are not in the lists with include_all=true; why they are not, nothing tells"
    )


def _usage(samples: Samples) -> str | None:
    for _, body in samples.bodies("sql.usage_columns"):
        for each in columns(body):
            if each.get("name") == "usage_metadata":
                is_there = "genie:" in str(each.get("type_text")).lower().replace(" ", "").replace("`", "")
                return f"usage_metadata {'has' if is_there else 'lacks'} the member genie. Prices stay open"
    return None


def _nothing(_samples: Samples) -> None:
    return None


def _counted(found: Counter[str]) -> str:
    shown = [f"{name} ({count})" for name, count in found.most_common(_MOST_SHOWN)]
    return ", ".join(shown)


QUESTIONS = (
    OpenQuestion(1, "What reading another user's private conversation brings.", _private),
    OpenQuestion(2, "The largest page_size of lists, and their order.", _pages),
    OpenQuestion(3, "Whether last_updated_timestamp moves on feedback, comments and expiry.", _touched),
    OpenQuestion(4, "How many requests a workspace allows, and whether 429 names a wait.", _nothing),
    OpenQuestion(5, "Which codes tell what is deleted, trashed, or not ours to export.", _codes),
    OpenQuestion(6, "Which parameters each action of the audit log names, and how late rows arrive.", _parameters),
    OpenQuestion(7, "Whether numbers of 64 bits come as numbers or as text.", _numbers),
    OpenQuestion(8, "How long conversations are kept, and what deletion makes of their ids.", _nothing),
    OpenQuestion(9, "Whether include_all lists conversations of benchmarks and integrations.", _unlisted),
    OpenQuestion(10, "Whether usage_metadata.genie is there, and until when prices are promotional.", _usage),
)
