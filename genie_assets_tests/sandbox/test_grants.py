"""What privileges let principals do in the sandbox's SQL, and who may grant them."""

from itertools import count
from pathlib import Path

import pytest

from genie_assets_tests.sandbox.warehouse import ACCOUNT, NOON, Served
from genie_sandbox.account import ADMINISTRATOR
from genie_sandbox.sql.binding import parameters_of
from genie_sandbox.sql.catalog import Session
from genie_sandbox.sql.engine import SailEngine
from genie_sandbox.sql.privileges import Privileges, schema_of
from genie_sandbox.sql.statements import Order
from genie_sandbox.sql.volumes import ClosedVolumeError

WE = ACCOUNT.principal.application_id
_numbers = count(1)


class Place:
    """A catalog of its own with a schema, of which the administrator has made a table, a view and a volume."""

    def __init__(self, served: Served) -> None:
        self.engine = served.engine
        self.catalog = f"granted{next(_numbers)}"
        self.schema = f"{self.catalog}.s"
        for statement in (
            f"CREATE SCHEMA {self.schema}",
            f"CREATE TABLE {self.schema}.t (a INT)",
            f"INSERT INTO {self.schema}.t VALUES (1)",
            f"CREATE VIEW {self.schema}.v AS SELECT a FROM {self.schema}.t",
            f"CREATE VOLUME {self.schema}.files",
        ):
            assert self.problem(statement, ADMINISTRATOR) is None
        self.take("ALL PRIVILEGES ON CATALOG {c}")

    def problem(self, statement: str, who: str = WE) -> str | None:
        """Why a statement fails; None if it does not. `{c}` and `{s}` stand for catalog and schema."""
        text = statement.format(c=self.catalog, s=self.schema)
        job = self.engine.statements.submit(Order(text, Session(principal=who), parameters_of([])))
        job.done.result(30)
        return job.message

    def give(self, *what: str) -> None:
        for each in what:
            assert self.problem(f"GRANT {each} TO `{WE}`", ADMINISTRATOR) is None

    def take(self, *what: str) -> None:
        for each in what:
            assert self.problem(f"REVOKE {each} FROM `{WE}`", ADMINISTRATOR) is None


@pytest.fixture
def place(served: Served) -> Place:
    return Place(served)


def test_the_first_privilege_that_is_missing_is_named_from_the_outside(place: Place) -> None:
    for privilege, where in (
        ("USE CATALOG", "CATALOG {c}"),
        ("USE SCHEMA", "SCHEMA {s}"),
        ("SELECT", "TABLE {s}.t"),
    ):
        told = place.problem("SELECT a FROM {s}.t") or ""
        assert told.startswith("[INSUFFICIENT_PERMISSIONS] "), told
        assert f"does not have {privilege} on {where.split()[0].capitalize()}" in told
        place.give(f"{privilege} ON {where}")
    assert place.problem("SELECT a FROM {s}.t") is None
    place.take("USE SCHEMA ON SCHEMA {s}")
    assert "USE SCHEMA" in (place.problem("SELECT a FROM {s}.t") or "")


@pytest.mark.parametrize(
    ("statement", "privilege"),
    [
        ("INSERT INTO {s}.t VALUES (2)", "MODIFY"),
        ("DELETE FROM {s}.t WHERE a = 9", "MODIFY"),
        ("ALTER TABLE {s}.t ADD COLUMNS (b INT)", "MODIFY"),
        ("OPTIMIZE {s}.t", "MODIFY"),
        ("DESCRIBE TABLE {s}.t", "SELECT"),
        ("SELECT a FROM {s}.v", "SELECT"),
        ("CREATE TABLE {s}.t2 (a INT)", "CREATE TABLE"),
        ("CREATE VOLUME {s}.more", "CREATE VOLUME"),
        ("DROP TABLE {s}.t", "MANAGE"),
        ("DROP VOLUME {s}.files", "MANAGE"),
        ("CREATE SCHEMA {c}.s2", "CREATE SCHEMA"),
    ],
)
def test_a_statement_takes_its_privilege_wherever_it_was_granted(
    place: Place, statement: str, privilege: str
) -> None:
    place.give("USE CATALOG ON CATALOG {c}", "USE SCHEMA ON SCHEMA {s}")
    if statement.startswith("DELETE"):
        place.give("SELECT ON TABLE {s}.t")
    assert f"does not have {privilege} " in (place.problem(statement) or "")
    place.give(f"{privilege} ON CATALOG {{c}}")
    assert place.problem(statement) is None


def test_who_makes_something_may_do_everything_with_it(place: Place) -> None:
    place.give("USE CATALOG, CREATE SCHEMA ON CATALOG {c}")
    for statement in ("CREATE SCHEMA {c}.ours", "CREATE TABLE {c}.ours.t (a INT)", "DROP TABLE {c}.ours.t"):
        assert place.problem(statement) is None
    assert place.problem(f"GRANT USE SCHEMA ON SCHEMA {{c}}.ours TO `{WE}`") is None


def test_nobody_grants_what_is_not_theirs_and_nothing_to_nobody(place: Place) -> None:
    place.give("USE CATALOG, SELECT ON CATALOG {c}")
    assert "does not have MANAGE" in (place.problem(f"GRANT USE SCHEMA ON SCHEMA {{s}} TO `{WE}`") or "")
    for statement, told in {
        f"GRANT USE CATALOG ON SCHEMA {{s}} TO `{WE}`": "not applicable",
        "GRANT SELECT ON TABLE {s}.t TO `somebody else`": "[PRINCIPAL_DOES_NOT_EXIST]",
        f"GRANT SELECT ON TABLE {{s}}.nothing TO `{WE}`": "[TABLE_OR_VIEW_NOT_FOUND]",
        f"GRANT USE SCHEMA ON SCHEMA {{c}}.nothing TO `{WE}`": "[SCHEMA_NOT_FOUND]",
        f"GRANT SELECT TABLE {{s}}.t TO `{WE}`": "[PARSE_SYNTAX_ERROR]",
    }.items():
        assert told in (place.problem(statement, ADMINISTRATOR) or ""), statement


def test_only_what_may_be_used_is_shown(place: Place) -> None:
    place.give("USE CATALOG ON CATALOG {c}")
    local = place.engine.volumes.local
    path = f"/Volumes/{place.catalog}/s/files/x"
    with pytest.raises(ClosedVolumeError, match="USE SCHEMA"):
        local(path, WE, "WRITE VOLUME")
    place.give("USE SCHEMA, READ VOLUME ON SCHEMA {s}")
    assert local(path, WE, "READ VOLUME")
    with pytest.raises(ClosedVolumeError, match="WRITE VOLUME on Volume"):
        local(path, WE, "WRITE VOLUME")
    assert local(path, ADMINISTRATOR, "WRITE VOLUME")


def test_a_system_schema_that_is_not_enabled_shows_no_table_to_anybody(place: Place) -> None:
    asked = "SELECT event_id FROM system.access.audit LIMIT 1"
    place.engine.catalog.enable_system_schema("access", is_on=False)
    try:
        for who in (WE, ADMINISTRATOR):
            assert "[TABLE_OR_VIEW_NOT_FOUND]" in (place.problem(asked, who) or "")
        assert place.problem("SELECT statement_id FROM system.query.history LIMIT 1") is None
    finally:
        place.engine.catalog.enable_system_schema("access", is_on=True)
    assert place.problem(asked) is None


def test_grants_outlive_the_process_and_go_with_what_they_are_on(tmp_path: Path) -> None:
    privileges, schema = Privileges(WE, tmp_path), schema_of("c", "s")
    privileges.change(WE, schema, add=["USE SCHEMA"], take=())
    privileges.made(WE, schema_of("c", "made"))
    again = Privileges(WE, tmp_path)
    again.change(WE, next(schema.around()), add=(), take=["ALL PRIVILEGES"])
    assert again.holds(WE.upper(), "USE SCHEMA", schema)
    assert again.holds(WE, "MANAGE", schema_of("c", "made"))
    again.dropped(schema)
    assert not again.holds(WE, "USE SCHEMA", schema)
    engine = SailEngine(ACCOUNT, tmp_path, {}, NOON)
    assert not engine.catalog.privileges.holds(WE, "SELECT", schema)
