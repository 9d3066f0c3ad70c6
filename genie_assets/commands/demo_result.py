"""What the demo did and found."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genie_assets.commands.demo_faults import Planted
from genie_assets.commands.demo_place import Tables
from genie_assets.domain.health import Accounting


@dataclass(frozen=True)
class DemoResult:
    """What the demo did and found; `as_json` is what `.genie/demo/demo.json` holds."""

    tables: Tables
    days: int
    accounting: Accounting
    rows: Mapping[str, int]
    statuses: Mapping[str, int]
    errors_by_class: Mapping[str, int]
    message_requests: int
    space_requests: int
    checks: Mapping[str, bool]
    report: str  # its address
    expected_failures: Mapping[str, str]  # the checks that must fail, and for which planted fault
    planted_errors: Sequence[Planted]
    differences: Sequence[str]
    seconds: float

    @property
    def success_rate(self) -> float | None:
        """Share of the messages that were asked for and could be read; None if there was none."""
        asked = self.accounting.stored + self.accounting.open_errors
        return self.accounting.stored / asked if asked else None

    @property
    def failed_checks(self) -> list[str]:
        """The checks that did not pass, whether they should or not."""
        return [name for name, passed in self.checks.items() if not passed]

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, one sentence each. A demo without any has shown that the pipeline works."""
        failed, expected = set(self.failed_checks), set(self.expected_failures)
        return [
            *self.differences,
            *(f"The check {name} failed, and no fault is planted for it." for name in sorted(failed - expected)),
            *(f"The check {name} passed, though a fault is planted for it." for name in sorted(expected - failed)),
        ]

    def as_json(self) -> dict[str, Any]:
        """The result in plain types."""
        return {
            "messages_expected": self.accounting.discovered,
            "messages_stored": self.accounting.stored,
            "open_errors": self.accounting.open_errors,
            "deleted": self.accounting.deleted,
            "pending": self.accounting.pending,
            "message_requests": self.message_requests,
            "space_requests": self.space_requests,
            "success_rate": self.success_rate,
            "checks": dict(self.checks),
            "expected_failures": dict(self.expected_failures),
            "matches_truth": not self.differences,
            "differences": list(self.differences[:20]),
            "problems": self.problems[:20],
            "rows": dict(self.rows),
            "statuses": dict(self.statuses),
            "errors_by_class": dict(self.errors_by_class),
            "lakehouse": self.tables.lakehouse,
            "layout": self.tables.layout,
            "report": self.report,
            "seconds": round(self.seconds, 1),
        }

    def write(self, path: Path) -> None:
        """Write the result as JSON."""
        path.write_text(json.dumps(self.as_json(), indent=2) + "\n", encoding="utf-8")
