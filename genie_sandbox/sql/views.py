"""Views: CREATE, ALTER and COMMENT, with what Unity Catalog forgets when a view gets another text.

ALTER VIEW … AS keeps the properties and loses the comments; CREATE OR REPLACE loses both. Nobody is granted
anything here.
"""

from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from genie_sandbox.sql.binding import Parameters
from genie_sandbox.sql.catalog import Catalog, Name, Session, ViewEntry
from genie_sandbox.sql.clauses import Properties, settings_of
from genie_sandbox.sql.errors import SqlError, not_found, unsupported
from genie_sandbox.sql.results import type_text
from genie_sandbox.sql.rewriting import DIALECT, Rewriter, as_written, to_text
from genie_sandbox.sql.sail import Sail


class Views:
    """Defines views. Callers see to it that one statement defines at a time."""

    def __init__(self, catalog: Catalog, rewriter: Rewriter, sail: Sail) -> None:
        self._catalog, self._rewriter, self._sail = catalog, rewriter, sail

    def create(self, statement: exp.Create, name: Name, session: Session, parameters: Parameters) -> None:
        """CREATE VIEW, which may be: whatever is called `name` is replaced."""
        properties = Properties(statement)
        properties.refuse_others(exp.SchemaCommentProperty, exp.Property)
        parameters.inline(statement.expression)
        columns = statement.this.expressions if isinstance(statement.this, exp.Schema) else []
        names = tuple(column.name for column in columns)
        entry = self._entry(statement.expression, session, names)
        entry = replace(
            entry,
            comment=properties.comment,
            column_comments={
                column.name.lower(): constraint.kind.this.name
                for column in columns
                for constraint in getattr(column, "constraints", ())
                if isinstance(constraint.kind, exp.CommentColumnConstraint)
            },
            properties=properties.settings,
        )
        self._catalog.drop(name)
        self._catalog.put_view(name, entry)

    def alter(self, name: Name, actions: list[exp.Expression], session: Session) -> None:
        """ALTER VIEW … AS, which loses the comments, and ALTER VIEW … SET TBLPROPERTIES."""
        entry = self._existing(name)
        if len(actions) == 1 and isinstance(actions[0], exp.Query):
            changed = replace(self._entry(actions[0], session, ()), properties=entry.properties)
        elif all(isinstance(action, exp.AlterSet) for action in actions):
            found = [item for action in actions for item in action.find_all(exp.Property)]
            settings = settings_of(item for item in found if type(item) is exp.Property)
            changed = replace(entry, properties={**entry.properties, **settings})
        else:
            raise unsupported(f"ALTER VIEW … {actions[0].sql(dialect=DIALECT)}")
        self._catalog.put_view(name, changed)

    def comment(self, name: Name, text: str, column: str | None = None) -> None:
        """COMMENT ON TABLE or COLUMN, for a view."""
        entry = self._existing(name)
        if column is None:
            self._catalog.put_view(name, replace(entry, comment=text))
            return
        if column.lower() not in {known.lower() for known, _ in entry.fields}:
            raise SqlError("UNRESOLVED_COLUMN.WITH_SUGGESTION", f"The view {name} has no column `{column}`.")
        comments = {**entry.column_comments, column.lower(): text}
        self._catalog.put_view(name, replace(entry, column_comments=comments))

    def _existing(self, name: Name) -> ViewEntry:
        entry = self._catalog.view(name)
        if entry is None and self._catalog.table(name):
            raise SqlError("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", f"{name} is a table; a view is expected.")
        if entry is None:
            raise not_found(str(name))
        return entry

    def _entry(self, query: exp.Expression, session: Session, names: tuple[str, ...]) -> ViewEntry:
        ready = self._rewriter.rewrite(query.copy(), session, self._sail.columns)
        schema: pa.Schema = self._sail.query(to_text(ready.limit(0))).schema
        if names and len(names) != len(schema):
            raise SqlError(
                "CREATE_VIEW_COLUMN_ARITY_MISMATCH",
                f"The view has {len(names)} columns, and its query {len(schema)}.",
            )
        types = [type_text(field.type).lower() for field in schema]
        fields = tuple(zip(names or schema.names, types, strict=True))
        return ViewEntry(as_written(query), session.catalog, session.schema, columns=names, fields=fields)
