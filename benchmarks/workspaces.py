"""Many workspaces at once: does one wait for another, and what does a broken one cost the others?

Every workspace answers five requests a second, so that the API and not this machine is the brake. One has a tenth
of all messages.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measuring import ANCHOR, DAY, Goal, Worker, in_a_process, report, store_references
from genie_sandbox.account import Message, save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.spread import spread
from genie_sandbox.made_up.uniform import generate_uniform

_REGIONS = ("eu", "us", "ap")
_ALLOWED_PER_SECOND, _BURST = 5.0, 5
_LOOK_SECONDS = 0.25
_READS = ("get_message", "list_messages")


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    workspaces: int
    messages: int
    per_conversation: int


FULL = Sizes(workspaces=50, messages=100_000, per_conversation=10)
QUICK = Sizes(workspaces=6, messages=600, per_conversation=5)


def measure(sizes: Sizes, worker: Worker = in_a_process) -> Iterator[bool]:
    """Measure and print everything; yields for each number whether its goal is met."""
    share = 1 / 9 * (sizes.workspaces - 1)  # a tenth of all
    account = spread(
        generate_uniform(
            seed=1,
            anchor=ANCHOR,
            conversations=sizes.messages // sizes.per_conversation,
            messages_per_conversation=sizes.per_conversation,
            with_statements=False,
        ),
        [share] + [1.0] * (sizes.workspaces - 1),
        _REGIONS,
    )
    big, *others = (each.workspace_id for each in account.workspaces)
    hanging, failing = others[-2:]
    with TemporaryDirectory(prefix="genie-benchmark-") as name:
        folder = Path(name)
        save(account, folder / "account")
        with SandboxProcess(folder / "account", sql=False) as sandbox:
            stage = _Stage(sandbox, account.messages, folder, worker)
            alone = stage.fetch("alone", [big])
            together = stage.fetch("together", [big, *others])
            yield report("slowest_workspace_alone_seconds", alone.seconds)
            yield report("all_workspaces_seconds", together.seconds)
            yield report("all_to_the_slowest_alone", together.seconds / alone.seconds, Goal("<=", 1.15))
            yield report("peak_rss_mb", together.peak_rss_mb)
            stage.breaks(hanging, failing)
            broken = stage.fetch("broken", [big, *others], may_fail=True)
            well = [each for each in together.ended if each not in (hanging, failing)]
            missing = [each for each in well if broken.answered.get(each) != together.answered[each]]
            yield report("well_workspaces_not_fetched_whole", len(missing), Goal("<=", 0))
            latest = (max(each.ended[one] for one in well) for each in (broken, together))
            yield report("cost_of_broken_ones_to_the_others", next(latest) / next(latest) - 1, Goal("<", 0.05))


@dataclass(frozen=True)
class _Fetched:
    seconds: float
    peak_rss_mb: float
    ended: Mapping[str, float]  # by workspace: seconds until its last answer
    answered: Mapping[str, int]  # requests that were answered well


class _Stage:
    """A sandbox whose workspaces are slow, and fetches from it that are watched."""

    def __init__(
        self, sandbox: SandboxProcess, messages: tuple[Message, ...], folder: Path, worker: Worker
    ) -> None:
        self._sandbox, self._messages, self._folder, self._worker = sandbox, messages, folder, worker
        self._urls = dict(sandbox.urls)
        for route in _READS:
            sandbox.faults(
                {
                    "effect": "rate_limit",
                    "route": route,
                    "requests_per_second": _ALLOWED_PER_SECOND,
                    "burst": _BURST,
                }
            )

    def breaks(self, hanging: str, failing: str) -> None:
        """One workspace answers nothing any more, and another one that it is broken."""
        self._sandbox.faults({"effect": "hang", "seconds": 3600, "workspace_id": hanging})
        self._sandbox.faults({"effect": "status", "status": 500, "workspace_id": failing})

    def fetch(self, name: str, workspaces: list[str], *, may_fail: bool = False) -> _Fetched:
        """Fetch all messages of these workspaces, into tables of their own."""
        wanted = [each for each in self._messages if each.workspace_id in set(workspaces)]
        lakehouse = self._folder / name
        store_references(wanted, self._urls, lakehouse)
        self._sandbox.reset_requests()
        watcher = _Watcher(self._sandbox)
        watcher.start()
        spec: dict[str, Any] = {
            "url": self._sandbox.host,
            "token": self._sandbox.token,
            "lakehouse": str(lakehouse),
            "day": DAY.isoformat(),
        }
        found = self._worker("fetch_day", spec)
        ended, answered = watcher.stop()
        if not may_fail and (found["stored"] != len(wanted) or found["failed"]):
            raise RuntimeError(f"{found['stored']:g} of {len(wanted)} messages were stored")
        return _Fetched(max(ended.values()), found["peak_rss_mb"], ended, answered)


class _Watcher(threading.Thread):
    """Looks, again and again, how many requests each workspace has answered well, from the first one on."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        super().__init__(daemon=True)
        self._sandbox, self._is_over = sandbox, threading.Event()
        self._began: float | None = None
        self._counts: dict[str, int] = {}
        self._ended: dict[str, float] = {}

    def run(self) -> None:
        """Look until it is over."""
        while not self._is_over.wait(_LOOK_SECONDS):
            self._look()

    def stop(self) -> tuple[Mapping[str, float], Mapping[str, int]]:
        """Since the first answer, when each workspace's last one was, in seconds; and how many there were."""
        self._is_over.set()
        self.join()
        self._look()
        return self._ended, self._counts

    def _look(self) -> None:
        now, counts = time.monotonic(), dict[str, int]()
        for each in self._sandbox.requests(0)["counts"]:
            if each["route"] in _READS and each["status"] == 200:
                counts[each["workspace_id"]] = counts.get(each["workspace_id"], 0) + each["count"]
        if counts and self._began is None:
            self._began = now
        for workspace_id, count in counts.items():
            if count != self._counts.get(workspace_id):
                self._ended[workspace_id] = now - (self._began or now)
        self._counts = counts
