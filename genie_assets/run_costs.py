"""What runs cost, noted at each run while it goes on and as it ends, whether it succeeds or not.

It is noted in the run's tags, and sent as metrics at the end. No table is written for it and nothing is asked: a
quiet run stays as cheap as it is. Of a run whose process is killed, the costs since the last note are lost.
"""

import datetime as dt
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import dagster as dg

from genie_assets.domain.run_costs import (
    Costs,
    NotedCosts,
    from_text,
    measures_of_costs,
    noted,
    shortened,
    to_text,
)
from genie_assets.gateways.telemetry import TelemetryError, send
from genie_assets.settings import load_settings
from genie_assets.wiring import give_back_costs, take_costs

COSTS_TAG, COST_DAY_TAG, COSTS_OF_TAG = "genie/costs", "genie/cost_day", "genie/costs_of"
"""The tags of a run: what it cost, the UTC day on which that was noted last, and its id.

Dagster gives a run that does another one again the tags of that: what they say must not be counted twice.
"""

NOTE_SECONDS = 60.0
"""So often a run notes what it cost so far: as much is lost of one whose process is killed."""
_FIRST_NOTE_SECONDS = 4.0  # then after twice as long each time: what is killed early has noted something, too

_log = logging.getLogger(__name__)


Noting = dg.InitResourceContext | dg.AssetExecutionContext


@dataclass
class _Account:
    """What this process knows of the costs of a run. A process does one run; others may do steps of the same.

    Attributes:
        run_id: The run.
        base: What others noted before.
        own: What this one asked since.
        unsent: The part of it that was not sent as metrics.
        text: What this one noted last.
        day: The UTC day on which it did.
        gone: Endpoints that there was no room to note.
        stop: Ends the notes that are made while the run goes on; None where none are made.
    """

    run_id: str
    base: NotedCosts = field(default_factory=NotedCosts)
    own: Costs = field(default_factory=Costs)
    unsent: Costs = field(default_factory=Costs)
    text: str = ""
    day: str = ""
    gone: list[str] = field(default_factory=list)
    stop: threading.Event | None = None

    def note(self, instance: dg.DagsterInstance) -> None:
        """Note what was asked since the last time, if anything was, and the day, if another one has begun.

        What is noted under a day that is past is added up and not looked at again: a run that goes on leaves it.
        """
        day = utc_today().isoformat()
        new = take_costs()
        if not new.requests and (not self.text or day == self.day):
            return
        try:
            self._write(instance, new, day)
        except Exception:
            give_back_costs(new)
            raise
        self.unsent.add(new)

    def _write(self, instance: dg.DagsterInstance, new: Costs, day: str) -> None:
        run = instance.get_run_by_id(self.run_id)
        before = _noted_by(run) if run is not None else None
        own = Costs()
        if run is None or before is None or run.tags[COSTS_TAG] == self.text:
            before = self.base
            own.add(self.own)
        # Else another process has noted, on top of what this one did.
        own.add(new)
        total, gone = shortened(before.and_also(noted(own)))
        text = to_text(total)
        tags = {COSTS_TAG: text, COST_DAY_TAG: day, COSTS_OF_TAG: self.run_id}
        instance.add_run_tags(self.run_id, tags)
        self.base, self.own, self.text, self.day, self.gone = before, own, text, day, gone


def utc_today() -> dt.date:
    """The day under which costs are noted now. Tests hand in another one."""
    return dt.datetime.now(dt.UTC).date()


_lock = threading.Lock()
# As the costs that are counted, it is the process's own.
_account = _Account("")


def _account_of(run_id: str) -> _Account:
    global _account
    if _account.run_id != run_id:
        if _account.stop is not None:
            _account.stop.set()
        _account = _Account(run_id)
    return _account


def begin_noting(context: dg.InitResourceContext) -> None:
    """Note what a run costs while it goes on, until `note_costs` is called."""
    run, instance = context.run, context.instance
    # What is kept in memory ends with this process, too, and cannot be written by two threads at once.
    if run is None or instance is None or instance.is_ephemeral:
        return
    with _lock:
        account = _account_of(run.run_id)
        if account.stop is None:
            account.stop = threading.Event()
            args = (account, account.stop, instance)
            # Where no thread can be had, the note at the end is the only one.
            with suppress(RuntimeError):
                threading.Thread(target=_note_now_and_then, args=args, name="costs", daemon=True).start()


def _note_now_and_then(account: _Account, stop: threading.Event, instance: dg.DagsterInstance) -> None:
    wait = min(_FIRST_NOTE_SECONDS, NOTE_SECONDS)
    while not stop.wait(wait):
        wait = min(2 * wait, NOTE_SECONDS)
        with _lock:
            if stop.is_set():
                return
            try:
                account.note(instance)
            except Exception as problem:  # noqa: BLE001 - it is tried again, and told at the end
                _log.debug("Costs could not be noted: %s", type(problem).__name__)


def note_costs(context: Noting) -> None:
    """Note what a run cost, as its resources are given back. Whatever goes wrong here fails no run."""
    if context.run is None or context.instance is None:
        return
    with _lock:
        account = _account_of(context.run.run_id)
        if account.stop is not None:
            account.stop.set()
            account.stop = None
        try:
            account.note(context.instance)
            unsent, account.unsent = account.unsent, Costs()
            send_costs(unsent, context.run.job_name)
        except TelemetryError as problem:
            _say(context, f"What this run cost was not sent (GENIE_TELEMETRY): {problem}.")
        except Exception as problem:  # noqa: BLE001 - the run's work is done
            _say(context, f"What this run cost could not be noted: {type(problem).__name__}.")
        if account.gone:
            names = ", ".join(sorted(account.gone))
            _say(context, f"There was no room to note the costs of every endpoint. Noted as others: {names}.")
            account.gone = []


def _noted_by(run: dg.DagsterRun) -> NotedCosts | None:
    """What a run noted itself; None if it noted nothing."""
    is_its_own = run.tags.get(COSTS_OF_TAG) == run.run_id
    return from_text(run.tags.get(COSTS_TAG, "")) if is_its_own else None


def send_costs(costs: Costs, job: str) -> None:
    """Send what a run cost, if it shall and there is something.

    Raises:
        TelemetryError: it was not taken.
    """
    if costs.requests and load_settings().genie_telemetry:
        send(measures_of_costs(costs, job))


def _say(context: Noting, sentence: str) -> None:
    log = context.log or _log
    log.warning(sentence)


def costs_of_days(instance: dg.DagsterInstance, days: Iterable[dt.date]) -> dict[dt.date, dict[str, NotedCosts]]:
    """What these UTC days cost, by job, as far as Dagster still has their runs."""
    found: dict[dt.date, dict[str, NotedCosts]] = {}
    for day in days:
        jobs: defaultdict[str, NotedCosts] = defaultdict(NotedCosts)
        for run, costs in noted_of_day(instance, day):
            jobs[run.job_name] = jobs[run.job_name].and_also(costs)
        found[day] = dict(jobs)
    return found


def noted_of_day(instance: dg.DagsterInstance, day: dt.date) -> list[tuple[dg.DagsterRun, NotedCosts]]:
    """The runs that ended on a UTC day, each with what it noted."""
    runs = instance.get_runs(dg.RunsFilter(tags={COST_DAY_TAG: day.isoformat()}))
    noted_costs = ((run, _noted_by(run)) for run in runs)
    return [(run, costs) for run, costs in noted_costs if costs is not None]
