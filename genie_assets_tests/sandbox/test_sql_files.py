"""Files of the SQL warehouse, in volumes, and what outlives the engine."""

import http.client
import io
import json
from pathlib import Path

import pytest
from databricks.sdk.errors import (
    AlreadyExists,
    BadRequest,
    NotFound,
)

from genie_assets_tests.sandbox.warehouse import STAGE, Served


def test_files_are_kept_listed_and_removed(served: Served) -> None:
    files, folder = served.client.files, f"{STAGE}/files 100%"
    for name in ("a b.txt", "ü?#.txt", "z"):
        files.upload(f"{folder}/deep/{name}", io.BytesIO(name.encode()))
    with pytest.raises(AlreadyExists):
        files.upload(f"{folder}/deep/z", io.BytesIO(b"other"))
    files.upload(f"{folder}/deep/z", io.BytesIO(b"other"), overwrite=True)
    assert files.download(f"{folder}/deep/z").contents.read() == b"other"
    assert files.get_metadata(f"{folder}/deep/ü?#.txt").content_length == len("ü?#.txt".encode())
    listed = files.list_directory_contents(f"{folder}/deep", page_size=1)
    assert [(entry.path, entry.is_directory) for entry in listed] == [
        (f"{folder}/deep/{name}", False) for name in ("a b.txt", "z", "ü?#.txt")
    ]
    with pytest.raises(BadRequest):
        files.delete_directory(f"{folder}/deep")
    for name in ("a b.txt", "ü?#.txt", "z"):
        files.delete(f"{folder}/deep/{name}")
    files.delete_directory(f"{folder}/deep")
    for missing in (lambda: files.download(f"{folder}/deep/z"), lambda: files.delete(f"{folder}/deep/z")):
        with pytest.raises(NotFound):
            missing()


@pytest.mark.parametrize(
    "path",
    [
        "/Volumes/main/genie_analytics/staging/../../../catalog.json",
        "/Volumes/main/genie_analytics/staging/..%2F..%2F..%2Fcatalog.json",
        "/Volumes/main/genie_analytics/staging/%2e%2e/x",
        "/Volumes/main/../staging/x",
        "/Volumes/main/genie_analytics",
        "/Volumes/main/genie_analytics/staging//x",
        "/etc/passwd",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_path_leaves_its_volume(served: Served, method: str, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    connection.request(method, "/api/2.0/fs/files" + path, body=b"x" if method == "PUT" else None)
    answer = connection.getresponse()
    assert answer.status == 400
    assert json.loads(answer.read())["error_code"] == "INVALID_PARAMETER_VALUE"


def test_tables_views_and_files_outlive_the_engine(tmp_path: Path) -> None:
    first = Served(tmp_path)
    try:
        first.rows("CREATE TABLE t (id INT NOT NULL) CLUSTER BY (id)")
        first.rows("INSERT INTO t VALUES (7)")
        first.rows("CREATE VIEW v (number) AS SELECT id FROM t")
        first.rows("CREATE VOLUME vol")
        first.client.files.upload("/Volumes/main/default/vol/f", io.BytesIO(b"kept"))
    finally:
        first.close()
    second = Served(tmp_path)
    try:
        assert second.rows("SELECT number FROM v JOIN t ON t.id = v.number") == [["7"]]
        assert second.client.files.download("/Volumes/main/default/vol/f").contents.read() == b"kept"
        assert second.rows("SELECT count(*) FROM system.query.history") == [["300"]]  # not loaded twice
        second.rows("DROP TABLE t")
        assert second.failure("SELECT * FROM v").startswith("[TABLE_OR_VIEW_NOT_FOUND]")
    finally:
        second.close()
