"""The report in a browser: it shows what it was given, whatever that is, and asks nobody for anything."""

import html
import json
import os
import re
import shutil
import subprocess
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genie_assets.domain.report_document import Document
from genie_assets.report.page import page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "<script>document.title='owned'</script></script><!--<img src=x onerror=alert(1)>\u2028\ud800\x00"
HOSTILE += "\u202egnp\u2066\u200b"

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        BROWSER is None and not os.environ.get("CI"),
        reason="No Chromium is on the path: the report is not opened in a browser.",
    ),
]


@pytest.fixture(scope="module")
def shown(document: Document, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(document), encoding="utf-8")
    return path


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


def opened(path: Path, **choice: str) -> tuple[Elements, str]:
    """The page as the browser has it once its script has run, and what the browser's console said."""
    assert BROWSER is not None, "Chromium is needed: install the distribution's."
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--v=0"),
        *(f"--user-data-dir={path.parent / 'profile'}", "--dump-dom", f"{path.as_uri()}#{urlencode(choice)}"),
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    dom = done.stdout.decode("utf-8", "replace")
    console = "\n".join(re.findall(r".*CONSOLE.*", done.stderr.decode("utf-8", "replace")))
    return Elements(dom), console


def expected(document: Document, period: str, choice: str) -> dict[str, float | None]:
    """What the cards show: straight from the document's figures."""
    row: dict[str, Any] | None = document["figures"].get(period, {}).get(choice)
    unread = document["unread"][period].get(choice, 0)
    if row is None:
        counts = {"questions", "people", "conversations"}
        return dict.fromkeys(CARDS) | dict.fromkeys(counts, None if unread else 0)

    def ratio(part: str, of: str) -> float | None:
        return row[part] / row[of] if row[of] else None

    return {
        **{name: row[name] for name in ("questions", "people", "conversations")},
        **{name: row[name] for name in ("response_p50_ms", "response_p95_ms")},
        "success_rate": ratio("answered", "judged"),
        "positive_share": ratio("positive", "rated"),
        "rated_share": ratio("rated", "judged"),
        "first_answered_share": ratio("first_answered", "first_judged"),
        "rephrased_share": ratio("rephrased", "rephrased_n"),
    }


CARDS = (
    *("questions", "people", "conversations", "response_p50_ms", "response_p95_ms", "success_rate"),
    *("positive_share", "rated_share", "first_answered_share", "rephrased_share"),
)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_choice_shows_its_own_figures(document: Document, shown: Path, data: st.DataObject) -> None:
    period = data.draw(st.sampled_from([each["name"] for each in document["periods"]]))
    choices = ["", *(f"w{n}" for n in range(len(document["workspaces"])))]
    choices += [f"s{n}" for n in range(len(document["spaces"]))]
    choice = data.draw(st.sampled_from(choices))
    elements, console = opened(shown, period=period, choice=choice)
    found = {name: float(value) if value else None for name, value in elements.figures().items()}
    assert found == pytest.approx(expected(document, period, choice))
    assert console == ""
    drawn = [each.get("data-drawn") for tag, each in elements.found if tag == "body"]
    assert drawn == [f"{period}/{choice}"]


def test_charts_are_drawn_and_nothing_is_loaded(shown: Path) -> None:
    elements, console = opened(shown)
    assert console == ""
    tags = [tag for tag, _ in elements.found]
    assert tags.count("svg") > 8
    assert tags.count("rect") > 30
    for tag, attributes in elements.found:
        for name in ("src", "srcset", "data", "action", "poster"):
            assert name not in attributes, tag
        if tag == "link":
            assert attributes["href"] == "data:,"
    policy = next(each["content"] for _, each in elements.found if each.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")


def test_one_day_that_took_days_does_not_press_the_others_flat(document: Document, tmp_path: Path) -> None:
    """It stands above the scale with its time; marks are round; a space without a title is told apart."""
    path, outlier = tmp_path / "report.html", json.loads(json.dumps(document))
    choice = ""  # all workspaces
    period = max(document["periods"], key=lambda each: each["days"])
    days = slice(*(document["days"].index(period[name]) for name in ("first_day", "last_day")))
    times = outlier["daily"][choice]["response_p95_ms"]
    place = max(n for n, ms in enumerate(times[days], days.start) if ms)
    for name in ("response_p50_ms", "response_p95_ms"):
        outlier["daily"][choice][name] = [ms and 9_000 for ms in outlier["daily"][choice][name]]
    outlier["daily"][choice]["response_p95_ms"][place] = 30 * 86_400_000
    outlier["spaces"][0]["name"] = "01f07ad6913bc8f24c309e74b27a3789"
    path.write_text(page(outlier), encoding="utf-8")
    elements, console = opened(path, choice=choice, period=period["name"])
    assert console == ""
    texts = [each.strip() for each in elements.texts]
    assert "▲ 720.0 h" in texts
    begin = texts.index("▲ 720.0 h")
    marks = [each for each in texts[begin - 60 : begin] if re.fullmatch(r"\d[\d.,]* (ms|s|min|h|days)", each)]
    units = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "days": 86_400_000}
    heights = [float(number) * units[unit] for number, unit in (mark.split() for mark in marks)]
    assert 0 < max(heights) <= 6 * 9_000, marks
    assert not any(".0 " in mark for mark in marks)
    assert "untitled 01f07ad6…3789" in texts


def test_tables_scroll_by_themselves_and_the_page_never_does(shown: Path) -> None:
    elements, _ = opened(shown)
    tags = [(tag, each.get("class") or "") for tag, each in elements.found]
    tables = [place for place, (tag, _) in enumerate(tags) if tag == "table"]
    assert tables
    assert all(tags[place - 1] == ("div", "scroll") for place in tables)


def test_the_page_says_what_loading_each_day_took(document: Document, shown: Path) -> None:
    """Unknown is a dash, never 0: of days whose runs noted nothing, no request is known."""
    elements, _ = opened(shown, period="whole")
    texts = [each.strip() for each in elements.texts if each.strip()]
    begin = texts.index("What loading took, and how late rows came") + 11
    days = [day for day in reversed(document["pipeline"]) if day["is_loaded"]]
    for place, day in enumerate(days):
        name, _, runs, requests, rate, *_ = texts[begin + 10 * place : begin + 10 * (place + 1)]
        assert name.split()[0] == str(int(day["day"][8:]))
        assert runs == f"{day['runs']:,}"
        assert requests == ("–" if day["requests"] is None else f"{day['requests']:,}")
        assert (rate == "–") == (day["requests_per_message"] is None)
    assert {day["requests"] is None for day in days} == {True, False}


def test_hostile_text_stays_text(document: Document, tmp_path: Path) -> None:
    longest = max(range(len(document["questions"])), key=lambda n: document["questions"][n]["kind"] == "failed")
    hostile = {
        **document,
        "spaces": [{**each, "name": HOSTILE} for each in document["spaces"]],
        "workspaces": [{**each, "name": HOSTILE} for each in document["workspaces"]],
        "inventory": [{**each, "space_name": HOSTILE, "space_id": HOSTILE} for each in document["inventory"]],
        "questions": [
            {
                **each,
                "question": HOSTILE + "x" * (20_000 if n == longest else 9),
                "genie_url": "javascript:alert(1)",
                "error_type": HOSTILE,
            }
            for n, each in enumerate(document["questions"])
        ],
        "failures": {
            name: {choice: [{**row, "error_type": HOSTILE} for row in rows] for choice, rows in choices.items()}
            for name, choices in document["failures"].items()
        },
    }
    path = tmp_path / "report.html"
    text = page(hostile)
    assert not {each for each in text if unicodedata.category(each) in ("Cf", "Cs", "Zl", "Zp")}
    assert "\\u202e" in text
    path.write_text(text, encoding="utf-8")
    elements, console = opened(path)
    assert console == ""
    assert [each for tag, each in elements.found if tag == "img" or "onerror" in each] == []
    assert sum(tag == "script" for tag, _ in elements.found) == 2
    assert not any("javascript:" in (each.get("href") or "") for _, each in elements.found)
    assert "Genie, observed" in elements.texts
    assert html.unescape("<script>document.title") in "".join(elements.texts)


def test_an_account_without_a_loaded_day_is_told_what_to_do(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    empty = {name: value for name, value in document.items() if name in EMPTY} | {"periods": []}
    path.write_text(page(empty, made_up=True), encoding="utf-8")
    elements, console = opened(path)
    text = "".join(elements.texts)
    assert console == ""
    assert "No day is loaded yet" in text
    assert "made-up data" in text


EMPTY = ("made_at", "time_zone", "with_texts", "with_names", "workspaces", "spaces", "inventory", "errors")
