"""What a fetch of one day did, in numbers."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from genie_assets.domain.fetch_runs import Asked
from genie_assets.domain.outcomes import nothing_worked
from genie_assets.domain.waiting import Wait
from genie_assets.domain.worklist import Verdict
from genie_assets.pipeline.things import Tally

_OF_THE_COURSE = {
    "requests_again": "retries",
    "answer_bytes": "bytes",
    "request_ms_p50": "p50_ms",
    "request_ms_p95": "p95_ms",
}


@dataclass(frozen=True)
class FetchReport:
    """What one fetch of a day did."""

    verdicts: Mapping[Verdict, int]
    wanted: int
    pending: int  # of those not attempted: messages that are neither stored nor open errors
    released: int  # errors of other days that need not wait for permission any more
    stuck: int  # messages that have not ended a day after they were asked
    seconds: float
    stored_before: int  # messages of the day that were stored when the run began
    tally: Tally
    asked: Asked = field(default_factory=Asked)  # what the requests took, those of probes included
    waits: Mapping[dt.date, Wait] = field(default_factory=dict)  # of the day, and of those of `released`

    @property
    def requests(self) -> int:
        """All requests that were made."""
        return self.asked.requests.total()

    @property
    def not_attempted(self) -> int:
        """Messages that were wanted and not asked for in time."""
        return len(self.tally.not_attempted)

    @property
    def nothing_worked(self) -> bool:
        """Messages were asked for, none was answered, and single messages are not the reason."""
        if self.tally.answered or self.tally.deleted:
            return False
        return nothing_worked(self.tally.errors_by_class, some_are_stored=self.stored_before > 0)

    def numbers(self) -> dict[str, float]:
        """What is worth plotting per partition. A rate is left out where nothing was asked for."""
        tally, asked = self.tally, self.wanted - self.not_attempted
        numbers: dict[str, float] = {
            "references": sum(self.verdicts.values()),
            "wanted": self.wanted,
            "answered": tally.answered,
            "stored": tally.stored - tally.extra,
            "unchanged": tally.unchanged,
            "brought_along": tally.extra,
            "failed": tally.failed,
            "found_deleted": tally.deleted,
            "not_attempted": self.not_attempted,
            "pending": self.pending,
            "put_off": tally.put_off,
            "released": self.released,
            "stuck": self.stuck,
            "batches": tally.batches,
            "requests": self.requests,
            "answered_429": tally.throttled,
            "fetch_seconds": round(self.seconds, 3),
        }
        course = self.asked.course.numbers()
        for told, name in _OF_THE_COURSE.items():
            if name in course:
                numbers[told] = course[name]
        if asked:
            numbers["success_rate"] = round((tally.answered + tally.deleted) / asked, 6)
            numbers["requests_per_message"] = round(self.requests / asked, 4)
        return numbers
