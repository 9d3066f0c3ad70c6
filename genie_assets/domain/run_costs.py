"""What a run cost: the requests that it sent to Databricks by endpoint, its SQL statements and their time.

Counted where a request leaves, whoever asks and whatever comes of it. How costs are gathered and where they are
noted does not belong here.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from genie_assets.domain.keys import Row
from genie_assets.domain.measures import Measure
from genie_assets.domain.percentiles import nearest_rank

STATEMENTS = "POST sql/statements"
"""The endpoint that is sent statements: each of its requests is one that the warehouse may run."""

LINKS = "GET result link"
"""The store behind the links of a big result."""

# What paths say of themselves; anything else in them is an id.
_OF_GENIE = ("genie", "spaces", "conversations", "messages", "comments", "agents", "items", "eval-runs", "results")
_OF_SQL = ("sql", "statements", "result", "chunks", "cancel", "warehouses", "fs", "files", "directories", "alerts")
_OF_REST = ("permissions", "workspace", "get-status", "mkdirs", "lakeview", "dashboards", "published", "preview")
_OF_CATALOG = ("unity-catalog", "tables", "functions", "metastores", "current-metastore-assignment", "scim", "v2")
_OF_TAGS = ("entity-tag-assignments", "geniespaces", "tags")
_WORDS = frozenset((*_OF_TAGS, *_OF_GENIE, *_OF_SQL, *_OF_REST, *_OF_CATALOG, "me"))
_ALL = "all"  # of a run of which only the sums were noted, as versions before this one did
_OTHERS = "others"  # the endpoints of a run for which there was no room
_LONGEST = 2_000  # of a tag in Dagster's storage: Postgres keeps no index entry of more than 2,700 bytes


def endpoint_of(method: str, path: str) -> str:
    """What an endpoint is called: the verb, and the path without ids, of which there are few.

    Args:
        method: HTTP method.
        path: Path under a host, such as `/api/2.0/genie/spaces/01ef/conversations`.
    """
    parts = [part for part in path.partition("?")[0].split("/") if part]
    below = parts[2:] if parts[:1] == ["api"] else parts
    named = [part if part.lower() in _WORDS else "_" for part in below]
    # The places of a file are as many as there are folders.
    if named[:1] == ["fs"]:
        named = named[:2]
    return f"{method} {'/'.join(named)}"


def login_endpoint(method: str) -> str:
    """What asking for a token is called, and asking where there are some: whoever gives them out.

    Args:
        method: HTTP method.
    """
    return f"{method} log-in"


@dataclass
class Traffic:
    """The requests of one endpoint.

    Attributes:
        requests: How many were sent.
        answered_429: How many of them were answered 429.
        failed: How many got another answer than a good one, or none.
        bytes: What the bodies of the answers hold, unpacked.
        retries: How many were sent because the one before had failed in passing.
        times: How many were answered within so many ms.
    """

    requests: int = 0
    answered_429: int = 0
    failed: int = 0
    bytes: int = 0
    retries: int = 0
    times: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Traffic") -> None:
        """Count those of another one, too."""
        self.requests += other.requests
        self.answered_429 += other.answered_429
        self.failed += other.failed
        self.bytes += other.bytes
        self.retries += other.retries
        self.times.update(other.times)


@dataclass
class Costs:
    """What something cost.

    Attributes:
        traffic: Requests by endpoint.
        statement_ms: From sending each statement until it had ended with the first part of its result; that a cold
            warehouse starts is part of it.
        rows: Rows of results that came.
        result_bytes: What it took to send them.
    """

    traffic: dict[str, Traffic] = field(default_factory=dict)
    statement_ms: int = 0
    rows: int = 0
    result_bytes: int = 0

    @property
    def requests(self) -> int:
        """All requests, those about statements included."""
        return sum(each.requests for each in self.traffic.values())

    @property
    def statements(self) -> int:
        """Statements that were sent to a warehouse."""
        return self.traffic[STATEMENTS].requests if STATEMENTS in self.traffic else 0

    def add(self, other: "Costs") -> None:
        """Count another one's, too."""
        for name, traffic in other.traffic.items():
            self.traffic.setdefault(name, Traffic()).add(traffic)
        self.statement_ms += other.statement_ms
        self.rows += other.rows
        self.result_bytes += other.result_bytes


_TOTALS = ("requests", "statements", "statement_ms", "rows", "result_bytes")
# In the order in which they are noted. Runs of before `retries` were counted noted the first six.
_OF_AN_ENDPOINT = ("requests", "answered_429", "failed", "bytes", "p50_ms", "p95_ms", "retries")
_AT_LEAST = 6


@dataclass(frozen=True)
class NotedCosts:
    """The same as it is noted of a run.

    Attributes:
        requests: As of `Costs`.
        statements: As of `Costs`.
        statement_ms: As of `Costs`.
        rows: As of `Costs`.
        result_bytes: As of `Costs`.
        endpoints: By endpoint: requests, answered_429, failed, bytes, p50_ms, p95_ms and retries; what is not
            known is not there.
    """

    requests: int = 0
    statements: int = 0
    statement_ms: int = 0
    rows: int = 0
    result_bytes: int = 0
    endpoints: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def and_also(self, other: "NotedCosts") -> "NotedCosts":
        """Together with those of another part of the run; of two quantiles the greater is kept.

        If only the sums of one part are known, so they are of both: its endpoints would be taken for all.
        """
        is_summed = any(each.requests and not each.endpoints for each in (self, other))
        endpoints = {name: dict(numbers) for name, numbers in self.endpoints.items()}
        for name, numbers in other.endpoints.items():
            endpoints[name] = _both(endpoints[name], numbers) if name in endpoints else dict(numbers)
        totals = {name: getattr(self, name) + getattr(other, name) for name in _TOTALS}
        return _noted(totals, {} if is_summed else endpoints)


def _both(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """The numbers of two parts of an endpoint; what is not known of one is not known of both."""
    return {
        name: max(one[name], value) if name.startswith("p") else one[name] + value
        for name, value in other.items()
        if name in one
    }


def summed(parts: Iterable[NotedCosts]) -> NotedCosts:
    """The sum of costs."""
    total = NotedCosts()
    for each in parts:
        total = total.and_also(each)
    return total


def noted(costs: Costs) -> NotedCosts:
    """What is noted of costs."""
    endpoints = {
        name: {
            "requests": each.requests,
            "answered_429": each.answered_429,
            "failed": each.failed,
            "bytes": each.bytes,
            "p50_ms": nearest_rank(each.times, 50) or 0,
            "p95_ms": nearest_rank(each.times, 95) or 0,
            "retries": each.retries,
        }
        for name, each in sorted(costs.traffic.items())
    }
    return _noted({name: getattr(costs, name) for name in _TOTALS}, endpoints)


def shortened(costs: NotedCosts) -> tuple[NotedCosts, list[str]]:
    """Costs of which `to_text` makes a text that is short enough, and the endpoints that had to go.

    Those with the fewest requests go. Their sums stay, as those of `others`; statements stay for themselves.
    """
    gone: list[str] = []
    while len(to_text(costs)) > _LONGEST:
        named = costs.endpoints.keys() - {_OTHERS, STATEMENTS}
        if not named:
            return replace(costs, endpoints={}), [*gone, *costs.endpoints]
        least = min(named, key=lambda name: (costs.endpoints[name]["requests"], name))
        endpoints = {name: numbers for name, numbers in costs.endpoints.items() if name != least}
        # Quantiles of several endpoints are not those of all of their requests.
        sums = {name: value for name, value in costs.endpoints[least].items() if not name.startswith("p")}
        endpoints[_OTHERS] = _both(endpoints[_OTHERS], sums) if _OTHERS in endpoints else sums
        costs, gone = replace(costs, endpoints=endpoints), [*gone, least]
    return costs, gone


def to_text(costs: NotedCosts) -> str:
    """Costs as a text, from which `from_text` makes them again."""
    numbers = {name: getattr(costs, name) for name in _TOTALS}
    endpoints = {name: [each.get(n) for n in _OF_AN_ENDPOINT] for name, each in costs.endpoints.items()}
    return json.dumps({**numbers, "endpoints": endpoints}, separators=(",", ":"))


def from_text(text: str) -> NotedCosts | None:
    """What `to_text` made a text of, in this version or the one before; None if it says something else."""
    try:
        told = json.loads(text)
        totals = {name: int(told[name]) for name in _TOTALS}
        endpoints = {str(name): _numbers(listed) for name, listed in told.get("endpoints", {}).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return _noted(totals, endpoints)


def _numbers(listed: Sequence[int | None]) -> dict[str, int]:
    if len(listed) < _AT_LEAST or listed[0] is None:
        raise ValueError
    # A later version may list more.
    named = zip(_OF_AN_ENDPOINT, listed, strict=False)
    return {name: int(value) for name, value in named if value is not None}


def rows_of_run(run: Row, costs: NotedCosts) -> list[Row]:
    """The rows of `genie_run_costs` of a run: one for each endpoint that it asked.

    Args:
        run: The columns that are the same in all of them: the day, the run, its job.
        costs: What it cost.
    """
    of_statements = {
        "statements": costs.statements,
        "statement_ms": costs.statement_ms,
        "result_rows": costs.rows,
        "result_bytes": costs.result_bytes,
    }
    if not costs.endpoints:
        return [{**run, "endpoint": _ALL, "requests": costs.requests, **of_statements}]
    return [
        {**run, "endpoint": name, **numbers, **(of_statements if name == STATEMENTS else {})}
        for name, numbers in sorted(costs.endpoints.items())
    ]


def _noted(totals: Mapping[str, int], endpoints: Mapping[str, Mapping[str, int]]) -> NotedCosts:
    return NotedCosts(
        requests=totals["requests"],
        statements=totals["statements"],
        statement_ms=totals["statement_ms"],
        rows=totals["rows"],
        result_bytes=totals["result_bytes"],
        endpoints=endpoints,
    )


def measures_of_costs(costs: Costs, job: str) -> Iterator[Measure]:
    """What a run tells of its costs.

    Args:
        costs: The costs.
        job: The name of its job.
    """
    of_job = {"dagster.job": job}
    for name, unit, meaning, value in (
        ("warehouse.statements", "{statement}", "SQL statements sent to warehouses.", costs.statements),
        ("warehouse.time", "ms", "Time until statements had ended.", costs.statement_ms),
        ("warehouse.rows", "{row}", "Rows of results.", costs.rows),
        ("warehouse.results", "By", "Results, as they were sent.", costs.result_bytes),
    ):
        yield Measure(f"genie_assets.{name}", "counter", unit, meaning, value, of_job)
    for endpoint, traffic in sorted(costs.traffic.items()):
        where = {**of_job, "databricks.endpoint": endpoint}
        for name, unit, meaning, value in (
            ("requests", "{request}", "Requests to Databricks.", traffic.requests),
            ("requests.throttled", "{request}", "Requests that were answered 429.", traffic.answered_429),
            ("requests.failed", "{request}", "Requests without a good answer.", traffic.failed),
            ("requests.again", "{request}", "Requests sent because the one before failed.", traffic.retries),
            ("answers", "By", "Bodies of answers, unpacked.", traffic.bytes),
        ):
            yield Measure(f"genie_assets.api.{name}", "counter", unit, meaning, value, where)
        for ms, count in sorted(traffic.times.items()):
            meaning = "Time until a request was answered, or given up."
            yield Measure("genie_assets.api.request.duration", "histogram", "ms", meaning, ms, where, count)
