"""The GenieSpace JSON of a space, with its exported configuration (serialized_space, version 2)."""

import json
import random
from typing import Any

from genie_sandbox.made_up.businesses import Business, Measure
from genie_sandbox.made_up.questions import first_question
from genie_sandbox.randomness import genie_id


def space_body(
    rng: random.Random, business: Business, space_id: str, warehouse_id: str, title: str
) -> dict[str, Any]:
    """What the API answers for the space, export included; newer fields are missing for a part of the spaces."""
    body: dict[str, Any] = {
        "space_id": space_id,
        "title": title,
        "description": business.description,
        "warehouse_id": warehouse_id,
        "serialized_space": json.dumps(_configuration(rng, business), ensure_ascii=False),
    }
    if rng.random() < 0.8:
        body["parent_path"] = "/Workspace/Shared/genie"
        body["etag"] = f"AAAA-{rng.randrange(1, 90)}"
    if rng.random() < 0.7:
        month, day = rng.randrange(1, 7), rng.randrange(1, 28)
        body["create_time"] = f"2026-{month:02d}-{day:02d}T09:12:44Z"
        body["update_time"] = f"2026-{month + 1:02d}-{day:02d}T16:03:09.120Z"
    return body


def _configuration(rng: random.Random, business: Business) -> dict[str, Any]:
    return {
        "version": 2,
        "config": {"sample_questions": _sorted_by_id(_sample_questions(rng, business))},
        "data_sources": {
            "tables": sorted(
                (_fact_table(business), _lookup_table(business)), key=lambda table: str(table["identifier"])
            ),
            "metric_views": [],
        },
        "instructions": _instructions(rng, business),
        "benchmarks": {"questions": _sorted_by_id(_benchmarks(rng, business))},
    }


def _sorted_by_id(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: str(item["id"]))


def _sample_questions(rng: random.Random, business: Business) -> list[dict[str, Any]]:
    return [{"id": genie_id(rng), "question": [first_question(business, rng).text]} for _ in range(3)]


def _benchmarks(rng: random.Random, business: Business) -> list[dict[str, Any]]:
    questions = [first_question(business, rng) for _ in range(2)]
    return [
        {"id": genie_id(rng), "question": [one.text], "answer": [{"format": "SQL", "content": [one.sql()]}]}
        for one in questions
    ]


def _fact_table(business: Business) -> dict[str, Any]:
    labels = {dimension.column: dimension.label for dimension in business.dimensions}
    columns = [
        {
            "column_name": column,
            "description": [labels.get(column, column.replace("_", " ")).capitalize()],
            "synonyms": [labels[column]] if column in labels else [],
            "enable_format_assistance": True,
            "enable_entity_matching": column in labels,
        }
        for column in business.fact_columns
    ]
    return {
        "identifier": business.fact_table,
        "description": [business.description],
        "column_configs": columns,
    }


def _lookup_table(business: Business) -> dict[str, Any]:
    columns = sorted((business.lookup_key, "name", "valid_from"))
    return {
        "identifier": business.lookup_table,
        "description": [f"One row per {business.lookup_key}."],
        "column_configs": [{"column_name": column, "description": [column]} for column in columns],
    }


def _instructions(rng: random.Random, business: Business) -> dict[str, Any]:
    key = business.lookup_key
    examples = [first_question(business, rng) for _ in range(2)]
    return {
        "text_instructions": [
            {
                "id": genie_id(rng),
                "content": [f"Days are in {business.day_column} (UTC).", "Round money to cents."],
            }
        ],
        "example_question_sqls": _sorted_by_id(
            [{"id": genie_id(rng), "question": [one.text], "sql": [one.sql()]} for one in examples]
        ),
        "sql_functions": [],
        "join_specs": [
            {
                "id": genie_id(rng),
                "left": {"identifier": business.fact_table, "alias": "f"},
                "right": {"identifier": business.lookup_table, "alias": "l"},
                "sql": [f"`f`.`{key}` = `l`.`{key}`", "--rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE--"],
            }
        ],
        "sql_snippets": {
            "filters": [],
            "expressions": [],
            "measures": _sorted_by_id([_measure(rng, measure) for measure in business.measures]),
        },
    }


def _measure(rng: random.Random, measure: Measure) -> dict[str, Any]:
    return {
        "id": genie_id(rng),
        "alias": measure.alias,
        "display_name": measure.label.capitalize(),
        "sql": [measure.expression],
    }
