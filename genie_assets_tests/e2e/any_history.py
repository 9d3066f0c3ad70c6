"""A pipeline that is run at any moment and killed at any call, beside one that loads everything once, in the end.

    python -m genie_assets_tests.e2e.any_history FIRST_SEED [LAST_SEED]

It prints for each seed in what the tables of both differ that no earlier look explains, and what was done.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets_tests.e2e.any_account import Life
from genie_assets_tests.e2e.any_loader import BEGINS, BEGINS_MS, DAYS, Loader, Place, Side, at_ms
from genie_assets_tests.e2e.any_tables import problems
from genie_assets_tests.mortal import KilledError, Mortal
from genie_assets_tests.overtaken import Overtaken
from genie_sandbox.account import save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.randomness import DAY, HOUR
from genie_sandbox.server.refused_tokens import BODIES

# All has happened and every row has come by then, and no retry waits for longer than a day.
_CALM_MS = BEGINS_MS + (DAYS + 30) * DAY
_NO_CHANCE = ("max_page_size", "newest_first")  # these hold all the time

FAULTS: tuple[Mapping[str, Any], ...] = (
    *({"effect": "status", "status": status} for status in (401, 403, 404, 429, 500, 503)),
    {"effect": "status", "status": 403, "error_code": "PERMISSION_DENIED", "message": "You may not."},
    {"effect": "status", "status": 502, "body": "html"},
    *({"effect": effect} for effect in ("drop", "non_json", "json_not_object", "truncate", "cut")),
    *({"effect": "token_refused", "body": body} for body in BODIES),
    {"effect": "foreign_message", "route": "get_message"},
    {"effect": "max_page_size", "limit": 1, "route": "list_messages"},
    {"effect": "newest_first", "route": "list_messages"},
)


class Lived:
    """A pipeline that lives through a seed: it is run at some moments, and something comes in between.

    Args:
        seed: Another seed gives another history.
        side: Databricks.
        loader: The pipeline.
    """

    def __init__(self, seed: int, side: Side, loader: Loader) -> None:
        self.rng = random.Random(f"runs {seed}")
        self.side, self.loader = side, loader
        self.did: list[str] = []

    def live(self) -> None:
        """Run something now and then, until some days after the last question."""
        moments = (BEGINS_MS + HOUR, BEGINS_MS + (DAYS + 4) * DAY)
        for at in sorted(self.rng.randrange(*moments) for _ in range(self.rng.choice((6, 12, 18)))):
            self.side.move(at)
            self._with_trouble(*self._job(self.loader))

    def _job(self, loader: Loader) -> tuple[str, Callable[[], None]]:
        rng, today = self.rng, at_ms(self.side.now_ms).date()
        known = [date.fromordinal(each) for each in range(BEGINS.toordinal(), today.toordinal() + 1)]
        days = rng.sample(known, min(len(known), rng.choice((1, 1, 2, 3))))
        some = sorted(days, reverse=rng.random() < 0.5) if rng.random() < 0.7 else days
        jobs: list[tuple[str, Callable[[], None]]] = [
            *(("today", lambda: loader.load(today)) for _ in range(2)),
            *((f"load {[each.day for each in some]}", lambda: _each(loader.load, some)) for _ in range(2)),
            ("due", lambda: _each(loader.retry, sorted(loader.due()[1]))),
            ("late", lambda: _each(loader.load, loader.due()[0][-3:])),
            ("discover", lambda: _each(loader.discover, some)),
            ("spaces", loader.spaces),
            ("walk", loader.walk),
            ("talk", loader.talk),
        ]
        return rng.choice(jobs)

    def _with_trouble(self, name: str, job: Callable[[], None]) -> None:
        """Run it, and let something go wrong; whatever that was is over afterwards."""
        rng, loader, told = self.rng, self.loader, ""
        match rng.choice(("", "", "killed", "killed", "faults", "faults", "short", "warehouse", "overtaken")):
            case "killed":
                mortal = Mortal(rng.randrange(1, 60))
                loader.lake, told = mortal(loader.lake), f"killed after call {mortal.last}"
            case "faults":
                rule = self._fault()
                self.side.sandbox.faults(rule)
                told = str(rule)
            case "short":
                loader.seconds, told = rng.choice((0.0, 0.02, 0.1)), "without time"
            case "warehouse":
                self.side.failing, told = rng.choice((0.1, 0.5)), "with a warehouse that fails"
            case "overtaken":
                other, before = self._job(Loader(self.side, loader.place)), rng.randrange(1, 50)
                loader.lake, told = Overtaken(loader.lake, before, other[1]), f"overtaken by {other[0]}"
        self.did.append(f"{at_ms(self.side.now_ms):%d %H:%M} {name} {told}".rstrip())
        with suppress(KilledError, WarehouseError, CallError):
            job()
        self.side.calm()
        loader.start()

    def _fault(self) -> dict[str, Any]:
        rng, fault = self.rng, dict(self.rng.choice(FAULTS))
        if fault["effect"] in _NO_CHANCE:
            return fault
        fault |= {"probability": rng.choice((0.1, 0.4, 1.0)), "seed": rng.randrange(99)}
        return fault | ({"workspace_id": self.side.chosen[0]} if rng.random() < 0.3 else {})


def _each(do: Callable[[date], None], days: Iterable[date]) -> None:
    for day in days:
        do(day)


@dataclass(frozen=True)
class Told:
    """What became of a seed: in what the tables differ, and what was done."""

    problems: list[str]
    did: list[str]


def lived(seed: int, folder: Path, *, in_files: bool = False) -> Told:
    """Live through a seed, and compare the tables with those of a pipeline that came in the end.

    Args:
        seed: The seed.
        folder: Where the account is, and the tables if they are in files.
        in_files: Whether they are, and not in memory, which takes a fifth of the time.
    """
    account = Life(seed, BEGINS_MS, DAYS).account(conversations=9)
    save(account, folder / "account")
    places: tuple[Place, Place] = (folder / "lived", folder / "once") if in_files else ({}, {})
    with SandboxProcess(folder / "account", sql=False, clock_ms=BEGINS_MS) as sandbox:
        sandbox.tell_time(of="sandbox")
        side = Side(seed, account, sandbox)
        one = Lived(seed, side, Loader(side, places[0]))
        one.live()
        side.move(_CALM_MS)
        one.loader.until_quiet()
        fresh = Loader(side, places[1])
        fresh.until_quiet()
        # What only time decides is decided for both.
        one.loader.until_quiet()
        return Told(problems(one.loader, fresh), one.did)


def main(first: int, last: int) -> None:
    """Live through these seeds."""
    for seed in range(first, last + 1):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="any-history-") as folder:
            told = lived(seed, Path(folder))
        print(f"seed {seed}: {len(told.problems)} in {time.monotonic() - began:.0f} s", flush=True)
        if told.problems:
            print("\n  ".join(["", *told.problems[:12], *told.did]), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[-1]))
