import base64
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.gateways import scrubbing
from genie_assets.gateways.scrubbing import LONGEST_TEXT, register_secret, scrub, scrub_exception

opaque = st.text(alphabet=string.ascii_letters + string.digits, min_size=24, max_size=60).map(
    lambda text: f"q7{text}"
)
dapi = st.text(alphabet="0123456789abcdef", min_size=32, max_size=32).map(lambda text: f"dapi{text}")
jwt = st.text(alphabet=string.ascii_letters + string.digits + "-_", min_size=20, max_size=80).map(
    lambda text: f"eyJ{text[:10]}.{text}.{text[::-1]}"
)
wrappings = st.sampled_from(
    [
        "Authorization: Bearer {}",
        "authorization: {}",
        "> * Authorization: Bearer {}\n> * User-Agent: x",
        '"Authorization": "Bearer {}"',
        "{{'Authorization': 'Bearer {}'}}",
        '{{\\"authorization\\": \\"Bearer {}\\"}}',
        "sent bearer {} and failed",
        '{{"access_token": "{}", "token_type": "Bearer"}}',
        '{{"client_secret" : "{}"}}',
        "grant_type=client_credentials&client_secret={}&scope=all-apis",
        "access_token={}",
        "https://store.example/part-0?X-Amz-Signature={}&X-Amz-Expires=900",
        "url: /part-0?sig={}&se=2026",
        "https://user:{}@host/path",
        "DATABRICKS_TOKEN={}",
    ]
)
noise = st.text(max_size=200)


@given(st.one_of(opaque, dapi, jwt), wrappings, noise, noise)
def test_no_secret_survives_wherever_it_stands(secret, wrapping, before, after):
    assert secret not in scrub(f"{before} {wrapping.format(secret)} {after}")


@given(st.one_of(dapi, jwt), noise, noise)
def test_tokens_that_can_be_told_by_their_look_go_from_anywhere(secret, before, after):
    assert secret not in scrub(before + secret + " " + after)


@given(st.text(min_size=3, max_size=30), st.text(min_size=3, max_size=30), noise)
def test_basic_credentials_go(user, password, before):
    encoded = base64.b64encode(f"{user}:{password}".encode("utf-8", "replace")).decode()
    assert encoded not in scrub(f"{before} tried Basic {encoded} twice")


@given(st.text(alphabet=string.printable.strip() + "é😀", min_size=6, max_size=40), noise, noise)
def test_a_known_secret_goes_whatever_it_looks_like_and_however_it_is_spelled(secret, before, after):
    if secret not in "[removed]" and secret not in scrub(before) and secret not in after:
        assert secret not in scrub(f"{before} {secret} {after}", secret).replace("[removed]", "")
        assert json.dumps(secret) not in scrub(f"{before} {json.dumps({'x': secret})}", secret)


@given(opaque, wrappings, st.data())
def test_a_known_part_of_a_secret_does_not_protect_its_rest(secret, wrapping, data):
    """A short word that was registered may stand within a longer secret."""
    start = data.draw(st.integers(0, len(secret) - 6))
    known = secret[start : data.draw(st.integers(start + 6, len(secret)))]
    left = scrub(wrapping.format(secret), known)
    assert not any(part in left for part in (secret[:start], secret[start + len(known) :]) if len(part) > 5)


@given(st.one_of(opaque, dapi, jwt), wrappings, noise)
def test_scrubbing_twice_changes_nothing(secret, wrapping, before):
    once = scrub(f"{before} {wrapping.format(secret)}")
    assert scrub(once) == once


def test_a_registered_secret_goes_as_long_as_it_is_the_users():
    text = "abc correct horse/battery correct%20horse%2Fbattery end"
    with scrubbing.secrets_of_one_user():
        register_secret("correct horse/battery")
        register_secret("abc")  # too short to be one; would eat ordinary words
        assert scrub(text) == "abc [removed] [removed] end"
    assert scrub(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Conversation 01f0aa0000000000000000000000c001 does not exist.",
        "[TABLE_OR_VIEW_NOT_FOUND] The table or view `system`.`access`.`audit` cannot be found. SQLSTATE: 42P01",
        "User 1a2b3c4d-0000-4444-8888-123456789abc does not have USE SCHEMA on Schema 'system.access'.",
        "basic understanding of bearer bonds, a token of thanks; the password policy, token bucket limit",
        "Genie says: Basic information on orders: 5",
        "see https://docs.databricks.com/genie/index.html for authorization",
        "429 REQUEST_LIMIT_EXCEEDED: page_token expired",
    ],
)
def test_ordinary_text_stays_as_it_is(text):
    assert scrub(text) == text


def test_text_is_cut_only_after_scrubbing():
    """Cut first, half a token would stay behind and match no pattern."""
    secret = "dapi" + "0123456789abcdef" * 2
    text = scrub("x" * (LONGEST_TEXT - 10) + " " + secret)
    assert len(text) <= LONGEST_TEXT
    assert "dapi" not in text


def test_an_exception_is_one_line_without_its_cause():
    error = OSError("first\nAuthorization: Bearer q1w2e3r4t5y6\nlast")
    error.__cause__ = ValueError("the cause knows more")
    assert scrub_exception(error) == "OSError: first Authorization: [removed] last"
