"""`GENIE_PROFILE=production`: what is refused, in one sentence that names the setting, and what is not."""

import os
from pathlib import Path
from typing import Any

import pytest

from genie_assets.settings import SettingsError, load_settings

FIT: dict[str, str] = {
    "GENIE_PROFILE": "production",
    "DATABRICKS_HOST": "home.cloud.databricks.com",
    "DATABRICKS_WAREHOUSE_ID": "w1",
    "DATABRICKS_CLIENT_ID": "app-1",
    "DATABRICKS_CLIENT_SECRET": "planted-secret",
    "GENIE_LAKEHOUSE": "s3://bucket/genie",
    "GENIE_ALLOWED_HOSTS": "https://proxy.example.com:8443",
    "GENIE_WORKSPACE_URLS": "12=https://proxy.example.com:8443",
    "GENIE_ALERT_CHANNELS": "jsons://planted-secret@hooks.example.com mailto://planted-secret@example.com",
    "GENIE_ALERT_HEARTBEAT_URL": "https://watch.example.com/planted-secret",
    "GENIE_DAGSTER_URL": "http://dagster.internal:3000",
}


@pytest.fixture(autouse=True)
def fit(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("DATABRICKS_", "GENIE_", "ARM_", "AZURE_")):
            monkeypatch.delenv(name)
    for name, value in FIT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("place", ["s3://bucket/genie", "uc://main.genie", "/srv/genie"])
def test_a_service_principal_over_https_with_tables_in_one_place_is_fit(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENIE_LAKEHOUSE", place)
    assert load_settings().databricks().client_id == "app-1"


UNFIT = [
    ("DATABRICKS_TOKEN", "planted-secret", "is a personal access token"),
    ("GENIE_WRITE_TOKEN", "planted-secret", "is a personal access token"),
    ("DATABRICKS_HOST", "http://home.cloud.databricks.com", "is a plain http address"),
    ("AZURE_AUTHORITY_HOST", "http://login.example.com", "is a plain http address"),
    ("GENIE_WORKSPACE_URLS", "12=http://proxy.example.com", "gives workspace 12 a plain http address"),
    ("GENIE_REGIONS", "us=http://proxy.example.com/1a2b", "gives region us a plain http address"),
    ("GENIE_ALLOWED_HOSTS", "proxy.example.com", "holds proxy.example.com, which allows plain http"),
    ("GENIE_ALLOWED_HOSTS", "http://proxy.example.com", "holds http://proxy.example.com, which allows plain http"),
    ("GENIE_ALLOWED_HOSTS", "https://*.example.com", "which lets hosts that nobody has named see the credentials"),
    ("GENIE_LAKEHOUSE", ".genie/lakehouse", "is a relative path"),
    ("GENIE_LAKEHOUSE", None, "is a relative path"),
    ("GENIE_MADE_UP", "1", "says that the tables hold a made-up account"),
    ("GENIE_ALERT_CHANNELS", "json://planted-secret@hooks.example.com", "begins with json://"),
    ("GENIE_ALERT_HEARTBEAT_URL", "http://watch.example.com/planted-secret", "is a plain http address"),
]


@pytest.mark.parametrize(("variable", "value", "told"), UNFIT)
def test_each_unfit_setting_is_one_sentence_that_names_it_and_no_secret(
    variable: str, value: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value) if value else monkeypatch.delenv(variable)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    sentence = str(refused.value)
    assert sentence.startswith(f"{variable} ")
    assert told in sentence
    assert ", which GENIE_PROFILE=production refuses: " in sentence
    assert sentence.count("GENIE_PROFILE") == 1
    assert "planted-secret" not in sentence
    monkeypatch.setenv("GENIE_PROFILE", "development")
    load_settings()


def test_all_that_is_unfit_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "planted-secret")
    monkeypatch.delenv("GENIE_LAKEHOUSE")
    with pytest.raises(SettingsError, match=r"DATABRICKS_TOKEN .*GENIE_LAKEHOUSE "):
        load_settings()


def test_another_profile_than_these_two_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENIE_PROFILE", "prod")
    with pytest.raises(SettingsError, match=r"^GENIE_PROFILE must be development or production\.$"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"token": "planted-secret"}, "DATABRICKS_TOKEN is a personal access token"),
        ({"host": "http://home.example.com", "client_id": "a", "client_secret": "b"}, "is a plain http address"),
    ],
)
def test_what_a_profile_of_databrickscfg_says_is_refused_as_well(
    given: dict[str, Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cfg"
    lines = {"host": "https://home.cloud.databricks.com", **given}
    file.write_text("[live]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items()))
    for name in ("DATABRICKS_HOST", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "live")
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(file))
    with pytest.raises(SettingsError) as refused:
        load_settings().databricks()
    assert str(refused.value).startswith(f"The profile live of {file} cannot be used: ")
    assert told in str(refused.value)
    assert "planted-secret" not in str(refused.value)
