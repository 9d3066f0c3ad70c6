"""`genie-assets spaces`: what is kept of spaces, read. Nothing here asks Databricks or changes a table.

The commands that plan and carry out changes stand in `space_plans`.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from genie_assets.commands.sentences import one_sentence
from genie_assets.commands.space_lakes import access_changes, is_on_disk, of_the_demo, state
from genie_assets.commands.space_lakes import library as known
from genie_assets.commands.space_plans import apply, import_, promote, restore
from genie_assets.commands.terminal import readable, shown_place


@click.group(short_help="Show, compare, export, restore and promote spaces.")
def spaces() -> None:
    """Show the spaces that are backed up, their history and changes; plan and carry out changes of them.

    A SPACE is named by its id, its title, or TITLE@WORKSPACE. Behind it, :v3 means a version by its number, and
    :2026-01-31 or :2026-01-31T12:00 the one that was in force then (UTC).
    """


def _format(*words: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option("--format", "form", type=click.Choice(words), default=words[0], show_default=True)


@spaces.command("list", short_help="Show all known spaces.")
@_format("text", "json")
@of_the_demo
@one_sentence
def list_spaces(form: str, demo: bool) -> None:
    """Show all known spaces, and how far each is backed up."""
    from genie_assets.commands import space_text
    from genie_assets.domain.inventory import standing
    from genie_assets.domain.keys import SpaceKey
    from genie_assets.domain.space_events import Fate

    library = known(demo)
    if form == "json":
        for row in library.spaces:
            facts = {"standing": str(standing(row)), "workspace_name": library.workspaces.get(row["workspace_id"])}
            facts |= asdict(library.fates.get(SpaceKey.of(row), Fate()))
            click.echo(space_text.as_json({**space_text.with_tags(row), **facts}))
        return
    for line in space_text.listed(library.spaces, library.workspaces, library.fates):
        click.echo(line)


@spaces.command("history", short_help="Show the versions of a space.")
@click.argument("space")
@_format("text", "json")
@of_the_demo
@one_sentence
def history(space: str, form: str, demo: bool) -> None:
    """Show the versions of a SPACE, the latest first: what changed in each, and who did it."""
    from genie_assets.commands import space_text
    from genie_assets.domain.keys import SpaceKey

    library = known(demo)
    row = library.find(space)
    versions = library.history(SpaceKey.of(row))
    origins = library.origins(SpaceKey.of(row), versions)
    if not versions:
        click.echo(space_text.without_versions(row), err=form == "json")
        return
    if form == "json":
        for number, (version, origin) in enumerate(zip(versions, origins, strict=True), 1):
            click.echo(space_text.as_json({"version": f"v{number}", **version, "origin": asdict(origin)}))
        return
    for line in space_text.history(row["title"] or row["space_id"], versions, origins):
        click.echo(line)


@spaces.command("show", short_help="Show a space, now or as it was.")
@click.argument("space")
@click.option("--at", metavar="TIME", help="As it was then: 2026-01-31 or 2026-01-31T12:00 (UTC).")
@_format("text", "json")
@of_the_demo
@one_sentence
def show(space: str, at: str | None, form: str, demo: bool) -> None:
    """Show a SPACE with its configuration, now or at a time."""
    from genie_assets.commands import space_text
    from genie_assets.domain.inventory import moment
    from genie_assets.domain.space_folders import readable_configuration

    if at:
        moment(at)  # said as such before it is taken for a part of a name
    title, row = state(known(demo), f"{space}:{at}" if at else space)
    if form == "json":
        click.echo(space_text.as_json(space_text.with_tags(row)))
        return
    text = readable_configuration(row["serialized_space"] or "").rstrip("\n")
    for line in space_text.shown(title, {**row, "serialized_space": text}):
        click.echo(line)


@spaces.command("diff", short_help="Show what two states of spaces differ in.")
@click.argument("before")
@click.argument("after")
@_format("text", "markdown", "json")
@of_the_demo
@one_sentence
def diff(before: str, after: str, form: str, demo: bool) -> None:
    """Show what changed from BEFORE to AFTER: spaces, versions of them, exported folders, or plans.

    A plan FILE.json means what the space shall be, FILE.json:before what it was when the plan was made.
    """
    from genie_assets.commands import space_text
    from genie_assets.domain.configuration_changes import as_values, space_changes

    library = None if is_on_disk(before) and is_on_disk(after) else known(demo)
    (one, earlier), (other, later) = (state(library, each) for each in (before, after))
    found = space_changes(earlier, later)
    access = access_changes(library, earlier, later)
    named = () if isinstance(access, str) else access
    if form == "json":
        said = {"before": one, "after": other, "changes": as_values(found)}
        click.echo(space_text.as_json({**said, "permissions": space_text.access_values(named)}))
        return
    lines = space_text.changed if form == "text" else space_text.changed_in_markdown
    for line in lines(one, other, found, named):
        click.echo(line)
    if isinstance(access, str):
        click.echo("")
        click.echo(f"Permissions are not compared: {access}.")


@spaces.command("export", short_help="Write spaces as files, for git.")
@click.argument("names", metavar="[SPACE]...", nargs=-1)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder.")
@click.option("--permissions", is_flag=True, help="Tell who may use them, too.")
@of_the_demo
@one_sentence
def export(names: tuple[str, ...], out: Path, permissions: bool, demo: bool) -> None:
    """Write spaces, or all of them, below a folder: readable files for git, and resources of a bundle.

    Files of spaces that are not exported stay as they are. Where who may use a space was told once, it is told
    again.
    """
    from genie_assets.commands.space_files import SpaceFiles
    from genie_assets.domain.keys import SpaceKey
    from genie_assets.domain.numbers import many
    from genie_assets.domain.space_access import WantedAccess

    library = known(demo)
    chosen = names or [f"{row['space_id']}@{row['workspace_id']}" for row in library.spaces]
    files, missing, untold = SpaceFiles(out), [], 0
    for name in chosen:
        _, row = library.state(name)
        if row["serialized_space"] is None:
            missing.append(f"{row['space_id']}@{row['workspace_id']} ({row['title'] or 'no title'})")
            continue
        key = SpaceKey.of(row)
        access = library.access(key) if permissions or files.tells_permissions(key) else None
        levels = access.levels if isinstance(access, WantedAccess) else None
        files.write({**row, "workspace_id": key.workspace_id}, levels)
        untold += isinstance(access, str)
    click.echo(f"Written to {shown_place(str(out))}: {many(len(chosen) - len(missing), 'space')}.")
    if untold:
        click.echo(f"Who may use them is not known, and so not written: {many(untold, 'space')}.")
    if missing and names:
        raise click.ClickException(f"Never read, and so not written: {readable(', '.join(missing))}.")
    if missing:
        click.echo(f"Never read, and so not written: {many(len(missing), 'space')}.")


for _command in (restore, promote, import_, apply):
    spaces.add_command(_command)
