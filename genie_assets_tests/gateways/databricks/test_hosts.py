import string
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.gateways.databricks.hosts import HostPolicy, UnusableUrl, normalise_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("dbc-1.cloud.databricks.com", "https://dbc-1.cloud.databricks.com"),
        ("https://DBC-1.Cloud.databricks.com/", "https://dbc-1.cloud.databricks.com"),
        (" https://x.databricks.com:443 ", "https://x.databricks.com"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("sandbox:8080", "https://sandbox:8080"),
        ("http://[::1]:99", "http://[::1]:99"),
        ("one.databricks.com?o=42", "https://one.databricks.com/?o=42"),
        ("https://One.databricks.com:443/?w=42", "https://one.databricks.com/?o=42"),
    ],
)
def test_an_address_is_spelled_in_one_way(text, url):
    assert normalise_url(text) == url
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://",
        "ftp://x.databricks.com",
        "javascript:alert(1)",
        "https://user@x.databricks.com",
        "https://x.databricks.com/path",
        "https://x.databricks.com?o=",
        "https://x.databricks.com?o=1&p=2",
        "https://x.databricks.com?o=1%0d%0aX:1",
        "https://x.databricks.com/?q=1",
        "https://x.databricks.com#f",
        "https://x.databricks.com.",
        "https://x..databricks.com",
        "https://dаtabricks.com",  # a Cyrillic letter
        "https://xn--80ak6aa92e.com\u2024databricks.com",
        "https://evil.com\\.databricks.com",
        "https://evil.com .databricks.com",
        "https://evil.com\t.databricks.com",
        "https://evil.com\n.databricks.com",
        "https://x.databricks.com:99999",
        "https://x.databricks.com:port",
        "https://%65vil.com",
    ],
)
def test_what_is_not_plainly_a_host_is_no_address(text):
    with pytest.raises(UnusableUrl):
        normalise_url(text)
    assert not HostPolicy(["*"]).allows(text)


@pytest.mark.parametrize(
    "host",
    [
        "dbc-1.cloud.databricks.com",
        "adb-1.2.azuredatabricks.net",
        "1.2.gcp.databricks.com",
        "accounts.databricks.com",
        "x.cloud.databricks.us",
        "adb-1.2.databricks.azure.us",
        "adb-1.2.databricks.azure.cn",
    ],
)
def test_databricks_own_hosts_are_allowed_over_https_alone(host):
    policy = HostPolicy()
    assert policy.allows(f"https://{host}")
    assert policy.allows(host.upper())
    assert not policy.allows(f"http://{host}")
    assert not policy.allows(f"https://{host}:8443")


@pytest.mark.parametrize(
    "url",
    [
        "https://databricks.com.evil.com",
        "https://evil.com#.databricks.com",
        "https://evil.com?.databricks.com",
        "https://evil.com/.databricks.com",
        "https://x.databricks.com@evil.com",
        "https://evil-databricks.com",
        "https://evildatabricks.com",
        "https://x.azuredatabricks.net.evil.com",
        "https://x.databricks.com\\@evil.com",
        "https://evil.com:443#@x.databricks.com",
        "https://127.0.0.1",
        "https://[::1]",
        "https://2130706433",
    ],
)
def test_a_host_that_only_looks_like_databricks_is_refused(url):
    assert not HostPolicy().allows(url)


@given(
    st.text(alphabet=string.printable + "аｅ。․\u200d", max_size=40),
    st.sampled_from(["https://", "http://", "", "//"]),
    st.text(alphabet=string.printable, max_size=10),
)
def test_whatever_is_allowed_is_really_sent_to_databricks(before, scheme, after):
    """The parser that decides and the one that connects must agree on the host."""
    url = f"{scheme}{before}x.cloud.databricks.com{after}"
    if HostPolicy().allows(url):
        parts = urlsplit(normalise_url(url))
        assert parts.scheme == "https"
        assert parts.username is None
        assert parts.hostname is not None
        assert parts.hostname.endswith((".databricks.com",))


@pytest.mark.parametrize(
    ("pattern", "allowed", "refused"),
    [
        ("127.0.0.1", ["http://127.0.0.1", "http://127.0.0.1:81", "https://127.0.0.1:9"], ["http://127.0.0.11"]),
        ("127.0.0.1:*", ["http://127.0.0.1:81", "http://127.0.0.1"], ["http://127.0.0.2:81"]),
        (
            "sandbox:8080",
            ["http://sandbox:8080", "https://sandbox:8080"],
            ["http://sandbox", "http://sandbox:80801"],
        ),
        ("[::1]", ["http://[::1]:8080"], ["http://1:8080", "http://:8080"]),
        ("*.corp.example", ["https://a.b.corp.example"], ["http://a.corp.example", "https://a.corp.example:444"]),
        ("http://*.corp.example:80??", ["http://a.corp.example:8081"], ["https://a.corp.example:8081"]),
        ("https://Proxy.example", ["https://proxy.example"], ["http://proxy.example", "https://proxy.example:1"]),
    ],
)
def test_the_operator_may_name_more_hosts(pattern, allowed, refused):
    policy = HostPolicy([pattern])
    assert [url for url in allowed if not policy.allows(url)] == []
    assert [url for url in refused if policy.allows(url)] == []
    assert policy.allows("https://x.cloud.databricks.com")


@pytest.mark.parametrize("pattern", ["", "a b", "ftp://x", "http://x/y", "u@x", "[x", "x:y", "x:1:2", "[!a]"])
def test_a_pattern_that_means_nothing_is_refused_at_once(pattern):
    with pytest.raises(UnusableUrl):
        HostPolicy([pattern])
