"""What would be wrong with the query of one widget: what it asks, of which dataset, grouped how."""

import re
from collections.abc import Iterator, Mapping

from genie_assets.domain.dashboard.words import Json

_COLUMN = r"`(\w+|\*)`"
# Expressions that the product's own editor writes. Others may work, and nobody knows.
_EXPRESSIONS = (
    re.compile(rf"{_COLUMN}"),
    re.compile(rf"(?:SUM|AVG|MIN|MAX|MEDIAN|COUNT)\({_COLUMN}\)"),
    re.compile(rf"COUNT\(DISTINCT {_COLUMN}\)"),
    re.compile(rf"PERCENTILE\({_COLUMN}, 0(?:\.\d+)?\)"),
    re.compile(rf'DATE_TRUNC\("(?:DAY|WEEK|MONTH)", {_COLUMN}\)'),
)
_FILTER = re.compile(r"`(\w+)` IN \('[^'`\\]*'(?:, '[^'`\\]*')*\)")


def query_flaws(
    query: Json, datasets: Mapping[str, Json], columns: Mapping[str, tuple[str, ...]], *, is_filter: bool
) -> Iterator[str]:
    """What is wrong with a query, each to follow the widget's name.

    Args:
        query: The query as the widget holds it.
        datasets: The datasets by name.
        columns: Their columns.
        is_filter: The widget is a filter, whose queries give a parameter its value.
    """
    asked = query["query"]
    name = asked["datasetName"]
    if name not in datasets:
        yield f"there is no dataset {name}."
        return
    known = {*columns.get(name, ()), "*"}
    yield from _field_flaws(asked, known)
    yield from _condition_flaws(asked, known)
    if is_filter:
        if asked["disaggregated"]:
            yield "a filter's query must not be disaggregated."
    elif "parameters" in asked:
        yield "a chart whose query has parameters stays blank."
    elif query["name"] != "main_query":
        yield f"its query is called {query['name']} and not main_query."


def _condition_flaws(asked: Json, known: set[str]) -> Iterator[str]:
    name = asked["datasetName"]
    for each in asked.get("filters", ()):
        found = _FILTER.fullmatch(each.get("expression", ""))
        if found is None:
            yield f"its condition {each} has a form that is not known to work."
        elif found[1] not in known:
            yield f"its condition speaks of {found[1]}, which {name} lacks."
    for each in asked.get("orders", ()):
        named = re.fullmatch(_COLUMN, each.get("expression", ""))
        if named is None or named[1] not in known or each.get("direction") not in ("ASC", "DESC"):
            yield f"its order {each} is none, or speaks of what {name} lacks."


def _field_flaws(asked: Json, known: set[str]) -> Iterator[str]:
    fields = asked.get("fields", ())
    names = [each["name"] for each in fields]
    if len(set(names)) != len(names):
        yield "two of its fields have one name."
    aggregates = 0
    for each in fields:
        found = next((match for one in _EXPRESSIONS if (match := one.fullmatch(each["expression"]))), None)
        if found is None:
            yield f"its expression {each['expression']} has a form that is not known to work."
            continue
        is_plain = each["expression"] == f"`{found[1]}`"
        aggregates += not (is_plain or each["expression"].startswith("DATE_TRUNC"))
        if found[1] not in known or (found[1] == "*" and each["expression"] != "COUNT(`*`)"):
            yield f"it asks for {found[1]}, which {asked['datasetName']} lacks."
        if is_plain and each["name"] != found[1]:
            yield f"a column keeps its name: {each['name']} is {found[1]}."
    if aggregates and asked["disaggregated"]:
        yield "an aggregate needs rows that are grouped."
