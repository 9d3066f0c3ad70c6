"""Names in the SQL of Databricks."""


def quoted(name: str) -> str:
    """A name as an identifier, whatever it holds."""
    return "`" + name.replace("`", "``") + "`"
