"""`genie-assets spaces restore`, `promote`, `import`, `apply`: a plan is shown and written, and carried out apart.

Only `apply`, and `--apply` after a person said yes, change anything in Databricks, where a setting allows it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from genie_assets.commands import space_lakes
from genie_assets.commands.places import configured_lake, naming_files, read_settings, text_of
from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.space_outcomes import NOT_ALLOWED, Outcome, planned
from genie_assets.commands.terminal import readable

if TYPE_CHECKING:
    from genie_assets.domain.keys import Row
    from genie_assets.domain.space_access import Access, WantedAccess
    from genie_assets.domain.space_plans import Applied, Plan
    from genie_assets.domain.space_transfers import Destination
    from genie_assets.logins import DatabricksConnection
    from genie_assets.pipeline.ports import LiveSpaces
    from genie_assets.settings import Settings

_MOST_BYTES = 128 * 2**20
_FROM_THE_OBSERVER = (
    "Note: it takes access from the login that observes (DATABRICKS_CLIENT_ID): what that login may not read any "
    "more will be missing."
)
_SECONDS_BETWEEN_LOOKS = 1.0
_PATIENCE = 60


def _to_a_workspace(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a destination is chosen."""
    options = (
        click.option("--to", required=True, metavar="WORKSPACE", help="Its id, or its name."),
        click.option(
            "--into", metavar="SPACE", help="Id or title of the space to change. [default: of the same title]"
        ),
        click.option("--warehouse", "warehouse_id", metavar="ID", help="The warehouse that it uses there."),
        click.option("--folder", "path", metavar="PATH", help="Where a new space is made."),
        click.option(
            "--map", "pairs", metavar="OLD=NEW", multiple=True, help="Other names of catalogs, schemas, tables."
        ),
        click.option(
            "--map-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="More of them, one OLD=NEW a line.",
        ),
    )
    for add in reversed(options):  # they are shown as they stand here
        command = add(command)
    return command


@click.command("restore", short_help="Plan to make a space again what it was.")
@click.argument("space")
@click.option("--at", metavar="TIME", required=True, help="As it was then: 2026-01-31, or 2026-01-31T12:00 (UTC).")
@planned
@one_sentence
def restore(space: str, at: str, outcome: Outcome) -> None:
    """Show what making a SPACE again what it was would change, and write that as a plan.

    Nothing is changed, unless --apply is given and you say yes.
    """
    from genie_assets.domain.inventory import moment
    from genie_assets.domain.keys import SpaceKey
    from genie_assets.pipeline.planned_access import wanted_access
    from genie_assets.pipeline.space_plans import restore_plan

    then = moment(at)
    _, version = space_lakes.state(space_lakes.library(), f"{space}:{at}")
    wanted = wanted_access(configured_lake(), SpaceKey.of(version), then, is_all=True)
    live = _live()
    _propose(restore_plan(version, live), Rights(wanted, live), outcome)


@click.command("promote", short_help="Plan to bring a space to another workspace.")
@click.argument("space", metavar="SPACE|FOLDER")
@click.option("--from", "source", metavar="WORKSPACE", help="Where SPACE is, if its name does not say it.")
@_to_a_workspace
@planned
@one_sentence
def promote(space: str, source: str | None, outcome: Outcome, **to: Any) -> None:
    """Show what bringing a space to another workspace would change there, and write that as a plan.

    Nothing is changed, unless --apply is given and you say yes. The space there of the same title is changed, or
    a new one is made.
    """
    from genie_assets.commands.space_files import is_space_folder
    from genie_assets.domain.keys import SpaceKey
    from genie_assets.pipeline.planned_access import wanted_access
    from genie_assets.pipeline.space_plans import transfer_plan

    if is_space_folder(space):
        row, wanted = _of_folder(Path(space))
    else:
        _, row = space_lakes.state(space_lakes.library(), f"{space}@{source}" if source else space)
        wanted = wanted_access(configured_lake(), SpaceKey.of(row))
    live = _live()
    _propose(transfer_plan("promote", row, _destination(**to), live), Rights(wanted, live), outcome)


@click.command("import", short_help="Plan to bring an exported space to a workspace.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER")
@_to_a_workspace
@planned
@one_sentence
def import_(folder: Path, outcome: Outcome, **to: Any) -> None:
    """Show what bringing an exported space to a workspace would change there, and write that as a plan.

    Nothing is changed, unless --apply is given and you say yes. In the workspace that it comes from, the space
    itself is meant.
    """
    from genie_assets.pipeline.space_plans import transfer_plan

    row, wanted = _of_folder(folder)
    live = _live()
    _propose(transfer_plan("import", row, _destination(**to), live), Rights(wanted, live), outcome)


@click.command("apply", short_help="Carry out a plan.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--patience",
    type=click.IntRange(0, 600),
    default=_PATIENCE,
    show_default=True,
    help="Seconds to wait until it shows.",
)
@one_sentence
def apply(file: Path, patience: int) -> None:
    """Do what the plan in FILE says, and nothing else; refuse if anything changed since it was made."""
    from genie_assets.domain.space_plans import plan_of

    plan = plan_of(_text(file))
    if not read_settings().genie_allow_space_writes:
        raise click.ClickException(NOT_ALLOWED)
    _show(plan)
    _show_references(plan)
    click.echo("")
    _carry_out(plan, patience)


def _carry_out(plan: "Plan", patience: int) -> None:
    """Do what a plan says, and tell how it ended; `patience` are seconds to wait until it shows."""
    import datetime as dt

    from genie_assets.commands import space_text
    from genie_assets.pipeline.run import Run
    from genie_assets.pipeline.space_access import Patience
    from genie_assets.pipeline.space_apply import Apply

    settings = read_settings()
    connection = settings.writing()
    run = Run(dt.datetime.now(dt.UTC).date(), uuid4().hex, lambda: dt.datetime.now(dt.UTC))
    looks = Patience(1 + int(patience / _SECONDS_BETWEEN_LOOKS), lambda: time.sleep(_SECONDS_BETWEEN_LOOKS))
    live = _live_of(settings, connection)
    done = Apply(plan, live, configured_lake(), run, looks).carry_out(_who(settings, connection))
    if done.changes or done.access_changes:
        for line in space_text.changed("as reviewed", "as it is now", done.changes, done.access_changes):
            click.echo(line)
        click.echo("")
    _conclude(plan, done)


def _of_folder(folder: Path) -> "tuple[Row, WantedAccess | str]":
    """The space that a folder holds, and who shall have access by it."""
    from genie_assets.commands.space_files import read_folder
    from genie_assets.domain.space_access import WantedAccess

    row = read_folder(folder)
    if row["workspace_id"] is None or row["space_id"] is None:
        raise click.ClickException(f"{readable(folder)}/space.json must name a workspace_id and a space_id.")
    if row["permissions"] is None:
        return row, "the folder does not tell who may use it (an export with --permissions does)"
    return row, WantedAccess(row["permissions"])


def _conclude(plan: "Plan", done: "Applied") -> None:
    where = f"space {done.space_id}@{plan.workspace_id}" if done.space_id else f"workspace {plan.workspace_id}"
    text = f"{done.result}: {readable(done.message)} ({readable(where)})"
    if not done.is_good:
        raise click.ClickException(text)
    click.secho(text, fg="green")


@dataclass(frozen=True)
class Rights:
    """Who shall have access, or why that is not known; and the spaces, which tell who has it."""

    wanted: "WantedAccess | str"
    live: "LiveSpaces"


def _propose(plan: "Plan", rights: Rights, outcome: Outcome) -> None:
    """Show a plan, write it where it is wanted, and carry it out where that is wanted and a person says yes."""
    from genie_assets.domain.space_plans import file_text
    from genie_assets.pipeline.planned_access import planned_access

    found = planned_access(plan, rights.wanted, rights.live)
    if outcome.with_permissions:
        plan = _with_permissions(plan, found, rights.wanted)
    if plan.is_empty:
        no_plan = "" if outcome.file is None else " No plan was written."
        if outcome.with_permissions and isinstance(found, str):
            # Whether there is anything to do is what cannot be told.
            click.echo(f"The configuration is as wanted already.{no_plan}")
        else:
            click.echo(f"There is nothing to do: the space says so already.{no_plan}")
        # Without a plan there is no note that says it.
        _show_rights(found, replace(outcome, with_permissions=False) if isinstance(found, str) else outcome)
        return
    _show(plan)
    _show_rights(found, outcome)
    _show_references(plan)
    click.echo("")
    file = outcome.file
    if file is not None:
        with naming_files(file.parent):
            file.write_text(file_text(plan), encoding="utf-8")
    if outcome.at_once and click.confirm("Do this now?"):
        _carry_out(plan, _PATIENCE)
        return
    if file is None:
        click.echo("Nothing was changed. With --plan FILE this is written as a plan.")
        return
    click.echo("Nothing was changed. Where spaces may be changed, the plan is carried out with:")
    click.echo(f"  genie-assets spaces apply {readable(file)}")


def _with_permissions(plan: "Plan", found: "Access | str", wanted: "WantedAccess | str") -> "Plan":
    """The plan with what it does to permissions; where that is not known, it leaves them alone and says so."""
    from genie_assets.domain.space_access import doubts
    from genie_assets.domain.space_logins import of_groups_that_lose

    if not isinstance(found, str):
        age = () if isinstance(wanted, str) else wanted.age
        told = (*of_groups_that_lose(found.changes), *doubts(found), *age)
        return replace(plan, access=found, notes=(*plan.notes, *told))
    return replace(plan, notes=(*plan.notes, f"Permissions are left alone: {found}."))


def _show_rights(found: "Access | str", outcome: Outcome) -> None:
    """What differs in permissions that the plan leaves alone, and what is not known of them."""
    from genie_assets.commands import space_text

    if isinstance(found, str):
        if outcome.with_permissions:
            return  # a note of the plan says it
        lines = space_text.wrapped(f"Permissions are not compared: {readable(found)}.", "  ")
    elif outcome.with_permissions:
        lines = [] if found.changes else ["Permissions are as wanted."]
    else:
        left_alone = "  Not part of this plan: it leaves permissions alone without --permissions."
        lines = [*space_text.permissions(found.changes), left_alone] if found.changes else []
    for line in ["", *lines] if lines else []:
        click.echo(line)


def _show(plan: "Plan") -> None:
    from genie_assets.commands import space_text
    from genie_assets.domain.space_access import takes_from

    for line in space_text.planned(plan):
        click.echo(line)
    observer = read_settings().databricks().client_id
    if plan.access and observer and takes_from(plan.access.changes, observer):
        click.echo("")
        for line in space_text.wrapped(_FROM_THE_OBSERVER, "  "):
            click.secho(line, fg="yellow")


def _show_references(plan: "Plan") -> None:
    """What is known of the things that the space needs. Nothing is refused for it: who reviews decides."""
    from genie_assets.commands import space_text
    from genie_assets.pipeline.space_references import looked_up
    from genie_assets.wiring import open_live_references

    settings = read_settings()
    live = open_live_references(settings, settings.writing(), _url_of(settings))
    lines = list(space_text.looked_up(plan.workspace_id, looked_up(plan, live)))
    for line in ["", *lines] if lines else []:
        click.echo(line)


def _destination(
    *,
    to: str,
    into: str | None,
    warehouse_id: str | None,
    path: str | None,
    pairs: tuple[str, ...],
    map_file: Path | None,
) -> "Destination":
    """Where to, and what is other there. One parameter for each option."""
    from genie_assets.domain.space_transfers import Destination

    lines = [line for line in _text(map_file).splitlines() if line.strip()] if map_file else []
    renames = {}
    for pair in (*lines, *pairs):
        old, is_pair, new = (part.strip() for part in pair.partition("="))
        if not (old and is_pair and new):
            raise click.UsageError(f"{readable(pair)} is no OLD=NEW.")
        renames[old] = new
    return Destination(_workspace_id(to), into, warehouse_id, path, renames)


def _workspace_id(name: str) -> str:
    """The id of a workspace that is given by id or name."""
    from genie_assets.domain.inventory import of_workspace
    from genie_assets.pipeline.space_library import SpaceLibrary

    known = SpaceLibrary(configured_lake()).workspaces
    rows = of_workspace(name, [{"workspace_id": each} for each in known], known)
    ids = {row["workspace_id"] for row in rows}
    if len(ids) > 1:
        raise click.ClickException(
            f"{readable(name)} is the name of {', '.join(sorted(map(readable, ids)))}: give an id."
        )
    return next(iter(ids), name)


def _live() -> "LiveSpaces":
    settings = read_settings()
    return _live_of(settings, settings.writing())


def _live_of(settings: "Settings", connection: "DatabricksConnection") -> "LiveSpaces":
    from genie_assets.wiring import open_live_spaces

    return open_live_spaces(settings, connection, _url_of(settings))


def _url_of(settings: "Settings") -> Callable[[str], str | None]:
    """The address of a workspace by its id; those that the settings do not name are asked for once."""
    addresses: list[Mapping[str, str]] = []

    def url_of(workspace_id: str) -> str | None:
        if workspace_id in settings.genie_workspace_urls:
            return settings.genie_workspace_urls[workspace_id]
        if not addresses:
            addresses.append(_addresses(settings))
        return addresses[0].get(workspace_id)

    return url_of


def _addresses(settings: "Settings") -> Mapping[str, str]:
    """The addresses of all workspaces that Databricks lists."""
    from genie_assets.domain.tables import records
    from genie_assets.wiring import open_system_tables

    rows = records(open_system_tables(settings, settings.databricks()).workspaces())
    return {row["workspace_id"]: row["workspace_url"] for row in rows if row["workspace_url"]}


def _who(settings: "Settings", connection: "DatabricksConnection") -> str | None:
    """Who is logged in, as far as Databricks tells it."""
    from genie_assets.gateways.databricks.identity import own_names
    from genie_assets.gateways.databricks.retries import CallError
    from genie_assets.wiring import open_workspaces

    try:
        names = own_names(open_workspaces(settings, connection).home())
    except CallError:
        return connection.client_id
    return names[0] if names else connection.client_id


def _text(file: Path) -> str:
    return text_of(file, most_bytes=_MOST_BYTES, what="plan")
