"""CREATE, ALTER, DROP and COMMENT: tables are made and changed by delta-rs, the rest is the catalog's."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace

import pyarrow as pa
from deltalake import DeltaTable, Field, Schema
from deltalake.exceptions import DeltaError
from sqlglot import exp

from genie_sandbox.sql.binding import Parameters
from genie_sandbox.sql.catalog import Catalog, Name, Session, TableEntry
from genie_sandbox.sql.clauses import (
    Properties,
    column_field,
    key_columns,
    require_columns,
    set_properties,
    settings_of,
)
from genie_sandbox.sql.dml import append_rows
from genie_sandbox.sql.errors import SqlError, not_found, unsupported
from genie_sandbox.sql.privileges import catalog_of, schema_of
from genie_sandbox.sql.rewriting import DIALECT, Rewriter, table_name, to_text
from genie_sandbox.sql.sail import Sail
from genie_sandbox.sql.transactions import Transactions
from genie_sandbox.sql.views import Views

NOTHING = pa.table({})
RunQuery = Callable[[exp.Expression], pa.Table]


class Definer:
    """Runs statements that define things. Callers see to it that one statement defines at a time."""

    def __init__(self, catalog: Catalog, rewriter: Rewriter, sail: Sail, transactions: Transactions) -> None:
        self._catalog = catalog
        self._rewriter = rewriter
        self._sail = sail
        self._transactions = transactions
        self._views = Views(catalog, rewriter, sail)

    def create(
        self, statement: exp.Create, session: Session, parameters: Parameters, run_query: RunQuery
    ) -> pa.Table:
        """CREATE SCHEMA, TABLE or VIEW. `run_query` computes the rows of CREATE TABLE … AS."""
        match statement.kind:
            case "SCHEMA" | "DATABASE":
                return self._create_schema(statement, session)
            case "TABLE":
                return self._create_table(statement, session, run_query)
            case "VIEW":
                return self._create_view(statement, session, parameters)
        raise unsupported(f"CREATE {statement.kind}")

    def _create_schema(self, statement: exp.Create, session: Session) -> pa.Table:
        catalog, schema = schema_name(statement.this, session)
        properties = Properties(statement)
        properties.refuse_others(exp.SchemaCommentProperty)
        if self._catalog.has_schema(catalog, schema):
            if statement.args.get("exists"):
                return NOTHING
            raise SqlError("SCHEMA_ALREADY_EXISTS", f"The schema `{catalog}`.`{schema}` already exists.")
        self._catalog.privileges.require(session.principal, "CREATE SCHEMA", catalog_of(catalog))
        self._catalog.put_schema(catalog, schema, properties.comment)
        self._catalog.privileges.made(session.principal, schema_of(catalog, schema))
        return NOTHING

    def _create_table(self, statement: exp.Create, session: Session, run_query: RunQuery) -> pa.Table:
        target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
        name = table_name(target, session)
        properties = Properties(statement)
        properties.refuse_others(
            exp.FileFormatProperty,
            exp.PartitionedByProperty,
            exp.ClusterProperty,
            exp.SchemaCommentProperty,
            exp.Property,
        )
        partitioned_by, clustered_by = properties.partitioned_by, properties.clustered_by
        if not self._may_create(name, statement, session):
            return NOTHING
        rows = run_query(statement.expression) if statement.expression is not None else None
        if rows is not None and isinstance(statement.this, exp.Schema):
            raise unsupported("CREATE TABLE with both a column list and a query")
        fields = (
            self._fields(statement.this.expressions) if rows is None else Schema.from_arrow(rows.schema).fields
        )
        require_columns([*partitioned_by, *clustered_by], fields)
        entry = TableEntry(str(self._catalog.new_location(name)), properties.comment, tuple(clustered_by))
        try:
            table = DeltaTable.create(
                entry.location,
                schema=Schema(fields),
                mode="error",
                partition_by=partitioned_by,
                name=name.name,
                description=properties.comment,
            )
            set_properties(table, properties.settings)
        except DeltaError as error:
            raise SqlError("DELTA_CREATE_TABLE_REFUSED", str(error)) from None
        if rows is not None and rows.num_rows:
            append_rows(entry.location, rows, "append")
        self._replace_table(name, entry)
        self._catalog.privileges.made(session.principal, name.securable())
        return NOTHING

    def _replace_table(self, name: Name, entry: TableEntry) -> None:
        before = self._catalog.table(name)
        self._catalog.drop(name)
        self._catalog.put_table(name, entry)
        if before:
            shutil.rmtree(before.location, ignore_errors=True)

    def _may_create(self, name: Name, statement: exp.Create, session: Session) -> bool:
        """Whether to go on; False if it exists and that is fine."""
        self._catalog.require_creating(session, name)
        kind = statement.kind
        table, view = self._catalog.table(name), self._catalog.view(name)
        if table is None and view is None:
            return True
        if statement.args.get("exists"):
            return False
        if statement.args.get("replace") and (table is None) == (kind == "VIEW"):
            return True
        raise SqlError("TABLE_OR_VIEW_ALREADY_EXISTS", f"Cannot create {kind.lower()} {name}: it already exists.")

    def _fields(self, definitions: Sequence[exp.Expression]) -> list[Field]:
        columns = [item for item in definitions if isinstance(item, exp.ColumnDef)]
        keys = {name for item in definitions for name in key_columns(item)}
        if not columns:
            raise unsupported("CREATE TABLE without columns")
        types = self._types(columns)
        return [
            column_field(column, type_, is_key=column.name.lower() in keys)
            for column, type_ in zip(columns, types, strict=True)
        ]

    def _types(self, columns: Sequence[exp.ColumnDef]) -> list[pa.DataType]:
        """Arrow types of column definitions, by the engine that will read the columns."""
        if any(column.kind is None for column in columns):
            raise SqlError("PARSE_SYNTAX_ERROR", "Every column needs a type.")
        casts = [
            exp.cast(exp.Null(), column.kind, dialect=DIALECT).as_(f"c{n}") for n, column in enumerate(columns)
        ]
        return [field.type for field in self._sail.query(to_text(exp.select(*casts))).schema]

    def _create_view(self, statement: exp.Create, session: Session, parameters: Parameters) -> pa.Table:
        target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
        name = table_name(target, session)
        if self._may_create(name, statement, session):
            self._views.create(statement, name, session, parameters)
            self._catalog.privileges.made(session.principal, name.securable())
        return NOTHING

    def drop(self, statement: exp.Drop, session: Session) -> pa.Table:
        """DROP TABLE, VIEW or SCHEMA."""
        kind, target = statement.kind, statement.args["tables"][0]
        if_exists = bool(statement.args.get("exists"))
        if kind in {"SCHEMA", "DATABASE"}:
            return self._drop_schema(target, session, if_exists, cascade=bool(statement.args.get("cascade")))
        if kind not in {"TABLE", "VIEW"}:
            raise unsupported(f"DROP {kind}")
        name = table_name(target, session)
        found = self._catalog.table(name) if kind == "TABLE" else self._catalog.view(name)
        if found is None:
            if if_exists:
                return NOTHING
            raise not_found(str(name))
        self._catalog.require(session, "MANAGE", name)
        location = self._catalog.writable_table(name, session, "MANAGE").location if kind == "TABLE" else None
        self._catalog.drop(name)
        self._catalog.privileges.dropped(name.securable())
        if location:
            shutil.rmtree(location, ignore_errors=True)
        return NOTHING

    def _drop_schema(self, target: exp.Table, session: Session, if_exists: bool, *, cascade: bool) -> pa.Table:
        catalog, schema = schema_name(target, session)
        if not self._catalog.has_schema(catalog, schema):
            if if_exists:
                return NOTHING
            raise SqlError("SCHEMA_NOT_FOUND", f"The schema `{catalog}`.`{schema}` cannot be found.")
        self._catalog.require_schema(catalog, schema)
        names = [*self._catalog.tables(), *self._catalog.views(), *self._catalog.volumes()]
        inside = [name for name in names if (name.catalog, name.schema) == (catalog, schema)]
        if inside and not cascade:
            raise SqlError("SCHEMA_NOT_EMPTY", f"Cannot drop the schema `{catalog}`.`{schema}`: it is not empty.")
        self._catalog.privileges.require(session.principal, "MANAGE", schema_of(catalog, schema))
        for name in inside:
            drop_with_files(self._catalog, name)
        self._catalog.drop_schema(catalog, schema)
        self._catalog.privileges.dropped(schema_of(catalog, schema))
        return NOTHING

    def alter(self, statement: exp.Alter, session: Session) -> pa.Table:
        """ALTER TABLE: add columns, set properties, comment on a column. ALTER VIEW: another text, properties."""
        if statement.kind == "VIEW":
            self._catalog.require(session, "MANAGE", table_name(statement.this, session))
            self._views.alter(table_name(statement.this, session), statement.args["actions"], session)
            return NOTHING
        if statement.kind != "TABLE":
            raise unsupported(f"ALTER {statement.kind}")
        name = table_name(statement.this, session)
        entry = self._catalog.writable_table(name, session)
        actions = [
            item
            for action in statement.args["actions"]
            for item in (action.expressions if isinstance(action, exp.Schema) else [action])
        ]
        with self._transactions.alone(entry.location):
            self._alter(DeltaTable(entry.location), actions)
        return NOTHING

    def _alter(self, table: DeltaTable, actions: Sequence[exp.Expression]) -> None:
        try:
            if all(isinstance(action, exp.ColumnDef) for action in actions):
                self._add_columns(table, actions)
            elif all(isinstance(action, exp.AlterSet) for action in actions):
                for action in actions:
                    inner = action.find_all(exp.Property)
                    set_properties(table, settings_of(item for item in inner if type(item) is exp.Property))
            elif all(isinstance(action, exp.AlterColumn) and action.args.get("comment") for action in actions):
                for action in actions:
                    table.alter.set_column_metadata(action.name, {"comment": action.args["comment"].name})
            else:
                raise unsupported(f"ALTER TABLE … {actions[0].sql(dialect=DIALECT)}")
        except DeltaError as error:
            raise SqlError("DELTA_ALTER_TABLE_REFUSED", str(error)) from None

    def _add_columns(self, table: DeltaTable, columns: Sequence[exp.ColumnDef]) -> None:
        known = {field.name.lower() for field in table.schema().fields}
        for column in columns:
            if column.name.lower() in known:
                raise SqlError("FIELD_ALREADY_EXISTS", f"The column `{column.name}` already exists.")
            if any(isinstance(item.kind, exp.NotNullColumnConstraint) for item in column.constraints):
                raise SqlError("DELTA_ADDING_COLUMN_NOT_NULL", "A column that is added must be nullable.")
        types = self._types(columns)
        table.alter.add_columns(
            [column_field(column, type_, is_key=False) for column, type_ in zip(columns, types, strict=True)]
        )

    def comment(self, statement: exp.Comment, session: Session) -> pa.Table:
        """COMMENT ON TABLE or COLUMN, of a table or a view."""
        text = statement.expression.name
        kind = (statement.args.get("kind") or "").upper()
        if kind == "TABLE":
            name = table_name(statement.this, session)
            if self._catalog.view(name):
                self._catalog.require(session, "MANAGE", name)
                self._views.comment(name, text)
                return NOTHING
            entry = self._catalog.writable_table(name, session)
            with self._transactions.alone(entry.location):
                DeltaTable(entry.location).alter.set_table_description(text)
            self._catalog.put_table(name, replace(entry, comment=text))
        elif kind == "COLUMN":
            *parents, column = [part.name for part in statement.this.parts]
            name = session.name(*parents)
            if self._catalog.view(name):
                self._catalog.require(session, "MANAGE", name)
                self._views.comment(name, text, column)
                return NOTHING
            entry = self._catalog.writable_table(name, session)
            with self._transactions.alone(entry.location):
                DeltaTable(entry.location).alter.set_column_metadata(column, {"comment": text})
        else:
            raise unsupported(f"COMMENT ON {kind}")
        return NOTHING


def schema_name(target: exp.Table, session: Session) -> tuple[str, str]:
    """Catalog and schema of a schema's name in a statement, in lower case."""
    parts = [part.name.lower() for part in target.parts]
    if len(parts) > 2:
        raise SqlError("INVALID_IDENTIFIER", "A schema's name has at most two parts.")
    return (parts[0] if len(parts) == 2 else session.catalog.lower(), parts[-1])


def drop_with_files(catalog: Catalog, name: Name) -> None:
    """Forget a table, view or volume and delete its files."""
    table, volume = catalog.table(name), catalog.volume_folder(name)
    catalog.drop(name)
    catalog.privileges.dropped(name.securable(), name.securable("VOLUME"))
    for folder in (table.location if table else None, volume):
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
