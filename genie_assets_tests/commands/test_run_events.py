"""Why a run failed, in the words of whoever knew most about it."""

from collections.abc import Callable, Iterator

import dagster as dg
import pytest

from genie_assets.commands.run_events import outcome, reason
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets.settings import SettingsError


class FullError(LakehouseError):
    """A kind of its own, as gateways have them."""


def ours_over_the_engines() -> None:
    raise LakehouseError("The table cannot be written: the disk is full.") from OSError(
        "panicked at Os { code: 28 }"
    )


def derived() -> None:
    raise FullError("The disk is full.") from OSError("Os { code: 28 }")


def a_failure() -> None:
    raise dg.Failure("None of the messages could be read.", allow_retries=False) from WarehouseError("deep below")


def a_bug() -> None:
    raise KeyError("message_id")


def a_secret() -> None:
    raise SettingsError("client_secret=planted-secret-9 is wrong.")


@pytest.mark.parametrize(
    ("fail", "expected"),
    [
        (ours_over_the_engines, "The table cannot be written: the disk is full."),
        (derived, "The disk is full."),
        (a_failure, "None of the messages could be read."),
        (a_bug, "KeyError: 'message_id'"),
        (a_secret, "client_secret=[removed] is wrong."),
    ],
)
@pytest.mark.parametrize("in_resource", [False, True])
def test_what_our_code_said_wins_over_its_cause(
    fail: Callable[[], None], expected: str, in_resource: bool
) -> None:
    @dg.resource
    def thing() -> None:
        if in_resource:
            fail()

    @dg.op(required_resource_keys={"thing"})
    def step() -> None:
        fail()

    @dg.job(resource_defs={"thing": thing})
    def failing() -> None:
        step()

    done = failing.execute_in_process(raise_on_error=False)
    assert not done.success
    assert reason(done.all_events) == expected


def test_a_run_tells_its_numbers_and_its_checks() -> None:
    @dg.asset
    def stored() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"rows": 3})

    @dg.asset_check(asset=stored)
    def full() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, description="Three rows are few.")

    @dg.asset_check(asset=stored)
    def there() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    done = dg.materialize([stored, full, there])
    found = outcome(done.all_events)
    assert found.metadata["stored"]["rows"] == 3
    assert found.checks == {"full": False, "there": True}
    assert found.problems == {"full": "Three rows are few."}


def test_checks_of_one_name_on_several_tables_passed_if_all_of_them_did() -> None:
    @dg.multi_asset_check(specs=[dg.AssetCheckSpec("keys", asset=name) for name in ("a", "b", "c")])
    def keys() -> Iterator[dg.AssetCheckResult]:
        for name, passed in (("a", False), ("b", True), ("c", False)):
            yield dg.AssetCheckResult(asset_key=name, check_name="keys", passed=passed, description=f"of {name}")

    job = dg.define_asset_job("checked", selection=dg.AssetSelection.checks(keys))
    definitions = dg.Definitions(asset_checks=[keys], jobs=[job])
    told = outcome(definitions.resolve_job_def("checked").execute_in_process().all_events)
    assert told.checks == {"keys": False}
    assert told.problems == {"keys": "of a\n\nof c"}
