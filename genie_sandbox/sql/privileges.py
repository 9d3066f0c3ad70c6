"""Privileges in Unity Catalog: who may do what with a catalog, a schema, a table or a volume.

What is granted on a catalog or a schema holds for all that is in it, what is in it or will be; to be allowed
something in a place also takes USE CATALOG and USE SCHEMA on the way to it. At the start the principal of the
account has ALL PRIVILEGES on every catalog, until somebody changes that of one of them.
"""

import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from genie_sandbox.account import ADMINISTRATOR
from genie_sandbox.files import replace_text
from genie_sandbox.sql.errors import SqlError

ALL = "ALL PRIVILEGES"
_OF_TABLES, _OF_VOLUMES = frozenset({"SELECT", "MODIFY"}), frozenset({"READ VOLUME", "WRITE VOLUME"})
_OF_SCHEMAS = _OF_TABLES | _OF_VOLUMES | {"USE SCHEMA", "CREATE TABLE", "CREATE VOLUME"}
# What can be granted on what. `MANAGE` is that of whoever made it, and here part of all privileges.
PRIVILEGES = {
    "CATALOG": _OF_SCHEMAS | {ALL, "USE CATALOG", "CREATE SCHEMA", "MANAGE"},
    "SCHEMA": _OF_SCHEMAS | {ALL, "MANAGE"},
    "TABLE": _OF_TABLES | {ALL, "MANAGE"},
    "VOLUME": _OF_VOLUMES | {ALL, "MANAGE"},
}


@dataclass(frozen=True)
class Securable:
    """A thing with privileges. `kind` is a key of PRIVILEGES; views count as tables. `parts` are lower case."""

    kind: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        shown = (self.parts[0].partition("@")[0], *self.parts[1:])
        return f"{self.kind.capitalize()} '{'.'.join(shown)}'"

    def around(self) -> Iterator["Securable"]:
        """The catalog and the schema that it is in, from the outside."""
        for kind, length in (("CATALOG", 1), ("SCHEMA", 2)):
            if length < len(self.parts):
                yield Securable(kind, self.parts[:length])


def schema_of(catalog: str, schema: str) -> Securable:
    """A schema; of a system schema there is one in each region."""
    return Securable("SCHEMA", (catalog.lower(), schema.lower()))


def catalog_of(catalog: str) -> Securable:
    """A catalog."""
    return Securable("CATALOG", (catalog.lower(),))


class Privileges:
    """Who holds what. The administrator may do everything. Methods may be called from any thread.

    Args:
        principal: The application id of the account's principal.
        folder: Where grants outlive this process.
    """

    def __init__(self, principal: str, folder: Path) -> None:
        self._principal = principal
        self._file = folder / "grants.json"
        self._lock = threading.Lock()
        self._held: dict[tuple[str, Securable], frozenset[str]] = {}
        self._owners: dict[Securable, str] = {}
        if self._file.exists():
            self._load()

    def knows(self, principal: str) -> bool:
        """Whether anything can be granted to somebody of that name; application ids know no case."""
        return principal.lower() in {self._principal.lower(), ADMINISTRATOR}

    def require(self, principal: str, privilege: str, securable: Securable) -> None:
        """See that a principal may do something, and may go where it is.

        Raises:
            SqlError: naming the first privilege that is missing, from the outside.
        """
        self.require_way(principal, securable)
        self._require(principal, privilege, securable)

    def require_way(self, principal: str, securable: Securable) -> None:
        """See that a principal may use the catalog and the schema that something is in.

        Raises:
            SqlError: naming the first privilege that is missing, from the outside.
        """
        for place in securable.around():
            self._require(principal, f"USE {place.kind}", place)

    def _require(self, principal: str, privilege: str, securable: Securable) -> None:
        if not self.holds(principal, privilege, securable):
            raise SqlError(
                "INSUFFICIENT_PERMISSIONS",
                f"Insufficient privileges: User does not have {privilege} on {securable}. SQLSTATE: 42501",
            )

    def holds(self, principal: str, privilege: str, securable: Securable) -> bool:
        """Whether a principal holds a privilege on something, or on what it is in, or made one of them."""
        if principal.lower() == ADMINISTRATOR:
            return True
        for each in (*securable.around(), securable):
            held = self._of(principal, each)
            if privilege in held or ALL in held or self._owners.get(each) == principal.lower():
                return True
        return False

    def _of(self, principal: str, securable: Securable) -> frozenset[str]:
        found = self._held.get((principal.lower(), securable))
        if found is None:
            begins = securable.kind == "CATALOG" and principal.lower() == self._principal.lower()
            found = frozenset({ALL} if begins else ())
        return found

    def change(self, principal: str, securable: Securable, *, add: Iterable[str], take: Iterable[str]) -> None:
        """Grant and revoke. To revoke what was not granted changes nothing, as ALL PRIVILEGES is one by itself."""
        with self._lock:
            now = (self._of(principal, securable) | {*add}) - {*take}
            self._held[principal.lower(), securable] = now
            self._save()

    def made(self, principal: str, securable: Securable) -> None:
        """Note who made something, and so may do everything with it."""
        if principal.lower() != ADMINISTRATOR:
            with self._lock:
                self._owners[securable] = principal.lower()
                self._save()

    def dropped(self, *securables: Securable) -> None:
        """Forget what was granted on things that are gone."""
        with self._lock:
            gone = {*securables}
            self._owners = {one: who for one, who in self._owners.items() if one not in gone}
            self._held = {key: held for key, held in self._held.items() if key[1] not in gone}

    def _save(self) -> None:
        held = [[who, one.kind, one.parts, sorted(what)] for (who, one), what in self._held.items()]
        owners = [[one.kind, one.parts, who] for one, who in self._owners.items()]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        replace_text(self._file, json.dumps({"held": held, "owners": owners}))

    def _load(self) -> None:
        kept = json.loads(self._file.read_text(encoding="utf-8"))
        self._held = {
            (who, Securable(kind, tuple(parts))): frozenset(what) for who, kind, parts, what in kept["held"]
        }
        self._owners = {Securable(kind, tuple(parts)): who for kind, parts, who in kept["owners"]}
