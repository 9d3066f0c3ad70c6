"""Names in the SQL of Databricks."""


def quoted(name: str) -> str:
    """A name as an identifier, whatever it holds."""
    return "`" + name.replace("`", "``") + "`"


def full_name(*names: str) -> str:
    """A name in SQL with those that it lies in, the outermost first."""
    return ".".join(map(quoted, names))


def schema_in(lakehouse: str) -> tuple[str, str] | None:
    """Catalog and schema of the tables; None if they are not in Unity Catalog.

    Args:
        lakehouse: Where the tables are, as the setting says.
    """
    scheme, _, place = lakehouse.partition("://")
    if scheme.lower() != "uc":
        return None
    catalog, _, schema = place.rstrip("/").partition(".")
    return catalog, schema
