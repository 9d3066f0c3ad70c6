"""The dashboard can be drawn, and each way to break it is found."""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from genie_assets.domain.dashboard.flaws import flaws
from genie_assets.domain.dashboard.ours import DASHBOARD, UNREACHED
from genie_assets.gateways.sql.views import shipped_views

COLUMNS = {each.name: each.columns for each in DASHBOARD.datasets}
Content = dict[str, Any]


def found(content: Content) -> list[str]:
    return flaws(content, COLUMNS)


def widgets(content: Content) -> Iterator[Content]:
    for page in content["pages"]:
        for item in page["layout"]:
            yield item["widget"]


def widget(content: Content, name: str) -> Content:
    return next(each for each in widgets(content) if each["name"] == name)


def dataset(content: Content, name: str) -> Content:
    return next(each for each in content["datasets"] if each["name"] == name)


def test_our_dashboard_has_no_flaw() -> None:
    assert found(DASHBOARD.json()) == []
    assert found(DASHBOARD.json("main", "genie's")) == []
    assert [page.title for page in DASHBOARD.pages] == [
        *("Executive", "Usage", "Adoption", "Spaces", "Conversations", "Answer quality", "Failures", "Latency"),
        *("Feedback", "Space configuration", "API and pipeline health", "Filters"),
    ]


def _pin(content: Content) -> None:
    query = widget(content, "usage_questions")["queries"][0]["query"]
    query["parameters"] = [{"name": "period", "keyword": "period"}]


BREAKS: dict[str, tuple[Callable[[Content], Any], str]] = {
    "version": (lambda c: widget(c, "usage_days")["spec"].update(version=3), "version 3 of combo is not drawn"),
    "kind": (lambda c: widget(c, "usage_days")["spec"].update(widgetType="chart"), "chart is no kind"),
    "name": (
        lambda c: widget(c, "usage_days")["queries"][0]["query"]["fields"][1].update(name="count(1)"),
        r"shows count\(\*\), which its query lacks",
    ),
    "not shown": (
        lambda c: widget(c, "usage_questions")["queries"][0]["query"]["fields"].append(
            {"name": "day", "expression": "`day`"}
        ),
        "brings day, which it does not show",
    ),
    "column": (
        lambda c: widget(c, "latency_p95")["queries"][0]["query"]["fields"][0].update(
            expression="PERCENTILE(`latency`, 0.95)"
        ),
        "asks for latency, which turns lacks",
    ),
    "expression": (
        lambda c: widget(c, "latency_p95")["queries"][0]["query"]["fields"][0].update(expression="SUM(`a`) / 2"),
        "a form that is not known to work",
    ),
    "star": (
        lambda c: widget(c, "usage_questions")["queries"][0]["query"]["fields"][0].update(expression="SUM(`*`)"),
        r"asks for \*",
    ),
    "raw": (
        lambda c: widget(c, "usage_questions")["queries"][0]["query"].update(disaggregated=True),
        "an aggregate needs rows that are grouped",
    ),
    "filter": (
        lambda c: (
            widget(c, "failures_count")["queries"][0]["query"].update(filters=["`outcome` = 'FAILED'"])
            or widget(c, "failures_count")["queries"][0]["query"].update(filters=[{"expression": "outcome = 'x'"}])
        ),
        "its condition",
    ),
    "pinned": (_pin, "a chart whose query has parameters stays blank"),
    "dataset": (
        lambda c: widget(c, "usage_questions")["queries"][0]["query"].update(datasetName="gone"),
        "there is no dataset gone",
    ),
    "overlap": (lambda c: c["pages"][0]["layout"][2]["position"].update(x=0), "lies on"),
    "wide": (lambda c: c["pages"][0]["layout"][0]["position"].update(width=13), "leaves the grid of 12 columns"),
    "hole": (lambda c: c["pages"][0]["layout"].pop(2), "is not filled"),
    "six columns": (lambda c: c["pages"][0].pop("layoutVersion"), "it has six columns"),
    "twice": (lambda c: widget(c, "usage_days").update(name="usage_hours"), "2 widgets are called usage_hours"),
    "long name": (lambda c: widget(c, "usage_days").update(name="n" * 61), "has a name that is too long"),
    "text": (lambda c: widget(c, "usage_intro").update(spec={}), "a text has nothing but its lines"),
    "line": (
        lambda c: widget(c, "usage_intro")["multilineTextboxSpec"]["lines"].append("end"),
        "a line of its text does not end",
    ),
    "sql line": (lambda c: dataset(c, "turns")["queryLines"].append("LIMIT 1"), "a line of its SQL does not end"),
    "comment": (lambda c: dataset(c, "turns")["queryLines"].append("-- all\n"), "a semicolon or a comment"),
    "undeclared": (lambda c: dataset(c, "turns")["queryLines"].append("AND :user\n"), ":user is not declared"),
    "range": (lambda c: dataset(c, "turns")["queryLines"].append(":space.min\n"), "not declared as a range"),
    "unbound": (
        lambda c: widget(c, "filter_space")["queries"].pop(),
        "no filter gives its parameter space a value",
    ),
    "default": (
        lambda c: dataset(c, "turns")["parameters"][1]["defaultSelection"]["values"]["values"].clear(),
        "its default is another one than that of turns",
    ),
    "scale": (lambda c: widget(c, "usage_kinds")["spec"]["encodings"]["angle"].pop("scale"), "angle has no scale"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_way_to_break_it_is_found(name: str) -> None:
    breaks, sentence = BREAKS[name]
    content = copy.deepcopy(DASHBOARD.json())
    breaks(content)
    assert re.search(sentence, "\n".join(found(content)))


def test_what_a_filter_does_not_reach_is_listed_and_its_page_says_so() -> None:
    unreached = {
        keyword: tuple(
            each.name
            for each in DASHBOARD.datasets
            if keyword not in {parameter.keyword for parameter in each.parameters}
        )
        for keyword in ("period", "workspace", "space")
    }
    assert {keyword: sorted(names) for keyword, names in unreached.items()} == {
        keyword: sorted(names) for keyword, names in UNREACHED.items()
    }
    words = {"period": "days that are chosen", "workspace": "workspace filter", "space": "space filter"}
    for page in DASHBOARD.pages[:-1]:
        used = {query["query"]["datasetName"] for each in page.widgets for query in each.queries}
        says = " ".join(line for each in page.widgets for line in each.lines)
        for keyword, names in UNREACHED.items():
            if used & set(names):
                assert words[keyword] in says, (page.name, keyword)


def test_datasets_ask_views_for_columns_that_they_have() -> None:
    views = shipped_views()
    for each in DASHBOARD.datasets:
        assert set(each.reads) <= set(views), each.name


def test_no_widget_adds_up_or_averages_what_was_counted_as_distinct_or_is_a_percentile() -> None:
    """Users of two days are not the users of both, and the mean of two percentiles is none."""
    for each in DASHBOARD.datasets:
        described = {
            column.name: column.description for view in each.reads for column in shipped_views()[view].columns
        }
        risky = {
            name
            for name, text in described.items()
            if re.search(r"[Dd]istinct|People of|The same in|% ?of these|stickiness|_users /|\bshare\b", text)
            and not re.search(r"events|LONG: Conversations", text)
        } | {"conversations", "spaces", "weekly_users_before"}
        for page in DASHBOARD.pages:
            for widget_ in page.widgets:
                for query in widget_.queries:
                    if query["query"]["datasetName"] != each.name:
                        continue
                    for field in query["query"].get("fields", ()):
                        added = re.fullmatch(r"(?:SUM|AVG|PERCENTILE)\(`(\w+)`.*\)", field["expression"])
                        assert not (added and added[1] in risky), (widget_.name, field["expression"])


def test_every_dataset_is_shown_or_offers_something() -> None:
    used = {
        query["query"]["datasetName"]
        for page in DASHBOARD.pages
        for each in page.widgets
        for query in each.queries
    }
    assert used == set(COLUMNS)
