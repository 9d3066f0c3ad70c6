"""What Databricks could not draw in a dashboard's JSON, or would draw wrongly without a word.

The server stores almost anything; most mistakes show on a screen only, some not even there. So everything that is
known to break is looked for here. What the numbers are is not: tests compute them.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from genie_assets.domain.dashboard.flaws_of_queries import query_flaws
from genie_assets.domain.dashboard.flaws_of_shape import IS_TEXT, shape_flaws
from genie_assets.domain.dashboard.words import COLUMNS, VERSIONS, Json

_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_MOST = {"pages": 15, "datasets": 100}
_MOST_WIDGETS = 100
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)(\.min|\.max)?\b")
_NEEDS_SCALE = ("x", "y", "color", "angle")


def flaws(content: Mapping[str, Any], columns: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What is wrong with a dashboard, one sentence each; an empty list is a dashboard that can be drawn.

    Args:
        content: The dashboard as JSON.
        columns: The columns that each dataset brings.
    """
    found = list(shape_flaws(content))
    # Of a thing without its parts nothing more can be said.
    return found or [
        *_size_flaws(content),
        *_dataset_flaws(content, columns),
        *_page_flaws(content, columns),
        *_reading_flaws(content),
    ]


def _size_flaws(content: Mapping[str, Any]) -> Iterator[str]:
    for part, most in _MOST.items():
        if len(content[part]) > most:
            yield f"There are {len(content[part])} {part}; Databricks takes {most}."
    pages = content["pages"]
    names = {
        "dataset": [each["name"] for each in content["datasets"]],
        "page": [each["name"] for each in pages],
        "widget": [each["widget"]["name"] for page in pages for each in page["layout"]],
    }
    for what, given in names.items():
        for name, count in Counter(given).items():
            if count > 1:
                yield f"{count} {what}s are called {name}."
            if not _NAME.fullmatch(name):
                yield f"The {what} {name} has a name that is too long or holds other characters."


def _dataset_flaws(content: Mapping[str, Any], columns: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for dataset in content["datasets"]:
        name, lines = dataset["name"], dataset["queryLines"]
        if name not in columns:
            yield f"Dataset {name}: its columns are not known."
        if not all(line.endswith("\n") for line in lines):
            yield f"Dataset {name}: a line of its SQL does not end, and runs into the next one."
        text = "".join(lines)
        bare = re.sub(r"'[^']*'", "''", text)
        if ";" in bare or "--" in bare:
            yield f"Dataset {name}: its SQL holds a semicolon or a comment."
        declared = {each["keyword"]: "complexType" in each for each in dataset.get("parameters", ())}
        used = {(found[1], found[2] is not None) for found in _PARAMETER.finditer(bare)}
        for keyword, is_range in sorted(used - set(declared.items())):
            yield f"Dataset {name}: :{keyword} is not declared{' as a range' if is_range else ''}."
        for keyword in sorted(declared.keys() - {keyword for keyword, _ in used}):
            yield f"Dataset {name}: the parameter {keyword} is declared and not used."


def _page_flaws(content: Mapping[str, Any], columns: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    datasets = {dataset["name"]: dataset for dataset in content["datasets"]}
    bound: set[tuple[str, str]] = set()
    for page in content["pages"]:
        yield from _grid_flaws(page)
        if len(page["layout"]) > _MOST_WIDGETS:
            yield f"Page {page['name']}: {len(page['layout'])} widgets; Databricks takes {_MOST_WIDGETS}."
        for item in page["layout"]:
            widget = item["widget"]
            yield from (f"Widget {widget['name']}: {flaw}" for flaw in _widget_flaws(widget, datasets, columns))
            bound |= _bindings(widget)
    declared = {
        (name, each["keyword"]) for name, dataset in datasets.items() for each in dataset.get("parameters", ())
    }
    for name, keyword in sorted(declared - bound):
        yield f"Dataset {name}: no filter gives its parameter {keyword} a value."


def _reading_flaws(content: Mapping[str, Any]) -> Iterator[str]:
    """What could be drawn, and not be understood by somebody who sees only a part of it."""
    titles = Counter[str]()
    for page in content["pages"]:
        is_of_filters = page["pageType"] == "PAGE_TYPE_GLOBAL_FILTERS"
        for item in page["layout"]:
            widget = item["widget"]
            kind = IS_TEXT if "multilineTextboxSpec" in widget else widget["spec"]["widgetType"]
            if kind.startswith("filter-") != is_of_filters:
                yield f"Widget {widget['name']}: filters stand on the page of filters, where they reach all pages."
            elif kind not in (IS_TEXT, "counter") and not is_of_filters:
                titles[widget["spec"]["frame"]["title"]] += 1
            if kind != IS_TEXT and not is_of_filters and "description" not in widget["spec"]["frame"]:
                yield f"Widget {widget['name']}: nothing says what it is computed from, and when it is empty."
        if not is_of_filters and "multilineTextboxSpec" not in page["layout"][0]["widget"]:
            yield f"Page {page['name']}: it does not begin with what it shows."
    for title, count in titles.items():
        if count > 1:
            yield f"{count} charts or tables are titled {title}."


def _grid_flaws(page: Json) -> Iterator[str]:
    name = page["name"]
    if page.get("pageType") not in ("PAGE_TYPE_CANVAS", "PAGE_TYPE_GLOBAL_FILTERS"):
        yield f"Page {name}: it has no known pageType."
    if page.get("layoutVersion") != "GRID_V1":
        yield f"Page {name}: without layoutVersion GRID_V1 it has six columns."
    taken: dict[tuple[int, int], str] = {}
    for item in page["layout"]:
        place, widget = item["position"], item["widget"]["name"]
        if place["x"] < 0 or place["width"] < 1 or place["x"] + place["width"] > COLUMNS:
            yield f"Page {name}: {widget} leaves the grid of {COLUMNS} columns."
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["width"])
            for y in range(place["y"], place["y"] + place["height"])
        }
        for other in sorted({taken[cell] for cell in cells if cell in taken}):
            yield f"Page {name}: {widget} lies on {other}."
        taken |= dict.fromkeys(cells, widget)
    if page.get("pageType") == "PAGE_TYPE_CANVAS":
        for row in sorted({y for _, y in taken}):
            if len([1 for _, y in taken if y == row]) != COLUMNS:
                yield f"Page {name}: row {row} is not filled."


def _widget_flaws(
    widget: Json, datasets: Mapping[str, Json], columns: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    if "multilineTextboxSpec" in widget:
        if widget.keys() != {"name", "multilineTextboxSpec"}:
            yield "a text has nothing but its lines."
        if not all(line.endswith("\n") for line in widget["multilineTextboxSpec"]["lines"]):
            yield "a line of its text does not end, and runs into the next one."
        return
    spec = widget["spec"]
    kind = spec["widgetType"]
    if kind not in VERSIONS:
        yield f"{kind} is no kind of widget that is known."
    elif spec["version"] not in VERSIONS[kind]:
        yield f"version {spec['version']} of {kind} is not drawn."
    is_filter = kind.startswith("filter-")
    for query in widget["queries"]:
        yield from query_flaws(query, datasets, columns, is_filter=is_filter)
    if is_filter:
        yield from _filter_flaws(widget, datasets)
        return
    yield from _encoding_flaws(widget)


def _encoding_flaws(widget: Json) -> Iterator[str]:
    spec = widget["spec"]
    fields = {each["name"] for query in widget["queries"] for each in query["query"]["fields"]}
    shown = list(_field_names(spec["encodings"]))
    yield from (f"it shows {name}, which its query lacks." for name in shown if name not in fields)
    yield from (f"its query brings {name}, which it does not show." for name in sorted(fields - set(shown)))
    if spec["widgetType"] not in ("counter", "table"):
        for name in _NEEDS_SCALE:
            each = spec["encodings"].get(name)
            if each is not None and "scale" not in each and "primary" not in each:
                yield f"{name} has no scale."


def _filter_flaws(widget: Json, datasets: Mapping[str, Json]) -> Iterator[str]:
    queries = {query["name"]: query["query"] for query in widget["queries"]}
    if len(queries) != len(widget["queries"]):
        yield "two of its queries have one name."
    for each in widget["spec"]["encodings"]["fields"]:
        query = queries.get(each["queryName"])
        if query is None:
            yield f"it has no query {each['queryName']}."
        elif "parameterName" in each:
            declared = {one["keyword"]: one for one in datasets[query["datasetName"]].get("parameters", ())}
            found = declared.get(each["parameterName"])
            if found is None:
                yield f"{query['datasetName']} has no parameter {each['parameterName']}."
            elif found["defaultSelection"] != widget["spec"]["selection"]["defaultSelection"]:
                yield f"its default is another one than that of {query['datasetName']}."
        elif each["fieldName"] not in {one["name"] for one in query["fields"]}:
            yield f"it offers {each['fieldName']}, which its query lacks."


def _bindings(widget: Json) -> set[tuple[str, str]]:
    if not widget.get("spec", {}).get("widgetType", "").startswith("filter-"):
        return set()
    return {
        (query["query"]["datasetName"], each["keyword"])
        for query in widget["queries"]
        for each in query["query"].get("parameters", ())
    }


def _field_names(encodings: Any) -> Iterator[str]:
    if isinstance(encodings, Mapping):
        if "fieldName" in encodings:
            yield encodings["fieldName"]
        for each in encodings.values():
            yield from _field_names(each)
    elif isinstance(encodings, list):
        for each in encodings:
            yield from _field_names(each)
