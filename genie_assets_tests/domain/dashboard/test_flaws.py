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
    "six columns": (lambda c: c["pages"][0].update(layoutVersion="GRID_V0"), "it has six columns"),
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
        lambda c: dataset(c, "turns")["parameters"][1]["defaultSelection"]["values"]["values"][0].update(
            value="1"
        ),
        "its default is another one than that of turns",
    ),
    "scale": (
        lambda c: widget(c, "usage_kinds")["spec"]["encodings"]["angle"].pop("scale"),
        "angle has the scale None; it must be quantitative",
    ),
    "scale of days": (
        lambda c: widget(c, "usage_days")["spec"]["encodings"]["x"]["scale"].update(type="categorical"),
        "x has the scale categorical; it must be temporal",
    ),
    "colours": (
        lambda c: widget(c, "health_days")["spec"]["mark"]["colors"].pop(),
        "it has 4 colours for 5 series",
    ),
    "colour": (
        lambda c: widget(c, "health_days")["spec"]["mark"].update(
            colors=["red", "#0", "#111111", "#222222", "#333"]
        ),
        "one of its colours is none",
    ),
    "mapping": (
        lambda c: widget(c, "feedback_shares")["spec"]["encodings"]["color"]["scale"]["mappings"][0].update(
            color="green"
        ),
        "gives a value a colour that is none",
    ),
    "order": (
        lambda c: widget(c, "failures_turns")["queries"][0]["query"]["orders"][0].update(expression="`gone`"),
        "its order .* is none, or speaks of what turn_texts lacks",
    ),
    "row order": (
        lambda c: widget(c, "spaces_table")["spec"]["encodings"]["rowOrder"][0]["field"].update(index=99),
        "ordered by a column that it has not",
    ),
    "format": (
        lambda c: widget(c, "failures_rate")["spec"]["encodings"]["value"]["format"].update(type="percent"),
        "has a format that is not known",
    ),
    "sort": (
        lambda c: widget(c, "spaces_people")["spec"]["encodings"]["y"]["scale"]["sort"].update(by="value"),
        "sorted in a way that is not known",
    ),
    "rule": (
        lambda c: widget(c, "health_open")["spec"]["encodings"]["value"]["style"]["rules"][0].update(color="red"),
        "coloured by a rule that is not known",
    ),
    "title": (
        lambda c: widget(c, "failures_days")["spec"]["frame"].update(title="Failure rate by space"),
        "2 charts or tables are titled Failure rate by space",
    ),
    "no title": (lambda c: widget(c, "failures_days")["spec"]["frame"].update(title=""), "shows no title"),
    "description": (
        lambda c: (
            widget(c, "failures_days")["spec"]["frame"].pop("description")
            and widget(c, "failures_days")["spec"]["frame"].pop("showDescription")
        ),
        "nothing says what it is computed from",
    ),
    "size": (lambda c: c["pages"][0]["layout"][-1]["position"].update(height=2), "too small"),
    "filter elsewhere": (
        lambda c: c["pages"][0]["layout"].append(c["pages"][-1]["layout"].pop()),
        "filters stand on the page of filters",
    ),
    "beginning": (lambda c: c["pages"][1]["layout"].reverse(), "does not begin with what it shows"),
    "range of a choice": (
        lambda c: widget(c, "filter_space")["spec"].update(
            selection=widget(c, "filter_period")["spec"]["selection"]
        ),
        "does not fit a filter of its kind",
    ),
    "number as a value": (
        lambda c: dataset(c, "turns")["parameters"][1]["defaultSelection"]["values"]["values"][0].update(value=1),
        "not written as a text",
    ),
    "half a place": (lambda c: dataset(c, "turns").update(catalog="main"), "a catalog and a schema go together"),
    "second All": (lambda c: widget(c, "filter_space")["spec"].update(disallowAll=False), "a second All"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_way_to_break_it_is_found(name: str) -> None:
    breaks, sentence = BREAKS[name]
    content = copy.deepcopy(DASHBOARD.json())
    breaks(content)
    assert re.search(sentence, "\n".join(found(content)))


# What may be left out: Databricks then does as it thinks best, or shows a name instead of a title.
OPTIONAL = re.compile(
    r"(parameters|filters|orders|target|label|mark|rowOrder|axis|categorySize|mappings|sort|format|colorRamp|style|legend)$"
    # Inside of what is optional, and words of ours that nothing is compared with.
    r"|(label|axis|legend|colorRamp|categorySize|sort|format|uiSettings|rowOrder)(\.|\[\])"
    r"|scale\.mappings$|(dateTimeFormat|numberFormat)$"
    r"|^datasets\[\]\.parameters\[\]\.complexType$"
)


def places(part: Any, path: str = "", kind: str = "") -> Iterator[tuple[str, Any, str]]:
    """Every key of the JSON: a name of where it stands, alike for all widgets of a kind; what holds it; itself."""
    if isinstance(part, dict):
        kind = part["spec"]["widgetType"] + str(part["spec"]["version"]) if "spec" in part else kind
        for key, value in part.items():
            here = f"{path}.{key}".removeprefix(".")
            yield f"{kind}: {here}" if kind else here, part, key
            yield from places(value, here, kind)
    elif isinstance(part, list):
        for each in part:
            yield from places(each, f"{path}[]", kind)


def test_each_part_of_the_json_is_missed_when_it_is_gone_or_misspelt() -> None:
    """The first of each kind: what stands there for all pages, datasets and widgets of the kind."""
    content = DASHBOARD.json("main", "genie")
    first: dict[str, tuple[Any, str]] = {}
    for name, holder, key in places(content):
        first.setdefault(name, (holder, key))
    assert len(first) > 200
    unseen, unknown = [], []
    for name, (holder, key) in first.items():
        before = dict(holder)
        del holder[key]
        if not found(content):
            unseen.append(name)
        holder.update({f"{key}s": before[key]})
        if not found(content):
            unknown.append(name)
        holder.clear()
        holder.update(before)
    assert found(content) == []
    assert [name for name in unseen if not OPTIONAL.search(name)] == []
    assert [name for name in unknown if not OPTIONAL.search(name)] == []


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
