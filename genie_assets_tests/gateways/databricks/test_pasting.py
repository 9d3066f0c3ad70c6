"""What copy and paste leaves in a token, a secret or an id is told at once, by name, and never shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.gateways.databricks.pasting import flaw
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.settings import SettingsError, load_settings

VALUE = "dapi0123456789abcdef"
PASTED = {
    "curly quotes": f"\u201c{VALUE}\u201d",
    "a curly quote inside": f"{VALUE}\u2019{VALUE}",
    "plain quotes": f'"{VALUE}"',
    "a zero-width space": f"{VALUE}\u200b",
    "a byte order mark": f"\ufeff{VALUE}",
    "a soft hyphen": f"dapi\u00ad{VALUE}",
    "a no-break space": f"{VALUE}\u00a0",
    "a line break": f"{VALUE}\n",
    "a line break inside": f"dapi\r\n{VALUE}",
    "a control character": f"dapi\x1b[0m{VALUE}",
    "half a character": f"dapi\ud800{VALUE}",
    "another alphabet": f"d\u0430pi{VALUE}",
}
SETTINGS = ("DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_WAREHOUSE_ID")


@pytest.mark.parametrize("value", PASTED.values(), ids=PASTED)
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_that_was_pasted_badly_is_one_sentence_that_names_it(setting, value):
    """A curly quote ended the step of all workspaces with a UnicodeEncodeError, a line break shows the token."""
    with pytest.raises(SettingsError) as caught:
        load_settings(**{setting.lower(): value})
    message = str(caught.value)
    assert message.startswith(f"{setting} holds ")
    assert message.endswith(".")
    assert "copy it again" in message
    assert message.isascii()
    assert message.isprintable()
    assert "0123456789" not in message


@pytest.mark.parametrize("value", PASTED.values(), ids=PASTED)
def test_nobody_can_connect_with_it_either(value):
    for login in (
        {"token": value},
        {"client_id": value, "client_secret": VALUE},
        {"client_id": "app", "client_secret": value},
    ):
        with pytest.raises(ValueError, match="copy it again") as caught:
            Workspaces("https://x.databricks.com", **login)
        assert "0123456789" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("GENIE_WORKSPACES", "123,456\u200b"),
        ("GENIE_WORKSPACES", "\u201c123\u201d"),
        ("GENIE_WORKSPACE_URLS", "123\u200b=https://x.databricks.com"),
        ("GENIE_OWN_PRINCIPALS", "me@example.com\u200b"),
        ("GENIE_LAKEHOUSE", "/data/lake\u200b"),
        ("GENIE_LAKEHOUSE", "/data/lake\n"),
    ],
)
def test_an_id_that_fits_nothing_is_told_instead_of_finding_nothing(monkeypatch, setting, value):
    monkeypatch.setenv(setting, value)
    with pytest.raises(SettingsError, match=f"^{setting} holds "):
        load_settings()


@pytest.mark.parametrize(
    "given_values",
    [
        {"databricks_token": VALUE},
        {"databricks_client_id": "0a1b-2c3d", "databricks_client_secret": "s/ecret+of the pri:ncipal'"[:-1]},
        {"genie_own_principals": "ann@example.com, jos\u00e9@example.com"},
        {"genie_lakehouse": "/data/M\u00fcller & S\u00f6hne/lake"},
        {"genie_workspaces": "1,2 3"},
    ],
    ids=str,
)
def test_what_is_as_it_should_be_is_taken(given_values):
    assert load_settings(**given_values)


@given(st.text())
def test_whatever_passes_can_be_sent(text):
    """In a header, and in a login that is encoded as ASCII."""
    if flaw(text) is None:
        assert f"Bearer {text}".encode("latin-1")
        assert text.isprintable()
