"""The views' texts, as they are shipped."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from genie_assets.domain.views import View, view_of
from genie_assets.gateways.sql.texts import sql_names, sql_text


@cache
def shipped_views() -> Mapping[str, View]:
    """Every view of `sql/views` by its name, sorted."""
    return MappingProxyType({name: view_of(name, sql_text(f"views/{name}")) for name in sql_names("views")})
