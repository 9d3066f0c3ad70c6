"""`genie-assets check`: is everything there that a run needs?"""

import sys
from itertools import chain

import click

from genie_assets.commands.findings import of_unread
from genie_assets.commands.places import read_settings_and_unread
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.terminal import paragraph, readable

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
    settings, unread = read_settings_and_unread()
    for finding in chain(of_unread(unread), preflight(settings)):
        word, colour = _WORDS[finding.status]
        click.secho(paragraph(readable(finding.text), first=f"{word}  ", others=" " * 6), fg=colour)
        failed += finding.ok is False
    if failed:
        sys.exit(1)
    click.echo("Everything that a run needs is there. Next: genie-assets load")
