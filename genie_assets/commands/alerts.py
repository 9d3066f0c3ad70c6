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


_STEPS = {"create": "made", "update": "brought up to date", "keep": "up to date already"}


@click.group(short_help="Try the channels of alerts; deploy the SQL alert.")
def alerts() -> None:
    """Try the channels that alerts are sent to, or have Databricks itself watch the tables.

    The sensor `alerts` does the telling, in Dagster.
    """


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


@alerts.command(short_help="Make the SQL alert that fires when the tables stand still.")
@click.option("--email", "emails", metavar="ADDRESS", multiple=True, help="A user who is told; may be repeated.")
@click.option(
    "--destination", "destinations", metavar="ID", multiple=True, help="A notification destination's id."
)
@click.option("--force", is_flag=True, help="Replace a query that was changed by hand.")
@one_sentence
def deploy(emails: tuple[str, ...], destinations: tuple[str, ...], force: bool) -> None:
    """Make the SQL alert that fires when the tables in Unity Catalog stand still, or bring it up to date.

    Databricks evaluates it, whatever has become of Dagster. Threshold, times and subscribers that people changed
    stay as they are; subscribers that are named here and missing are added.
    """
    from genie_assets.domain.space_references import Needed, Reference, Standing
    from genie_assets.domain.sql_alert import NO_SCHEMA, Subscribers, table_of, wanted_alert
    from genie_assets.domain.sql_names import schema_in
    from genie_assets.pipeline.sql_alert import deploy as deploy_alert
    from genie_assets.wiring import home_finding, open_sql_alerts

    settings = read_settings()
    place = schema_in(settings.genie_lakehouse)
    if place is None:
        raise click.ClickException(NO_SCHEMA)
    connection = settings.databricks()
    told = Subscribers(
        (*settings.genie_sql_alert_emails, *emails), (*settings.genie_sql_alert_destinations, *destinations)
    )
    wanted = wanted_alert(*place, connection.warehouse_id, told)
    done = deploy_alert(open_sql_alerts(settings, connection), wanted, force=force)
    click.echo(f"{readable(done.alert['display_name'])}: {_STEPS[done.step]}.")
    table = Reference(Needed.TABLE, table_of(*place))
    if home_finding(settings, connection, table).standing is Standing.NOT_FOUND:
        click.echo(
            f"Unity Catalog shows our login no table {readable(table.name)}: the alert has nothing to go by until "
            "a load (genie-assets load, or a schedule) has made the tables.",
            err=True,
        )
    if not done.alert["evaluation"]["notification"].get("subscriptions"):
        click.echo("Nobody is told when it fires: name users with --email, or destinations with --destination.")
    if done.others:
        click.echo(f"{done.others} more alerts have this name; they are left alone: trash them in the workspace.")


def _told(name: str, problem: str | None) -> bool:
    """Say what became of one; whether it failed."""
    if problem is None:
        click.echo(f"ok    {readable(name)}: took it")
    else:
        click.secho(f"FAIL  {readable(name)}: {readable(problem)}", fg="red")
    return problem is not None
