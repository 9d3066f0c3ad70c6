"""`genie-assets dashboard`: the AI/BI dashboard of what the tables hold, deployed into the workspace."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from genie_assets.commands.places import configured_lake, read_settings
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.terminal import readable, shown_place
from genie_assets.domain.dashboard.deployment import (
    READING_LEVELS,
    Grant,
    StoredDashboard,
    WantedDashboard,
    address,
)

if TYPE_CHECKING:
    from genie_assets.gateways.databricks.lakeview import Lakeview
    from genie_assets.gateways.lakehouse.interface import Lakehouse
    from genie_assets.logins import DatabricksConnection
    from genie_assets.pipeline.dashboard import Deployed

_STEPS = {
    "create": "made",
    "update": "brought up to date",
    "keep": "up to date already",
}


@click.group(short_help="Deploy, compare or open the AI/BI dashboard.")
def dashboard() -> None:
    """The AI/BI dashboard in your workspace: who uses Genie, for what, does it work, how fast."""


@dataclass(frozen=True)
class _Way:
    """The ways to the dashboards and to the tables that they show."""

    dashboards: "Lakeview"
    lake: "Lakehouse"
    connection: "DatabricksConnection"
    catalog: str
    schema: str


def _way() -> _Way:
    """The ways, if the tables are where a dashboard can read them."""
    from genie_assets.domain.dashboard.ours import NO_SCHEMA
    from genie_assets.domain.sql_names import schema_in
    from genie_assets.wiring import open_dashboards

    settings = read_settings()
    place = schema_in(settings.genie_lakehouse)
    if place is None:
        raise click.ClickException(f"{NO_SCHEMA} Now it is {shown_place(settings.genie_lakehouse)}.")
    connection, lake = settings.databricks(), configured_lake()
    return _Way(open_dashboards(settings, connection), lake, connection, *place)


def _wanted_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What says which dashboard is wanted."""
    for add in (
        click.option("--schema", help="Schema of the views.  [default: that of GENIE_LAKEHOUSE]"),
        click.option("--catalog", help="Catalog of the views.  [default: that of GENIE_LAKEHOUSE]"),
        click.option("--name", "display_name", help="Its name, where it is made.", default="Genie observability"),
        click.option("--folder", metavar="PATH", help="Workspace folder.  [default: that of the last deployment]"),
    ):
        command = add(command)
    return command


@dashboard.command(short_help="Make the dashboard, or bring it up to date.")
@_wanted_options
@click.option("--viewers", metavar="GROUP", help="A group that may view it (CAN_READ).")
@click.option("--embed-credentials", is_flag=True, help="Let viewers read with the deploying principal's rights.")
@click.option("--force", is_flag=True, help="Replace what was changed by hand.")
@one_sentence
def deploy(viewers: str | None, embed_credentials: bool, force: bool, **asked: Any) -> None:
    """Make the dashboard or bring it up to date in place, publish it, and say who can see it.

    It is found by its id, wherever it was moved to, and keeps the name that people gave it.
    """
    from genie_assets.pipeline.dashboard import Deployment, deployed, in_its_place

    way = _way()
    wanted = in_its_place(_wanted(way, embed_credentials=embed_credentials, **asked), deployed(way.lake))
    missing = _missing_views(way, **asked)
    deployment = Deployment(way.dashboards, way.lake, wanted, dt.datetime.now(dt.UTC), force)
    done = deployment.run(viewers)
    for line in _lines(done, wanted, way):
        click.echo(line)
    if missing:
        click.echo(
            f"Not there yet: the views {', '.join(missing)}. What reads them stays empty until they are made: "
            "materialize the asset observability_views.",
            err=True,
        )


def _missing_views(way: _Way, **asked: Any) -> list[str]:
    """Names of the views that the dashboard reads and that are not there."""
    from genie_assets.domain.dashboard.ours import DASHBOARD
    from genie_assets.gateways.sql.shown_views import shown_views
    from genie_assets.wiring import open_warehouse

    warehouse = open_warehouse(read_settings(), way.connection)
    found = shown_views(warehouse, asked["catalog"] or way.catalog, asked["schema"] or way.schema)
    return sorted({name for dataset in DASHBOARD.datasets for name in dataset.reads} - found)


@dashboard.command(short_help="Show what a deployment would change.")
@_wanted_options
@one_sentence
def diff(**asked: Any) -> None:
    """Show what a deployment would change, one line each: + is new, - goes, ~ changes."""
    from genie_assets.domain.dashboard.differences import differences

    way = _way()
    wanted, found = _there(way, **asked)
    if found is None:
        click.echo(f"There is no dashboard yet; a deployment makes {readable(wanted.path)}")
        return
    changes = [readable(line) for line in differences(found.content, wanted.content)]
    if found.warehouse_id != wanted.warehouse_id:
        changes.append(f"~ warehouse {readable(found.warehouse_id) or 'none'} becomes {wanted.warehouse_id}")
    click.echo("\n".join(changes) or f"No difference: {readable(found.path)}")


@dashboard.command("open", short_help="Open the dashboard in a browser.")
@click.option("--draft", is_flag=True, help="The draft instead of what viewers see.")
@click.option("--print", "only_print", is_flag=True, help="Print the address and open nothing.")
@one_sentence
def open_(draft: bool, only_print: bool) -> None:
    """Open the deployed dashboard in a browser."""
    from genie_assets.pipeline.dashboard import deployed

    way = _way()
    remembered = deployed(way.lake)
    known = way.dashboards.get(remembered["dashboard_id"]) if remembered and remembered["dashboard_id"] else None
    if known is None or known.is_trashed:
        gone = "it lies in the trash" if known else "there is none"
        raise click.ClickException(f"No dashboard is deployed from here, or {gone}: genie-assets dashboard deploy")
    url = address(way.connection.home_url, known.dashboard_id, published=not draft)
    click.echo(url)
    if not only_print:
        click.launch(url)


def _there(way: _Way, **asked: Any) -> tuple[WantedDashboard, StoredDashboard | None]:
    from genie_assets.pipeline.dashboard import deployed, found_dashboard, in_its_place

    remembered = deployed(way.lake)
    wanted = in_its_place(_wanted(way, embed_credentials=False, **asked), remembered)
    return wanted, found_dashboard(way.dashboards, remembered, wanted.path)


def _wanted(
    way: _Way,
    *,
    display_name: str,
    embed_credentials: bool,
    folder: str | None = None,
    catalog: str | None = None,
    schema: str | None = None,
) -> WantedDashboard:
    """What was asked for. It has more than five parameters, as each is an option of its own."""
    from genie_assets.domain.dashboard.ours import wanted_dashboard

    if not display_name.strip() or "/" in display_name:
        raise click.UsageError("--name must not be empty, and holds no slash: the folder is said with --folder.")
    if folder and not folder.startswith("/"):
        raise click.UsageError("--folder must be a whole path, such as '/Shared/Genie observability'.")
    return wanted_dashboard(
        way.connection.warehouse_id,
        catalog or way.catalog,
        schema or way.schema,
        folder=folder or "",
        display_name=display_name,
        embeds_credentials=embed_credentials,
    )


def _lines(done: "Deployed", wanted: WantedDashboard, way: _Way) -> Iterator[str]:
    there = done.dashboard
    published = "published" if done.is_published_anew else "published already"
    yield f"{readable(there.path)}: {_STEPS[done.step]}, {published}."
    if there.path != wanted.path:
        yield f"It was moved or renamed by hand and is left there; {readable(wanted.path)} was asked for."
    yield address(way.connection.home_url, there.dashboard_id, published=True)
    yield from _seen_by(done.grants)
    if wanted.embeds_credentials:
        yield "Viewers read with the rights of the principal that deployed it: whoever may view it sees all of it."
    else:
        yield "Viewers read with their own rights: they need SELECT on the views, and nothing on the warehouse."


def _seen_by(grants: tuple[Grant, ...] | None) -> Iterator[str]:
    if grants is None:
        yield "Who can see it is not told to us, who may not manage it: its owner knows."
        return
    able = [each for each in grants if each.level in READING_LEVELS]
    names = {f"{'group ' if each.is_group else ''}{readable(each.principal, longest=100)}": each for each in able}
    shown = [
        f"{name} ({each.level}{', of a folder' if each.is_inherited else ''})" for name, each in names.items()
    ]
    yield f"It can be seen by: {', '.join(shown) or 'nobody that Databricks names'}."
    if not any(each.is_group and each.principal != "admins" for each in able):
        yield "That is no group but admins: --viewers GROUP lets one see it."
