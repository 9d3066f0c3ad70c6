"""Profiles of `.databrickscfg`: real files, and a run that logs in with what one of them says."""

import datetime as dt
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from genie_assets.domain.tables import MESSAGE_DETAILS
from genie_assets.settings import SettingsError, load_settings
from genie_assets_tests.e2e.pipelines import Pipeline, forget_settings, point_at, recent_anchor, sandbox_of
from genie_sandbox.account import Account
from genie_sandbox.client import SandboxProcess
from genie_sandbox.made_up.uniform import generate_uniform

LOGIN = ("DATABRICKS_HOST", "DATABRICKS_WAREHOUSE_ID", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET")
SECRET = "planted-secret"
FILE = f"""
[DEFAULT]
host = https://default.cloud.databricks.com
token = {SECRET}-of-default

[live]
host          = https://live.cloud.databricks.com/
warehouse_id  = wh-live
client_id     = app-live
client_secret = {SECRET}%of-live
serverless_compute_id = auto

[azure]
host = https://adb-1.azuredatabricks.net
azure_client_id = app-azure
azure_client_secret = {SECRET}-of-azure
azure_tenant_id = tenant

[both]
host = https://both.cloud.databricks.com
token = {SECRET}-token
client_id = app-both
client_secret = {SECRET}-of-both

[chosen]
host = https://both.cloud.databricks.com
token = {SECRET}-token
client_id = app-both
client_secret = {SECRET}-of-both
auth_type = oauth-m2m

[person]
host = https://person.cloud.databricks.com
auth_type = databricks-cli

[half]
client_id = app-half

[google]
host = https://person.gcp.databricks.com
google_service_account = genie@project.iam

[az]
host = https://person.azuredatabricks.net
auth_type = azure-cli

[indented]
host = https://live.cloud.databricks.com
  client_id = app-indented
  client_secret = {SECRET}

[pasted]
host = https://live.cloud.databricks.com
token = "{SECRET}"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    forget_settings(monkeypatch)
    path = tmp_path / "databrickscfg"
    path.write_text(FILE)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(path))
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "wh-set")
    return path


def test_a_profile_tells_what_is_not_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "live")
    found = load_settings().databricks()
    assert (found.home_url, found.warehouse_id) == ("https://live.cloud.databricks.com", "wh-set")
    assert (found.client_id, found.client_secret, found.token) == ("app-live", f"{SECRET}%of-live", None)
    monkeypatch.delenv("DATABRICKS_WAREHOUSE_ID")
    assert load_settings().databricks().warehouse_id == "wh-live"
    assert SECRET not in repr(load_settings().databricks())


def test_without_a_name_it_is_the_default_one_and_nothing_of_it_is_in_another(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().databricks().token == f"{SECRET}-of-default"
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "azure")
    found = load_settings().databricks()
    assert (found.token, found.tenant_id, found.client_id) == (None, "tenant", "app-azure")
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "chosen")
    assert load_settings().databricks().token is None


def test_the_file_of_the_home_folder_is_read_for_a_profile_that_is_named_and_for_no_other(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    file.rename(file.with_name(".databrickscfg"))
    monkeypatch.delenv("DATABRICKS_CONFIG_FILE")
    with pytest.raises(SettingsError, match="DATABRICKS_HOST is not set"):
        load_settings().databricks()
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "live")
    assert load_settings().databricks().client_id == "app-live"


def test_a_login_that_is_set_wins_and_then_the_file_need_not_even_be_there(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "live")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-set")
    found = load_settings().databricks()
    assert (found.home_url, found.token, found.client_id) == (
        "https://live.cloud.databricks.com",
        "dapi-set",
        None,
    )
    monkeypatch.setenv("DATABRICKS_HOST", "https://set.cloud.databricks.com")
    file.unlink()
    assert load_settings().databricks().home_url == "https://set.cloud.databricks.com"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nobody", "has no profile nobody: see DATABRICKS_CONFIG_PROFILE."),
        ("both", "holds several ways to log in (pat, oauth-m2m): say which one is meant as its auth_type."),
        ("person", "logs in in a way (auth_type) that runs cannot use: let it hold client_id and client_secret"),
        ("az", "logs in in a way (auth_type) that runs cannot use: let it hold client_id and client_secret"),
        ("google", "does not tell it either: what is read of one are host, warehouse_id, and client_id"),
        ("indented", "has an indented line after its host: let every line of it begin at the margin."),
        ("half", "DATABRICKS_CLIENT_ID is set without DATABRICKS_CLIENT_SECRET"),
        ("pasted", "cannot be used: DATABRICKS_TOKEN "),
    ],
)
def test_a_profile_that_cannot_be_used_is_one_sentence_without_a_secret(
    name: str, told: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", name)
    with pytest.raises(SettingsError) as refused:
        load_settings().databricks()
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)
    assert refused.value.__context__ is None


def test_the_mark_that_editors_of_windows_put_first_is_no_part_of_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(b"\xef\xbb\xbf[live]\r\nhost = https://live.cloud.databricks.com\r\ntoken = dapi-live\r\n")
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "live")
    assert load_settings().databricks().token == "dapi-live"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "there is no such file"),
        (f"token = {SECRET}", "it is not written as an INI file"),
        (f"[live]\n{SECRET}", "it is not written as an INI file"),
        (f"[live]\nhost = a\nhost = {SECRET}", "line 3 says again what its profile says already"),
        (f"[live]\nhost = a\n[live]\ntoken = {SECRET}", "line 3 names a profile that is there already"),
        (f"[live]\ntoken = {SECRET}".encode("utf-16"), "it is not text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence_without_a_word_of_it(
    text: str | bytes | None, why: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "live")
    file.unlink()
    if text is not None:
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SettingsError) as refused:
        load_settings().databricks()
    assert str(refused.value).startswith(f"{file} cannot be read for the profile live ({why}): see ")
    assert SECRET not in str(refused.value)
    assert refused.value.__context__ is None


@pytest.fixture(scope="module")
def account() -> Account:
    return generate_uniform(
        seed=3, anchor=recent_anchor(), conversations=3, messages_per_conversation=2, days=1, workspaces=1
    )


@pytest.fixture(scope="module")
def sandbox(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_of(account, tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("login", ["service principal", "token"])
def test_a_day_is_loaded_with_the_login_of_a_profile_and_it_is_logged_nowhere(
    login: str,
    account: Account,
    sandbox: SandboxProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    point_at(sandbox, tmp_path / "lakehouse", monkeypatch)
    ours = sandbox.environment()
    for name in LOGIN:
        monkeypatch.delenv(name)
    lines = [f"host = {ours['DATABRICKS_HOST']}", f"warehouse_id = {ours['DATABRICKS_WAREHOUSE_ID']}"]
    if login == "token":
        lines.append(f"token = {sandbox.token}")
    else:
        lines += [f"client_id = {sandbox.client_id}", f"client_secret = {sandbox.client_secret}"]
    (tmp_path / "cfg").write_text("\n".join(["[genie]", *lines]))
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "genie")
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "cfg"))
    caplog.set_level(logging.DEBUG)
    pipeline = Pipeline()
    pipeline.run("genie_daily", dt.date.fromisoformat(account.first_day))
    assert len(pipeline.rows(MESSAGE_DETAILS)) == len(account.messages)
    assert sandbox.token not in caplog.text
    assert sandbox.client_secret not in caplog.text
