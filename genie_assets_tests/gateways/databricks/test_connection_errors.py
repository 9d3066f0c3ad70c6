"""Without an answer there is one plain sentence that says why: no library's text, no address, no header."""

import datetime as dt
import ipaddress
import logging
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from genie_assets.domain.outcomes import ErrorClass
from genie_assets.gateways.databricks.bounds import pooled_session
from genie_assets.gateways.databricks.connection_errors import shown_host
from genie_assets.gateways.databricks.exchange import Timeouts, exchange
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.retries import CallError
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets_tests.gateways.raw_server import RawServer, head, says
from genie_assets_tests.gateways.stub_server import Reply, StubServer, always

TOKEN = "dapi0123456789abcdef0123456789abcdef"
GOOD = says(head("Content-Length: 8") + b'{"a": 1}')


def failure(url, *, timeout=5.0):
    policy = HostPolicy(["https://*", "https://*:*", "http://*:*"])
    http = Workspaces(url, token=TOKEN, policy=policy, timeouts=Timeouts(timeout)).home()
    with pytest.raises(CallError) as caught:
        http.call("GET", "/api/2.0/secret-path", query={"q": "secret-query"})
    message = caught.value.error.message
    assert message.endswith(".")
    assert not [mark for mark in ("urllib3", "Error", "object at", "secret-", TOKEN, "http://") if mark in message]
    assert caught.value.__context__ is None
    return caught.value


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A server's certificate for 127.0.0.1 that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - dt.timedelta(1), now + dt.timedelta(1))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, path


def test_a_port_where_nothing_listens():
    with StubServer(lambda _: Reply({})).running() as gone:
        pass
    failed = failure(gone.url)
    assert failed.error.message == f"127.0.0.1:{gone.port} refuses the connection: nothing listens there."
    assert (failed.error.error_class, failed.transient) == (ErrorClass.NETWORK, True)


def test_a_name_that_nobody_knows():
    failed = failure("https://no-such-host.invalid")
    assert failed.error.message == "no-such-host.invalid cannot be found: its name is unknown here."
    assert (failed.error.error_class, failed.transient) == (ErrorClass.NETWORK, True)


def test_a_certificate_that_is_not_trusted_is_not_tried_again(tls):
    with RawServer(GOOD, tls=tls[0]).running() as server:
        failed = failure(server.url)
    assert "is not trusted (self-signed certificate): REQUESTS_CA_BUNDLE can name" in failed.error.message
    assert (failed.error.error_class, failed.transient) == (ErrorClass.NETWORK, False)


def test_a_certificate_that_the_environment_names_is_trusted(tls, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls[1]))
    with RawServer(GOOD, tls=tls[0]).running() as server:
        http = Workspaces(server.url, token=TOKEN, policy=HostPolicy(["https://127.0.0.1:*"])).home()
        assert http.call("GET", "/x") == {"a": 1}


def test_certificates_that_are_not_there(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    failed = failure("https://127.0.0.1:1")
    assert failed.error.message == "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names certificates that do not exist."
    assert (failed.error.error_class, failed.transient) == (ErrorClass.CONFIG, False)


def test_a_server_that_speaks_no_tls():
    with StubServer(lambda _: Reply({})).running() as plain:
        failed = failure(plain.url.replace("http:", "https:"))
    assert failed.error.message.endswith("speaks no TLS that we understand.")


def test_a_proxy_that_is_not_there_or_refuses(monkeypatch):
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("https_proxy", "http://user:pass-word@127.0.0.1:1")
    sentence = "The proxy that HTTPS_PROXY or HTTP_PROXY names does not let us through to far.example."
    assert failure("https://far.example").error.message == sentence
    with RawServer(says(head(status="407 Proxy Authentication Required"))).running() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        failed = failure("https://far.example")
    assert (failed.error.message, failed.error.error_class) == (sentence, ErrorClass.NETWORK)


def test_a_host_that_is_silent():
    with RawServer(lambda _: __import__("time").sleep(5)).running() as server:
        failed = failure(server.url, timeout=0.2)
    assert failed.error.message == f"127.0.0.1:{server.port} did not answer in time."
    assert failed.error.error_class is ErrorClass.TIMEOUT


def test_a_connection_that_breaks_off():
    for reply in (Reply({}, drop=True), Reply({"a": "x" * 100_000}, cut=True)):
        with StubServer(always(reply)).running() as server:
            assert failure(server.url).error.message == f"127.0.0.1:{server.port} broke off the connection."


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("https://x.example/", {"Authorization": "Bearer \u201ctoken\u201d"}),
        ("https://x.example/", {"Authorization": "Bearer a\nb"}),
        ("https://x.example/", {"x": 7}),
        ("https://[::1", {}),
        ("https://" + "x" * 100 + ".example/", {}),
        ("ftp://x.example/", {}),
        ("no address", {}),
    ],
    ids=[
        "a curly quote",
        "a line break",
        "a number",
        "half a host",
        "a long host",
        "ftp",
        "text",
    ],
)
def test_what_cannot_be_sent_is_told_and_not_tried_again(url, headers):
    with StubServer(lambda _: Reply({})).running() as server:
        url = url.replace("https://x.example/", server.url)
        with pooled_session(server.url, 1) as session, pytest.raises(CallError) as caught:
            exchange(session, "GET", url, timeouts=Timeouts(1), headers=headers)
        assert server.requests == []
    assert caught.value.error.message.endswith("cannot be sent as it is.")
    assert (caught.value.error.error_class, caught.value.transient) == (ErrorClass.CONFIG, False)
    assert "token" not in caught.value.error.message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://X.example:8443/a?b=c", "x.example:8443"),
        ("https://user:pw@x.example/", "x.example"),
        ("https://x.example\x1b[31m/", "The host"),
        ("https://<b>/", "The host"),
        ("https://[::1", "The host"),
        ("https://[::1]:80/", "[::1]:80"),
        ("", "The host"),
    ],
)
def test_of_an_address_only_a_plain_host_is_shown(url, shown):
    assert shown_host(url) == shown


def test_no_log_of_the_libraries_shows_an_address_with_its_query(caplog):
    """A presigned link is a right to read, and a header that cannot be parsed makes urllib3 warn with the link."""
    caplog.set_level(logging.DEBUG)
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nnot a header\r\n: \r\n\r\n[]"
    with RawServer(says(broken)).running() as server, pooled_session(server.url, 1) as session:
        url = f"{server.url}/part?X-Amz-Signature=presigned"
        exchange(session, "GET", url, timeouts=Timeouts(5))
    assert "presigned" not in caplog.text
