"""Several regions asked at once: who answers, who does not, and what the answers are together."""

import datetime as dt
import threading
from typing import Any

import pandas as pd
import pytest

from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.sql.errors import WarehouseError
from genie_assets.gateways.sql.regions import Lost, RegionLostError, Regions

DAY = dt.date(2026, 3, 2)


class Warehouse:
    """One region: answers with what it shows, or fails."""

    def __init__(self, *shown: Any) -> None:
        self.shown, self.asked = shown, 0
        self.failure: Exception | None = None

    def query(self, statement: str, parameters: Any = None) -> pd.DataFrame:
        self.asked += 1
        if self.failure:
            raise self.failure
        return pd.DataFrame({"shown": list(self.shown)})


def ask(warehouse: Any) -> pd.DataFrame:
    return warehouse.query("SELECT 1")


@pytest.fixture
def home() -> Warehouse:
    return Warehouse(1, 2)


@pytest.fixture
def us() -> Warehouse:
    return Warehouse(3)


AWAY = WarehouseError("There is no SQL warehouse x (DATABRICKS_WAREHOUSE_ID) at DATABRICKS_HOST: 404.")
NO_LOGIN = CallError(FetchError(ErrorClass.AUTH, "No login."))


def test_one_region_has_no_name_and_what_it_raises_is_raised(home: Warehouse) -> None:
    regions = Regions({"home": home})
    assert list(regions.all(ask).columns) == ["shown"]
    home.failure = AWAY
    with pytest.raises(WarehouseError):
        regions.all(ask)
    assert (regions.names, regions.unread) == ((), {})


@pytest.mark.parametrize("failure", [AWAY, NO_LOGIN])
def test_one_that_fails_is_named_and_left_out_from_then_on(
    home: Warehouse, us: Warehouse, failure: Exception
) -> None:
    regions = Regions({"home": home, "us": us})
    rows = regions.all(ask)
    assert list(zip(rows["region"], rows["shown"], strict=True)) == [("home", 1), ("home", 2), ("us", 3)]
    us.failure = failure
    assert list(regions.all(ask)["region"]) == ["home", "home"]
    assert list(regions.unread) == ["us"]
    assert "DATABRICKS_" not in regions.unread["us"], "that is another one's setting"
    us.failure = None
    regions.all(ask)
    assert us.asked == 2, "nothing says that it knows of what came in between"


def test_what_belongs_together_is_not_made_of_half_a_region(home: Warehouse, us: Warehouse) -> None:
    regions = Regions({"home": home, "us": us})
    regions.all(ask)
    us.failure = AWAY
    with pytest.raises(RegionLostError, match="us"):
        regions.all(ask, belongs_together=True)
    assert list(regions.all(ask, belongs_together=True)["region"]) == ["home", "home"]


def test_what_another_step_could_not_read_is_not_waited_for_again_unless_nothing_were_left(
    home: Warehouse, us: Warehouse
) -> None:
    told: dict[str, str] = {}
    us.failure = AWAY
    first = Regions({"home": home, "us": us}, Lost(note=told.__setitem__))
    first.all(ask)
    assert told == first.unread
    second = Regions({"home": home, "us": us}, Lost({**told, "gone": "It is no region any more."}))
    assert list(second.all(ask)["region"]) == ["home", "home"]
    assert (us.asked, second.unread) == (1, first.unread)
    third = Regions({"home": home, "us": us}, Lost({**told, "home": "It was down for a moment."}))
    assert list(third.all(ask)["region"]) == ["home", "home"]
    assert list(third.unread) == ["us"]


def test_if_none_answers_the_first_ones_failure_is_raised(home: Warehouse, us: Warehouse) -> None:
    home.failure, us.failure = AWAY, NO_LOGIN
    with pytest.raises(WarehouseError):
        Regions({"home": home, "us": us}).all(ask)
    with pytest.raises(WarehouseError):
        Regions({"home": home, "us": us}).any(ask)


def test_the_last_one_that_fails_is_told_by_its_own_setting(home: Warehouse, us: Warehouse) -> None:
    regions = Regions({"home": home, "us": us})
    home.failure = AWAY
    regions.all(ask)
    us.failure = WarehouseError("No warehouse (DATABRICKS_WAREHOUSE_ID).", condition="NO_WAREHOUSE")
    with pytest.raises(WarehouseError, match=r"^No warehouse \(GENIE_REGIONS, us\)\.$") as caught:
        regions.all(ask)
    assert caught.value.condition == "NO_WAREHOUSE"


def test_tables_that_all_regions_share_are_read_where_they_can_be(home: Warehouse, us: Warehouse) -> None:
    regions = Regions({"home": home, "us": us})
    assert (list(regions.any(ask)["shown"]), us.asked) == ([1, 2], 0)
    home.failure = AWAY
    for _ in range(2):
        assert list(regions.any(ask)["shown"]) == [3]
    assert home.asked == 2, "one that hangs is waited for once"
    assert list(regions.unread) == ["home"]


def test_regions_are_asked_at_the_same_time() -> None:
    """One after the other, each would wait for all before it, and for one that hangs."""
    both = threading.Barrier(2)

    class Slow(Warehouse):
        def query(self, statement: str, parameters: Any = None) -> pd.DataFrame:
            both.wait(30)
            return super().query(statement, parameters)

    assert len(Regions({"home": Slow(1), "us": Slow(2)}).all(ask)) == 2
