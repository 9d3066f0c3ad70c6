"""The table with which `genie-assets doctor --write` tries a lakehouse: its name, its columns and its rows.

Each try has a table of its own, whose name says when it began: so two that run at once do not meet, and what one
that was killed has left behind is told from what another one is just using.
"""

import datetime as dt
import re

from genie_assets.domain.table import Column, Table

BEGINNING = "genie_assets_trial_"
"""No table of ours, and hopefully none of anybody else's, has a name that begins so."""

LONGEST = dt.timedelta(minutes=30)
"""A try takes seconds, and minutes where a warehouse is slow. What is older, nobody is at work on."""

# In lower case, as Unity Catalog keeps names.
_TIME = "%Y%m%dt%H%M%Sz"
_NAME = re.compile(BEGINNING + r"(\d{8}t\d{6}z)_[0-9a-f]{8}")


def trial_name(began: dt.datetime, mark: str) -> str:
    """The name of a try's table.

    Args:
        began: When it began, UTC.
        mark: Eight hexadecimal digits by which it is told from others that began in the same second.
    """
    name = f"{BEGINNING}{began.strftime(_TIME)}_{mark}"
    if not _NAME.fullmatch(name):
        raise ValueError(f"not eight hexadecimal digits: {mark}")
    return name


def began_at(name: str) -> dt.datetime | None:
    """When the try with a table of that name began, UTC; None if it is no name of a try's table."""
    found = _NAME.fullmatch(name)
    try:
        return dt.datetime.strptime(found[1], _TIME).replace(tzinfo=dt.UTC) if found else None
    except ValueError:
        return None  # a 31st of February


def is_left_behind(name: str, now: dt.datetime) -> bool:
    """Whether a table of that name is one that a killed try has left behind."""
    began = began_at(name)
    return began is not None and began < now - LONGEST


def trial_table(name: str) -> Table:
    """The definition of a try's table: a partitioned one with a column of every kind that ours have.

    Args:
        name: One that `trial_name` made.
    """
    return Table(
        name=name,
        asset="none",
        row="made-up row",
        description="A try of `genie-assets doctor --write`, which removes it. It may be dropped at any time.",
        key=("trial_date", "number"),
        partitioned_by="trial_date",
        statistics=("trial_date", "number"),
        bookkeeping=("written_at",),
        columns=(
            Column("trial_date", "DATE", "Day of the try.", nullable=False),
            Column("number", "LONG", "Which row.", nullable=False),
            Column("text", "STRING", "A made-up text."),
            Column("small_number", "INT", "A small number."),
            Column("is_first", "BOOLEAN", "Whether it is the first row."),
            Column("texts", "ARRAY<STRING>", "Made-up texts."),
            Column("written_at", "TIMESTAMP", "When the try began."),
        ),
    )


def trial_rows(began: dt.datetime) -> list[dict[str, object]]:
    """What a try appends, and must read back: a full row, and one of which nearly nothing is known.

    Args:
        began: When it began, UTC.
    """
    at = began.replace(microsecond=0)
    return [
        {
            "trial_date": at.date(),
            "number": 2**53 + 1,  # more than a float can tell from its neighbour
            "text": "Grüße, 'quoted' \\ 数 😀",
            "small_number": -1,
            "is_first": True,
            "texts": ["a", ""],
            "written_at": at,
        },
        {
            "trial_date": at.date(),
            "number": 2,
            "text": None,
            "small_number": None,
            "is_first": None,
            "texts": None,
            "written_at": at,
        },
    ]
