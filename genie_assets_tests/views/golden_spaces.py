"""Which spaces there are, how they are configured, and what changes of that did, in plain Python."""

import json
from typing import Any

from genie_assets_tests.views.golden_basics import Row, distinct, grouped, highest
from genie_assets_tests.views.golden_effects import configuration_effects
from genie_assets_tests.views.golden_evaluations import evaluation_trend
from genie_assets_tests.views.golden_messages import GoldenMessages


class GoldenSpaces(GoldenMessages):
    """The inventory, and the effects of changes."""

    def space_inventory(self) -> list[Row]:
        used = grouped(self.overview, "workspace_id", "space_id")
        lost = [
            row
            for row in self.references
            if not row["is_deleted"] and (row["workspace_id"], row["message_id"]) not in self.stored
        ]
        unread = grouped(lost, "workspace_id", "space_id")
        named = {(row["workspace_id"], row["space_id"]) for row in self.references if row["space_id"] is not None}
        found = []
        for key in {*self.spaces, *used, *named}:
            space, rows, missing = self.spaces.get(key, {}), used.get(key, []), unread.get(key, [])
            title = space.get("title")
            found.append(
                {
                    "workspace_id": key[0],
                    "workspace_name": self.workspaces_by_id.get(key[0], {}).get("workspace_name"),
                    "space_id": key[1],
                    "space_name": highest(rows, "space_name") if title is None else title,
                    **{name: space.get(name) for name in ("description", "warehouse_id", "is_trashed")},
                    **{name: space.get(name) for name in ("api_fetch_status", "made_by", "tags")},
                    "history_since": min(self.loads, default=None),
                    "messages": len(rows),
                    "unread_messages": distinct(missing, "message_id"),
                    "conversations": distinct(rows, "conversation_id"),
                    "users": self.people(rows),
                    "first_used_on": min((row["day"] for row in rows), default=None),
                    "last_used_on": max((row["day"] for row in rows), default=None),
                    "is_never_used": not rows and not missing if self.loads else None,
                    **self._configured(space.get("serialized_space")),
                }
            )
        return found

    @staticmethod
    def _configured(text: str | None) -> Row:
        places = {
            "tables": ("data_sources", "tables"),
            "metric_views": ("data_sources", "metric_views"),
            "joins": ("instructions", "join_specs"),
            "instructions": ("instructions", "text_instructions"),
            "example_queries": ("instructions", "example_question_sqls"),
            "functions": ("instructions", "sql_functions"),
            "filters": ("instructions", "sql_snippets", "filters"),
            "expressions": ("instructions", "sql_snippets", "expressions"),
            "measures": ("instructions", "sql_snippets", "measures"),
            "sample_questions": ("config", "sample_questions"),
            "benchmarks": ("benchmarks", "questions"),
        }
        try:
            whole = json.loads(text or "")
        except ValueError:
            whole = {}
        if not ("version" in whole or "data_sources" in whole):
            return {"is_configuration_known": False, "table_columns": None, **dict.fromkeys(places)}
        found: Row = {"is_configuration_known": True}
        for name, path in places.items():
            part: Any = whole
            for each in path:
                part = part.get(each, {}) if isinstance(part, dict) else {}
            found[name] = len(part) if isinstance(part, list) else 0
        sources = whole.get("data_sources", {})
        listed = [*sources.get("tables", []), *sources.get("metric_views", [])]
        columns = [column for table in listed for column in table.get("column_configs", [])]
        found["table_columns"] = len(columns) if "data_sources" in whole else None
        return found

    def evaluation_trend(self) -> list[Row]:
        titles = {key: row.get("title") for key, row in self.spaces.items()}
        return evaluation_trend(self.versions, self.evaluations, self.evaluation_results, titles)

    def configuration_effects(self) -> list[Row]:
        return configuration_effects(self.versions, self.overview, set(self.days) - set(self.loads))
