"""From Databricks' SQL to what Sail runs: names become Delta folders, missing syntax becomes older syntax."""

from collections.abc import Iterator
from itertools import count

import sqlglot
from sqlglot import exp
from sqlglot.dialects.databricks import Databricks
from sqlglot.errors import SqlglotError

from genie_sandbox.sql.binding import Parameters
from genie_sandbox.sql.catalog import Catalog, Name, Session, ViewEntry
from genie_sandbox.sql.errors import SqlError, unsupported
from genie_sandbox.sql.plain_paths import plain_path
from genie_sandbox.sql.selecting import ColumnsOf, exact_percentiles, expand_star, group_by_all, without_qualify
from genie_sandbox.sql.system_tables import TABLES, map_columns
from genie_sandbox.sql.volumes import Volumes

DIALECT = "databricks"
_FILE_FORMATS = frozenset({"parquet", "json", "csv", "text", "delta", "avro", "orc", "binaryfile"})
_READ_FILES = "read_files"
_READABLE = frozenset({"parquet", "json", "csv"})
OWN_FILE = "own_file"
"""Marks, in its `meta`, a table of a statement that already is a local file."""
_DEEPEST_VIEW = 20
_MAP_COLUMNS = frozenset(name for table in TABLES for name in map_columns(table))


def parse(statement: str) -> exp.Expression:
    """The one statement in a text.

    Raises:
        SqlError: if it is none, several, or wrong.
    """
    try:
        parsed = [node for node in sqlglot.parse(statement, read=DIALECT) if node is not None]
    except (SqlglotError, RecursionError) as error:
        raise SqlError("PARSE_SYNTAX_ERROR", _one_line(error)) from None
    if len(parsed) != 1:
        raise SqlError("PARSE_SYNTAX_ERROR", f"Expected one statement, found {len(parsed)}.")
    return parsed[0]


def to_text(statement: exp.Expression) -> str:
    """The statement as text for Sail."""
    return statement.sql(dialect="spark", comments=False)


class _Faithful(Databricks.Generator):
    """Writes what was read: by itself, the library makes approximations of exact percentiles."""

    TRANSFORMS = {  # noqa: RUF012 - the library's own way
        kind: how for kind, how in Databricks.Generator.TRANSFORMS.items() if kind is not exp.WithinGroup
    }


def as_written(query: exp.Expression) -> str:
    """A query as text that means the same when it is parsed again."""
    return _Faithful(comments=False).generate(query)


def table_name(table: exp.Table, session: Session) -> Name:
    """The full name of a table in a statement."""
    parts = [part.name for part in table.parts]
    if len(parts) > len(("catalog", "schema", "table")) or not all(parts):
        raise SqlError("INVALID_IDENTIFIER", f"{table.sql(dialect=DIALECT)} is not a name of up to three parts.")
    return session.name(*parts)


def resolve_identifiers(statement: exp.Expression, parameters: Parameters) -> None:
    """Replace `IDENTIFIER(...)` by the name it stands for, and parameters of `read_files` by paths, in place."""
    for call in [node for node in statement.find_all(exp.Anonymous) if node.name.lower() == _READ_FILES]:
        for marker in list(call.find_all(exp.Placeholder)):
            marker.replace(exp.Literal.string(parameters.text(marker.name) or ""))
    for call in [node for node in statement.find_all(exp.Anonymous) if node.name.upper() == "IDENTIFIER"]:
        name = _identifier_text(call, parameters)
        try:
            named = exp.to_table(name, dialect=DIALECT)
        except SqlglotError:
            raise SqlError("INVALID_IDENTIFIER", f"{name} is not a name.") from None
        holder = call.parent
        if isinstance(holder, exp.Table):
            for part in ("this", "db", "catalog"):
                holder.set(part, named.args.get(part))
        else:
            call.replace(exp.column(*[part.copy() for part in reversed(named.parts)]))


class Rewriter:
    """Rewrites statements in place, for the names in one catalog."""

    def __init__(self, catalog: Catalog, volumes: Volumes) -> None:
        self._catalog = catalog
        self._volumes = volumes
        self._numbers = count(1)

    def rewrite(
        self, statement: exp.Expression, session: Session, columns_of: ColumnsOf, depth: int = 0
    ) -> exp.Expression:
        """Make `statement` ready for Sail. `columns_of` names the columns of a rewritten query.

        Raises:
            SqlError: for a name that does not exist or a file outside the volumes.
        """
        statement = self.resolve_tables(statement, session, depth)
        exact_percentiles(statement)
        for select in list(statement.find_all(exp.Select)):
            group_by_all(select)
        # From the inside out: an outer list of columns depends on the inner ones.
        for select in reversed(list(statement.find_all(exp.Select))):
            expand_star(select, columns_of)
            outer = without_qualify(select)
            if outer is not select:
                expand_star(outer, columns_of)
            if select is statement:
                statement = outer
        return statement

    def resolve_tables(self, statement: exp.Expression, session: Session, depth: int = 0) -> exp.Expression:
        """Point every table of `statement` at its Delta folder, its file or its view's query, in place."""
        unaliased: list[list[str]] = []
        for table in list(statement.find_all(exp.Table)):
            if not isinstance(table.this, exp.Identifier):
                self._resolve_function(table, session)
            elif not table.meta.get(OWN_FILE) and not _is_cte(table):
                if not table.alias:
                    unaliased.append([part.name.lower() for part in table.parts])
                self._resolve_table(table, session, depth)
        _shorten_columns(statement, unaliased)
        _bracket_map_keys(statement)
        return statement

    def _resolve_table(self, table: exp.Table, session: Session, depth: int) -> None:
        if not table.catalog and table.db.lower() in _FILE_FORMATS and table.name.startswith("/"):
            self._point_at(table, table.db.lower(), table.name, session)
            return
        name = table_name(table, session)
        self._catalog.require_readable(session, name)
        entry, view = self._catalog.table(name), self._catalog.view(name)
        if entry is not None:
            _replace_source(table, "delta", plain_path(entry.location), table.name)
        elif view is not None:
            self._resolve_view(table, name, view, depth)

    def _resolve_view(self, table: exp.Table, name: Name, view: ViewEntry, depth: int) -> None:
        """What a view reads is read with the rights of whoever made it, who is taken for an administrator."""
        if depth > _DEEPEST_VIEW:
            raise SqlError("RECURSIVE_VIEW", f"{name} refers to itself.")
        query = self.resolve_tables(parse(view.sql), Session(view.catalog, view.schema), depth + 1)
        names = [exp.to_identifier(column, quoted=True) for column in view.columns]
        alias = exp.TableAlias(this=exp.to_identifier(table.alias or table.name, quoted=True), columns=names)
        _lift_ctes(query, table, next(self._numbers))
        table.replace(exp.Subquery(this=query, alias=alias))

    def _resolve_function(self, table: exp.Table, session: Session) -> None:
        function = table.this
        if not isinstance(function, exp.Anonymous) or function.name.lower() != _READ_FILES:
            return
        path, *options = function.expressions
        given = {
            option.name.lower(): option.expression.name for option in options if isinstance(option, exp.Kwarg)
        }
        unknown = sorted(set(given) - {"format"})
        if unknown or len(given) != len(options) or not path.is_string:
            raise unsupported("read_files with other arguments than a path and format => '…'")
        self._point_at(table, given.get("format", "").lower(), path.name, session)

    def _point_at(self, table: exp.Table, file_format: str, path: str, session: Session) -> None:
        if file_format not in _READABLE:
            raise unsupported(f"reading files of the format '{file_format}'")
        _replace_source(table, file_format, str(self._volumes.existing(path, session.principal)), "files")


def _replace_source(table: exp.Table, file_format: str, path: str, alias: str) -> None:
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    table.set("this", exp.to_identifier(path, quoted=True))
    table.set("db", exp.to_identifier(file_format))
    table.set("catalog", None)


def _is_cte(table: exp.Table) -> bool:
    if table.db:
        return False
    return any(_same_name(cte, table) for cte in _visible_ctes(table))


def _visible_ctes(node: exp.Expression) -> Iterator[exp.CTE]:
    inside = node
    while inside.parent is not None:
        inside = inside.parent
        with_ = inside.args.get("with_")
        if with_:
            yield from with_.expressions


def _lift_ctes(query: exp.Expression, place: exp.Expression, number: int) -> None:
    """Move the named queries of a view to the statement around `place`, under names that nothing else has.

    The engine loses a named query when one within a named query is called the same.
    """
    outer = [node for node in _ancestors(place) if isinstance(node, exp.Select | exp.SetOperation)]
    with_ = query.args.get("with_")
    if not with_ or not outer:
        return
    own = {id(cte): cte for cte in with_.expressions}
    renamed = [
        (table, found)
        for table in query.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and not table.db
        if (found := next((cte for cte in _visible_ctes(table) if _same_name(cte, table)), None)) is not None
        if id(found) in own
    ]
    for table, cte in renamed:
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
        table.set("this", exp.to_identifier(f"{cte.alias}__{number}", quoted=True))
    for cte in with_.expressions:
        cte.args["alias"].set("this", exp.to_identifier(f"{cte.alias}__{number}", quoted=True))
    query.set("with_", None)
    there = outer[-1].args.get("with_")
    later = there.expressions if there else []
    recursive = any(each is not None and each.args.get("recursive") for each in (with_, there))
    lifted = exp.With(expressions=[*with_.expressions, *later], recursive=recursive)
    outer[-1].set("with_", lifted)


def _ancestors(node: exp.Expression) -> Iterator[exp.Expression]:
    while node.parent is not None:
        node = node.parent
        yield node


def _same_name(cte: exp.CTE, table: exp.Table) -> bool:
    return cte.alias.lower() == table.name.lower()


def _shorten_columns(statement: exp.Expression, unaliased: list[list[str]]) -> None:
    """`main.s.t.c` and `s.t.c` become `t.c`, because the table is now only known by its alias."""
    prefixes = [parts[start:] for parts in unaliased for start in range(len(parts) - 1)]
    for column in list(statement.find_all(exp.Column)):
        parts = [part.name.lower() for part in column.parts]
        longest = max(
            (len(prefix) for prefix in prefixes if parts[: len(prefix)] == prefix and len(parts) > len(prefix)),
            default=1,
        )
        _drop_leading(column, longest - 1)


def _drop_leading(column: exp.Column, count: int) -> None:
    if count:
        for part in ("catalog", "db", "table")[3 - len(column.parts[:-1]) :][:count]:
            column.set(part, None)


def _bracket_map_keys(statement: exp.Expression) -> None:
    """`request_params.space_id` becomes `request_params['space_id']`."""
    for column in list(statement.find_all(exp.Column)):
        parts = column.parts
        for index, part in enumerate(parts[:-1]):
            if part.name.lower() in _MAP_COLUMNS and index == len(parts) - 2:
                source = exp.column(*[item.copy() for item in reversed(parts[: index + 1])])
                column.replace(exp.Bracket(this=source, expressions=[exp.Literal.string(parts[-1].name)]))
                break


def _identifier_text(call: exp.Anonymous, parameters: Parameters) -> str:
    argument = call.expressions[0] if len(call.expressions) == 1 else None
    text = parameters.text(argument.name) if isinstance(argument, exp.Placeholder) else None
    if argument is not None and argument.is_string:
        text = argument.name
    if not text:
        raise unsupported("IDENTIFIER of anything but a string or a parameter with a value")
    return text


def _one_line(error: Exception) -> str:
    return str(error).replace("\x1b[4m", "").replace("\x1b[0m", "").replace("\n", " ").strip()[:1000]
