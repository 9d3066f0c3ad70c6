"""The report, made and put beside the tables: asked for, drawn, kept."""

import secrets
from dataclasses import dataclass, replace

from genie_assets.domain.keys import Row
from genie_assets.domain.report_document import Document, Request
from genie_assets.domain.tables import TABLES
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.reading import understood
from genie_assets.gateways.sql.views import shipped_views
from genie_assets.pipeline.report import Ask, gather
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
    document = gather(asking(lake), keyed)
    return Published(document, page(document, made_up=made_up))


def asking(lake: Lakehouse) -> Ask:
    """Runs statements of ours over a lakehouse's tables and views."""
    tables, views = [table.name for table in TABLES], shipped_views()

    def ask(statement: str) -> list[Row]:
        return lake.ask(understood(statement, tables, views), limit=_MOST_ROWS).to_pylist()

    return ask


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
