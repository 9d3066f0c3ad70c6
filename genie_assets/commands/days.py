"""Days as people type them: YYYY-MM-DD, UTC."""

import datetime as dt
import re
from typing import Any

import click

from genie_assets.commands.terminal import readable

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Day(click.ParamType):
    """A day as an option takes it, and one sentence about what is none."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        """The day that was typed."""
        if isinstance(value, dt.date):
            return value
        if not _FORM.fullmatch(value):
            self.fail(f"{readable(value)} is no day: write it as YYYY-MM-DD, such as 2026-01-31.", param, ctx)
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail(f"there is no day {value}.", param, ctx)
