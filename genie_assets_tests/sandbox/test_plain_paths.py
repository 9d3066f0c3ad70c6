"""A demo in a folder whose name has blanks or umlauts: Sail finds no table there by itself."""

from pathlib import Path

import pytest

from genie_sandbox.sql.plain_paths import plain_path


def test_a_folder_by_its_odd_name_is_reached_by_a_plain_one(tmp_path: Path) -> None:
    for odd in ("Büro mit Leerzeichen", "a'b/ü", "100%"):
        folder = tmp_path / odd / "tables"
        folder.mkdir(parents=True)
        (folder / "x").write_text(odd)
        plain = plain_path(str(folder / "x"))
        assert plain.isascii()
        assert not {" ", "'", "%"} & set(plain)
        assert Path(plain).read_text() == odd
        assert plain_path(str(folder / "y")) == plain.removesuffix("x") + "y", "one link for all that is in it"
    assert plain_path(str(tmp_path / "x")) == str(tmp_path / "x")


@pytest.mark.long
def test_tables_in_such_a_folder_are_written_and_read(tmp_path: Path) -> None:
    from genie_assets_tests.sandbox.warehouse import Served

    served = Served(tmp_path / "Büro mit Leerzeichen")
    try:
        served.rows("CREATE TABLE main.default.t (a BIGINT)")
        served.rows("INSERT INTO main.default.t VALUES (1), (2)")
        served.rows("DELETE FROM main.default.t WHERE a = 1")
        assert served.rows("SELECT a FROM main.default.t") == [["2"]]
        assert served.rows("SELECT count(*) FROM system.access.audit")[0] != ["0"]
    finally:
        served.close()
