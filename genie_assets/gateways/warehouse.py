"""Asking a Databricks SQL warehouse, through the Statement Execution API."""

import datetime as dt
from collections.abc import Callable, Mapping

import pandas as pd

from genie_assets.gateways.transport import WorkspaceHttp

Parameter = str | int | bool | dt.date | dt.datetime | None


class WarehouseError(Exception):
    """A statement could not be run or its result not be read. The message is scrubbed and says what to do."""


class SqlWarehouse:
    """A SQL warehouse.

    Args:
        connect: Gives the connection to the workspace that holds the warehouse (`Workspaces.home`).
        warehouse_id: Its id.
        timeout_seconds: How long one statement may take before it is cancelled.
    """

    def __init__(
        self, connect: Callable[[], WorkspaceHttp], warehouse_id: str, *, timeout_seconds: float = 900.0
    ) -> None:
        raise NotImplementedError

    def query(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> pd.DataFrame:
        """Run a SELECT with named parameters (`:name`) and bring its whole result.

        Columns are typed by the result's manifest: STRING object, LONG/INT/SHORT/BYTE Int64, DOUBLE/FLOAT
        Float64, BOOLEAN boolean, DATE object (datetime.date), TIMESTAMP datetime64[us, UTC], DECIMAL object
        (decimal.Decimal), ARRAY/MAP/STRUCT object (parsed JSON). NULL stays NULL.

        Raises:
            WarehouseError: in one clear sentence, naming the setting or the grant that is missing.
        """
        raise NotImplementedError
