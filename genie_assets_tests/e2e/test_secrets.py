"""No credential shows up anywhere, whatever servers and proxies answer, and however much is logged."""

import base64
import datetime as dt
import json
import os
import re
import sqlite3
import subprocess
import sys
import traceback
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, quote_plus

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

from genie_assets.commands.running import RunFailedError, Runner
from genie_assets.definitions import build_defs
from genie_assets.domain.tables import GENIE_SPACE_DETAILS, MESSAGE_FETCH_ERRORS, records
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.scrubbing import REMOVED
from genie_assets_tests.e2e.pipelines import forget_settings, recent_anchor, sandbox_of
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

pytestmark = pytest.mark.slow

# Of no known form, so that nothing but knowing them gives them away; the token is spelled differently in URLs.
SECRET, TOKEN = "planted-secret-of-ours", "planted/token+of=ours"
# Tokens that the sandbox gave out for the secret.
MINTED = re.compile(rb"(?i)(?:bearer\s+|access_token\W{1,5})[a-z0-9_-]{40}")
# Everything that anything logs ends up in the event log.
LOUD = """
telemetry: {enabled: false}
python_logs: {managed_python_loggers: [root], python_log_level: DEBUG}
"""


@pytest.fixture(scope="module")
def account() -> Account:
    made = generate_uniform(
        seed=13, anchor=recent_anchor(), conversations=60, messages_per_conversation=2, days=2, workspaces=2
    )
    return replace(made, principal=replace(made.principal, client_secret=SECRET, token=TOKEN))


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


def spellings(secret: str) -> set[bytes]:
    return {one.encode() for one in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1])}


def places_of(needles: set[bytes], folder: Path) -> list[str]:
    """Every file below `folder` that holds a needle or a token, packed or not."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            texts = [path.read_bytes(), *unpacked(path)]
            if any(needle in text for needle in needles for text in texts) or any(map(MINTED.search, texts)):
                found.append(str(path.relative_to(folder)))
    return found


def unpacked(path: Path) -> Iterator[bytes]:
    if path.suffix == ".parquet":
        yield json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False).encode()
    elif path.read_bytes().startswith(b"SQLite format 3"):
        with sqlite3.connect(path) as database:
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    yield from map(_inflated, row)


def _inflated(value: object) -> bytes:
    if not isinstance(value, bytes):
        return str(value).encode()
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def test_the_search_finds_what_is_packed(tmp_path):
    """Guards the tests below."""
    pq.write_table(pa.table({"a": [f"x{SECRET}x"] * 1000}), tmp_path / "a.parquet")
    with sqlite3.connect(tmp_path / "b.db") as database:
        database.execute("CREATE TABLE t (snapshot BLOB)")
        database.execute("INSERT INTO t VALUES (?)", [zlib.compress(f"text {SECRET} ".encode() * 100)])
    (tmp_path / "c.txt").write_text("{'Authorization': 'Bearer " + "a1" * 20 + "'}")
    (tmp_path / "d.txt").write_text("token bearer of bad news")
    database.close()
    assert sorted(places_of(spellings(SECRET), tmp_path)) == ["a.parquet", "b.db", "c.txt"]


def leaks(credential: str) -> list[dict[str, object]]:
    """Answers that repeat the credential, in the shapes in which servers and proxies fail, or are broken."""
    echo = (
        f"rejected GET with Authorization: Bearer {credential} and client_secret={credential}; again {credential}"
    )
    shapes: list[dict[str, object]] = [
        {"status": status, "body": body, "message": echo, "effect": "status"}
        for status, body in (
            (502, "text"),
            (503, "html"),
            (500, "json"),
            (401, "json"),
            (401, "text"),
            (403, "text"),
            (400, "html"),
            (302, "html"),
            (404, "text"),
        )
    ]
    return [
        *shapes,
        {"effect": "status", "status": 500, "body": "unparseable"},
        {"effect": "truncate"},
        {"effect": "non_json"},
    ]


@pytest.mark.parametrize("login", ["token", "secret"])
def test_no_credential_is_stored_logged_shown_or_raised(login, sandbox, account, tmp_path, monkeypatch, capfd):
    credential = TOKEN if login == "token" else SECRET
    basic = base64.b64encode(f"{quote_plus(sandbox.client_id)}:{quote_plus(SECRET)}".encode())
    needles = spellings(credential) | {basic}
    settings = sandbox.environment()
    if login == "token":
        del settings["DATABRICKS_CLIENT_ID"], settings["DATABRICKS_CLIENT_SECRET"]
        settings["DATABRICKS_TOKEN"] = TOKEN
    forget_settings(monkeypatch)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GENIE_LAKEHOUSE", str(tmp_path / "lakehouse"))
    monkeypatch.setenv("DATABRICKS_DEBUG_HEADERS", "true")
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(LOUD, encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(home))

    sandbox.clear_faults()
    day = dt.date.fromisoformat(account.first_day)
    broken = list(dict.fromkeys(one.conversation_id for one in account.messages))
    answers = leaks(credential)
    spaces = [one.space_id for one in account.spaces]
    sandbox.faults(
        *(answer | {"conversation_id": one} for answer, one in zip(answers, broken, strict=False)),
        *(answer | {"route": "get_space", "space_id": one} for answer, one in zip(answers, spaces, strict=False)),
        answers[0] | {"route": "list_spaces"},
    )
    done = subprocess.run(
        [Path(sys.executable).parent / "genie-assets", "load", "--from", day.isoformat(), "--to", day.isoformat()],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        timeout=300,
        check=False,
    )
    (tmp_path / "load.txt").write_bytes(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    lake = open_lakehouse(str(tmp_path / "lakehouse"))
    for table in (MESSAGE_FETCH_ERRORS, GENIE_SPACE_DETAILS):
        texts = [row.get("error_message") or row.get("api_fetch_error") or "" for row in records(lake.read(table))]
        # Otherwise nothing was ever there to be removed.
        assert any(REMOVED in text for text in texts), texts
    classes = {row["error_class"] for row in records(lake.read(MESSAGE_FETCH_ERRORS))}
    assert classes >= {"SERVER", "AUTH", "PERMISSION", "NOT_FOUND", "CONFIG", "BAD_PAYLOAD", "BAD_REFERENCE"}

    raised = failures_of_the_warehouse(sandbox, answers, home, day)
    assert raised
    (tmp_path / "raised.txt").write_text("\n".join(raised), encoding="utf-8")
    (tmp_path / "definitions.txt").write_text(snapshot(), encoding="utf-8")
    shown = capfd.readouterr()
    (tmp_path / "shown.txt").write_text(shown.out + shown.err, encoding="utf-8")
    assert places_of(needles, tmp_path) == []


def failures_of_the_warehouse(
    sandbox: SandboxProcess, answers: list[dict[str, object]], home: Path, day: dt.date
) -> list[str]:
    """What runs raise and log when the warehouse itself answers so: short texts and whole tracebacks."""
    raised = []
    runner = Runner(home)
    for answer in answers[:2]:
        sandbox.clear_faults()
        sandbox.faults(answer | {"route": "statements"})
        with pytest.raises(RunFailedError) as failed:
            runner.run("genie_daily", day)
        raised.append(str(failed.value))
        job = build_defs().resolve_job_def("genie_daily")
        with dg.DagsterInstance.from_config(str(home)) as instance, pytest.raises(Exception) as full:  # noqa: PT011
            job.execute_in_process(instance=instance, partition_key=day.isoformat())
        raised.append("".join(traceback.format_exception(full.value)))
    runner.close()
    return raised


def snapshot() -> str:
    """The definitions as the webserver gets them."""
    repository = build_defs().get_repository_def()
    return dg.serialize_value(RepositorySnap.from_def(repository, defer_snapshots=False))
