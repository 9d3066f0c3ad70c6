"""Which views there are in a schema of Unity Catalog."""

from genie_assets.domain.sql_names import full_name
from genie_assets.gateways.sql.warehouse import SqlWarehouse


def shown_views(warehouse: SqlWarehouse, catalog: str, schema: str) -> frozenset[str]:
    """Names of the views in a schema that our principal may see.

    Raises:
        WarehouseError: there is no such schema, or it may not be looked at.
    """
    place = full_name(catalog, schema)
    return frozenset(str(name).lower() for name in warehouse.query(f"SHOW VIEWS IN {place}")["viewName"])
