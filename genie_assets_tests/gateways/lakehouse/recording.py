"""A warehouse that notes what it is asked, in front of a real one or of canned answers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from genie_assets.gateways.lakehouse.unity.ports import Warehouse


class Recording:
    """Passes every statement on to `warehouse`, after `before` has seen it."""

    def __init__(self, warehouse: Warehouse, before: Callable[[str], None] = lambda _statement: None) -> None:
        self._warehouse, self._before = warehouse, before
        self.statements: list[str] = []
        self.parameters: list[Any] = []
        self.by_links: list[bool] = []

    @property
    def kinds(self) -> list[str]:
        """The first words of the statements, comments left aside."""
        return [text.split("\n", 1)[1].split("`")[0].strip() for text in self.statements]

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        self._note(statement, parameters)
        return self._warehouse.query(statement, parameters)

    def batches(
        self, statement: str, parameters: Mapping[str, Any] | None = None, *, by_links: bool = False
    ) -> Iterator[pd.DataFrame]:
        self._note(statement, parameters)
        self.by_links.append(by_links)
        return self._warehouse.batches(statement, parameters, by_links=by_links)

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        self._note(statement, parameters)
        self._warehouse.execute(statement, parameters)

    def _note(self, statement: str, parameters: Mapping[str, Any] | None) -> None:
        self._before(statement)
        self.statements.append(statement)
        self.parameters.append(dict(parameters or {}))
