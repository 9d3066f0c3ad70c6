"""The account that is served where nobody brought one: thirty days that end when it is made."""

import datetime as dt
from pathlib import Path

from genie_sandbox.account import save
from genie_sandbox.made_up.generator import generate

SEED = 20
DAYS = 30
MESSAGES = 3000


def made_up_account(folder: Path, *, messages: int = MESSAGES) -> Path:
    """The account's folder; it is made, with about so many messages, unless it is there already."""
    if not (folder / "account.json").exists():
        anchor = dt.datetime.now(dt.UTC).replace(microsecond=0)
        save(generate(seed=SEED, anchor=anchor, days=DAYS, messages=messages), folder)
    return folder
