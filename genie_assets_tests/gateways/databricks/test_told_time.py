"""What time Databricks says it is."""

import datetime as dt
from email.utils import format_datetime

import pytest

from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.databricks.told_time import ToldTime
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets_tests.gateways.stub_server import Reply, Request, StubServer

SKEW = dt.timedelta(minutes=-7)


def test_the_time_is_that_of_good_answers_alone() -> None:
    """A portal's page has a date, too."""

    def answer(request: Request) -> Reply:
        at = dt.datetime.now(dt.UTC) + (SKEW if request.path == "/good" else 10 * SKEW)
        return Reply({}, 200 if request.path == "/good" else 404, {"Date": format_datetime(at, usegmt=True)})

    with StubServer(answer).running() as stub:
        workspaces = Workspaces(stub.url, token="dapi-0", policy=HostPolicy(["127.0.0.1"]))
        with pytest.raises(CallError):
            workspaces.home().call("GET", "/bad")
        assert workspaces.told_time.now() is None
        workspaces.http("42", stub.url).call("GET", "/good")
        with pytest.raises(CallError):
            workspaces.home().call("GET", "/bad")
        told = workspaces.told_time.now()
        assert told is not None
        assert abs(told - dt.datetime.now(dt.UTC) - SKEW) < dt.timedelta(seconds=30)


@pytest.mark.parametrize("nonsense", [None, "", "yesterday", "Mon, 99 Feb 2026 25:00:00 GMT", "\x00"])
def test_nonsense_tells_no_time(nonsense: str | None) -> None:
    told = ToldTime()
    told.heard(nonsense)
    assert told.now() is None
