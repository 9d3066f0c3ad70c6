"""How much is asked, and by how many people, in plain Python."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

from genie_assets_tests.views.golden_basics import DAY, Row, distinct, grouped, highest, share
from genie_assets_tests.views.golden_messages import GoldenMessages


class GoldenActivity(GoldenMessages):
    """By day, by space, by user, and by windows of days."""

    def activity_by_day(self) -> list[Row]:
        places = {(row["workspace_id"],) for row in [*self.details, *self.references]}
        places |= {(workspace_id,) for workspace_id, _ in self.spaces}
        return self._activity(places, ("workspace_id",))

    def activity_by_space(self) -> list[Row]:
        named = [row for row in self.references if row["space_id"] is not None]
        places = {(row["workspace_id"], row["space_id"]) for row in [*self.details, *named]} | set(self.spaces)
        rows = self._activity(places, ("workspace_id", "space_id"))
        titles = {key: row.get("title") for key, row in self.spaces.items()}
        return [{**row, "space_name": titles.get((row["workspace_id"], row["space_id"]))} for row in rows]

    def _activity(self, places: Collection[tuple[str, ...]], names: tuple[str, ...]) -> list[Row]:
        asked = grouped(self.overview, "day", *names)
        lost = [
            row
            for row in self.references
            if row["is_new"]
            and not row["is_deleted"]
            and (row["workspace_id"], row["message_id"]) not in self.stored
        ]
        unread = grouped(lost, "event_date", *names)
        found = []
        for day in self.days:
            for place in places:
                rows, missing = asked.get((day, *place), []), unread.get((day, *place), [])
                workspace = self.workspaces_by_id.get(place[0], {})
                is_loaded = day in self.loads
                row = {"day": day, **dict(zip(names, place, strict=True)), "is_loaded": is_loaded}
                row["workspace_name"] = workspace.get("workspace_name")
                row["unread_messages"] = distinct(missing, "message_id") if is_loaded else None
                numbers = self._numbers(rows)
                is_known = is_loaded and (rows or not missing)
                found.append({**row, **{name: number if is_known else None for name, number in numbers.items()}})
        return found

    def _numbers(self, rows: list[Row]) -> Row:
        outcomes = Counter(row["outcome"] for row in rows)
        judged = outcomes["ANSWERED"] + outcomes["FAILED"]
        return {
            "messages": len(rows),
            "conversations": distinct(rows, "conversation_id"),
            "users": self.people(rows),
            "service_principals": distinct(
                [row for row in rows if row["user_kind"] == "SERVICE_PRINCIPAL"], "user_key"
            ),
            **{
                name.lower(): outcomes[name]
                for name in ("ANSWERED", "FAILED", "CANCELLED", "UNSETTLED", "WITHHELD", "DELETED")
            },
            "judged": judged,
            "success_rate": share(outcomes["ANSWERED"], judged),
            "failure_rate": share(outcomes["FAILED"], judged),
        }

    def activity_by_user(self) -> list[Row]:
        found = []
        for (day, workspace_id, user_key), rows in grouped(
            self.overview, "day", "workspace_id", "user_key"
        ).items():
            numbers = self._numbers(rows)
            found.append(
                {
                    "day": day,
                    "workspace_id": workspace_id,
                    "workspace_name": highest(rows, "workspace_name"),
                    "user_key": user_key,
                    "user_kind": highest(rows, "user_kind"),
                    "is_day_loaded": day in self.loads,
                    "spaces": distinct(rows, "space_id"),
                    "rated": sum(row["rating"] is not None for row in rows),
                    **{
                        name: numbers[name]
                        for name in ("messages", "conversations", "answered", "failed", "judged", "success_rate")
                    },
                }
            )
        return found

    def active_users(self) -> list[Row]:
        people = [row for row in self.overview if row["user_kind"] in ("PERSON", "UNKNOWN")]
        workspaces = {row["workspace_id"] for row in [*self.references, *self.details]}
        found = []
        for scope in [*workspaces, "*"]:
            days: defaultdict[dt.date, set[str]] = defaultdict(set)
            for row in people:
                if scope in ("*", row["workspace_id"]):
                    days[row["day"]].add(row["user_key"])
            found += [self._active(scope, day, days) for day in self.days]
        return found

    def _active(self, scope: str, day: dt.date, days: Mapping[dt.date, set[str]]) -> Row:
        def window(first: int, last: int) -> set[str]:
            return {user for n in range(first, last + 1) for user in days.get(day - n * DAY, ())}

        def loaded(length: int) -> int:
            return sum(day - n * DAY in self.loads for n in range(length))

        today, week, before, month = window(0, 0), window(0, 6), window(7, 13), window(0, 29)
        earlier = {user for each, users in days.items() if each < day for user in users}
        is_loaded = day in self.loads
        whole = {length: loaded(length) == length for length in (7, 14, 30)}
        return {
            "day": day,
            "workspace_id": scope,
            "is_loaded": is_loaded,
            **{f"loaded_days_{length}": loaded(length) for length in whole},
            "daily_users": len(today) if is_loaded else None,
            "weekly_users": len(week) if whole[7] else None,
            "weekly_users_before": len(before) if whole[14] else None,
            "returning_users": len(week & before) if whole[14] else None,
            "monthly_users": len(month) if whole[30] else None,
            "new_users": len(today - earlier) if is_loaded else None,
            "stickiness": share(len(today), len(month)) if whole[30] else None,
            "history_since": min(self.loads),
            "history_gap_days": sum(each not in self.loads for each in self.days if each <= day),
        }
