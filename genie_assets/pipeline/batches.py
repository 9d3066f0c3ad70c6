"""Storing what comes of requests in small atomic batches: a crash or a bad record costs one batch at most.

The same for every kind of thing. What a thing's row is and where it is stored says its kind (`Things`).
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Generic, TypeVar

from genie_assets.domain import ledger
from genie_assets.domain.ledger import Resolution
from genie_assets.domain.numbers import many
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.requests import Became, FetchResult, Request
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.addresses import with_addresses
from genie_assets.pipeline.attempts import Attempts
from genie_assets.pipeline.error_ledger import ErrorLedger, ledger_of
from genie_assets.pipeline.ports import Genie
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.things import Key, Look, Stored, Tally, Things

_LOG = logging.getLogger(__name__)

BATCH_SIZE = 100
_BATCH_CHARACTERS = 32_000_000

T = TypeVar("T")


class Batches(Generic[T]):
    """Turns results of requests into rows, and commits them a hundred at a time.

    Args:
        things: The kind of thing.
        errors: Its ledger.
        run: The run that asks.
        attempts: Where its attempts are noted, for a kind of thing that keeps them.
        characters: Text that one batch holds at most: most answers are small, some take megabytes.
    """

    def __init__(
        self,
        things: Things[T],
        errors: ErrorLedger,
        run: Run,
        *,
        attempts: Attempts | None = None,
        characters: int = _BATCH_CHARACTERS,
    ) -> None:
        self._things, self._errors, self._run, self._characters = things, errors, run, characters
        self._attempts = attempts
        self._looks: list[Look[T]] = []
        self._tally = Tally()

    def take(self, result: FetchResult[Any]) -> None:
        """Take what came of one request; commits whenever a batch is full."""
        self._tally.requests += result.requests_made
        self._tally.throttled += result.throttled
        self._tally.asked.note(result)
        self._tally.not_attempted += [self._key(result, thing_id) for thing_id in result.not_attempted]
        for thing_id in (*result.answers, *(each for each in result.errors if each not in result.answers)):
            self._add(self._look(result, thing_id))

    def failed(self, ids: Mapping[str, str | None], problem: FetchError) -> None:
        """Note a look that failed, or was not worth a request."""
        self._add(Look(ids, problem=problem))

    def resolve(self, key: Key, resolution: Resolution) -> None:
        """End the open error of a thing, if it has one."""
        self._errors.resolve(key, resolution)
        self._commit_if_full()

    def leave_out(self, ids: Mapping[str, str | None]) -> None:
        """Note that a thing is not asked for, because its workspace is not looked at."""
        self._errors.leave_out(ids)
        self._commit_if_full()

    def close(self) -> Tally:
        """Commit what is left and tell what all batches held."""
        self._commit()
        if self._attempts is not None:
            self._attempts.store()
        return self._tally

    def _key(self, result: FetchResult[Any], thing_id: str) -> Key:
        return self._errors.key_of(self._things.ids(result.request, thing_id))

    def _look(self, result: FetchResult[Any], thing_id: str) -> Look[T]:
        answer, problem = result.answers.get(thing_id), result.errors.get(thing_id)
        try:
            return self._things.look(result.request, thing_id, answer, problem)
        except Exception as error:  # noqa: BLE001 - one poisonous record must not stop the others
            # Its own words may quote the answer.
            text = f"The answer cannot be made a row: {type(error).__name__}."
            problem = FetchError(ErrorClass.BAD_PAYLOAD, text)
            return Look(self._things.ids(result.request, thing_id), problem=problem)

    def _add(self, look: Look[T]) -> None:
        self._looks.append(look)
        self._commit_if_full()

    def _commit_if_full(self) -> None:
        is_full = len(self._looks) + len(self._errors) >= BATCH_SIZE
        if is_full or sum(look.characters for look in self._looks) >= self._characters:
            self._commit()

    def _commit(self) -> None:
        """Answers before the ledger: after a crash in between, the next run finds and resolves their errors."""
        looks, self._looks = self._looks, []
        stamp = self._run.stamp(self._tally.batches + 1)
        to_store = [look for look in looks if look.row is not None]
        stored = self._things.store(to_store, stamp) if to_store else Stored()
        for look in looks:
            self._note(look, stored)
        failures = self._errors.store(stamp)
        written = sum(became is not Became.NOTHING for became in stored.became.values())
        if written or failures:
            self._tally.batches += 1
            told = f"{many(written, 'look')}, {many(failures, 'error')}"
            _LOG.info("Batch %s: %s", stamp["ingestion_batch_id"], told)

    def _note(self, look: Look[T], stored: Stored) -> None:
        """Count one look of a batch that is stored, and bring its thing's ledger row up to date."""
        key = self._errors.key_of(look.ids)
        problem = stored.refused.get(key, look.problem)
        became = stored.became.get(key)
        before = self._errors.rows.get(key)
        self._tally.stored += became is Became.NEW
        self._tally.extra += became is Became.NEW and not look.was_wanted
        self._tally.unchanged += became is Became.UNCHANGED
        if problem is None:
            self._errors.resolve(key, ledger.FETCHED)
        elif self._errors.failed(look.ids, problem, was_stored=self._things.was_stored(key)):
            self._tally.failed += 1
            self._tally.put_off += not problem.was_asked
            self._tally.errors_by_class[str(problem.error_class)] += 1
            self._tally.asked.failures[str(look.ids["workspace_id"]), str(problem.error_class)] += 1
        else:
            self._tally.deleted += 1
        if self._attempts is not None:
            self._attempts.note(before, self._errors.rows.get(key), problem)


def ask_for(requests: Iterable[Request], batches: Batches[Any], genie: Genie, *, deadline: float) -> Tally:
    """Make requests, store what comes batch by batch, and tell what it all came to."""
    for result in genie.fetch(requests, deadline=deadline):
        batches.take(result)
    return batches.close()


def ask_for_due(
    requests: Iterable[Request],
    things: Things[Any],
    *,
    genie: Genie,
    lake: Lakehouse,
    run: Run,
    shown: Collection[Key] = (),
) -> Tally:
    """Ask for the things of these requests, each of which wants one, unless an error of theirs still waits.

    So many parameters: what to ask, whom, and where to keep it.

    Args:
        requests: The requests.
        things: What kind of thing they want.
        genie: The API.
        lake: The tables.
        run: The run.
        shown: Keys of things that something shows to be there: parked errors of theirs are tried again, and a 404
            at once.
    """
    asked = list(requests)
    errors = ledger_of(lake, things.errors, {request.wanted[0] for request in asked}, run)
    planned = {errors.key_of(things.ids(request, request.wanted[0])): request for request in asked}
    now = run.clock()
    due = [
        request
        for key, request in planned.items()
        if ledger.may_be_asked(errors.rows.get(key), now, is_shown=key in shown)
    ]
    tally = ask_for(with_addresses(due, lake), Batches(things, errors, run), genie, deadline=run.deadline)
    tally.waiting = len(planned) - len(due)
    return tally
