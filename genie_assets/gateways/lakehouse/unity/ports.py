"""What the Unity Catalog engine needs from Databricks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import pandas as pd

from genie_assets.gateways.sql.values import Parameter


class Warehouse(Protocol):
    """Runs SQL. Raises WarehouseError; its `condition` is the server's error condition."""

    def query(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> pd.DataFrame:
        """The whole result of a statement that may run twice."""
        ...

    def batches(
        self, statement: str, parameters: Mapping[str, Parameter] | None = None, *, by_links: bool = False
    ) -> Iterator[pd.DataFrame]:
        """The result in at least one part; `by_links` if it may be too big to come inline."""
        ...

    def execute(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement that writes, and that leaves the same behind however often it runs."""
        ...


class Volumes(Protocol):
    """Files in volumes, by absolute paths. Raises CallError."""

    def upload(self, path: str, data: bytes) -> bool:
        """Write a file; False if there is no such volume."""
        ...

    def json_of(self, path: str) -> dict[str, Any] | None:
        """The JSON object that a file holds; None if there is no such file."""
        ...

    def names(self, path: str) -> list[str] | None:
        """Names in a folder; None if it does not exist."""
        ...

    def delete_file(self, path: str) -> bool:
        """Delete a file; False if it is gone already."""
        ...

    def delete_folder(self, path: str) -> bool:
        """Delete an empty folder; False if it is gone already."""
        ...


# Called at the first use, so that opening a lakehouse asks for no credentials.
Databricks = Callable[[], tuple[Warehouse, Volumes]]
