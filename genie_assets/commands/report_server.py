"""The report of tables in files, served on loopback: a browser opens no file from Dagster's page."""

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from genie_assets.commands.ports import LOOPBACK
from genie_assets.daily_report import URL
from genie_assets.gateways.lakehouse.beside import FILES_FOLDER
from genie_assets.pipeline.published_report import REPORT


@contextmanager
def served_report(lakehouse: str) -> Iterator[Mapping[str, str]]:
    """Serve the report while the context lasts; the settings that tell Dagster's processes its address.

    The address holds a secret, as other users of this machine reach loopback, too.

    Args:
        lakehouse: Where the tables are. Nothing is served of buckets and volumes: their report has an address.
    """
    if "://" in lakehouse and not lakehouse.startswith("file://"):
        yield {}
        return
    page = Path(lakehouse.removeprefix("file://")) / FILES_FOLDER / REPORT
    path = f"/{secrets.token_urlsafe(16)}/{REPORT}"
    with ThreadingHTTPServer((LOOPBACK, 0), _handler(page, path)) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield {URL: f"http://{LOOPBACK}:{server.server_address[1]}{path}"}
        finally:
            server.shutdown()
            serving.join()


def _handler(page: Path, path: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != path:
                self._answer(HTTPStatus.NOT_FOUND, b"Not found.\n", "text/plain")
            elif not page.is_file():
                text = b"There is no report yet: materialize observability_report.\n"
                self._answer(HTTPStatus.NOT_FOUND, text, "text/plain")
            else:
                self._answer(HTTPStatus.OK, page.read_bytes(), "text/html")

        def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the address holds a secret."""

    return Handler
