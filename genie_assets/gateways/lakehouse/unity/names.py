"""Names in Unity Catalog: where the tables are, and how names and texts are written in SQL."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from genie_assets.domain.sql_names import full_name, quoted
from genie_assets.domain.tables import Table
from genie_assets.gateways.lakehouse.errors import LakehouseError

_VOLUME = "genie_assets_staging"
# Unity Catalog itself refuses these characters in names; without them, a name is one segment of a path.
_NAME = re.compile(r"[^\x00-\x20./\x7f]{1,255}")


@dataclass(frozen=True)
class Place:
    """The catalog and schema of the tables."""

    catalog: str
    schema: str

    @property
    def uri(self) -> str:
        """The place as GENIE_LAKEHOUSE names it."""
        return f"uc://{self.catalog}.{self.schema}"

    @property
    def sql(self) -> str:
        """The schema's full name in SQL."""
        return full_name(self.catalog, self.schema)

    @property
    def volume(self) -> str:
        """The staging volume's full name in SQL."""
        return full_name(self.catalog, self.schema, _VOLUME)

    @property
    def volume_path(self) -> str:
        """The staging volume's folder."""
        return f"/Volumes/{self.catalog}/{self.schema}/{_VOLUME}"

    def table(self, table: Table) -> str:
        """A table's full name in SQL."""
        return full_name(self.catalog, self.schema, table.name)


def unity_place(uri: str) -> Place:
    """The catalog and schema that `uc://catalog.schema` names.

    Raises:
        LakehouseError: the URI has another form.
    """
    catalog, _, schema = uri.partition("://")[2].rstrip("/").partition(".")
    if not (_NAME.fullmatch(catalog) and _NAME.fullmatch(schema)):
        raise LakehouseError(
            "GENIE_LAKEHOUSE: a place in Unity Catalog must have the form uc://catalog.schema, "
            "such as uc://main.genie_analytics"
        )
    return Place(catalog, schema)


def listed(names: Iterable[str], prefix: str = "") -> str:
    """Names in SQL, separated by commas; `prefix` is an alias with its dot."""
    return ", ".join(prefix + quoted(name) for name in names)


def text_literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
