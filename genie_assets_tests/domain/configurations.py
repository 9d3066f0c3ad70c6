"""Made-up configurations of both forms, with unknown keys and hostile text."""

import json
import random
from typing import Any

from hypothesis import strategies as st

hostile = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["'; DROP TABLE x --", "../../etc", "\x1b[2J", "\ud800", "\u2028", '"', "a\nb", "`c`.`s`", "{}"]
    ),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([0.5, 1.0, -2.25]) | hostile,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3),
    max_leaves=6,
)
lines = st.lists(hostile, max_size=3)
ids = st.sampled_from([f"{number:032x}" for number in range(6)])
identifiers = st.sampled_from(["c.s.a", "c.s.b", "c.t.a", "d.s.a"])


def _objects(name: str, values: st.SearchStrategy[str], **parts: st.SearchStrategy[Any]) -> Any:
    one = st.fixed_dictionaries({name: values}, optional={**parts, "unknown": anything})
    return st.lists(one, max_size=4)


def _columns(name: str) -> Any:
    return _objects(name, st.sampled_from("xyz"), description=lines, exclude=st.booleans(), synonyms=lines)


_serialized = st.fixed_dictionaries(
    {"version": st.just(2)},
    optional={
        "config": st.fixed_dictionaries({}, optional={"sample_questions": _objects("id", ids, question=lines)}),
        "data_sources": st.fixed_dictionaries(
            {},
            optional={
                "tables": _objects("identifier", identifiers, column_configs=_columns("column_name")),
                "metric_views": _objects("identifier", identifiers, description=lines),
            },
        ),
        "instructions": st.fixed_dictionaries(
            {},
            optional={
                "text_instructions": _objects("id", ids, content=lines),
                "example_question_sqls": _objects("id", ids, question=lines, sql=lines),
                "sql_functions": _objects("id", ids, identifier=identifiers),
                "join_specs": _objects("id", ids, sql=lines, left=st.fixed_dictionaries({"identifier": hostile})),
                "sql_snippets": st.fixed_dictionaries({}, optional={"filters": _objects("id", ids, sql=lines)}),
                "unknown": anything,
            },
        ),
        "benchmarks": st.fixed_dictionaries({}, optional={"questions": _objects("id", ids, question=lines)}),
        "unknown": anything,
    },
)
_of_an_agent = st.fixed_dictionaries(
    {},
    optional={
        "tables": _objects("identifier", identifiers, columns=_columns("column"), description=hostile),
        "volumes": _objects("identifier", identifiers),
        "mcp_connections": _objects("name", hostile),
        "join_specs": _objects("id", ids, relationship_type=hostile),
        "text_instructions": hostile,
        "benchmarks": _objects("id", ids, question=hostile, answer=hostile, evaluation_note=hostile),
        "unknown": anything,
    },
)
configurations = _serialized | _of_an_agent
"""Configurations as JSON values."""


def written(value: Any, spelling: int = 0) -> str:
    """A configuration as text, in one of several spellings."""
    options: list[dict[str, Any]] = [
        {"ensure_ascii": False},
        {"separators": (",", ":")},
        {"indent": 2},
        {"ensure_ascii": False, "separators": (",", ":")},
    ]
    return json.dumps(value, **options[spelling % len(options)])


texts = st.builds(written, configurations, st.integers(0, 3))
"""Configurations as the API brings them."""


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same, told otherwise: other order of keys and of named objects, and more that is empty."""
    if isinstance(value, dict):
        items = [(key, shuffled(part, chance)) for key, part in value.items()]
        chance.shuffle(items)
        return dict(items) | ({"nothing": chance.choice([None, "", [], {}])} if "nothing" not in value else {})
    if isinstance(value, list):
        parts = [shuffled(part, chance) for part in value]
        if all(
            isinstance(part, dict) and {"id", "identifier", "column_name", "column"} & set(part) for part in value
        ):
            chance.shuffle(parts)
        return parts
    return value
