"""Widgets as Databricks draws them, one function a kind: what is asked of a dataset and how it is shown."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from genie_assets.domain.dashboard.words import Dataset, Field, Json, Parameter, Query, Widget, bound

NUMBER: Mapping[str, Any] = {
    "type": "number-plain",
    "abbreviation": "compact",
    "decimalPlaces": {"type": "max", "places": 1},
}
WHOLE: Mapping[str, Any] = {"type": "number", "decimalPlaces": {"type": "max", "places": 0}}
SECONDS: Mapping[str, Any] = {"type": "number", "decimalPlaces": {"type": "max", "places": 1}}
PERCENT: Mapping[str, Any] = {"type": "number-percent", "decimalPlaces": {"type": "max", "places": 1}}

# One meaning, one colour, on every page.
COLORS: Mapping[str, str] = {
    "Answered": "#2E7D4F",
    "Failed": "#C8102E",
    "Cancelled": "#8A8D91",
    "Unsettled": "#C58B00",
    "Withheld": "#6B4E9B",
    "Deleted": "#4A4F55",
    "POSITIVE": "#2E7D4F",
    "NEGATIVE": "#C8102E",
    "Read": "#2E7D4F",
    "Open error": "#C8102E",
    "Not read yet": "#C58B00",
    "Closed by hand": "#8A8D91",
}
# What a link needs is known of the older kind of tables only, which wants all of this of every column.
_OLD_COLUMN: Json = {
    "visible": True,
    "booleanValues": ["false", "true"],
    "alignContent": "left",
    "allowSearch": False,
    "allowHTML": False,
    "highlightLinks": False,
    "useMonospaceFont": False,
    "preserveWhitespace": False,
    "imageUrlTemplate": "{{ @ }}",
    "imageTitleTemplate": "{{ @ }}",
    "imageWidth": "",
    "imageHeight": "",
    "linkUrlTemplate": "{{ @ }}",
    "linkTextTemplate": "{{ @ }}",
    "linkTitleTemplate": "{{ @ }}",
    "linkOpenInNewTab": True,
}
_OLD_TABLE: Json = {
    "invisibleColumns": [],
    "allowHTMLByDefault": False,
    "itemsPerPage": 25,
    "paginationSize": "default",
    "condensed": True,
    "withRowNumber": False,
}


_LETTERS_IN_A_LINE = 120


def text(name: str, *paragraphs: str) -> Widget:
    """Words over the whole width, a heading first: a row for it, and one for each two lines that follow."""
    rest = paragraphs[1:]
    count = sum(ceil(len(each) / _LETTERS_IN_A_LINE) for each in rest) + len(rest) - 1
    # Without an empty line between them, two paragraphs are one.
    lines = [line for each in paragraphs for line in (each, "")][:-1]
    return Widget(name, 12, 1 + ceil(count / 2), lines=tuple(lines))


def counter(name: str, title: str, query: Query, description: str = "", *, width: int = 3) -> Widget:
    """One number; a second field is what it is compared with."""
    value, *target = query.fields
    encodings = {"value": value.encoding(), **({"target": target[0].encoding()} if target else {})}
    return Widget(name, width, 3, title, description, "counter", (query.json(),), encodings)


def alarm(name: str, title: str, query: Query, description: str) -> Widget:
    """One number that should be 0, and is red if it is not."""
    (value,) = query.fields
    more_than_none = {"operator": ">", "operand": {"type": "data-value", "value": "0"}}
    rules = [{"condition": more_than_none, "color": COLORS["Failed"]}]
    encodings = {"value": value.encoding(style={"rules": rules})}
    return Widget(name, 3, 3, title, description, "counter", (query.json(),), encodings)


def bars(name: str, title: str, query: Query, description: str = "", *, width: int = 6) -> Widget:
    """Bars over days, one colour for each of the fields that follow."""
    x, *ys = query.fields
    encodings = {"x": _day(x), "y": _many(ys), "label": {"show": False}}
    spec = {
        "mark": {"layout": "stack", "colors": [COLORS.get(y.title, _PALETTE[at % 6]) for at, y in enumerate(ys)]}
    }
    return Widget(name, width, 6, title, description, "bar", (query.json(),), encodings, spec)


def lines(name: str, title: str, query: Query, description: str = "", *, width: int = 6) -> Widget:
    """Lines over days, one for each of the fields that follow."""
    x, *ys = query.fields
    return Widget(name, width, 6, title, description, "line", (query.json(),), {"x": _day(x), "y": _many(ys)})


def ranked(name: str, title: str, query: Query, description: str = "", *, width: int = 6) -> Widget:
    """Horizontal bars, the longest first: of what, and how much."""
    of, much = query.fields
    first = {"sort": {"by": "x-reversed"}, "categorySize": {"type": "number-of-categories", "number": 20}}
    encodings = {
        "x": much.encoding(scale={"type": "quantitative"}),
        "y": of.encoding(scale={"type": "categorical", **first}),
        "label": {"show": True},
    }
    return Widget(name, width, 6, title, description, "bar", (query.json(),), encodings)


def shares(name: str, title: str, query: Query, description: str = "", *, width: int = 6) -> Widget:
    """A pie: of what, and how much."""
    of, much = query.fields
    mapped = [{"value": value, "color": COLORS[value]} for value in ("POSITIVE", "NEGATIVE")]
    scale: Json = {"type": "categorical"} | ({"mappings": mapped} if of.of == "rating" else {})
    encodings = {
        "angle": much.encoding(scale={"type": "quantitative"}),
        "color": of.encoding(scale=scale),
        "label": {"show": True},
    }
    return Widget(name, width, 6, title, description, "pie", (query.json(),), encodings)


def combo(name: str, title: str, query: Query, description: str = "", *, width: int = 12) -> Widget:
    """Bars and a line over days, each with an axis of its own."""
    x, bar, line = query.fields

    def axis(shown: Field) -> Json:
        return {"fields": [shown.encoding()], "scale": {"type": "quantitative"}}

    encodings = {"x": _day(x), "y": {"primary": axis(bar), "secondary": axis(line)}}
    return Widget(name, width, 6, title, description, "combo", (query.json(),), encodings)


def scatter(name: str, title: str, query: Query, description: str = "", *, width: int = 6) -> Widget:
    """Points: across, up, and whose they are."""
    x, y, whose = query.fields
    encodings = {
        "x": x.encoding(scale={"type": "quantitative"}),
        "y": y.encoding(scale={"type": "quantitative"}),
        # Of hundreds of them a legend would leave no room; who points at one reads its name.
        "color": whose.encoding(scale={"type": "categorical"}, legend={"hide": True}),
    }
    return Widget(name, width, 6, title, description, "scatter", (query.json(),), encodings)


def hours(name: str, title: str, query: Query, description: str = "", *, width: int = 12) -> Widget:
    """A heat map of hours and days of the week."""
    hour, weekday, much = query.fields
    week = {"by": "custom-order", "orderedValues": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]}
    ramp = {"mode": "scheme", "scheme": "blues"}
    encodings = {
        "x": hour.encoding(scale={"type": "categorical", "sort": {"by": "natural-order"}}),
        "y": weekday.encoding(scale={"type": "categorical", "sort": week}),
        "color": much.encoding(scale={"type": "quantitative", "colorRamp": ramp}),
        "label": {"show": False},
    }
    return Widget(name, width, 6, title, description, "heatmap", (query.json(),), encodings)


def table(name: str, title: str, query: Query, description: str = "", *, width: int = 12) -> Widget:
    """Rows, those first that have most of the first number."""
    first = next(at for at, field in enumerate(query.fields) if field.format)
    encodings = {
        "columns": [field.encoding() for field in query.fields],
        "rowOrder": [{"by": "column-reversed", "field": {"index": first}}],
    }
    spec = {"rowsPerPage": 25}
    return Widget(name, width, 8, title, description, "table", (query.json(),), encodings, spec, version=2)


def linked_table(name: str, title: str, query: Query, link: str, description: str = "") -> Widget:
    """Rows, one of whose columns is an address that opens in a tab of its own."""
    columns = [_old_column(at, field, field.name == link) for at, field in enumerate(query.fields)]
    return Widget(
        name, 12, 9, title, description, "table", (query.json(),), {"columns": columns}, _OLD_TABLE, version=1
    )


def choice(name: str, parameter: Parameter, datasets: Sequence[Dataset], options: Dataset, of: str) -> Widget:
    """A filter whose choice goes to every dataset that declares the parameter; `of` has what can be chosen."""
    queries, encodings = bound(parameter, datasets, name)
    fields = [{"name": of, "expression": f"`{of}`"}]
    asked = {"datasetName": options.name, "disaggregated": False, "fields": fields}
    first = {"fieldName": of, "displayName": parameter.title, "queryName": f"{name}_options"}
    return Widget(
        name,
        6,
        2,
        parameter.title,
        kind="filter-single-select",
        queries=({"name": f"{name}_options", "query": asked}, *queries),
        encodings={"fields": [first, *encodings]},
        spec={"disallowAll": True, "selection": {"defaultSelection": parameter.selection}},
    )


def period(name: str, parameter: Parameter, datasets: Sequence[Dataset]) -> Widget:
    """A filter of days."""
    queries, encodings = bound(parameter, datasets, name)
    return Widget(
        name,
        6,
        2,
        parameter.title,
        kind="filter-date-range-picker",
        queries=tuple(queries),
        encodings={"fields": encodings},
        spec={"selection": {"defaultSelection": parameter.selection}},
    )


_PALETTE = ("#1F6FB2", "#E08A1E", "#2E7D4F", "#6B4E9B", "#C8102E", "#5B6770")


def _day(field: Field) -> Json:
    return field.encoding(scale={"type": "temporal"}, axis={"hideTitle": True})


def _many(fields: Sequence[Field]) -> Json:
    return {"scale": {"type": "quantitative"}, "fields": [field.encoding() for field in fields]}


def _old_column(at: int, field: Field, is_link: bool) -> Json:
    is_time, is_number = field.of.endswith("_at"), field.of.endswith(("_s", "messages"))
    kind = "datetime" if is_time else "decimal" if is_number else "string"
    shown = "link" if is_link else {"datetime": "datetime", "decimal": "number"}.get(kind, "string")
    more = {"datetime": {"dateTimeFormat": "YYYY-MM-DD HH:mm"}, "decimal": {"numberFormat": "0,0.0"}}.get(kind, {})
    link = {"linkTextTemplate": "open"} if is_link else {}
    named = {"fieldName": field.name, "displayName": field.name, "title": field.title or field.name}
    return {**_OLD_COLUMN, **named, **more, **link, "type": kind, "displayAs": shown, "order": 100_000 + at}
