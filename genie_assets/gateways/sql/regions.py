"""System tables of several regions: the same question to the warehouse of each, and what became of it.

Databricks keeps the audit log and query history by region, and shows them to warehouses of that region only. A
region that cannot be read does not keep the others from being read, and is named: what it would have said is
unknown, which is not the same as nothing.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pandas as pd

from genie_assets.domain.regions import HOME
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.databricks.side_by_side import SideBySide
from genie_assets.gateways.sql.errors import WarehouseError

REGION = "region"
"""The column that says which region a row is from; only where there are several."""

_LOG = logging.getLogger(__name__)


class Warehouse(Protocol):
    """What runs a SELECT and brings its whole result."""

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Run `statement` with named parameters."""
        ...


class RegionLostError(Exception):
    """A region that had answered does not any more: what was read of it is not all, and must not be used."""


Failure = WarehouseError | CallError
Ask = Callable[[Warehouse], pd.DataFrame]
_Answer = tuple[str, pd.DataFrame | Failure]


@dataclass(frozen=True)
class Lost:
    """Regions that others found they could not read, who did the same work: they are not waited for once more.

    Attributes:
        before: Why, by their names.
        note: Is told of each that is found so now: its name, and why.
    """

    before: Mapping[str, str] = field(default_factory=dict)
    note: Callable[[str, str], None] = lambda _name, _why: None


NONE_LOST = Lost()


class Regions:
    """The warehouses by region, the home workspace's first. One that failed is not asked again.

    Args:
        warehouses: By the names of the regions.
        lost: Those that are not asked at all; if that were all of them, each is.

    Attributes:
        failures: How the regions failed that could not be read, as it is told of each.
    """

    def __init__(self, warehouses: Mapping[str, Warehouse], lost: Lost = NONE_LOST) -> None:
        self._warehouses, self._note = dict(warehouses), lost.note
        known = {name: WarehouseError(why) for name, why in lost.before.items() if name in warehouses}
        self.failures: dict[str, Failure] = dict(known) if len(known) < len(warehouses) else {}

    @property
    def unread(self) -> dict[str, str]:
        """The regions that could not be read, each with why, in one sentence."""
        return {name: str(failure) for name, failure in self.failures.items()}

    @property
    def names(self) -> Collection[str]:
        """Their names; none if there is one region only, which has none."""
        return tuple(self._warehouses) if len(self._warehouses) > 1 else ()

    def all(self, ask: Ask, *, belongs_together: bool = False) -> pd.DataFrame:
        """What each region answers, one below the other; with the column `region`, if there are several.

        Args:
            ask: Asks one of them.
            belongs_together: The answer is of use only together with what was asked before.

        Raises:
            WarehouseError, CallError: as the first region says; only if none answers.
            RegionLostError: one that had answered does not any more: what was asked may be asked anew, without it.
        """
        if not self.names:
            return ask(next(iter(self._warehouses.values())))
        answers = self._ask([name for name in self._warehouses if name not in self.failures], ask)
        frames = {name: each for name, each in answers.items() if isinstance(each, pd.DataFrame)}
        failures = {name: each for name, each in answers.items() if not isinstance(each, pd.DataFrame)}
        if not frames:
            raise of_region(*next(iter(failures.items())))
        for name, failure in failures.items():
            self._leave_out(name, failure)
        if failures and belongs_together:
            raise RegionLostError(", ".join(failures))
        parts = [frame.assign(**{REGION: name}) for name, frame in frames.items()]
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)

    def any(self, ask: Ask) -> pd.DataFrame:
        """What the first region answers that does, for tables that all regions share.

        Raises:
            WarehouseError, CallError: as the first one says; only if none answers.
        """
        failures: dict[str, Failure] = {}
        for name, warehouse in self._warehouses.items():
            if name in self.failures:
                continue
            try:
                answer = ask(warehouse)
            except (WarehouseError, CallError) as failure:
                if not self.names:
                    raise
                failures[name] = failure
            else:
                for each, why in failures.items():
                    self._leave_out(each, why)
                return answer
        # At least one is never left out.
        raise of_region(*next(iter(failures.items())))

    def _ask(self, names: Collection[str], ask: Ask) -> dict[str, pd.DataFrame | Failure]:
        """What each of them answers, all asked at once, in their order."""

        def one(name: str) -> _Answer:
            try:
                return name, ask(self._warehouses[name])
            except (WarehouseError, CallError) as failure:
                return name, failure

        answers = dict(SideBySide(one, threads=1).run([[name] for name in names]))
        return {name: answers[name] for name in names}

    def _leave_out(self, name: str, failure: Failure) -> None:
        told = self.failures[name] = of_region(name, failure)
        _LOG.warning("Region %s cannot be read, and the others are: %s", name, told)
        self._note(name, str(told))


def of_region(name: str, failure: Failure) -> Failure:
    """A failure as it is told of a region: who raised it speaks of the one warehouse that most accounts have."""
    if name == HOME:
        return failure
    text = str(failure)
    for setting in ("DATABRICKS_WAREHOUSE_ID", "DATABRICKS_HOST"):
        text = text.replace(setting, f"GENIE_REGIONS, {name}")
    if isinstance(failure, CallError):
        return CallError(replace(failure.error, message=text), transient=failure.transient)
    return WarehouseError(
        text, condition=failure.condition, passing=failure.passing, error_class=failure.error_class
    )
