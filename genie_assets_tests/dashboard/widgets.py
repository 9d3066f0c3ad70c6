"""A widget's question as Databricks sends it: fields of a dataset, grouped by those that are plain."""

from collections.abc import Mapping
from typing import Any


def with_names(sql: str) -> str:
    """A dataset's SQL with parameters that every engine knows; only dashboards know ranges."""
    return sql.replace(":period.min", ":period_min").replace(":period.max", ":period_max")


def widget_sql(query: Mapping[str, Any], asked: str = "asked") -> str:
    """The statement behind a widget, over the rows of its dataset."""
    fields = query["fields"]
    # A dashboard writes the star of COUNT(*) as a name.
    shown = [f"{each['expression'].replace('`*`', '*')} AS `{each['name']}`" for each in fields]
    plain = [each["expression"] for each in fields if each["expression"].startswith("`")]
    where = " AND ".join(each["expression"] for each in query.get("filters", ()))
    text = f"SELECT {', '.join(shown)}\nFROM {asked}" + (f"\nWHERE {where}" if where else "")
    if plain and not query["disaggregated"]:
        text += f"\nGROUP BY {', '.join(plain)}"
    orders = ", ".join(f"{each['expression']} {each['direction']}" for each in query.get("orders", ()))
    return f"{text}\nORDER BY {orders}" if orders else text
