"""GRANT and REVOKE."""

import pyarrow as pa

from genie_sandbox.account import ADMINISTRATOR
from genie_sandbox.sql.catalog import Catalog, Name
from genie_sandbox.sql.errors import SqlError, not_found
from genie_sandbox.sql.phrases import Phrase
from genie_sandbox.sql.privileges import PRIVILEGES, Securable, catalog_of, schema_of

_KINDS = ("CATALOG", "SCHEMA", "TABLE", "VIEW", "VOLUME")


class Granter:
    """Changes what principals may do. Only an administrator, and whoever may manage a thing, is let do that."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._privileges = catalog.privileges

    def grant(self, phrase: Phrase) -> pa.Table:
        """GRANT privilege, … ON [kind] name TO principal."""
        return self._change(phrase, "TO")

    def revoke(self, phrase: Phrase) -> pa.Table:
        """REVOKE privilege, … ON [kind] name FROM principal."""
        return self._change(phrase, "FROM")

    def _change(self, phrase: Phrase, direction: str) -> pa.Table:
        wanted = _privileges(phrase)
        securable = self._securable(phrase)
        phrase.expect(direction)
        principal = ".".join(phrase.parts())
        phrase.end()
        self._refuse(phrase.session.principal, wanted, securable, principal)
        added, taken = (wanted, ()) if direction == "TO" else ((), wanted)
        self._privileges.change(principal, securable, add=added, take=taken)
        return pa.table({})

    def _refuse(self, who: str, wanted: tuple[str, ...], securable: Securable, principal: str) -> None:
        for privilege in wanted:
            if privilege not in PRIVILEGES[securable.kind]:
                raise SqlError(
                    "INVALID_PARAMETER_VALUE", f"Privilege {privilege} is not applicable to {securable}."
                )
        if not self._privileges.knows(principal):
            raise SqlError("PRINCIPAL_DOES_NOT_EXIST", f"Could not find principal with name {principal}.")
        if who.lower() != ADMINISTRATOR:
            self._privileges.require(who, "MANAGE", securable)

    def _securable(self, phrase: Phrase) -> Securable:
        kind = next((each for each in _KINDS if phrase.accept(each)), "TABLE")
        if kind == "CATALOG":
            (catalog,) = phrase.parts()
            if not any(catalog.lower() == there.partition("@")[0] for there, _ in self._catalog.schemas()):
                raise SqlError("NO_SUCH_CATALOG_EXCEPTION", f"Catalog '{catalog}' was not found.")
            return catalog_of(phrase.session.catalog_called(catalog))
        if kind == "SCHEMA":
            catalog, schema = phrase.schema()
            if not self._catalog.has_schema(catalog, schema):
                raise SqlError("SCHEMA_NOT_FOUND", f"The schema `{catalog}`.`{schema}` cannot be found.")
            return schema_of(catalog, schema)
        return self._inside(phrase.name(), kind)

    def _inside(self, name: Name, kind: str) -> Securable:
        if kind == "VOLUME":
            if self._catalog.volume_folder(name) is None:
                raise SqlError("VOLUME_NOT_FOUND", f"The volume {name} does not exist.")
            return name.securable("VOLUME")
        if self._catalog.table(name) is None and self._catalog.view(name) is None:
            raise not_found(str(name))
        return name.securable()


def _privileges(phrase: Phrase) -> tuple[str, ...]:
    found, words = [], [phrase.word()]
    while not phrase.accept("ON"):
        if phrase.accept(","):
            found.append(" ".join(words))
            words = []
        words.append(phrase.word())
    return (*found, " ".join(words))
