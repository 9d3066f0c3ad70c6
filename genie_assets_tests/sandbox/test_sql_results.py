"""Results of the SQL warehouse: chunks, links, limits, and statements that take their time."""

import time

import pytest
import requests
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    ResourceDoesNotExist,
)
from databricks.sdk.service.sql import (
    Disposition,
    ExecuteStatementRequestOnWaitTimeout,
    Format,
    StatementState,
)

from genie_assets_tests.sandbox.warehouse import Served


def test_a_result_is_read_in_chunks(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.engine.limits, "chunk_bytes", 400)
    response = served.execute("SELECT statement_id FROM system.query.history ORDER BY start_time")
    assert response.manifest.total_chunk_count > 3
    rows, following = list(response.result.data_array), response.result.next_chunk_index
    while following is not None:
        chunk = served.client.statement_execution.get_statement_result_chunk_n(response.statement_id, following)
        assert chunk.row_offset == len(rows)
        rows += chunk.data_array
        following = chunk.next_chunk_index
    assert rows == [[f"st{number}"] for number in range(300)]


def test_an_inline_result_has_a_limit_that_links_do_not_have(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.engine.limits, "inline_bytes", 1000)
    monkeypatch.setattr(served.engine.limits, "chunk_bytes", 2000)
    query = "SELECT statement_id FROM system.query.history ORDER BY start_time"
    assert "EXTERNAL_LINKS" in served.failure(query)
    response = served.execute(query, disposition=Disposition.EXTERNAL_LINKS, format=Format.JSON_ARRAY)
    rows: list[list[str]] = []
    link = response.result.external_links[0]
    while True:
        rows += requests.get(link.external_link, timeout=5).json()
        if link.next_chunk_index is None:
            break
        chunk = served.client.statement_execution.get_statement_result_chunk_n(
            response.statement_id, link.next_chunk_index
        )
        link = chunk.external_links[0]
    assert rows == [[f"st{number}"] for number in range(300)]


def test_a_link_refuses_credentials_and_expires(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"disposition": Disposition.EXTERNAL_LINKS, "format": Format.JSON_ARRAY}
    link = served.execute("SELECT 1", **options).result.external_links[0].external_link
    assert requests.get(link, headers={"Authorization": "Bearer any"}, timeout=5).status_code == 400
    assert requests.get(link, timeout=5).json() == [["1"]]
    monkeypatch.setattr(served.engine.limits, "link_seconds", 0.0)
    expired = served.execute("SELECT 1", **options).result.external_links[0].external_link
    assert requests.get(expired, timeout=5).status_code == 403


def test_limits_cut_a_result_and_say_so(served: Served) -> None:
    query = "SELECT statement_id FROM system.query.history ORDER BY start_time"
    cut = served.execute(query, row_limit=2)
    assert (cut.result.data_array, cut.manifest.truncated) == ([["st0"], ["st1"]], True)
    whole = served.execute(query, row_limit=300)
    assert (whole.manifest.total_row_count, whole.manifest.truncated) == (300, False)
    assert 0 < served.execute(query, byte_limit=100).manifest.total_byte_count <= 100


SLOW = "SELECT count(*) FROM range(300000) AS a CROSS JOIN range(300000) AS b WHERE concat(a.id, '-', b.id) = 'x'"


def test_a_statement_is_polled_and_cancelled(served: Served) -> None:
    """A cancelled statement must not go on using the engine, or the next ones wait behind it."""
    response = served.execute(SLOW, wait_timeout="0s")
    assert response.status.state is StatementState.PENDING
    api = served.client.statement_execution
    while api.get_statement(response.statement_id).status.state is StatementState.PENDING:
        time.sleep(0.02)
    assert api.get_statement(response.statement_id).status.state is StatementState.RUNNING
    api.cancel_execution(response.statement_id)
    assert api.get_statement(response.statement_id).status.state is StatementState.CANCELED
    began_at = time.monotonic()
    assert served.rows("SELECT 1") == [["1"]]
    assert time.monotonic() - began_at < 3


def test_a_statement_is_cancelled_when_waiting_for_it_times_out(served: Served) -> None:
    cancel = ExecuteStatementRequestOnWaitTimeout.CANCEL
    response = served.execute(SLOW, wait_timeout="5s", on_wait_timeout=cancel)
    assert response.status.state is StatementState.CANCELED


def test_requests_that_make_no_sense_are_refused(served: Served) -> None:
    with pytest.raises(ResourceDoesNotExist):
        served.execute("SELECT 1", warehouse_id="0" * 16)
    with pytest.raises(InvalidParameterValue):
        served.execute("SELECT 1", warehouse_id="my warehouse")
    with pytest.raises(InvalidParameterValue):
        served.execute("SELECT 1", wait_timeout="3s")
    with pytest.raises(InvalidParameterValue):
        served.execute("SELECT 1", format=Format.CSV)
    with pytest.raises(InvalidParameterValue, match="scalar"):
        served.execute("SELECT :a", given={"a": ("ARRAY<INT>", "[1]")})
    with pytest.raises(NotFound):
        served.client.statement_execution.get_statement("01f0aa22-1111-1222-9333-444455556666")


def test_old_statements_are_forgotten(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"disposition": Disposition.EXTERNAL_LINKS, "format": Format.JSON_ARRAY}
    first = served.execute("SELECT 1", **options)
    old, link = first.statement_id, first.result.external_links[0].external_link
    monkeypatch.setattr(served.engine.limits, "remembered_statements", 2)
    new = [served.execute("SELECT 1").statement_id for _ in range(3)][-1]
    with pytest.raises(NotFound):
        served.client.statement_execution.get_statement(old)
    assert requests.get(link, timeout=5).status_code == 403
    assert served.client.statement_execution.get_statement(new).status.state is StatementState.SUCCEEDED
