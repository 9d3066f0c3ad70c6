"""The distribution's browser, without a window: what it has made of a page, and what it said of it."""

import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WITH_BROWSER = pytest.mark.skipif(
    BROWSER is None and not os.environ.get("CI"),
    reason="No Chromium is on the path: the report is not opened in a browser.",
)


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def figures(self) -> dict[str, str | None]:
        return {each["data-figure"] or "": each["data-value"] for _, each in self.found if "data-figure" in each}


def opened(path: Path, *, width: int = 1280, **choice: str) -> tuple[Elements, str]:
    """The page as the browser has it once its script has run, and what the browser's console said."""
    assert BROWSER is not None, "Chromium is needed: install the distribution's."
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--v=0"),
        *(f"--window-size={width},1000", "--hide-scrollbars"),
        *(f"--user-data-dir={path.parent / 'profile'}", "--dump-dom", f"{path.as_uri()}#{urlencode(choice)}"),
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    dom = done.stdout.decode("utf-8", "replace")
    console = "\n".join(re.findall(r".*CONSOLE.*", done.stderr.decode("utf-8", "replace")))
    return Elements(dom), console
