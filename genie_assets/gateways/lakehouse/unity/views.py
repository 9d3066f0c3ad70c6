"""The views in Unity Catalog: made where there is none, given another text where one of ours has an old one.

A view of ours carries a property: the hash of its text and its comments. While a view is changed it is another
word, so that what was broken off is done again. CREATE OR REPLACE would drop what others were granted on the view.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from hashlib import sha256

from genie_assets.domain.sql_names import quoted
from genie_assets.domain.tables import TABLES, Table
from genie_assets.domain.views import View
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.results import ViewsKept
from genie_assets.gateways.lakehouse.unity.names import Place, text_literal
from genie_assets.gateways.lakehouse.unity.ports import Warehouse
from genie_assets.gateways.lakehouse.unity.shapes import property_told
from genie_assets.gateways.lakehouse.unity.tables import failures_named, shown_extended
from genie_assets.gateways.sql.errors import WarehouseError, is_permission
from genie_assets.gateways.sql.texts import sql_from_template

MARK = "genie_assets.text"

_CHANGING = "changing"

_TABLES: Mapping[str, Table] = {table.name: table for table in TABLES}


class UnityViews:
    """Keeps views in one schema.

    Args:
        place: The catalog and schema.
        warehouse: Runs the statements.
        prepare: Makes a table exist, so that a view can be made on it.
    """

    def __init__(self, place: Place, warehouse: Warehouse, prepare: Callable[[Table], object]) -> None:
        self._place, self._warehouse, self._prepare = place, warehouse, prepare
        self._told: Mapping[str, str] = {}

    def keep(self, views: Iterable[View], existing: frozenset[str]) -> ViewsKept:
        """Make and change what is needed, one view after the other; one that is refused stops no other.

        Args:
            views: The views, each after those that it reads.
            existing: Names of all tables and views that there are in the schema.
        """
        kept, views = ViewsKept(), list(views)
        self._told = self._marks([view.name for view in views if view.name in existing])
        for view in views:
            if missing := [name for name in view.reads if name in kept.left_alone or name in kept.refused]:
                kept.refused[view.name] = f"{view.name} reads {missing[0]}, which is not ours or was not made"
                continue
            try:
                with failures_named(view.name, self._place):
                    self._keep(view, kept, exists=view.name in existing)
            except LakehouseError as problem:
                kept.refused[view.name] = str(problem)
        return kept

    def _keep(self, view: View, kept: ViewsKept, *, exists: bool) -> None:
        query, mark = self._text(view)
        if not exists:
            self._prepare_tables(view)
            if self._created(view, query, mark):
                kept.created.append(view.name)
                return
        found = self._mark_of(view)
        if found is None:
            kept.left_alone.append(view.name)
        elif found == mark:
            kept.unchanged.append(view.name)
        else:
            self._prepare_tables(view)
            self._change_what_is_ours(view, query, mark)
            kept.changed.append(view.name)

    def _text(self, view: View) -> tuple[str, str]:
        """The query with full names, and the hash of all that can be seen of the view."""
        query = view.query_in({name: self._name(name) for name in view.reads})
        told = [view.description, *(f"{column.name}: {column.description}" for column in view.columns)]
        return query, sha256("\n".join([query, *told]).encode()).hexdigest()

    def _name(self, name: str) -> str:
        return f"{self._place.sql}.{quoted(name)}"

    def _prepare_tables(self, view: View) -> None:
        for name in view.reads:
            if name in _TABLES:
                self._prepare(_TABLES[name])

    def _marks(self, names: Collection[str]) -> dict[str, str]:
        """The hashes that these views carry, as far as one statement for all of them tells."""
        if not names:
            return {}
        try:
            shown = shown_extended(self._warehouse, self._place, names)
        except WarehouseError:
            return {}  # then each is asked for
        return {name: mark for name, text in shown.items() if (mark := property_told(text, MARK)) is not None}

    def _mark_of(self, view: View) -> str | None:
        """The hash that the view carries; None if what has its name is not ours."""
        if view.name in self._told:
            return self._told[view.name]
        statement = sql_from_template("lakehouse/show_properties", relation=self._name(view.name))
        try:
            found = self._warehouse.query(statement)
        except WarehouseError as error:
            if is_permission(error.condition):
                return None
            raise
        return next(
            (str(value) for key, value in zip(found["key"], found["value"], strict=True) if key == MARK), None
        )

    def _created(self, view: View, query: str, mark: str) -> bool:
        """Make the view; False if there is something of its name, which a lost answer may have left, too."""
        columns = ",\n  ".join(
            f"{quoted(column.name)} COMMENT {text_literal(column.description)}" for column in view.columns
        )
        statement = sql_from_template(
            "lakehouse/create_view",
            view=self._name(view.name),
            columns=columns,
            comment=text_literal(view.description),
            mark=_property(mark),
            query=query,
        )
        try:
            self._warehouse.execute(statement)
        except WarehouseError as error:
            if (error.condition or "").endswith("ALREADY_EXISTS"):
                return False
            raise
        return True

    def _change_what_is_ours(self, view: View, query: str, mark: str) -> None:
        try:
            self._change(view, query, mark)
        except WarehouseError as error:
            if not is_permission(error.condition):
                raise
            raise LakehouseError(
                f"{view.name}: our principal may not change this view; make it the owner, or grant it MANAGE on "
                f"{self._name(view.name)}"
            ) from None

    def _change(self, view: View, query: str, mark: str) -> None:
        name, run = self._name(view.name), self._warehouse.execute
        run(sql_from_template("lakehouse/mark_view", view=name, mark=_property(_CHANGING)))
        run(sql_from_template("lakehouse/alter_view", view=name, query=query))
        comment = text_literal(view.description)
        run(sql_from_template("lakehouse/comment_on_view", view=name, comment=comment))
        for column in view.columns:
            comment = text_literal(column.description)
            place = f"{name}.{quoted(column.name)}"
            run(sql_from_template("lakehouse/comment_on_column", column=place, comment=comment))
        run(sql_from_template("lakehouse/mark_view", view=name, mark=_property(mark)))


def _property(mark: str) -> str:
    return f"{text_literal(MARK)} = {text_literal(mark)}"
