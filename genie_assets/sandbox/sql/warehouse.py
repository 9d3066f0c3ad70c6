"""One SQL statement from text to rows."""

import threading

import pyarrow as pa
from sqlglot import exp

from genie_assets.sandbox.sql.binding import Parameters
from genie_assets.sandbox.sql.catalog import Catalog, Session
from genie_assets.sandbox.sql.errors import unsupported
from genie_assets.sandbox.sql.rewriting import Rewriter, parse, resolve_identifiers, to_text
from genie_assets.sandbox.sql.sail import Sail
from genie_assets.sandbox.sql.volumes import Volumes


class Warehouse:
    """Runs statements, from several threads at once; those that write wait for each other."""

    def __init__(self, catalog: Catalog, volumes: Volumes, sail: Sail) -> None:
        self._catalog = catalog
        self._sail = sail
        self._rewriter = Rewriter(catalog, volumes)
        self._writing = threading.Lock()

    def run(self, statement: str, session: Session, parameters: Parameters) -> pa.Table:
        """Run one statement and return its rows.

        Raises:
            SqlError: if it cannot run.
        """
        parsed = parse(statement)
        resolve_identifiers(parsed, parameters)
        if isinstance(parsed, exp.Query):
            return self.query(parsed, session, parameters)
        raise unsupported(f"this kind of statement ({parsed.key.upper()})")

    def query(self, query: exp.Expression, session: Session, parameters: Parameters) -> pa.Table:
        """Run a query, which is changed on the way."""
        values = parameters.keep(query)
        ready = self._rewriter.rewrite(query, session, lambda sql: self._sail.columns(sql, values))
        return self._sail.query(to_text(ready), values)
