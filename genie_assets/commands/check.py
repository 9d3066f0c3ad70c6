"""`genie-assets check`: is everything there that a run needs?"""

import sys

import click

from genie_assets.commands.places import read_settings
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.terminal import readable

_WORDS = {
    "ok": ("ok  ", None),
    "warning": ("warn", "yellow"),
    "failed": ("FAIL", "red"),
    "unknown": ("--  ", None),
}


@click.command(short_help="Say what is missing for a run.")
@one_sentence
def check() -> None:
    """Check settings, credentials, warehouse, grants and lakehouse; say what is missing."""
    from genie_assets.commands.preflight import preflight

    failed = 0
    for finding in preflight(read_settings()):
        word, colour = _WORDS[finding.status]
        click.secho(f"{word}  {readable(finding.text)}", fg=colour)
        failed += finding.ok is False
    if failed:
        sys.exit(1)
    click.echo("Everything that a run needs is there. Next: genie-assets load")
