"""The words in which a dashboard is written: datasets, parameters, queries, widgets, pages; and their JSON.

What Databricks calls things, and which version of a widget it draws, stands here. What ours shows does not.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]
COLUMNS = 12
# The one version of each kind of widget that Databricks draws; of tables there are two.
VERSIONS: Mapping[str, tuple[int, ...]] = {
    "counter": (2,),
    "bar": (3,),
    "line": (3,),
    "area": (3,),
    "pie": (3,),
    "scatter": (3,),
    "heatmap": (3,),
    "combo": (1,),
    "table": (1, 2),
    "filter-single-select": (2,),
    "filter-date-range-picker": (2,),
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of datasets. Values are texts, whatever their type; a range has two."""

    keyword: str
    title: str
    type: str
    default: tuple[str, ...]

    @property
    def is_range(self) -> bool:
        """Whether `:keyword.min` and `:keyword.max` stand in the SQL."""
        return len(self.default) == 2

    @property
    def selection(self) -> Json:
        """What is chosen at first."""
        if self.is_range:
            low, high = self.default
            return {"range": {"dataType": self.type, "min": {"value": low}, "max": {"value": high}}}
        return {"values": {"dataType": self.type, "values": [{"value": value} for value in self.default]}}

    def json(self) -> Json:
        """The parameter as a dataset declares it."""
        range_ = {"complexType": "RANGE"} if self.is_range else {}
        declared = {"displayName": self.title, "keyword": self.keyword, "dataType": self.type}
        return {**declared, **range_, "defaultSelection": self.selection}


@dataclass(frozen=True)
class Dataset:
    """One query, with the columns that it brings.

    Attributes:
        name: Its name.
        title: What people read.
        sql: One SELECT; names of views have no schema.
        columns: Names of its columns, in order.
        parameters: Parameters that stand in its SQL.
        reads: Views and tables that it reads.
    """

    name: str
    title: str
    sql: str
    columns: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    reads: tuple[str, ...] = ()

    def json(self, catalog: str | None, schema: str | None) -> Json:
        """The dataset; names without a schema are looked for in this one."""
        place = {"catalog": catalog, "schema": schema} if catalog and schema else {}
        lines = [f"{line}\n" for line in self.sql.splitlines()]
        shown: Json = {"name": self.name, "displayName": self.title, **place, "queryLines": lines}
        if self.parameters:
            shown["parameters"] = [each.json() for each in self.parameters]
        return shown


@dataclass(frozen=True)
class Field:
    """What a widget asks of a dataset: a column, or an aggregate; `of` is the column."""

    name: str
    expression: str
    of: str
    title: str = ""
    format: Mapping[str, Any] | None = None

    def called(self, title: str, format_: Mapping[str, Any] | None = None) -> "Field":
        """The same with a title and a format."""
        return replace(self, title=title, format=format_)

    @property
    def is_plain(self) -> bool:
        """Whether it is a column as it is, or a part of a date: what rows are grouped by."""
        return self.expression == f"`{self.of}`" or self.expression.startswith("DATE_TRUNC")

    def encoding(self, **more: Any) -> Json:
        """How a widget shows it."""
        shown: Json = {"fieldName": self.name, "displayName": self.title or self.name}
        return {**shown, **({"format": dict(self.format)} if self.format else {}), **more}


def column(name: str) -> Field:
    """A column."""
    return Field(name, f"`{name}`", name)


def total(name: str) -> Field:
    """Its sum."""
    return Field(f"sum({name})", f"SUM(`{name}`)", name)


def mean(name: str) -> Field:
    """Its mean: of a column that is 1, 0 or NULL, a share of those of which it is known."""
    return Field(f"avg({name})", f"AVG(`{name}`)", name)


def highest(name: str) -> Field:
    """Its maximum."""
    return Field(f"max({name})", f"MAX(`{name}`)", name)


def known(name: str) -> Field:
    """Of how many rows it is known."""
    return Field(f"count({name})", f"COUNT(`{name}`)", name)


def distinct(name: str) -> Field:
    """How many values it has."""
    return Field(f"countdistinct({name})", f"COUNT(DISTINCT `{name}`)", name)


def percentile(name: str, share: float) -> Field:
    """A percentile, with a value between two rows if it falls between them."""
    shown = f"{share:g}".replace(".", "_")
    return Field(f"percentile({name}, percentage={shown})", f"PERCENTILE(`{name}`, {share:g})", name)


def rows() -> Field:
    """How many rows there are."""
    return Field("count(*)", "COUNT(`*`)", "*")


@dataclass(frozen=True)
class Query:
    """What a widget asks of one dataset. Without aggregates rows come as they are."""

    dataset: str
    fields: tuple[Field, ...]
    filters: tuple[str, ...] = ()
    newest_by: str = ""  # a column: rows come by it, the highest first; what the dataset orders is lost on the way

    @property
    def is_raw(self) -> bool:
        """Whether rows come as they are, and are not grouped."""
        return all(field.is_plain for field in self.fields)

    def json(self) -> Json:
        """The query as a widget holds it."""
        fields = [{"name": field.name, "expression": field.expression} for field in self.fields]
        query: Json = {"datasetName": self.dataset, "fields": fields, "disaggregated": self.is_raw}
        if self.filters:
            query["filters"] = [{"expression": expression} for expression in self.filters]
        if self.newest_by:
            query["orders"] = [{"direction": "DESC", "expression": f"`{self.newest_by}`"}]
        return {"name": "main_query", "query": query}


@dataclass(frozen=True)
class Widget:
    """A widget and its size; `spec` is what its kind needs besides encodings and frame."""

    name: str
    width: int
    height: int
    title: str = ""
    description: str = ""
    kind: str = ""
    queries: tuple[Json, ...] = ()
    encodings: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    lines: tuple[str, ...] = ()

    def json(self) -> Json:
        """The widget; a text has lines and nothing else."""
        if not self.kind:
            return {"name": self.name, "multilineTextboxSpec": {"lines": [f"{line}\n" for line in self.lines]}}
        frame: Json = {"showTitle": True, "title": self.title}
        if self.description:
            frame |= {"showDescription": True, "description": self.description}
        version = VERSIONS[self.kind][-1] if self.version is None else self.version
        spec = {"version": version, "widgetType": self.kind, "encodings": dict(self.encodings), **self.spec}
        return {"name": self.name, "queries": list(self.queries), "spec": {**spec, "frame": frame}}


@dataclass(frozen=True)
class Page:
    """A page: rows of widgets from top to bottom, each row as high as its widgets and as wide as the page."""

    name: str
    title: str
    rows: tuple[tuple[Widget, ...], ...]
    is_of_filters: bool = False

    @property
    def widgets(self) -> tuple[Widget, ...]:
        """All its widgets."""
        return tuple(widget for row in self.rows for widget in row)

    def json(self) -> Json:
        """The page with the place of each widget."""
        layout, top = [], 0
        for row in self.rows:
            left = 0
            for widget in row:
                position = {"x": left, "y": top, "width": widget.width, "height": widget.height}
                layout.append({"position": position, "widget": widget.json()})
                left += widget.width
            top += max(widget.height for widget in row)
        kind = "PAGE_TYPE_GLOBAL_FILTERS" if self.is_of_filters else "PAGE_TYPE_CANVAS"
        shown: Json = {"name": self.name, "displayName": self.title, "pageType": kind}
        return {**shown, "layoutVersion": "GRID_V1", "layout": layout}


@dataclass(frozen=True)
class Dashboard:
    """A whole dashboard."""

    title: str
    datasets: tuple[Dataset, ...]
    pages: tuple[Page, ...]

    def json(self, catalog: str | None = None, schema: str | None = None) -> Json:
        """What Databricks stores of it, with the place of the views written into every dataset."""
        return {
            "datasets": [each.json(catalog, schema) for each in self.datasets],
            "pages": [page.json() for page in self.pages],
            "uiSettings": {"theme": {"widgetHeaderAlignment": "ALIGNMENT_UNSPECIFIED"}, "applyModeEnabled": False},
        }


def pretty(content: Mapping[str, Any]) -> str:
    """The JSON as a file holds it: the same content is the same text."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def bound(parameter: Parameter, datasets: Sequence[Dataset], name: str) -> tuple[list[Json], list[Json]]:
    """Queries and encodings that give a filter's choice to every dataset that declares the parameter."""
    takers = [each for each in datasets if parameter in each.parameters]
    queries, encodings = [], []
    for taker in takers:
        query_name = f"{name}_{taker.name}"
        chosen = [{"name": parameter.keyword, "keyword": parameter.keyword}]
        query = {"datasetName": taker.name, "disaggregated": False, "parameters": chosen}
        queries.append({"name": query_name, "query": query})
        encodings.append({"parameterName": parameter.keyword, "queryName": query_name})
    return queries, encodings
