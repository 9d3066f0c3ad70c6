"""The report in a browser: it shows what it was given, whatever that is, and asks nobody for anything."""

import datetime as dt
import html
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genie_assets.domain.report_document import Document
from genie_assets.pipeline.published_report import make_report
from genie_assets.report.page import page
from genie_assets_tests.report.browser import WITH_BROWSER, opened
from genie_assets_tests.report.choices import REQUEST
from genie_assets_tests.views.world import ANCHOR, DAY, golden_rows, lake_of

HOSTILE = "<script>document.title='owned'</script></script><!--<img src=x onerror=alert(1)>\u2028\ud800\x00"
HOSTILE += "\u202egnp\u2066\u200b"

pytestmark = [pytest.mark.servers, WITH_BROWSER]


@pytest.fixture(scope="module")
def shown(document: Document, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(document), encoding="utf-8")
    return path


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
    begin = texts.index("▲ 30.0 days")
    marks = [each for each in texts[begin - 60 : begin] if re.fullmatch(r"\d[\d.,]* s", each)]
    assert marks
    assert marks[-1] in ("10 s", "12 s", "15 s")
    assert f"One day is above the scale, so that the others can be seen: {_day(document, place)}, 30.0 days." in (
        each.removeprefix("▲ ") for each in texts
    )
    assert "untitled 01f07ad6…3789" in texts


def _day(document: Document, place: int) -> str:
    day = dt.date.fromisoformat(document["days"][place])
    return f"{day.day} {day:%b %Y}"


# A window cannot be as small as a phone's: the page is opened in a frame of that width, and measured from outside.
MEASURE = """<style>body { margin: 0 } iframe { width: %dpx; height: 900px; border: 0 }</style><script>
const frame = document.createElement("iframe");
frame.srcdoc = %s;
frame.onload = () => {
  const page = frame.contentDocument, width = page.documentElement.clientWidth;
  const inView = (each) => each.getBoundingClientRect().right <= width + 1;
  const within = (each) => each.scrollWidth <= each.clientWidth + 1;
  const outside = [...page.querySelectorAll("body *")].filter((each) => !each.closest("svg, .scroll *, .skip"));
  const tables = [...page.querySelectorAll(".scroll")].filter((each) => each.clientWidth);
  document.documentElement.dataset.measured = JSON.stringify({
    width, page: page.documentElement.scrollWidth,
    cut: outside.filter((each) => !inView(each)).map((each) => each.tagName),
    scrolling: tables.filter((each) => !within(each)).map((each) => each.getAttribute("aria-label")),
  });
};
document.documentElement.append(frame);
</script>"""


@pytest.mark.parametrize("width", [390, 1440])
def test_whatever_is_wide_scrolls_in_its_own_frame_and_the_page_never_does(
    document: Document, tmp_path: Path, width: int
) -> None:
    """Even if all titles are long. On a phone, questions and errors are stacked: nothing of them is cut."""
    long = "Sales " * 90 + "Donaudampfschifffahrt" * 30
    shown = {
        **document,
        **{name: [{**each, "name": long} for each in document[name]] for name in ("spaces", "workspaces")},
        "inventory": [{**each, "space_name": long} for each in document["inventory"]],
        "questions": [
            {**each, "question": long, "user": long, "error_type": long} for each in document["questions"]
        ],
    }
    path = tmp_path / "report.html"
    as_text = json.dumps(page(shown)).replace("</", "<\\/")
    path.write_text(MEASURE % (width, as_text), encoding="utf-8")
    elements, console = opened(path, width=width)
    assert console == ""
    measured = next(json.loads(each["data-measured"] or "") for tag, each in elements.found if tag == "html")
    assert (measured["width"], measured["page"], measured["cut"]) == (width, width, [])
    assert ("Spaces" in measured["scrolling"]) == (width == 390)
    assert not {"Questions worth reading", "What cannot be read now"} & set(measured["scrolling"])


def test_the_last_row_of_a_table_is_what_the_cards_say(document: Document, shown: Path) -> None:
    """Somebody who asked on two days, or in two spaces, is one person: it is no sum."""
    rows = {name: row for name, row in document["figures"]["28"].items() if name.startswith("w")}
    choice, row = max(rows.items(), key=lambda each: each[1]["questions"])
    elements, _ = opened(shown, period="28", choice=choice)
    texts = [each.strip() for each in elements.texts if each.strip()]
    begin = texts.index("Whole period") + 1
    assert texts[begin : begin + 4] == [f"{row[name]:,}" for name in ("questions", "answered", "failed", "people")]
    begin = texts.index("All spaces", texts.index("Not read")) + 1
    rate = f"{100 * row['answered'] / row['judged']:.1f} %"
    assert texts[begin : begin + 3] == [f"{row['questions']:,}", f"{row['people']:,}", rate]


def test_a_lakehouse_with_one_question_is_told_of_in_whole_sentences(tmp_path: Path) -> None:
    rows = golden_rows()
    last = max(row["event_date"] for row in rows["genie_day_loads"] if row["event_date"] < ANCHOR.date() - DAY)
    [message, *_] = [row for row in rows["message_details"] if row["created_date"] == last and row["user_email"]]
    few = {
        "message_details": [message],
        "genie_day_loads": [row for row in rows["genie_day_loads"] if row["event_date"] == last],
        "genie_messages_to_fetch": [
            row for row in rows["genie_messages_to_fetch"] if row["message_id"] == message["message_id"]
        ],
    }
    path = tmp_path / "report.html"
    path.write_text(make_report(lake_of(few, tmp_path / "lake"), REQUEST).html, encoding="utf-8")
    elements, console = opened(path)
    assert console == ""
    said = " ".join(" ".join(elements.texts).split('"made_at"')[0].split())
    assert "Only 1 of these" in said
    assert "None of" not in said
    assert not re.search(
        r"undefined|NaN|\bnull\b|Infinity|\b1 (questions|people|answers|days|ratings|users)\b", said
    )
    nobody, _ = opened(path, choice="w0")
    assert "Median" in " ".join(nobody.texts)


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
