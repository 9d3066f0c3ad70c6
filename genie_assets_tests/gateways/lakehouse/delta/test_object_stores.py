"""The lakehouse in a bucket: its whole life, writers at once, and what is said when the store cannot be used."""

import os
import re
import socket
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.backends import get_backend
from werkzeug.wrappers import Request, Response

from genie_assets.domain.questions import Equals
from genie_assets.domain.tables import MESSAGE_DETAILS
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.lakehouse.results import MergeResult
from genie_assets_tests.gateways.lakehouse.delta.object_store import (
    BUCKET,
    KEY_ID,
    SECRET,
    Bucket,
    served_bucket,
)
from genie_assets_tests.gateways.lakehouse.examples import (
    HOSTILE_TEXTS,
    MONDAY,
    NOTES,
    TUESDAY,
    WEDNESDAY,
    authors,
    expected_rows,
    note,
    stored,
)

pytestmark = pytest.mark.slow

PASSWORD = "made-up-password"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket that the environment, and nothing else, tells how to reach."""
    forget_stores(monkeypatch)
    with served_bucket() as served:
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served


def forget_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_")):
            monkeypatch.delenv(name)


@pytest.fixture
def lake(bucket: Bucket) -> Lakehouse:
    return open_lakehouse(bucket.uri)


def test_a_table_lives_in_a_bucket_with_nothing_but_the_environments_credentials(
    lake: Lakehouse, bucket: Bucket
) -> None:
    assert not lake.exists(NOTES)
    assert lake.read(NOTES).empty
    lake.prepare(NOTES)
    rows = [note(f"a{number}", number, text=text) for number, text in enumerate(HOSTILE_TEXTS)]
    assert lake.append(NOTES, NOTES.frame(rows[:4])) == 4
    changed = {**rows[0], "text": "changed"}
    merged = lake.merge(NOTES, NOTES.frame([changed, *rows[1:]]), delete=NOTES.frame([]))
    assert merged == MergeResult(inserted=len(rows) - 4, updated=1)
    assert lake.replace_day(NOTES, TUESDAY, NOTES.frame([note("b", day=TUESDAY)]))
    assert not lake.replace_day(NOTES, TUESDAY, NOTES.frame([note("b", day=TUESDAY)]))
    expected = expected_rows(NOTES, [changed, *rows[1:], note("b", day=TUESDAY)])
    assert stored(lake, NOTES) == expected
    assert authors(lake.read(NOTES, days=[TUESDAY])) == ["b"]
    assert authors(lake.read(NOTES, where=[Equals("text", "changed")])) == ["a0"]
    version = lake.version(NOTES)
    assert lake.merge(NOTES, NOTES.frame([changed])).changed == 0
    assert lake.version(NOTES) == version
    assert stored(open_lakehouse(f"{bucket.uri}/"), NOTES) == expected
    assert all(key.startswith("team a/genie_analytics/notes/") for key in bucket.objects())


def test_maintenance_joins_a_days_files_once_and_removes_what_nothing_refers_to(
    lake: Lakehouse, bucket: Bucket
) -> None:
    for number in range(4):
        lake.append(NOTES, NOTES.frame([note(f"a{number}", day=(MONDAY, TUESDAY)[number % 2])]))
    folder = "team a/genie_analytics/notes/day=2026-03-02"
    for name in ("dead", "young"):
        bucket.client.put_object(Bucket=BUCKET, Key=f"{folder}/{name}.zstd.parquet", Body=b"PAR1")
    age(f"{folder}/dead.zstd.parquet", days=3)
    before = stored(lake, NOTES)
    first = lake.maintain(NOTES, today=TUESDAY)
    assert (first.days_compacted, first.files_before, first.files_after, first.files_vacuumed) == (1, 4, 3, 1)
    left = bucket.objects()
    assert f"{folder}/dead.zstd.parquet" not in left
    assert f"{folder}/young.zstd.parquet" in left
    assert stored(lake, NOTES) == before
    again = lake.maintain(NOTES, today=TUESDAY)
    assert again.version_before == again.version_after == first.version_after
    assert [key for key in bucket.objects() if key.endswith(".zstd.parquet")] == [
        key for key in left if key.endswith(".zstd.parquet")
    ]


def age(key: str, *, days: int) -> None:
    """Make an object old. The server has no request for that."""
    (account,) = [
        backend["global"] for backend in get_backend("s3").values() if BUCKET in backend["global"].buckets
    ]
    account.buckets[BUCKET].keys[key].last_modified = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)


def test_every_commit_may_only_create_its_file_and_the_bucket_enforces_that(
    lake: Lakehouse, bucket: Bucket
) -> None:
    """A commit that may replace a file would silently take back another writer's."""
    lake.append(NOTES, NOTES.frame([note("a")]))
    lake.merge(NOTES, NOTES.frame([note("a", text="changed"), note("b")]))
    lake.replace_day(NOTES, TUESDAY, NOTES.frame([note("c", day=TUESDAY)]))
    lake.append(NOTES, NOTES.frame([note("d")]))
    lake.maintain(NOTES, today=WEDNESDAY)
    version = lake.version(NOTES)
    assert version is not None
    assert len(bucket.commits) == version + 1
    assert all(request.creates for request in bucket.commits)
    latest = next(key for key in bucket.objects() if key.endswith(f"{version:020}.json"))
    with pytest.raises(ClientError) as refused:
        bucket.client.put_object(Bucket=BUCKET, Key=latest, Body=b"another writer's", IfNoneMatch="*")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412


@pytest.mark.parametrize("setting", ["AWS_S3_ALLOW_UNSAFE_RENAME", "AWS_S3_LOCKING_PROVIDER"])
def test_no_setting_turns_conditional_commits_off(
    lake: Lakehouse, bucket: Bucket, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guides for older versions of delta-rs tell users to set these."""
    monkeypatch.setenv(setting, "dynamodb" if setting.endswith("PROVIDER") else "true")
    lake.append(NOTES, NOTES.frame([note("a")]))
    assert [request.creates for request in bucket.commits] == [True, True]


@pytest.mark.parametrize("verb", ["append", "merge"])
def test_a_writer_that_is_overtaken_at_the_last_moment_keeps_both_writers_rows(
    lake: Lakehouse, bucket: Bucket, verb: str
) -> None:
    lake.append(NOTES, NOTES.frame([note("first")]))

    def overtake(request: Request) -> None:
        if request.method == "PUT" and request.path.endswith("_delta_log/00000000000000000002.json"):
            bucket.intercept = lambda _request: None
            open_lakehouse(bucket.uri).merge(NOTES, NOTES.frame([note("first", text="changed"), note("faster")]))

    bucket.intercept = overtake
    getattr(lake, verb)(NOTES, NOTES.frame([note("slower")]))
    assert authors(lake.read(NOTES)) == ["faster", "first", "slower"]
    assert authors(lake.read(NOTES, where=[Equals("text", "changed")])) == ["first"]
    assert Counter(request.status for request in bucket.commits) == {200: 4, 412: 1}


@pytest.mark.parametrize("verb", ["append", "merge"])
def test_a_commit_whose_answer_is_lost_is_not_doubled(lake: Lakehouse, bucket: Bucket, verb: str) -> None:
    """The bucket has stored the commit and the connection breaks: asked again, it says that the file exists."""
    lake.append(NOTES, NOTES.frame([note("first")]))

    def lose(request: Request) -> Response | None:
        if request.method != "PUT" or "_delta_log/" not in request.path:
            return None
        bucket.intercept = lambda _request: None
        key = request.path.removeprefix(f"/{BUCKET}/")
        bucket.client.put_object(Bucket=BUCKET, Key=key, Body=request.get_data())
        return Response("<Error><Code>InternalError</Code></Error>", 500)

    bucket.intercept = lose
    getattr(lake, verb)(NOTES, NOTES.frame([note("second")]))
    assert [request.status for request in bucket.commits[2:]][:3] == [200, 500, 412]
    assert authors(lake.read(NOTES)) == ["first", "second"]


# Merges rows of its own and rows that the other writer merges too, and appends some, all on one day.
WRITER = """
import sys
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.gateways.lakehouse.examples import MONDAY, NOTES, WEDNESDAY, note
lake, writer = open_lakehouse(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for commit in range(4):
    own = [note(f"w{writer}", commit * 5 + row) for row in range(5)]
    shared = [note("shared", commit * 5 + row) for row in range(5)]
    lake.merge(NOTES, NOTES.frame(own + shared))
    lake.append(NOTES, NOTES.frame([note(f"appended{writer}", commit)]))
    if writer == "0" and commit == 2:
        lake.maintain(NOTES, today=WEDNESDAY)
"""
PIPES: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)


def test_two_processes_that_write_the_same_day_lose_nothing_and_double_nothing(
    lake: Lakehouse, bucket: Bucket
) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, bucket.uri, name], text=True, **PIPES) for name in "01"
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    ends = [(writer.communicate(timeout=120)[1], writer.returncode) for writer in writers]
    assert [code for _, code in ends] == [0, 0], ends
    found = lake.read(NOTES)
    expected = [(name, number) for name in ("w0", "w1", "shared") for number in range(20)]
    expected += [(f"appended{writer}", number) for writer in (0, 1) for number in range(4)]
    assert Counter(zip(found["author"], found["number"], strict=True)) == Counter(expected)


# How the store is unusable, and what the error has to say about it.
def no_such_bucket(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    return open_lakehouse("s3://no-such-bucket/prefix")


def refused(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    said = f"<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId></Error>"
    bucket.intercept = lambda _request: Response(said, 403)
    return open_lakehouse(bucket.uri)


def http_not_allowed(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    return open_lakehouse(bucket.uri)


def nobody_there(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://somebody:{PASSWORD}@127.0.0.1:{port}")
    return open_lakehouse(bucket.uri)


def unreadable_option(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    return open_lakehouse(bucket.uri, {"virtual_hosted_style_request": SECRET})


def commits_without_condition(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    monkeypatch.setenv("AWS_CONDITIONAL_PUT", "disabled")
    return open_lakehouse(bucket.uri)


def read(lake: Lakehouse) -> None:
    lake.read(NOTES)


def append(lake: Lakehouse) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))


def maintain(lake: Lakehouse) -> None:
    lake.maintain(NOTES, today=MONDAY)


@pytest.mark.parametrize(
    ("unusable", "use", "said"),
    [
        # A bucket that does not exist must not look like an empty table.
        (no_such_bucket, read, "GENIE_LAKEHOUSE names a bucket .* does not exist (404 Not Found, NoSuchBucket)"),
        (no_such_bucket, append, "GENIE_LAKEHOUSE names a bucket .* does not exist (404 Not Found, NoSuchBucket)"),
        (refused, read, "refused the credentials.* AWS_.* (403 Forbidden, InvalidAccessKeyId)"),
        (refused, append, "refused the credentials.* AWS_.* (403 Forbidden, InvalidAccessKeyId)"),
        (refused, maintain, "refused the credentials.* AWS_.* (403 Forbidden, InvalidAccessKeyId)"),
        (http_not_allowed, read, "set AWS_ALLOW_HTTP"),
        (nobody_there, read, "the object store does not answer.*AWS_ENDPOINT_URL"),
        (unreadable_option, read, "an option of the object store cannot be used.*AWS_"),
        (commits_without_condition, append, "AWS_CONDITIONAL_PUT must not be disabled"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_store_that_cannot_be_used_is_an_error_that_names_table_and_setting_and_no_secret(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, unusable: Any, use: Any, said: str
) -> None:
    lake = unusable(bucket, monkeypatch)
    with pytest.raises(LakehouseError, match=r"^notes: ") as failure:
        use(lake)
    assert re.search(said.replace("(", r"\(").replace(")", r"\)"), str(failure.value))
    told = "".join(traceback.format_exception(failure.value))
    assert not [secret for secret in (SECRET, PASSWORD, KEY_ID) if secret in told]


@pytest.mark.parametrize(
    ("kept", "such_as"), [(".zstd.parquet", "day=2026-03-02"), ("_last_checkpoint", "_delta_log/_last_checkpoint")]
)
def test_objects_without_a_log_are_refused_in_every_use_and_stay(
    lake: Lakehouse, bucket: Bucket, kept: str, such_as: str
) -> None:
    """Taken for a table never written, it would be made anew, and maintenance would remove its rows."""
    append(lake)
    pointer = "team a/genie_analytics/notes/_delta_log/_last_checkpoint"
    bucket.client.put_object(Bucket=BUCKET, Key=pointer, Body=b'{"version":19,"size":1}')
    for key in bucket.objects():
        if kept not in key:
            bucket.client.delete_object(Bucket=BUCKET, Key=key)
    left = bucket.objects()
    assert left
    for use in (read, append, maintain):
        with pytest.raises(LakehouseError, match=f"^notes: s3://.* holds files such as '{such_as}', and no log"):
            use(open_lakehouse(bucket.uri))
    assert bucket.objects() == left


def test_an_object_that_the_log_names_and_the_bucket_lacks_is_named(lake: Lakehouse, bucket: Bucket) -> None:
    lake.append(NOTES, NOTES.frame([note("a"), note("b", day=TUESDAY)]))
    lost = next(key for key in bucket.objects() if "day=2026-03-02" in key)
    bucket.client.delete_object(Bucket=BUCKET, Key=lost)
    with pytest.raises(LakehouseError, match=f"notes: the data file {'/'.join(lost.split('/')[-2:])}, which"):
        lake.read(NOTES)
    assert authors(lake.read(NOTES, days=[TUESDAY])) == ["b"]


def test_made_up_tables_in_a_bucket_are_refused_and_none_is_made_beside_them(
    lake: Lakehouse, bucket: Bucket
) -> None:
    open_lakehouse(bucket.uri, made_up=True).prepare(MESSAGE_DETAILS)
    before = bucket.objects()
    for use in (lambda: lake.read(MESSAGE_DETAILS), lambda: lake.prepare(MESSAGE_DETAILS), lambda: append(lake)):
        with pytest.raises(LakehouseError, match=r"message_details: the table in s3://.* is made up"):
            use()
    assert bucket.objects() == before


def test_a_probe_writes_an_object_and_removes_it(lake: Lakehouse, bucket: Bucket) -> None:
    assert not lake.probe()
    assert bucket.objects() == []
    assert any(request.method == "PUT" and request.status == 200 for request in bucket.seen)
    append(lake)
    before = bucket.objects()
    assert lake.probe()
    assert bucket.objects() == before


@pytest.mark.parametrize(
    ("unusable", "said"),
    [
        (no_such_bucket, "GENIE_LAKEHOUSE names a bucket or container that does not exist"),
        (refused, "the object store refused the credentials"),
        (http_not_allowed, "the endpoint of the object store is not https"),
        (unreadable_option, "an option of the object store cannot be used"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_probe_says_why_a_store_cannot_be_written_and_no_secret(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, unusable: Any, said: str
) -> None:
    with pytest.raises(LakehouseError, match=f"^GENIE_LAKEHOUSE: {said}") as failure:
        unusable(bucket, monkeypatch).probe()
    told = "".join(traceback.format_exception(failure.value))
    assert not [secret for secret in (SECRET, PASSWORD, KEY_ID) if secret in told]


def test_credentials_that_may_only_read_fail_the_probe(lake: Lakehouse, bucket: Bucket) -> None:
    append(lake)
    bucket.intercept = lambda request: None if request.method in ("GET", "HEAD") else Response("", 403)
    assert authors(lake.read(NOTES)) == ["a"]
    with pytest.raises(LakehouseError, match=r"^GENIE_LAKEHOUSE: the object store refused the credentials"):
        lake.probe()


@pytest.mark.timeout(50)
def test_a_server_that_never_answers_is_given_up(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """delta-rs by itself would ask eleven times, which takes longer than this test may."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(LakehouseError, match="notes: the object store does not answer"):
            open_lakehouse(bucket.uri, {"timeout": "7s"}).version(NOTES)


def test_credentials_that_may_only_read_can_read_and_are_refused_when_they_write(
    lake: Lakehouse, bucket: Bucket
) -> None:
    lake.append(NOTES, NOTES.frame([note("a")]))
    bucket.intercept = lambda request: None if request.method in ("GET", "HEAD") else Response("", 403)
    assert authors(lake.read(NOTES)) == ["a"]
    for write in (lake.append, lake.merge):
        with pytest.raises(LakehouseError, match="notes: the object store refused the credentials"):
            write(NOTES, NOTES.frame([note("b")]))
    bucket.intercept = lambda _request: None
    assert authors(lake.read(NOTES)) == ["a"]


def test_a_store_that_is_busy_for_a_moment_is_asked_again(lake: Lakehouse, bucket: Bucket) -> None:
    busy = iter([Response("<Error><Code>SlowDown</Code></Error>", 503) for _ in range(3)])
    bucket.intercept = lambda _request: next(busy, None)
    lake.append(NOTES, NOTES.frame([note("a")]))
    assert authors(lake.read(NOTES)) == ["a"]
    assert [request.status for request in bucket.seen][:3] == [503] * 3


def test_a_file_is_kept_in_the_bucket_beside_the_tables(lake: Lakehouse) -> None:
    assert lake.kept_json("a.json") is None
    assert lake.keep("a.json", b'{"key": 1}').endswith("/genie_files/a.json")
    assert lake.kept_json("a.json") == {"key": 1}
    lake.keep("a.json", b"no json")
    assert lake.kept_json("a.json") is None


def test_a_table_that_is_dropped_leaves_nothing_and_others_stay(lake: Lakehouse, bucket: Bucket) -> None:
    other = replace(NOTES, name="notes_of_others")
    for table in (NOTES, other):
        lake.append(table, table.frame([note("a", 1, MONDAY)]))
    for _ in range(2):
        lake.drop(NOTES)
    assert lake.names_beginning("notes") == ["notes_of_others"]
    assert not [name for name in bucket.objects() if "/notes/" in name]
    assert len(lake.read(other)) == 1
