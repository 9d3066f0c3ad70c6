"""A bucket on this machine, whose requests can be seen, refused and held up."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import requests
from moto.server import ThreadedMotoServer
from werkzeug.wrappers import Request, Response

BUCKET = "genie-lake"
KEY_ID, SECRET = "AKIAMADEUPFORTESTS", "made-up+secret/of-the-tests"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-central-1"}


@dataclass(frozen=True)
class Seen:
    """A request that the server answered."""

    method: str
    path: str
    creates: bool  # whether it may only create the object, never replace it
    status: int

    @property
    def is_commit(self) -> bool:
        return self.method == "PUT" and "/_delta_log/0" in self.path and self.path.endswith(".json")


@dataclass
class Bucket:
    """An S3 bucket, served on loopback. `environment` is all that a process needs to use it."""

    url: str
    client: Any
    seen: list[Seen] = field(default_factory=list)
    # Called before a request is served; what it returns is the answer.
    intercept: Callable[[Request], Response | None] = lambda _request: None

    @property
    def uri(self) -> str:
        return f"s3://{BUCKET}/team a"

    @property
    def environment(self) -> dict[str, str]:
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.url, "AWS_ALLOW_HTTP": "true"}

    @property
    def commits(self) -> list[Seen]:
        return [request for request in self.seen if request.is_commit]

    def objects(self) -> list[str]:
        """The names of all objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]


class _Watched:
    """The server's application. One request at a time, so that its conditional puts are atomic, as S3's are."""

    def __init__(self, application: Any, bucket: Bucket) -> None:
        self._application, self._bucket, self._lock = application, bucket, threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ, populate_request=False)
        answer = self._bucket.intercept(request)
        if answer is None:
            with self._lock:
                answer = Response.from_app(self._application, environ, buffered=True)
        only_creates = request.headers.get("If-None-Match") == "*"
        self._bucket.seen.append(Seen(request.method, request.path, only_creates, answer.status_code))
        return answer(environ, start_response)


@contextmanager
def served_bucket() -> Iterator[Bucket]:
    """An empty bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        requests.post(f"{url}/moto-api/reset", timeout=10)  # all servers of a process share their state
        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name=CREDENTIALS["AWS_REGION"],
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
        )
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": CREDENTIALS["AWS_REGION"]}
        )
        bucket = Bucket(url, client)
        server._server.app = _Watched(server._server.app, bucket)
        yield bucket
    finally:
        server.stop()
