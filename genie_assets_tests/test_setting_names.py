"""Names that are nearly a setting's are found, whatever letter is wrong; other names are no mistake."""

import logging

import pytest

from genie_assets.definitions import build_defs
from genie_assets.setting_names import UnknownName, unknown_names
from genie_assets.settings import Settings


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("GENIE_WORKSPACE", "GENIE_WORKSPACES"),
        ("GENIE_LAKE_HOUSE", "GENIE_LAKEHOUSE"),
        ("GENIE_REQEUSTS_PER_SECOND", "GENIE_REQUESTS_PER_SECOND"),
        ("genie_alert_chanels", "GENIE_ALERT_CHANNELS"),
        ("GENIE_PROXY", None),
        ("GENIE_", None),
    ],
)
def test_a_name_that_is_no_settings_is_found_with_the_one_that_it_may_mean(
    written: str, meant: str | None
) -> None:
    assert list(unknown_names(["PATH", written])) == [UnknownName(written, meant)]


def test_every_setting_is_known_and_what_our_commands_tell_each_other() -> None:
    names = [field.upper() for field in Settings.model_fields]
    assert list(unknown_names([*names, *map(str.lower, names), "GENIE_REPORT_URL"])) == []


def test_the_code_location_logs_such_a_name_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GENIE_SETLED_DAYS", "secret")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            build_defs()
    (told,) = [each.getMessage() for each in caplog.records if "GENIE_" in each.getMessage()]
    assert told.endswith("is GENIE_SETTLED_DAYS meant?")
    assert "secret" not in caplog.text
