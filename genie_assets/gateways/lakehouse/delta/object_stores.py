"""Object stores: the options that delta-rs needs for them, and its failures in the words of our settings.

delta-rs itself reads credentials and endpoints from the environment (`AWS_*`, `AZURE_*`, `GOOGLE_*`). What is
given here wins over that.
"""

import re
from collections.abc import Mapping

SCHEMES = ("s3", "abfss", "gs")

# By default a server that never answers is asked again for three minutes.
_PATIENCE = {"connect_timeout": "3s", "retry_timeout": "20s"}
# dagster-deltalake's name, which delta-rs ignores, and the one that delta-rs reads.
_RENAMED = {"checksum": "checksum_algorithm"}

_FROM_A_STORE = re.compile(
    r"Error performing [A-Z]+ |Generic (?:S3|MicrosoftAzure|GCS|Config) error|while loading credentials"
    r"|conditional put is disabled"
)
_STATUS = re.compile(r"\b[45]\d\d [A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)*")
_CODE = re.compile(r"<Code>([A-Za-z]{1,40})</Code>")
# The first that is found in the text of a failure tells what it was.
_FAILURES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), meaning)
    for pattern, meaning in (
        (
            r"scheme is not allowed",
            "the endpoint of the object store is not https://; if that is meant, set AWS_ALLOW_HTTP, "
            "AZURE_ALLOW_HTTP or GOOGLE_ALLOW_HTTP to true",
        ),
        (
            r"conditional put is disabled",
            "AWS_CONDITIONAL_PUT must not be disabled: without it, writers at once would lose rows",
        ),
        (
            r"NoSuchBucket|ContainerNotFound|list request.*\b404 ",
            "GENIE_LAKEHOUSE names a bucket or container that does not exist",
        ),
        (
            r"necessary privileges|\b40[13] |token request|loading credentials",
            "the object store refused the credentials, or there are none; check the variables AWS_*, AZURE_* or "
            "GOOGLE_*, or `storage` of the lakehouse resource",
        ),
        (
            r"\(Connect\)|dns error|timed out|deadline has elapsed",
            "the object store does not answer; check GENIE_LAKEHOUSE, the endpoint (AWS_ENDPOINT_URL, "
            "AZURE_STORAGE_ENDPOINT) and the network",
        ),
        (
            r"Generic Config error|Invalid Access Key|SAS query|credential error|pem file|service account",
            "an option of the object store cannot be used; check the variables AWS_*, AZURE_* or GOOGLE_*, or "
            "`storage` of the lakehouse resource",
        ),
    )
)


def store_options(root: str, options: Mapping[str, str] | None) -> dict[str, str]:
    """The options for the store of a root URI: those that were given, and limits to its patience.

    Args:
        root: URI of the lakehouse's root.
        options: credentials and endpoints as delta-rs or dagster-deltalake names them.
    """
    given = {_RENAMED.get(name.lower(), name): value for name, value in (options or {}).items()}
    return {**_PATIENCE, **given} if root.partition("://")[0].lower() in SCHEMES else given


def failure_of_store(error: BaseException) -> str | None:
    """What went wrong with an object store and which setting to look at; None if the error is another one.

    Of the engine's own text only the HTTP status and the store's error code are passed on: the rest holds
    addresses, with a password if somebody put one there.
    """
    text = str(error)
    if not _FROM_A_STORE.search(text):
        return None
    meaning = next((meaning for pattern, meaning in _FAILURES if pattern.search(text)), "the object store failed")
    details = [*_STATUS.findall(text)[:1], *_CODE.findall(text)[:1]]
    return f"{meaning} ({', '.join(details)})" if details else meaning
