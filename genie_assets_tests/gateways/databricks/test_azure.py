"""Azure service principals: they log in at Microsoft Entra ID, for all workspaces of a tenant."""

import traceback
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest
from dagster_databricks import DatabricksClientResource
from dagster_databricks.resources import AzureServicePrincipalCredentials

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.databricks.credentials import PersonalToken
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.principals import Tenant
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.resources import credentials
from genie_assets.settings import SettingsError, load_settings
from genie_assets.wiring import open_workspaces
from genie_assets_tests.e2e.pipelines import forget_settings
from genie_assets_tests.gateways.stub_server import Reply, Request, StubServer

SECRET = "s~ecret.of-the_principal"
LOOPBACK = HostPolicy(["127.0.0.1"])
AZURE = AzureServicePrincipalCredentials(
    azure_client_id="app-1", azure_client_secret=SECRET, azure_tenant_id="tenant/1"
)


@pytest.fixture
def stub() -> Iterator[StubServer]:
    """A workspace."""
    with StubServer(lambda _: Reply({"ok": True})).running() as server:
        yield server


@pytest.fixture
def entra(stub: StubServer) -> Iterator[StubServer]:
    """Where tenants log in."""
    with StubServer(lambda _: Reply({"access_token": "entra-1", "expires_in": "3599"})).running() as server:
        yield server


def test_the_resources_azure_principal_logs_in_where_its_tenant_does(
    stub: StubServer, entra: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its credentials used to be ignored without a word."""
    forget_settings(monkeypatch)
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "w1")
    monkeypatch.setenv("GENIE_ALLOWED_HOSTS", "127.0.0.1:*")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", entra.url)
    settings = load_settings()
    connection = credentials(DatabricksClientResource(host=stub.url, azure_credentials=AZURE), settings)
    workspaces = open_workspaces(settings, connection)
    assert entra.requests == stub.requests == []
    for _ in range(2):
        assert workspaces.home().call("GET", "/api/x") == {"ok": True}
    (login,) = entra.requests
    assert (login.method, login.path) == ("POST", "/tenant%2F1/oauth2/v2.0/token")
    assert dict(parse_qsl(login.body.decode())) == {
        "grant_type": "client_credentials",
        "client_id": "app-1",
        "client_secret": SECRET,
        "scope": "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default",
    }
    assert [request.token for request in stub.requests] == ["entra-1", "entra-1"]
    assert SECRET.encode() not in b"".join(request.body for request in stub.requests)
    assert SECRET not in repr(connection)


ARM = {"ARM_CLIENT_ID": "app-1", "ARM_CLIENT_SECRET": SECRET, "ARM_TENANT_ID": "tenant/1"}


@pytest.fixture
def environment(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One without a login."""
    forget_settings(monkeypatch)
    monkeypatch.setenv("DATABRICKS_HOST", stub.url)
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "w1")
    monkeypatch.setenv("GENIE_ALLOWED_HOSTS", "127.0.0.1:*")
    return monkeypatch


def test_the_environments_azure_principal_logs_in_where_no_other_is_set(
    stub: StubServer, entra: StubServer, environment: pytest.MonkeyPatch
) -> None:
    """Databricks' own tools take it; we said that no credentials are set."""
    for name, value in ARM.items():
        environment.setenv(name, value)
    environment.setenv("AZURE_AUTHORITY_HOST", entra.url)
    connection = credentials(DatabricksClientResource(host=stub.url), load_settings())
    assert SECRET not in repr(connection)
    assert open_workspaces(load_settings(), connection).home().call("GET", "/api/x") == {"ok": True}
    assert [request.path for request in entra.requests] == ["/tenant%2F1/oauth2/v2.0/token"]
    assert [request.token for request in stub.requests] == ["entra-1"]
    environment.setenv("DATABRICKS_TOKEN", "dapi-0123456789")
    connection = load_settings().databricks()
    assert (connection.token, connection.tenant_id) == ("dapi-0123456789", None)


@pytest.mark.parametrize("missing", ARM)
def test_half_of_an_azure_login_is_told_by_what_is_missing(missing: str, environment: pytest.MonkeyPatch) -> None:
    for name in ARM.keys() - {missing}:
        environment.setenv(name, ARM[name])
    with pytest.raises(SettingsError, match=f"{missing} is not set"):
        load_settings().databricks()


def azure(stub: StubServer, entra: StubServer) -> Workspaces:
    tenant = Tenant("tenant", entra.url)
    return Workspaces(stub.url, client_id="app-1", client_secret=SECRET, tenant=tenant, policy=LOOPBACK)


def test_a_refused_token_is_renewed(stub: StubServer, entra: StubServer) -> None:
    given: list[str] = []

    def issue(_: Request) -> Reply:
        given.append(f"entra-{len(given)}")
        return Reply({"access_token": given[-1], "expires_in": 3599})

    def check(request: Request) -> Reply:
        return Reply({"ok": True}) if request.token == "entra-1" else Reply({"error_code": "UNAUTHENTICATED"}, 401)

    entra.answer, stub.answer = issue, check
    http = azure(stub, entra).home()
    with pytest.raises(CallError) as caught:
        http.call("GET", "/api/x")
    assert caught.value.transient
    assert http.call("GET", "/api/x") == {"ok": True}


def test_a_refused_secret_names_what_to_correct_and_is_not_shown(stub: StubServer, entra: StubServer) -> None:
    told = f"AADSTS7000215: Invalid client secret provided: {SECRET}."
    entra.answer = lambda _: Reply({"error": "invalid_client", "error_description": told}, 401)
    with pytest.raises(CallError) as caught:
        azure(stub, entra).home().call("GET", "/api/x")
    assert caught.value.error.error_class is ErrorClass.AUTH
    assert "did not accept the Azure service principal (ARM_CLIENT_ID, " in caught.value.error.message
    assert "AADSTS7000215" in caught.value.error.message
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert stub.requests == []


def test_a_login_without_a_token_is_no_login(stub: StubServer, entra: StubServer) -> None:
    entra.answer = lambda _: Reply({"token_type": "Bearer"})
    with pytest.raises(CallError, match="without a usable token"):
        azure(stub, entra).home().call("GET", "/api/x")


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("https://adb-1.2.azuredatabricks.net", "https://login.microsoftonline.com"),
        ("https://one.databricks.com", "https://login.microsoftonline.com"),
        ("https://adb-1.2.databricks.azure.us", "https://login.microsoftonline.us"),
        ("https://adb-1.2.databricks.azure.cn", "https://login.chinacloudapi.cn"),
    ],
)
def test_each_cloud_has_its_own_login(host: str, authority: str) -> None:
    assert Tenant("t").authority_for(host) == authority
    assert Tenant("t", "https://login.example").authority_for(host) == "https://login.example"


def test_a_login_of_somebody_elses_making_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_settings(monkeypatch)
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-of-the-environment")
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "w1")
    resource = DatabricksClientResource(
        host="https://x.databricks.com", credentials_strategy=PersonalToken("dapi-of-a-strategy")
    )
    with pytest.raises(
        SettingsError, match="credentials_strategy, which genie-assets does not use: give it a token"
    ):
        credentials(resource, load_settings())
