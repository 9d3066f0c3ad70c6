import dataclasses
import os
import re

import pytest

from genie_assets.settings import SettingsError, load_settings

CONNECTED = {"databricks_host": "home.cloud.databricks.com", "databricks_warehouse_id": "w1"}


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("DATABRICKS_", "GENIE_")):
            monkeypatch.delenv(name)


def test_everything_has_a_default_but_the_connection():
    settings = load_settings()
    assert settings.genie_lakehouse == ".genie/lakehouse"
    assert settings.genie_threads == 16
    with pytest.raises(SettingsError, match="DATABRICKS_HOST is not set"):
        settings.databricks()


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("GENIE_THREADS", "5")
    monkeypatch.setenv("GENIE_WORKSPACES", "")  # empty is not set, as `.env` files have it
    monkeypatch.setenv("GENIE_WORKSPACE_URLS", "12=one.cloud.databricks.com/, 34=https://two.azuredatabricks.net")
    settings = load_settings()
    assert settings.genie_threads == 5
    assert settings.genie_workspaces == ()
    assert settings.genie_workspace_urls == {
        "12": "https://one.cloud.databricks.com",
        "34": "https://two.azuredatabricks.net",
    }
    assert load_settings(genie_threads=6).genie_threads == 6


def test_an_address_may_name_its_workspace_but_no_other_one(monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "one.databricks.com?o=12")
    monkeypatch.setenv("GENIE_WORKSPACE_URLS", "34=https://one.databricks.com/?w=34")
    settings = load_settings()
    assert settings.databricks_host == "https://one.databricks.com/?o=12"
    assert settings.genie_workspace_urls == {"34": "https://one.databricks.com/?o=34"}
    monkeypatch.setenv("GENIE_WORKSPACE_URLS", "34=https://one.databricks.com/?o=12")
    with pytest.raises(SettingsError, match="GENIE_WORKSPACE_URLS gives workspace 34 the address of workspace 12"):
        load_settings()


@pytest.mark.parametrize(
    "place",
    [
        "https://us.databricks.com/1a2b?o=12",
        "us.databricks.com/sql/1.0/warehouses/1a2b?o=12",
    ],
)
def test_a_region_is_a_warehouse_at_an_address(monkeypatch, place):
    monkeypatch.setenv("GENIE_REGIONS", f"us={place}, ap-2=https://ap.databricks.com/3c4d")
    regions = load_settings().genie_regions
    assert {name: (each.url, each.warehouse_id) for name, each in regions.items()} == {
        "us": ("https://us.databricks.com/?o=12", "1a2b"),
        "ap-2": ("https://ap.databricks.com", "3c4d"),
    }


def test_a_region_that_has_the_warehouse_of_home_is_none(monkeypatch):
    """It would be shown in health, and nobody would read it."""
    monkeypatch.setenv("GENIE_REGIONS", "us=https://home.cloud.databricks.com/w2,")
    settings = load_settings(**CONNECTED, databricks_token="s3cret")
    assert settings.databricks().warehouse_id == "w1"
    monkeypatch.setenv("GENIE_REGIONS", "us=https://home.cloud.databricks.com/w1")
    with pytest.raises(SettingsError, match="GENIE_REGIONS gives the region us the warehouse of DATABRICKS_HOST"):
        load_settings(**CONNECTED, databricks_token="s3cret").databricks()


@pytest.mark.parametrize("text", ["1,2", "1 2", " 1, 2 ", "1\n2"])
def test_lists_are_separated_by_commas_or_blanks(monkeypatch, text):
    monkeypatch.setenv("GENIE_WORKSPACES", text)
    assert load_settings().genie_workspaces == ("1", "2")


@pytest.mark.parametrize(
    ("credentials", "complaint"),
    [
        ({}, "set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET .* or DATABRICKS_TOKEN"),
        ({"databricks_client_id": "id"}, "DATABRICKS_CLIENT_ID is set without DATABRICKS_CLIENT_SECRET"),
        ({"databricks_client_secret": "s3cret"}, "DATABRICKS_CLIENT_SECRET is set without DATABRICKS_CLIENT_ID"),
        ({"databricks_token": "s3cret", "databricks_client_id": "id"}, "both set: unset one"),
        ({"databricks_token": "s3cret", "databricks_client_secret": "s3cret"}, "both set: unset one"),
    ],
)
def test_there_must_be_exactly_one_way_to_log_in(credentials, complaint):
    with pytest.raises(SettingsError, match=complaint) as caught:
        load_settings(**CONNECTED, **credentials).databricks()
    assert "s3cret" not in str(caught.value)


def test_a_connection_has_a_whole_address_and_shows_no_secret():
    settings = load_settings(
        **CONNECTED, databricks_client_id="app-1", databricks_client_secret="s3cret", genie_own_principals="x"
    )
    connection = settings.databricks()
    assert connection.home_url == "https://home.cloud.databricks.com"
    assert (connection.client_secret, connection.token) == ("s3cret", None)
    assert settings.own_principals == ("x", "app-1")
    assert "s3cret" not in f"{settings!r}{settings}{connection!r}"
    assert {field.name for field in dataclasses.fields(connection) if not field.repr} == {"client_secret", "token"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GENIE_THREADS", "65"),
        ("GENIE_THREADS", "2.5"),
        ("GENIE_THREADS", "many"),
        ("GENIE_REQUESTS_PER_SECOND", "nan"),
        ("GENIE_REQUESTS_PER_SECOND", "0"),
        ("GENIE_RUN_MINUTES", "-1"),
        ("GENIE_TABLE_LAYOUT", "clustered"),
        ("GENIE_SETTLED_DAYS", "0"),
        ("DATABRICKS_HOST", "https://user:pw12@home.cloud.databricks.com"),
        ("DATABRICKS_HOST", "ftp://home"),
        ("GENIE_WORKSPACE_URLS", "https://one.cloud.databricks.com"),
        ("GENIE_WORKSPACE_URLS", "1=https://x/y?z"),
        ("GENIE_REGIONS", "https://us.cloud.databricks.com/1a2b"),
        ("GENIE_REGIONS", "us=https://us.cloud.databricks.com"),
        ("GENIE_REGIONS", "us=us.cloud.databricks.com/"),
        ("GENIE_REGIONS", "us=https://user:pw12@us.cloud.databricks.com/1a2b"),
        ("GENIE_REGIONS", "us=https://us.cloud.databricks.com/one/1a2b"),
        ("GENIE_REGIONS", "u|s=https://us.cloud.databricks.com/1a2b"),
        ("GENIE_REGIONS", "home=https://us.cloud.databricks.com/1a2b"),
        ("GENIE_REGIONS", "us=a.databricks.com/1a2b,US=b.databricks.com/1a2b"),
        ("GENIE_REGIONS", "us=a.databricks.com/1a2b,ap=https://a.databricks.com/sql/1.0/warehouses/1a2b"),
        ("GENIE_ALLOWED_HOSTS", "ftp://x"),
        ("GENIE_ALLOWED_HOSTS", "a/b"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(monkeypatch, variable, value):
    """A validation library's own report quotes the input, and with it secrets."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith(f"{variable} ")
    assert message.endswith(".")
    assert not {"pydantic", "input_value", "validation error"} & set(message.split())
    assert "\n" not in message
    assert "pw12" not in message
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_all_wrong_settings_are_told_at_once():
    with pytest.raises(SettingsError, match=r"GENIE_THREADS .*GENIE_RUN_MINUTES "):
        load_settings(genie_threads="x", genie_run_minutes="x")


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, {"DATABRICKS_HOST", "DATABRICKS_WAREHOUSE_ID", "DATABRICKS_TOKEN"}),
        (
            {"databricks_host": "https://home.cloud.databricks.com"},
            {"DATABRICKS_WAREHOUSE_ID", "DATABRICKS_TOKEN"},
        ),
        ({"databricks_token": "s3cret"}, {"DATABRICKS_HOST", "DATABRICKS_WAREHOUSE_ID"}),
    ],
)
def test_everything_that_is_missing_is_told_at_once_and_where_to_put_it(given, missing):
    """Only the first was named, without a word about .env: three attempts for three settings."""
    with pytest.raises(SettingsError) as caught:
        load_settings(**given).databricks()
    told = str(caught.value)
    named = {"DATABRICKS_HOST", "DATABRICKS_WAREHOUSE_ID", "DATABRICKS_TOKEN"}.intersection(
        re.findall(r"\w+", told)
    )
    assert named == missing
    assert ".env" in told
    assert "`genie-assets init`" in told
    assert len(told) < 500
