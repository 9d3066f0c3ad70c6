"""How a deployment says which object store it uses: what each field and each variable makes delta-rs send."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster_deltalake import AzureConfig, GcsConfig, LocalConfig, S3Config

from genie_assets.definitions import build_defs
from genie_assets.domain.tables import GENIE_SPACE_DETAILS
from genie_assets.gateways.lakehouse.delta.object_stores import store_options
from genie_assets.gateways.lakehouse.errors import LakehouseError
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.resources import LakehouseResource

S3, AZURE, GCS = "s3://our-bucket/lake", "abfss://box@acct.dfs.core.windows.net/lake", "gs://our-bucket/lake"
LOG = "lake/genie_analytics/genie_space_details/_delta_log/"
ACCOUNT_KEY = "bWFkZSB1cA=="


@dataclass
class Store:
    """A server that notes every request and refuses it."""

    url: str
    seen: list[str] = field(default_factory=list)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_")):
            monkeypatch.delenv(name)

    class Refuse(BaseHTTPRequestHandler):
        def refuse(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = "\n".join(f"{name.lower()}: {value}" for name, value in self.headers.items())
            noted.seen.append(f"{self.command} {self.path}\n{headers}\n\n{body}")
            self.send_error(403)

        do_GET = do_PUT = do_HEAD = do_POST = refuse  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    noted = Store(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield noted
    server.shutdown()
    thread.join()
    server.server_close()


def first_request(store: Store, uri: str, storage: Any = None) -> str:
    """What the store is sent first when the lakehouse of this configuration is used in a run."""

    @dg.op
    def look(lake: dg.ResourceParam[Lakehouse]) -> None:
        with pytest.raises(LakehouseError, match="refused the credentials"):
            lake.version(GENIE_SPACE_DETAILS)

    @dg.job(resource_defs={"lake": LakehouseResource(uri=uri, storage=storage or LocalConfig())})
    def look_once() -> None:
        look()

    assert look_once.execute_in_process(run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}})
    return store.seen[0]


KEYS = {"access_key_id": "AKIAOURS", "secret_access_key": "hush"}


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, [f"GET /our-bucket/{LOG}", "Credential=AKIAOURS/", "/us-east-1/s3/"]),
        ({"region": "eu-west-3"}, ["/eu-west-3/s3/"]),
        ({"token": "session"}, ["x-amz-security-token: session"]),
        ({"virtual_hosted_style_request": "true"}, [f"GET /{LOG}"]),
        ({"unsigned_payload": True}, ["x-amz-content-sha256: UNSIGNED-PAYLOAD"]),
        # It is the URI that names the bucket.
        ({"bucket": "another"}, [f"GET /our-bucket/{LOG}"]),
        ({"allow_unsafe_rename": True, "copy_if_not_exists": "multipart"}, [f"GET /our-bucket/{LOG}"]),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_fields_of_s3(
    store: Store, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], sent: list[str]
) -> None:
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    request = first_request(store, S3, S3Config(endpoint=store.url, **KEYS, **fields))
    assert [text for text in sent if text not in request] == []


@pytest.mark.parametrize("imdsv1_fallback", [False, True])
def test_s3_without_keys_asks_the_configured_metadata_service(
    store: Store, monkeypatch: pytest.MonkeyPatch, imdsv1_fallback: bool
) -> None:
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    storage = S3Config(endpoint=store.url, metadata_endpoint=store.url, imdsv1_fallback=imdsv1_fallback)
    assert first_request(store, S3, storage).startswith("PUT /latest/api/token")
    # The older protocol is tried only where it is allowed.
    later = [request for request in store.seen if "/latest/meta-data/" in request]
    assert bool(later) == imdsv1_fallback


def test_the_checksum_gets_the_name_that_delta_rs_knows() -> None:
    """delta-rs ignores options that it does not know, so the wrong name would never be noticed."""
    options = store_options(S3, S3Config(checksum="sha256").str_dict())
    assert "checksum" not in options
    with pytest.raises(LakehouseError, match="an option of the object store cannot be used"):
        LakehouseResource(uri=S3, storage=S3Config(**KEYS, checksum="no such")).create_resource(
            dg.build_init_resource_context()
        ).version(GENIE_SPACE_DETAILS)


def token_file(folder: Path) -> str:
    (folder / "token").write_text("federated")
    return str(folder / "token")


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"account_key": ACCOUNT_KEY}, [f"GET /box/{LOG}", "authorization: SharedKey acct:"]),
        ({"sas_key": "sv=2026&sig=hush"}, [f"GET /box/{LOG}", "?sv=2026&sig=hush"]),
        ({"token": "bearer-token"}, ["authorization: Bearer bearer-token"]),
        ({"account_key": ACCOUNT_KEY, "container_name": "another"}, [f"GET /box/{LOG}"]),
        (
            {"client_id": "our-app", "client_secret": "hush", "tenant_id": "our-tenant"},
            ["POST /our-tenant/oauth2/v2.0/token", "client_id=our-app&client_secret=hush"],
        ),
        (
            {"client_id": "our-app", "tenant_id": "our-tenant", "federated_token_file": token_file},
            ["POST /our-tenant/oauth2/v2.0/token", "client_assertion=federated"],
        ),
        ({"msi_endpoint": "/msi", "msi_resource_id": "our-identity"}, ["GET /msi?", "msi_res_id=our-identity"]),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_fields_of_azure(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fields: dict[str, Any], sent: list[str]
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", store.url)
    monkeypatch.setenv("AZURE_STORAGE_AUTHORITY_HOST", store.url)
    monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")
    given = {name: value(tmp_path) if callable(value) else value for name, value in fields.items()}
    if "msi_endpoint" in given:
        given["msi_endpoint"] = store.url + given["msi_endpoint"]
    request = first_request(store, AZURE, AzureConfig(account_name="acct", **given))
    assert [text for text in sent if text not in request] == []


def service_account(store: Store) -> str:
    return json.dumps(
        {
            "gcs_base_url": store.url,
            "disable_oauth": True,
            "client_email": "",
            "private_key": "",
            "private_key_id": "",
        }
    )


@pytest.mark.parametrize("given", ["service_account", "service_account_key"])
def test_fields_of_google(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str) -> None:
    monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
    (tmp_path / "account.json").write_text(service_account(store))
    value = service_account(store) if given == "service_account_key" else str(tmp_path / "account.json")
    request = first_request(store, GCS, GcsConfig(bucket="another", **{given: value}))
    assert request.startswith("GET /our%2Dbucket/lake%2Fgenie%5Fanalytics")


def test_google_reads_the_application_credentials_that_are_configured(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.json"
    credentials.write_text('{"type": "no such kind"}')
    lake = LakehouseResource(uri=GCS, storage=GcsConfig(application_credentials=str(credentials))).create_resource(
        dg.build_init_resource_context()
    )
    with pytest.raises(LakehouseError, match="an option of the object store cannot be used"):
        lake.version(GENIE_SPACE_DETAILS)


@pytest.mark.parametrize(
    ("uri", "variables", "sent"),
    [
        (
            S3,
            {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_SESSION_TOKEN": "session"}
            | {"AWS_REGION": "eu-west-3", "AWS_ENDPOINT_URL": "{url}", "AWS_ALLOW_HTTP": "true"},
            [f"GET /our-bucket/{LOG}", "Credential=AKIAENV/", "/eu-west-3/s3/", "x-amz-security-token: session"],
        ),
        (
            S3,
            {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_DEFAULT_REGION": "eu-west-3"}
            | {"AWS_ENDPOINT_URL": "{url}", "AWS_ALLOW_HTTP": "true"},
            ["/eu-west-3/s3/"],
        ),
        (
            AZURE,
            {"AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY}
            | {"AZURE_STORAGE_ENDPOINT": "{url}", "AZURE_ALLOW_HTTP": "true"},
            [f"GET /box/{LOG}", "authorization: SharedKey acct:"],
        ),
        (
            AZURE,
            {"AZURE_STORAGE_SAS_KEY": "sv=2026&sig=hush"}
            | {"AZURE_STORAGE_ENDPOINT": "{url}", "AZURE_ALLOW_HTTP": "true"},
            [f"GET /box/{LOG}", "?sv=2026&sig=hush"],
        ),
        (
            AZURE,
            {"AZURE_CLIENT_ID": "our-app", "AZURE_CLIENT_SECRET": "hush", "AZURE_TENANT_ID": "our-tenant"}
            | {"AZURE_STORAGE_AUTHORITY_HOST": "{url}", "AZURE_ALLOW_HTTP": "true"},
            ["POST /our-tenant/oauth2/v2.0/token", "client_id=our-app&client_secret=hush"],
        ),
        (
            GCS,
            {"GOOGLE_SKIP_SIGNATURE": "true", "GOOGLE_BASE_URL": "{url}", "GOOGLE_ALLOW_HTTP": "true"},
            ["GET /our%2Dbucket/lake%2Fgenie%5Fanalytics"],
        ),
        (
            GCS,
            {"GOOGLE_SERVICE_ACCOUNT_KEY": "{account}", "GOOGLE_ALLOW_HTTP": "true"},
            ["GET /our%2Dbucket/lake%2Fgenie%5Fanalytics"],
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_variables_alone_suffice(
    store: Store, monkeypatch: pytest.MonkeyPatch, uri: str, variables: dict[str, str], sent: list[str]
) -> None:
    meant = {"{url}": store.url, "{account}": service_account(store)}
    for name, value in variables.items():
        monkeypatch.setenv(name, meant.get(value, value))
    request = first_request(store, uri)
    assert [text for text in sent if text not in request] == []


def test_a_secret_given_by_reference_reaches_the_store_and_neither_the_ui_nor_the_logs(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("LAKE_TOKEN", "hush-hush")
    storage = S3Config(endpoint=store.url, token=dg.EnvVar("LAKE_TOKEN"), **KEYS)
    assert "x-amz-security-token: hush-hush" in first_request(store, S3, storage)
    definitions = build_defs(lake=LakehouseResource(uri=S3, storage=storage))
    shown = dg.serialize_value(RepositorySnap.from_def(definitions.get_repository_def()))
    assert "LAKE_TOKEN" in shown
    assert "hush-hush" not in shown + caplog.text


@pytest.mark.parametrize("character", list("#?%[]^|"))
@pytest.mark.parametrize("uri", [S3, AZURE, GCS])
def test_a_prefix_that_delta_rs_reads_as_something_else_is_refused(uri: str, character: str) -> None:
    """Of `s3://bucket/a#b` delta-rs uses only `a`, for every table: their rows would end up in one table."""
    with pytest.raises(LakehouseError, match=r"^GENIE_LAKEHOUSE: the path must not contain"):
        open_lakehouse(f"{uri}/a{character}b")


def test_a_lakehouse_on_a_disk_takes_no_options_of_object_stores() -> None:
    assert store_options("file:///tmp/lake", None) == {}
