"""Which parts a dashboard's JSON must have and may have: Databricks stores any, and draws those that it knows.

A part that is misspelt or left out is no error there: the widget is drawn without it, or not at all.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from genie_assets.domain.dashboard.words import Json

IS_TEXT = "text"
"""What a widget of words is called here: it names no kind of itself."""


class _Parts(NamedTuple):
    """Names of parts that something must have, and may have besides."""

    needed: frozenset[str]
    allowed: frozenset[str] = frozenset()

    def flaws(self, what: str, found: Mapping[str, Any]) -> Iterator[str]:
        for name in sorted(self.needed - found.keys()):
            yield f"{what} lacks {name}."
        for name in sorted(found.keys() - self.needed - self.allowed):
            yield f"{what} has a part {name} that is not known."


def _parts(needed: str, allowed: str = "") -> _Parts:
    return _Parts(frozenset(needed.split()), frozenset(allowed.split()))


_DASHBOARD = _parts("datasets pages uiSettings")
_DATASET = _parts("name displayName queryLines", "catalog schema parameters")
_PARAMETER = _parts("displayName keyword dataType defaultSelection", "complexType")
_PAGE = _parts("name displayName pageType layoutVersion layout")
_ITEM, _POSITION = _parts("position widget"), _parts("x y width height")
_WIDGET = _parts("name queries spec")
_QUERY, _ASKED = _parts("name query"), _parts("datasetName disaggregated", "fields filters orders parameters")
_FIELD = _parts("name expression")
_FRAME = _parts("showTitle title", "showDescription description")
_ENCODING = _parts("fieldName displayName", "format scale axis legend style")
_OLD_TABLE = "invisibleColumns allowHTMLByDefault itemsPerPage paginationSize condensed withRowNumber"
_OLD_COLUMN = _parts(
    "fieldName displayName title type displayAs visible order booleanValues alignContent allowSearch allowHTML "
    "highlightLinks useMonospaceFont preserveWhitespace imageUrlTemplate imageTitleTemplate imageWidth "
    "imageHeight linkUrlTemplate linkTextTemplate linkTitleTemplate linkOpenInNewTab",
    "dateTimeFormat numberFormat",
)
_FORMATS = {"number", "number-plain", "number-percent", "number-currency", "date"}
_SCALES = {"categorical", "quantitative", "temporal"}
_COLOR = re.compile("#[0-9A-F]{6}")
_SORTS = {"natural-order", "natural-order-reversed", "x", "x-reversed", "y", "y-reversed", "custom-order"}
_OPERATORS = {"<", "<=", "=", ">=", ">"}
_MOST_SERIES = 8


class _Kind(NamedTuple):
    """A kind of widget: its encodings, what its spec holds besides, and the least width and height to be read."""

    encodings: _Parts
    spec: _Parts
    least: tuple[int, int]
    scales: Mapping[str, tuple[str, ...]] = {}


def _kind(
    encodings: tuple[str, ...],
    spec: str,
    least: tuple[int, int],
    scales: Mapping[str, tuple[str, ...]] | None = None,
) -> _Kind:
    parts = _parts(f"version widgetType encodings frame {spec}", "mark")
    return _Kind(_parts(*encodings), parts, least, scales or {})


_ANY_X, _NUMBER = ("temporal", "quantitative", "categorical"), ("quantitative",)
_OVER_DAYS = {"x": ("temporal",), "y": _NUMBER}
KINDS: Mapping[str, _Kind] = {
    "counter": _kind(("value", "target"), "", (2, 2)),
    "bar": _kind(("x y", "color label"), "", (4, 5), {"x": _ANY_X, "y": ("quantitative", "categorical")}),
    "line": _kind(("x y", "color label"), "", (4, 5), _OVER_DAYS),
    "pie": _kind(("angle color", "label"), "", (3, 5), {"angle": _NUMBER, "color": ("categorical",)}),
    "scatter": _kind(("x y", "color size extra"), "", (4, 5), {"x": _NUMBER, "y": _NUMBER}),
    "heatmap": _kind(("x y color", "label"), "", (6, 5), {"x": _ANY_X, "y": _ANY_X, "color": _NUMBER}),
    "combo": _kind(("x y", "label"), "", (4, 5), {"x": ("temporal",)}),
    "table 1": _kind(("columns",), _OLD_TABLE, (6, 6)),
    "table 2": _kind(("columns", "rowOrder"), "rowsPerPage", (6, 6)),
    "filter-single-select": _kind(("fields",), "disallowAll selection", (3, 1)),
    "filter-date-range-picker": _kind(("fields",), "selection", (3, 1)),
}


def shape_flaws(content: Mapping[str, Any]) -> Iterator[str]:
    """Parts that are missing or not known, one sentence each."""
    yield from _DASHBOARD.flaws("The dashboard", content)
    for dataset in content.get("datasets", ()):
        yield from _dataset_flaws(f"Dataset {dataset.get('name')}", dataset)
    for page in content.get("pages", ()):
        what = f"Page {page.get('name')}"
        yield from _PAGE.flaws(what, page)
        for item in page.get("layout", ()):
            yield from _ITEM.flaws(what, item)
            position, widget = item.get("position", {}), item.get("widget", {})
            name = f"Widget {widget.get('name')}"
            yield from _POSITION.flaws(name, position)
            if not all(isinstance(each, int) for each in position.values()):
                yield f"{name}: its place is not of whole numbers."
            yield from _widget_flaws(name, widget, position)


def _dataset_flaws(what: str, dataset: Json) -> Iterator[str]:
    yield from _DATASET.flaws(what, dataset)
    if ("catalog" in dataset) != ("schema" in dataset):
        yield f"{what}: a catalog and a schema go together."
    for parameter in dataset.get("parameters", ()):
        name = f"{what}: its parameter {parameter.get('keyword')}"
        yield from _PARAMETER.flaws(name, parameter)
        yield from _selection_flaws(name, parameter.get("defaultSelection", {}), parameter)


def _selection_flaws(what: str, selection: Json, parameter: Json) -> Iterator[str]:
    """A range of dates has two ends, all else has values; each of the parameter's type, and each a text."""
    is_range = parameter.get("complexType") == "RANGE"
    kind = parameter.get("dataType")
    if kind not in ("STRING", "INTEGER", "DECIMAL", "DATE", "DATETIME") or (is_range and "DATE" not in kind):
        yield f"{what} has a type that cannot be, {kind}."
    chosen = selection.get("range" if is_range else "values")
    if chosen is None or chosen.get("dataType") != kind:
        yield f"{what} begins with what is no {'range' if is_range else 'value'} of {kind}."
        return
    ends = [chosen.get("min"), chosen.get("max")] if is_range else chosen.get("values", [])
    if not ends or not all(isinstance(end, Mapping) and isinstance(end.get("value"), str) for end in ends):
        yield f"{what} begins with a value that is not written as a text."


def _widget_flaws(what: str, widget: Json, position: Json) -> Iterator[str]:
    if "multilineTextboxSpec" in widget:
        if "name" not in widget or widget["multilineTextboxSpec"].keys() != {"lines"}:
            yield f"{what}: a text has a name and lines."
        return
    yield from _WIDGET.flaws(what, widget)
    for query in widget.get("queries", ()):
        yield from _QUERY.flaws(what, query)
        asked = query.get("query", {})
        yield from _ASKED.flaws(f"{what}: its query", asked)
        if "fields" not in asked and "parameters" not in asked:
            yield f"{what}: its query asks for nothing and gives nothing."
        for field in asked.get("fields", ()):
            yield from _FIELD.flaws(f"{what}: a field of its query", field)
        for parameter in asked.get("parameters", ()):
            yield from _parts("name keyword").flaws(f"{what}: a parameter of its query", parameter)
    spec = widget.get("spec", {})
    name = spec.get("widgetType", "")
    kind = KINDS.get(f"{name} {spec.get('version')}" if name == "table" else name)
    if kind is None:
        yield f"{what}: {name or 'what it is'} is no kind of widget whose parts are known."
        return
    yield from kind.spec.flaws(what, spec)
    yield from _frame_flaws(what, spec.get("frame", {}))
    least_width, least_height = kind.least
    if position.get("width", 0) < least_width or position.get("height", 0) < least_height:
        yield f"{what} is too small: at least {least_width} columns and {least_height} rows."
    yield from _encodings_flaws(what, kind, spec)


def _frame_flaws(what: str, frame: Json) -> Iterator[str]:
    yield from _FRAME.flaws(f"{what}: its frame", frame)
    if frame.get("showTitle") is not True or not frame.get("title"):
        yield f"{what} shows no title."
    if ("description" in frame or "showDescription" in frame) and not (
        frame.get("showDescription") is True and frame.get("description")
    ):
        yield f"{what} does not show its description."


def _encodings_flaws(what: str, kind: _Kind, spec: Json) -> Iterator[str]:
    encodings = spec.get("encodings", {})
    yield from kind.encodings.flaws(f"{what}: its encodings", encodings)
    for name, scales in kind.scales.items():
        found = encodings.get(name, {}).get("scale", {}).get("type")
        if found not in scales:
            yield f"{what}: {name} has the scale {found}; it must be {' or '.join(scales)}."
    special: Mapping[str, Callable[[str, Json], Iterator[str]]] = {
        "columns": _column_flaws,
        "fields": _filter_flaws,
        "y": _series_flaws,
    }
    for name, look in special.items():
        if name in encodings:
            yield from look(what, spec)
    for name in ("value", "target", "x", "color", "angle"):
        if name in encodings:
            yield from _encoding_flaws(f"{what}: {name}", encodings[name])


def _encoding_flaws(what: str, encoding: Json) -> Iterator[str]:
    yield from _ENCODING.flaws(what, encoding)
    if "format" in encoding and encoding["format"].get("type") not in _FORMATS:
        yield f"{what} has a format that is not known."
    for rule in encoding.get("style", {"rules": ()}).get("rules", [{}]):
        condition = rule.get("condition", {})
        operand = condition.get("operand", {})
        is_compared = condition.get("operator") in _OPERATORS and operand.get("type") == "data-value"
        if (
            not is_compared
            or not isinstance(operand.get("value"), str)
            or not _COLOR.fullmatch(rule.get("color", ""))
        ):
            yield f"{what} is coloured by a rule that is not known."
    scale = encoding.get("scale", {})
    if "scale" in encoding and scale.get("type") not in _SCALES:
        yield f"{what} has a scale that is not known."
    sort = scale.get("sort")
    if sort is not None and (
        sort.get("by") not in _SORTS or (sort["by"] == "custom-order") != ("orderedValues" in sort)
    ):
        yield f"{what} is sorted in a way that is not known."
    for mapping in scale.get("mappings", ()):
        if not _COLOR.fullmatch(mapping.get("color", "")) or "value" not in mapping:
            yield f"{what} gives a value a colour that is none."


def _column_flaws(what: str, spec: Json) -> Iterator[str]:
    columns = spec["encodings"]["columns"]
    parts = _OLD_COLUMN if spec["version"] == 1 else _ENCODING
    for column in columns:
        yield from parts.flaws(f"{what}: a column", column)
    for order in spec["encodings"].get("rowOrder", ()):
        at = order.get("field", {}).get("index", -1)
        if order.get("by") not in ("column", "column-reversed") or not 0 <= at < len(columns):
            yield f"{what}: its rows are ordered by a column that it has not."


def _filter_flaws(what: str, spec: Json) -> Iterator[str]:
    """A date range gives ranges their value; a choice has one field of options, and all else are parameters."""
    fields = spec["encodings"]["fields"]
    options = [each for each in fields if "fieldName" in each]
    is_range = spec["widgetType"] == "filter-date-range-picker"
    if len(options) != (0 if is_range else 1):
        yield f"{what}: it has {len(options)} fields to choose from."
    for each in fields:
        needed = "fieldName displayName queryName" if "fieldName" in each else "parameterName queryName"
        yield from _parts(needed).flaws(f"{what}: what it binds", each)
    yield from _parts("defaultSelection").flaws(f"{what}: its selection", spec.get("selection", {}))
    selection = spec.get("selection", {}).get("defaultSelection", {})
    if ("range" in selection) != is_range:
        yield f"{what}: what it begins with does not fit a filter of its kind."
    if not is_range and spec.get("disallowAll") is not True:
        yield f"{what}: it would offer a second All, which its datasets do not know."


def _series_flaws(what: str, spec: Json) -> Iterator[str]:
    y = spec["encodings"]["y"]
    axes = [y[name] for name in ("primary", "secondary") if name in y] or [y]
    series = [field for axis in axes for field in axis.get("fields", ())]
    if spec["widgetType"] == "combo" and len(axes) != 2:
        yield f"{what}: it needs an axis for its bars and one for its line."
    for axis in axes:
        if axis.get("scale", {}).get("type") not in _SCALES:
            yield f"{what}: y has no scale that is known."
        if "fields" not in axis:
            yield from _encoding_flaws(f"{what}: y", axis)
    for field in series:
        yield from _encoding_flaws(f"{what}: y", field)
    if len(series) > _MOST_SERIES:
        yield f"{what}: {len(series)} series are too many to be told apart; {_MOST_SERIES} are not."
    if "mark" in spec:
        yield from _mark_flaws(what, spec["mark"], len(series))


def _mark_flaws(what: str, mark: Json, series: int) -> Iterator[str]:
    colors = mark.get("colors", ())
    if len(colors) != series or len(set(colors)) != series:
        yield f"{what}: it has {len(set(colors))} colours for {series} series."
    if not all(_COLOR.fullmatch(each) for each in colors):
        yield f"{what}: one of its colours is none."
    if mark.get("layout") not in ("stack", "group", "percent-stack", "layer"):
        yield f"{what}: its bars lie in a way that is not known."
