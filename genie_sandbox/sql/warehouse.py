"""One SQL statement from text to rows."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
from sqlglot import exp

from genie_sandbox.sql.binding import Parameters
from genie_sandbox.sql.catalog import Catalog, Session
from genie_sandbox.sql.ddl import NOTHING, Definer, drop_with_files
from genie_sandbox.sql.dml import Writer
from genie_sandbox.sql.errors import SqlError, unsupported
from genie_sandbox.sql.granting import Granter
from genie_sandbox.sql.holds import Holds
from genie_sandbox.sql.maintenance import Maintainer
from genie_sandbox.sql.phrases import Phrase
from genie_sandbox.sql.rewriting import Rewriter, parse, resolve_identifiers, to_text
from genie_sandbox.sql.sail import Sail
from genie_sandbox.sql.showing import Shower
from genie_sandbox.sql.transactions import Transactions
from genie_sandbox.sql.volumes import Volumes


class Warehouse:
    """Runs statements, from several threads at once; only those that define things wait for each other.

    Args:
        catalog: what has a name.
        volumes: where files of volumes lie.
        sail: the running engine.
        scratch: a folder for files that live as long as a statement.
        holds: where writes stand still.
    """

    def __init__(self, catalog: Catalog, volumes: Volumes, sail: Sail, scratch: Path, holds: Holds) -> None:
        self._catalog = catalog
        self._sail = sail
        self._rewriter = Rewriter(catalog, volumes)
        self._holds = holds
        transactions = Transactions(scratch, holds)
        self._writer = Writer(catalog, self._rewriter, sail, transactions, scratch)
        self._definer = Definer(catalog, self._rewriter, sail, transactions)
        self._maintainer = Maintainer(catalog, transactions)
        self._shower = Shower(catalog)
        self._granter = Granter(catalog)
        self._defining = threading.Lock()

    def run(self, statement: str, session: Session, parameters: Parameters, tag: str) -> pa.Table:
        """Run one statement and return its rows. `interrupt` with the same `tag` breaks it off.

        Raises:
            SqlError: if it cannot run.
        """
        with self._sail.tagged(tag), self._holds.tagged(tag):
            return self._run(statement, session, parameters)

    def interrupt(self, tag: str) -> None:
        """Break off the statement that runs under `tag`; a write may already be done."""
        self._holds.interrupt(tag)
        self._sail.interrupt(tag)

    def _run(self, statement: str, session: Session, parameters: Parameters) -> pa.Table:
        phrase = Phrase(statement, session, parameters)
        for words, defines, run in self._phrases():
            if phrase.accept(*words):
                with self._defining if defines else nullcontext():
                    return run(phrase)
        parsed = parse(statement)
        resolve_identifiers(parsed, parameters)
        if isinstance(parsed, exp.Query):
            return self._query(parsed, session, parameters)
        return self._write(parsed, session, parameters)

    def _phrases(self) -> list[tuple[tuple[str, ...], bool, Callable[[Phrase], pa.Table]]]:
        """Statements by their first words; whether they define something; what runs them."""
        return [
            (("OPTIMIZE",), False, self._maintainer.optimize),
            (("VACUUM",), False, self._maintainer.vacuum),
            (("DESCRIBE", "HISTORY"), False, self._maintainer.history),
            (("DESC", "HISTORY"), False, self._maintainer.history),
            (("DESCRIBE", "DETAIL"), False, self._maintainer.detail),
            (("DESC", "DETAIL"), False, self._maintainer.detail),
            (("DESCRIBE",), False, self._shower.describe),
            (("DESC",), False, self._shower.describe),
            (("SHOW",), False, self._shower.show),
            (("GRANT",), True, self._granter.grant),
            (("REVOKE",), True, self._granter.revoke),
            (("CREATE", "VOLUME"), True, self._create_volume),
            (("DROP", "VOLUME"), True, self._drop_volume),
        ]

    def _query(self, query: exp.Expression, session: Session, parameters: Parameters) -> pa.Table:
        values = parameters.keep(query)
        ready = self._rewriter.rewrite(query, session, lambda sql: self._sail.columns(sql, values))
        return self._sail.query(to_text(ready), values)

    def _write(self, statement: exp.Expression, session: Session, parameters: Parameters) -> pa.Table:
        match statement:
            case exp.Merge() | exp.Update() | exp.Delete():
                return self._writer.change(statement, session, parameters)
            case exp.Insert():
                return self._writer.insert(statement, session, parameters)
            case exp.TruncateTable():
                return self._writer.truncate(statement, session)
        with self._defining:
            return self._define(statement, session, parameters)

    def _define(self, statement: exp.Expression, session: Session, parameters: Parameters) -> pa.Table:
        match statement:
            case exp.Create():
                return self._definer.create(
                    statement, session, parameters, lambda query: self._query(query, session, parameters)
                )
            case exp.Drop():
                return self._definer.drop(statement, session)
            case exp.Alter():
                return self._definer.alter(statement, session)
            case exp.Comment():
                return self._definer.comment(statement, session)
        raise unsupported(f"this kind of statement ({statement.key.upper()})")

    def _create_volume(self, phrase: Phrase) -> pa.Table:
        if_not_exists = phrase.accept("IF", "NOT", "EXISTS")
        name = phrase.name()
        comment = phrase.string() if phrase.accept("COMMENT") else None
        phrase.end()
        self._catalog.require_creating(phrase.session, name, "VOLUME")
        if self._catalog.volume_folder(name) is None:
            self._catalog.put_volume(name, comment)
            self._catalog.privileges.made(phrase.session.principal, name.securable("VOLUME"))
        elif not if_not_exists:
            raise SqlError("VOLUME_ALREADY_EXISTS", f"Cannot create volume {name}: it already exists.")
        return NOTHING

    def _drop_volume(self, phrase: Phrase) -> pa.Table:
        if_exists = phrase.accept("IF", "EXISTS")
        name = phrase.name()
        phrase.end()
        if self._catalog.volume_folder(name) is not None:
            self._catalog.require(phrase.session, "MANAGE", name, "VOLUME")
            drop_with_files(self._catalog, name)
        elif not if_exists:
            raise SqlError("VOLUME_NOT_FOUND", f"The volume {name} does not exist.")
        return NOTHING
