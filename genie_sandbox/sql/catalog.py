"""What the warehouse knows about: catalogs, schemas, tables, views and volumes, kept in one file."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from genie_sandbox.account import ADMINISTRATOR
from genie_sandbox.sql.errors import SqlError, not_found
from genie_sandbox.sql.privileges import Privileges, Securable, schema_of

DEFAULT_CATALOG = "main"
DEFAULT_SCHEMA = "default"
SYSTEM = "system"


@dataclass(frozen=True, order=True)
class Name:
    """A three-part name. The parts are lower case: Databricks' names know no case."""

    catalog: str
    schema: str
    name: str

    def __str__(self) -> str:
        """The name with every part quoted, as Databricks' messages show it."""
        return ".".join(f"`{part}`" for part in (self.catalog, self.schema, self.name))

    def securable(self, kind: str = "TABLE") -> Securable:
        """What privileges are granted on; a system table is another one in each region, as metastores are."""
        return Securable(kind, (self.catalog, self.schema, self.name))

    @property
    def key(self) -> str:
        """The name as the catalog's file spells it."""
        return json.dumps([self.catalog, self.schema, self.name])


@dataclass(frozen=True)
class Session:
    """Where unqualified names belong, the region whose system tables are seen, and who asks."""

    catalog: str = DEFAULT_CATALOG
    schema: str = DEFAULT_SCHEMA
    region: str = ""
    principal: str = ADMINISTRATOR

    def name(self, *parts: str) -> Name:
        """The full name for one, two or three `parts`."""
        lowered = [part.lower() for part in parts]
        catalog, schema, name = [self.catalog.lower(), self.schema.lower()][: 3 - len(lowered)] + lowered
        return Name(self.catalog_called(catalog), schema, name)

    def catalog_called(self, catalog: str) -> str:
        """What a catalog is called here: that of system tables is another one in each region."""
        lowered = catalog.lower()
        # No catalog of anybody's can be called so: an identifier of the account has no such sign.
        return f"{lowered}@{self.region}" if self.region and lowered == SYSTEM else lowered


@dataclass(frozen=True)
class TableEntry:
    """A Delta table. `comment` is its description; `clustered_by` are its liquid clustering keys."""

    location: str
    comment: str | None = None
    clustered_by: tuple[str, ...] = ()
    system: bool = False


@dataclass(frozen=True)
class ViewEntry:
    """A view: its query, and where the query's unqualified names belong.

    `columns` are the names that it gives its columns, if it does; `fields` its columns with their types, as they
    were when it was defined; `column_comments` are by names in lower case.
    """

    sql: str
    catalog: str
    schema: str
    comment: str | None = None
    columns: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    column_comments: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Content:
    schemas: dict[str, str | None] = field(default_factory=dict)
    tables: dict[str, TableEntry] = field(default_factory=dict)
    views: dict[str, ViewEntry] = field(default_factory=dict)
    volumes: dict[str, str | None] = field(default_factory=dict)


class Catalog:
    """Everything with a name, below `folder`. Changes are saved at once; methods may be called from any thread.

    Args:
        folder: Where it is kept.
        principal: The application id of the account's principal.
    """

    def __init__(self, folder: Path, principal: str) -> None:
        self.privileges = Privileges(principal, folder)
        self._folder = folder
        self._file = folder / "catalog.json"
        self._lock = threading.RLock()
        self._system: dict[str, TableEntry] = {}
        self._disabled: frozenset[str] = frozenset()
        self._content = _read(self._file)
        self._content.schemas.setdefault(_schema_key(DEFAULT_CATALOG, DEFAULT_SCHEMA), None)

    def add_system_table(self, name: Name, location: Path) -> None:
        """Show a table that is not this catalog's own; it is read-only and not saved."""
        self._system[name.key] = TableEntry(str(location), system=True)

    def system_schemas(self) -> dict[str, bool]:
        """Whether each schema of system tables is enabled."""
        names = sorted({json.loads(key)[1] for key in self._system})
        return {name: name not in self._disabled for name in names}

    def enable_system_schema(self, schema: str, *, is_on: bool) -> None:
        """Show a schema of system tables to everybody, or to nobody."""
        self._disabled = self._disabled - {schema} if is_on else self._disabled | {schema}

    def table(self, name: Name) -> TableEntry | None:
        """The table called `name`, or None."""
        return self._shown().get(name.key) or self._content.tables.get(name.key)

    def _shown(self) -> Mapping[str, TableEntry]:
        """The system tables whose schemas are enabled."""
        if not self._disabled:
            return self._system
        return {key: one for key, one in self._system.items() if json.loads(key)[1] not in self._disabled}

    def require(self, session: Session, privilege: str, name: Name, kind: str = "TABLE") -> None:
        """See that whoever asks may do something with a table, a view or a volume.

        Raises:
            SqlError: if a privilege is missing.
        """
        self.privileges.require(session.principal, privilege, name.securable(kind))

    def require_readable(self, session: Session, name: Name) -> None:
        """See that there is a table or a view, and that whoever asks may read it; the way to it comes first.

        Raises:
            SqlError: if there is none, or a privilege is missing.
        """
        if self.has_schema(name.catalog, name.schema):
            self.privileges.require_way(session.principal, name.securable())
        if self.table(name) is None and self.view(name) is None:
            raise not_found(str(name))
        self.require(session, "SELECT", name)

    def require_creating(self, session: Session, name: Name, kind: str = "TABLE") -> None:
        """See that there is a schema for something new, and that whoever asks may create it there.

        Raises:
            SqlError: if there is none, or a privilege is missing.
        """
        self.require_schema(name.catalog, name.schema)
        place = schema_of(name.catalog, name.schema)
        self.privileges.require(session.principal, "USE SCHEMA", place)
        self.privileges.require(session.principal, f"CREATE {kind}", place)

    def writable_table(self, name: Name, session: Session, privilege: str = "MODIFY") -> TableEntry:
        """The table called `name`, which whoever asks may change.

        Raises:
            SqlError: if there is none, it is a system table or a view, or a privilege is missing.
        """
        self.privileges.require_way(session.principal, name.securable())
        entry = self.table(name)
        if entry is None and self.view(name):
            raise SqlError("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", f"{name} is a view; a table is expected.")
        if entry is None:
            raise not_found(str(name))
        if entry.system:
            raise SqlError("INSUFFICIENT_PERMISSIONS", f"{name} is a system table: it cannot be changed.")
        self.require(session, privilege, name)
        return entry

    def view(self, name: Name) -> ViewEntry | None:
        """The view called `name`, or None."""
        return self._content.views.get(name.key)

    def has_schema(self, catalog: str, schema: str) -> bool:
        """Whether the schema exists."""
        key = _schema_key(catalog, schema)
        return key in self._content.schemas or any(_schema_of(name) == key for name in self._shown())

    def require_schema(self, catalog: str, schema: str) -> None:
        """Raise SqlError unless the schema exists and may hold new objects."""
        if catalog.lower() == SYSTEM:
            raise SqlError("INSUFFICIENT_PERMISSIONS", "Nothing can be created in the catalog `system`.")
        if not self.has_schema(catalog, schema):
            raise SqlError("SCHEMA_NOT_FOUND", f"The schema `{catalog}`.`{schema}` cannot be found.")

    def new_location(self, name: Name) -> Path:
        """An unused folder for a new table; ids keep a dropped table's files apart from its successor's."""
        return self._folder / "tables" / f"{_file_name(name.name)}-{uuid4().hex}"

    def volume_folder(self, name: Name) -> Path | None:
        """The folder of the volume called `name`, or None."""
        if name.key not in self._content.volumes:
            return None
        parts = (_file_name(part) for part in (name.catalog, name.schema, name.name))
        return self._folder.joinpath("volumes", *parts)

    def put_schema(self, catalog: str, schema: str, comment: str | None) -> None:
        """Add a schema."""
        with self._saved() as content:
            content.schemas[_schema_key(catalog, schema)] = comment

    def drop_schema(self, catalog: str, schema: str) -> None:
        """Remove an empty schema."""
        with self._saved() as content:
            content.schemas.pop(_schema_key(catalog, schema), None)

    def put_table(self, name: Name, entry: TableEntry) -> None:
        """Add or replace a table."""
        with self._saved() as content:
            content.tables[name.key] = entry

    def put_view(self, name: Name, entry: ViewEntry) -> None:
        """Add or replace a view."""
        with self._saved() as content:
            content.views[name.key] = entry

    def put_volume(self, name: Name, comment: str | None) -> None:
        """Add a volume and make its folder."""
        with self._saved() as content:
            content.volumes[name.key] = comment
        folder = self.volume_folder(name)
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def drop(self, name: Name) -> None:
        """Forget the table, view or volume called `name`."""
        with self._saved() as content:
            for kind in (content.tables, content.views, content.volumes):
                kind.pop(name.key, None)

    def schemas(self) -> list[tuple[str, str]]:
        """All (catalog, schema), sorted."""
        keys = {*self._content.schemas, *(_schema_of(key) for key in self._shown())}
        return sorted((catalog, schema) for catalog, schema in map(json.loads, keys))

    def tables(self) -> list[Name]:
        """All tables, sorted."""
        return _names({**self._shown(), **self._content.tables})

    def views(self) -> list[Name]:
        """All views, sorted."""
        return _names(self._content.views)

    def volumes(self) -> list[Name]:
        """All volumes, sorted."""
        return _names(self._content.volumes)

    @contextmanager
    def _saved(self) -> Iterator[_Content]:
        with self._lock:
            yield self._content
            self._folder.mkdir(parents=True, exist_ok=True)
            written = self._file.with_suffix(".tmp")
            written.write_text(json.dumps(asdict(self._content), indent=1), encoding="utf-8")
            written.replace(self._file)


def _read(file: Path) -> _Content:
    if not file.exists():
        return _Content()
    raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return _Content(
        schemas=raw["schemas"],
        tables={
            key: TableEntry(**{**value, "clustered_by": tuple(value["clustered_by"])})
            for key, value in raw["tables"].items()
        },
        views={
            key: ViewEntry(
                **{
                    **value,
                    "columns": tuple(value["columns"]),
                    "fields": tuple((name, type_) for name, type_ in value.get("fields", ())),
                }
            )
            for key, value in raw["views"].items()
        },
        volumes=raw["volumes"],
    )


def _names(entries: Mapping[str, Any]) -> list[Name]:
    return sorted(Name(*json.loads(key)) for key in entries)


def _schema_key(catalog: str, schema: str) -> str:
    return json.dumps([catalog.lower(), schema.lower()])


def _schema_of(key: str) -> str:
    return json.dumps(json.loads(key)[:2])


def _file_name(part: str) -> str:
    # Quoting leaves letters, digits and "_.-~" as they are; a leading dot could climb.
    quoted = quote(part, safe="")
    return quoted.replace(".", "%2E") if quoted.startswith(".") else quoted
