"""What stands in the brackets of a CREATE TABLE and after them."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
from deltalake import DeltaTable, Field, Schema
from sqlglot import exp

from genie_sandbox.sql.errors import SqlError, unsupported
from genie_sandbox.sql.rewriting import DIALECT


class Properties:
    """What stands after the columns of a CREATE."""

    def __init__(self, statement: exp.Create) -> None:
        holder = statement.args.get("properties")
        self._all: list[exp.Expression] = list(holder.expressions) if holder else []

    def refuse_others(self, *allowed: type[exp.Expression]) -> None:
        """Refuse what is not `allowed`, and what contradicts."""
        for item in self._all:
            if type(item) not in allowed:
                raise unsupported(f"{item.sql(dialect=DIALECT) or item.key.upper()} in this CREATE")
            if isinstance(item, exp.FileFormatProperty) and item.name.upper() != "DELTA":
                raise unsupported(f"tables of the format {item.name}")
        if self._find(exp.PartitionedByProperty) and self._find(exp.ClusterProperty):
            raise SqlError(
                "SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED",
                "Cannot specify both CLUSTER BY and PARTITIONED BY. SQLSTATE: 42908",
            )

    @property
    def comment(self) -> str | None:
        """The comment, or None."""
        found = self._find(exp.SchemaCommentProperty)
        return found.this.name if found else None

    @property
    def partitioned_by(self) -> list[str]:
        """Partition columns."""
        found = self._find(exp.PartitionedByProperty)
        return [column.name for column in found.this.expressions] if found else []

    @property
    def clustered_by(self) -> list[str]:
        """Clustering columns; none for AUTO and NONE, which leave the choice open."""
        found = self._find(exp.ClusterProperty)
        return [column.name for column in found.expressions] if found else []

    @property
    def settings(self) -> dict[str, str]:
        """TBLPROPERTIES."""
        return settings_of(item for item in self._all if type(item) is exp.Property)

    def _find(self, kind: type[exp.Expression]) -> exp.Expression | None:
        # Compared by type: every kind of property is a Property too.
        return next((item for item in self._all if type(item) is kind), None)


def settings_of(properties: Iterable[exp.Property]) -> dict[str, str]:
    """Names and values of `TBLPROPERTIES`. A name may be a string or written with dots; a value may be bare."""
    return {_setting_name(item.this): _setting_value(item.args["value"]) for item in properties}


def _setting_name(node: exp.Expression) -> str:
    return ".".join(part.name for part in node.flatten()) if isinstance(node, exp.Dot) else node.name


def _setting_value(node: exp.Expression) -> str:
    return node.name if isinstance(node, exp.Literal) else node.sql(dialect=DIALECT).lower()


def set_properties(table: DeltaTable, settings: Mapping[str, str]) -> None:
    """Set Delta's own properties, which must be known ones, and any others."""
    _refuse_statistics(table, settings.get("delta.dataSkippingStatsColumns", ""))
    own = {name: value for name, value in settings.items() if name.startswith("delta.")}
    others = {name: value for name, value in settings.items() if name not in own}
    if own:
        table.alter.set_table_properties(own)
    if others:
        table.alter.set_table_properties(others, raise_if_not_exists=False)


def _refuse_statistics(table: DeltaTable, names: str) -> None:
    """Raise SqlError for a column of which Delta on Spark keeps no minimum and maximum when it is asked to."""
    schema = pa.schema(table.schema().to_arrow())
    for name in filter(None, (text.strip().strip("`") for text in names.split(","))):
        if name in table.metadata().partition_columns:
            raise SqlError(
                "DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_PARTITIONED_COLUMN",
                f"Data skipping is not supported for partition column '{name}'.",
            )
        require_columns([name], table.schema().fields)
        type_ = schema.field(name).type
        if pa.types.is_boolean(type_) or pa.types.is_nested(type_) or pa.types.is_binary(type_):
            raise SqlError(
                "DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_TYPE",
                f"Data skipping is not supported for column '{name}' of type {type_}.",
            )


def key_columns(item: exp.Expression) -> list[str]:
    """Columns of a table's primary key, which makes them NOT NULL. The key itself is informational."""
    if isinstance(item, exp.ColumnDef | exp.ForeignKey):
        return []
    if isinstance(item, exp.PrimaryKey):
        return [column.name.lower() for column in item.expressions]
    if isinstance(item, exp.Constraint):
        return [name for inner in item.expressions for name in key_columns(inner)]
    raise unsupported(f"{item.sql(dialect=DIALECT)} in CREATE TABLE")


def column_field(column: exp.ColumnDef, type_: pa.DataType, *, is_key: bool) -> Field:
    """A column of a Delta table; a column of the key is NOT NULL."""
    nullable, metadata = not is_key, {}
    for constraint in column.constraints:
        match constraint.kind:
            case exp.NotNullColumnConstraint() as kind:
                nullable = nullable and bool(kind.args.get("allow_null"))
            case exp.PrimaryKeyColumnConstraint():
                nullable = False
            case exp.CommentColumnConstraint() as kind:
                metadata["comment"] = kind.this.name
            case exp.ComputedColumnConstraint() as kind:
                metadata["delta.generationExpression"] = kind.this.sql(dialect="spark")
            case _:
                raise unsupported(f"{constraint.sql(dialect=DIALECT)} of a column")
    inner = Schema.from_arrow(pa.schema([pa.field(column.name, type_)])).fields[0]
    return Field(column.name, inner.type, nullable=nullable, metadata=metadata)


def require_columns(names: Sequence[str], fields: Sequence[Field]) -> None:
    """Raise SqlError unless `fields` has all `names`."""
    known = {field.name for field in fields}
    for name in names:
        if name not in known:
            raise SqlError("COLUMN_NOT_DEFINED_IN_TABLE", f"The table has no column `{name}`.")
