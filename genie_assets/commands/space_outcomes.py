"""What is to become of a plan for a space: the options that say it, and who may say yes."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from genie_assets.commands.places import read_settings
from genie_assets.commands.sentences import one_sentence

NOT_ALLOWED = (
    "GENIE_ALLOW_SPACE_WRITES is not set: set it to true where spaces may be changed. The plan stays good as long "
    "as the space stays as it is."
)


_NOBODY_TO_ASK = (
    "--apply asks a person yes or no, and nobody is at a terminal here.\n"
    "Write the plan with --plan FILE, and carry it out with:\n  genie-assets spaces apply FILE"
)


@dataclass(frozen=True)
class Outcome:
    """What is to become of a plan: written to a file, and carried out at once, if a person says yes.

    `with_permissions` says that it sets permissions, too.
    """

    file: Path | None
    at_once: bool
    with_permissions: bool = False

    def check(self) -> None:
        """Refuse at once where nobody could say yes, or nothing may be written."""
        if self.at_once and not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise click.UsageError(_NOBODY_TO_ASK)
        if self.at_once and not read_settings().genie_allow_space_writes:
            raise click.ClickException(NOT_ALLOWED)


def planned(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is to become of a plan."""

    @wraps(command)
    @one_sentence
    def with_outcome(*words: Any, file: Path | None, at_once: bool, permissions: bool, **options: Any) -> Any:
        outcome = Outcome(file, at_once, permissions)
        outcome.check()
        return command(*words, outcome=outcome, **options)

    at_once = click.option("--apply", "at_once", is_flag=True, help="Ask whether to carry it out now.")
    permissions = click.option("--permissions", is_flag=True, help="Let the plan set permissions, too.")
    return click.option(
        "--plan", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan to this file."
    )(permissions(at_once(with_outcome)))
