"""Faults that can be switched on while the sandbox runs: which requests they hit, and how often.

A rule names an effect and, optionally, the requests it is about. Rules compose: a request is delayed by all its
delays, refused by the first refusal, and its answer is spoiled by all spoilers. `fault_effects` carries them out.
"""

import math
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genie_sandbox.server.refused_tokens import BODIES
from genie_sandbox.server.request import LIST_ROUTES, ROUTES, Request

Check = Callable[[Any], bool]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _text(value: Any) -> bool:
    # Header values go out as Latin-1 without line ends.
    return isinstance(value, str) and value.isprintable() and value.isascii()


def _retry_after(value: Any) -> bool:
    if isinstance(value, str) and value.startswith("date"):
        return re.fullmatch(r"date(:-?\d{1,9})?", value) is not None
    return value is None or _text(value) or (isinstance(value, int) and not isinstance(value, bool))


def _one_of(*allowed: str) -> Check:
    return lambda value: value in allowed


def _status(value: Any) -> bool:
    return _whole(value) and 200 <= value <= 599


def _share(value: Any) -> bool:
    return _number(value) and value < 1


@dataclass(frozen=True)
class Effect:
    """What an effect takes: options that must be given, those that may be, and the routes it makes sense for."""

    kind: str  # delay | refusal | spoiler | setting
    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    routes: frozenset[str] = ROUTES


_MESSAGES = frozenset({"get_message", "list_messages"})

EFFECTS: Mapping[str, Effect] = {
    "latency": Effect("delay", {"latency_ms": _number}, {"jitter_ms": _number}),
    "hang": Effect("delay", {"seconds": _number}),
    "rate_limit": Effect(
        "refusal", {"requests_per_second": _number}, {"burst": _number, "retry_after": _retry_after}
    ),
    "status": Effect(
        "refusal",
        {"status": _status},
        {
            "body": _one_of("json", "html", "text", "empty", "unparseable"),
            "error_code": _text,
            "message": lambda value: isinstance(value, str),
            "retry_after": _retry_after,
        },
    ),
    "token_refused": Effect("refusal", {}, {"body": _one_of(*BODIES)}),
    "drop": Effect("refusal"),
    "non_json": Effect("refusal"),
    "json_not_object": Effect("refusal", {}, {"json": _one_of("[]", "null", '"text"', "17")}),
    "truncate": Effect("spoiler", {}, {"keep": _share}),
    "cut": Effect("spoiler", {}, {"keep": _share}),
    "slow_drip": Effect("spoiler", {"seconds": _number}, {"pieces": _whole}),
    "wrong_content_type": Effect("spoiler", {}, {"content_type": _text}),
    "foreign_message": Effect("spoiler", routes=_MESSAGES),
    "oversize": Effect("spoiler", {"megabytes": _number}, routes=_MESSAGES),
    "token_ttl": Effect(
        "setting",
        {"seconds": _number},
        {"told_seconds": _number, "refused_as": _one_of(*BODIES)},
        frozenset({"token"}),
    ),
    "max_page_size": Effect("setting", {"limit": _whole}, routes=LIST_ROUTES),
    "newest_first": Effect("setting", routes=LIST_ROUTES),
    "repeat_page_token": Effect("setting", routes=LIST_ROUTES),
    "stale": Effect("setting", routes=frozenset({"get_space", "list_spaces"})),
    "weak_etag": Effect("setting", routes=frozenset({"update_space"})),
}

_SCOPE = ("workspace_id", "space_id", "conversation_id", "message_id")
_FREQUENCY: Mapping[str, Check] = {
    "probability": lambda value: _number(value) and value <= 1,
    "every": _whole,
    "times": _whole,
    "seed": lambda value: isinstance(value, int),
}


@dataclass(slots=True)
class Bucket:
    """A token bucket: `rate` tokens a second, at most `size` at once; full at first."""

    rate: float
    size: float
    level: float
    filled_at: float

    def take(self, now: float) -> bool:
        """Take a token if there is one; `now` is of `time.monotonic()`."""
        self.level = min(self.size, self.level + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Rule:
    """A fault that is switched on, and how often it met and hit a request."""

    def __init__(self, rule_id: str, spec: Mapping[str, Any]) -> None:
        """Take a rule as JSON gives it.

        Raises:
            ValueError: naming what is unknown, missing or of the wrong kind.
        """
        _check(spec)
        self.rule_id = rule_id
        self.spec = dict(spec)
        self.effect: str = spec["effect"]
        self.kind = EFFECTS[self.effect].kind
        route = spec.get("route", "any")
        self._routes = EFFECTS[self.effect].routes & (ROUTES if route == "any" else {route})
        self._scope = [(name, spec[name]) for name in _SCOPE if spec.get(name) is not None]
        self._random = random.Random(f"{spec.get('seed', 0)}:{rule_id}")  # noqa: S311 - faults, not secrets
        self._buckets: dict[str, Bucket] = {}
        self.met = 0
        self.fired = 0

    def option(self, name: str, default: Any = None) -> Any:
        """An option of the effect."""
        return self.spec.get(name, default)

    def matches(self, request: Request) -> bool:
        """Whether the rule is about this request."""
        return request.route in self._routes and all(
            getattr(request, name) == wanted for name, wanted in self._scope
        )

    def fires(self, request: Request) -> bool:
        """Count a matching request and decide whether it is hit."""
        self.met += 1
        hit = not self._is_spent() and self._is_due() and self._is_over_limit(request)
        self.fired += hit
        return hit

    def between(self, low: float, high: float) -> float:
        """A number of the rule's own seeded sequence."""
        return self._random.uniform(low, high)

    def report(self) -> dict[str, Any]:
        """The rule with its counters."""
        return self.spec | {"id": self.rule_id, "met": self.met, "fired": self.fired}

    def _is_spent(self) -> bool:
        return "times" in self.spec and self.fired >= self.spec["times"]

    def _is_due(self) -> bool:
        if "every" in self.spec:
            return self.met % self.spec["every"] == 0
        return self._random.random() < self.spec.get("probability", 1)

    def _is_over_limit(self, request: Request) -> bool:
        if self.effect != "rate_limit":
            return True
        now = time.monotonic()
        bucket = self._buckets.get(request.workspace_id)
        if bucket is None:
            rate = self.spec["requests_per_second"]
            size = max(1, self.option("burst") or rate)
            bucket = self._buckets[request.workspace_id] = Bucket(rate, size, size, now)
        return not bucket.take(now)


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules that hit one request."""

    rules: tuple[Rule, ...] = ()

    def of_kind(self, kind: str) -> list[Rule]:
        """The rules whose effect is of this kind, in the order they were switched on."""
        return [rule for rule in self.rules if rule.kind == kind]

    def has(self, effect: str) -> bool:
        """Whether one of the rules has this effect."""
        return any(rule.effect == effect for rule in self.rules)

    def option(self, effect: str, name: str) -> Any:
        """An option of the first rule with this effect, None without such a rule."""
        return next((rule.option(name) for rule in self.rules if rule.effect == effect), None)


NO_FAULTS = Plan()


class FaultBook:
    """The faults that are switched on now."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._last_number = 0

    def add(self, specs: Iterable[Mapping[str, Any]]) -> list[str]:
        """Switch rules on, all or none; a rule with a known `id` replaces that one. The result is their ids.

        Raises:
            ValueError: saying what is wrong with the first unusable rule.
        """
        rules = []
        for spec in specs:
            if not isinstance(spec, Mapping):
                raise ValueError("a rule must be a JSON object")  # noqa: TRY004 - one kind of error for bad input
            self._last_number += 1
            rules.append(Rule(str(spec.get("id") or f"rule-{self._last_number}"), spec))
        self._rules |= {rule.rule_id: rule for rule in rules}
        return [rule.rule_id for rule in rules]

    def clear(self) -> None:
        """Switch everything off."""
        self._rules.clear()

    def report(self) -> list[dict[str, Any]]:
        """The rules with their counters."""
        return [rule.report() for rule in self._rules.values()]

    def plan(self, request: Request) -> Plan:
        """The rules that hit this request.

        Only the first refusal counts as fired, because it ends the request; where there is no answer because the
        connection is dropped, nothing is spoiled.
        """
        if not self._rules:
            return NO_FAULTS
        about = [rule for rule in self._rules.values() if rule.matches(request)]
        refusal = next((rule for rule in about if rule.kind == "refusal" and rule.fires(request)), None)
        spare = {"refusal", "spoiler"} if refusal and refusal.effect == "drop" else {"refusal"}
        hits = [rule for rule in about if rule.kind not in spare and rule.fires(request)]
        return Plan((refusal, *hits) if refusal else tuple(hits))


def _check(spec: Mapping[str, Any]) -> None:
    effect = EFFECTS.get(spec.get("effect", ""))
    if effect is None:
        raise ValueError(f"unknown effect {spec.get('effect')!r}; there are: {', '.join(EFFECTS)}")
    route = spec.get("route", "any")
    if route != "any" and route not in ROUTES:
        raise ValueError(f"unknown route {route!r}; there are: any, {', '.join(sorted(ROUTES))}")
    missing = effect.required.keys() - spec.keys()
    if missing:
        raise ValueError(f"effect {spec['effect']} needs {', '.join(sorted(missing))}")
    checks = {**effect.required, **effect.optional, **_FREQUENCY}
    for name, value in spec.items():
        if name in {"effect", "route", "id", *_SCOPE}:
            continue
        if name not in checks:
            raise ValueError(f"effect {spec['effect']} has no option {name!r}")
        if not checks[name](value):
            raise ValueError(f"option {name} cannot be {value!r}")
