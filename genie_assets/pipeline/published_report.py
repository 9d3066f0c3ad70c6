"""The report, made and put beside the tables: asked for, drawn, kept."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from genie_assets.domain.keys import Row
from genie_assets.domain.report_document import Document, Request
from genie_assets.domain.report_views import KEPT
from genie_assets.domain.tables import TABLES
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.reading import understood
from genie_assets.pipeline.report import Ask, Views, gather
from genie_assets.report.page import page

REPORT = "genie_report.html"
_KEY = "genie_pseudonyms.json"
_KEY_BYTES = 32
# More rows than any statement of the report gives.
_MOST_ROWS = 10_000_000


@dataclass(frozen=True)
class Published:
    """A report that was made.

    Attributes:
        document: What it shows.
        html: The page.
    """

    document: Document
    html: str

    @property
    def data(self) -> bytes:
        """The file."""
        return self.html.encode()


def make_report(lake: Lakehouse, request: Request, *, made_up: bool = False) -> Published:
    """Ask for everything that the request wants to see, and draw it. Nothing is stored but the key of pseudonyms.

    Raises:
        LakehouseError: the tables cannot be asked.
    """
    keyed = request if request.with_names else replace(request, secret=pseudonym_key(lake))
    with asking(lake) as ask:
        document = gather(ask, keyed)
    return Published(document, page(document, made_up=made_up))


@contextmanager
def asking(lake: Lakehouse) -> Iterator[Ask]:
    """Runs statements of ours over a lakehouse's tables, in one session."""
    tables = [table.name for table in TABLES]
    with lake.session(KEPT) as answers:

        def ask(statement: str, views: Views) -> list[Row]:
            return answers(understood(statement, tables, views), limit=_MOST_ROWS).to_pylist()

        yield ask


def pseudonym_key(lake: Lakehouse) -> bytes:
    """The installation's secret, made with the first report: so a user has the same pseudonym in all reports.

    It lies beside the tables: who can read it there can read who asked, too.
    """
    kept = lake.kept_json(_KEY)
    if isinstance(kept, dict) and isinstance(kept.get("key"), str):
        return str(kept["key"]).encode()
    key = secrets.token_hex(_KEY_BYTES)
    lake.keep(_KEY, f'{{"key": "{key}"}}'.encode())
    return key.encode()
