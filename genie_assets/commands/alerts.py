"""`genie-assets alerts`: do the channels of GENIE_ALERT_CHANNELS take what they are sent?"""

import sys

import click

from genie_assets.commands.places import read_settings
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.terminal import readable

_TITLE = "genie-assets: a test"
_BODY = (
    "This is a test, sent by `genie-assets alerts test`. Nothing is broken. Incidents will look like this: what "
    "happened and how much, since when, what to do, and a link."
)


@click.group(short_help="Try the channels that alerts are sent to.")
def alerts() -> None:
    """Try the channels that alerts are sent to. The sensor `alerts` does the telling, in Dagster."""


@alerts.command(short_help="Send one test notice to every channel.")
@one_sentence
def test() -> None:
    """Send one test notice to every channel, beat the heart, and say in one line each what happened.

    Of an address nothing is shown but its kind. Exit code 1 if one of them was not reached.
    """
    from genie_assets.alerting import opened
    from genie_assets.gateways.channels import beat, send_to_all

    settings = read_settings()
    channels, heartbeat = opened(settings), settings.heartbeat
    if not channels and heartbeat is None:
        raise click.ClickException(
            "No channel is named: set GENIE_ALERT_CHANNELS to addresses as apprise spells them, separated by "
            "blanks, such as slack://TokenA/TokenB/TokenC or mailto://user:password@example.com."
        )
    failed = 0
    results = send_to_all(channels, [(_TITLE, _BODY, False)] * len(channels))
    for channel, result in zip(channels, results, strict=True):
        failed += _told(channel.name, None if result.is_taken else result.reason)
    if heartbeat is not None:
        failed += _told("GENIE_ALERT_HEARTBEAT_URL", beat(heartbeat))
    if failed:
        sys.exit(1)


def _told(name: str, problem: str | None) -> bool:
    """Say what became of one; whether it failed."""
    if problem is None:
        click.echo(f"ok    {readable(name)}: took it")
    else:
        click.secho(f"FAIL  {readable(name)}: {readable(problem)}", fg="red")
    return problem is not None
