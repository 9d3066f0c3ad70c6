"""Which engine serves a lakehouse."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse

if TYPE_CHECKING:
    from genie_assets.domain.schema_text import Layout
    from genie_assets.gateways.lakehouse.unity.ports import Databricks


def open_lakehouse(
    uri: str,
    storage_options: Mapping[str, str] | None = None,
    *,
    databricks: "Databricks | None" = None,
    layout: "Layout" = "partitioned",
    made_up: bool = False,
) -> Lakehouse:
    """The lakehouse at `uri`; nothing is read or written yet.

    Args:
        uri: a path, `file://`, `s3://`, `abfss://` or `gs://` for Delta files; `uc://catalog.schema` for tables in
            Unity Catalog.
        storage_options: credentials and endpoints of the object store, as delta-rs names them.
        databricks: gives the SQL warehouse and the volumes for `uc://`; asked when they are first needed.
        layout: how tables in Unity Catalog that do not exist yet are laid out.
        made_up: whether the tables hold a made-up account. Those of the other kind are refused when they are used.

    Raises:
        LakehouseError: no engine serves this URI.
    """
    # Imported here: an engine needs the interface above, and a process needs only the engine that it uses.
    if uri.partition("://")[0].lower() == "uc":
        from genie_assets.gateways.lakehouse.unity.lakehouse import UnityLakehouse
        from genie_assets.gateways.lakehouse.unity.names import unity_place

        place = unity_place(uri)
        if databricks is None:
            raise LakehouseError("GENIE_LAKEHOUSE: uc:// needs a SQL warehouse; set DATABRICKS_WAREHOUSE_ID")
        return UnityLakehouse(place, databricks, layout, made_up=made_up)
    from genie_assets.gateways.lakehouse.delta.lakehouse import DeltaLakehouse, delta_root

    return DeltaLakehouse(delta_root(uri), storage_options, made_up=made_up)
