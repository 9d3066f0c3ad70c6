"""`python -m genie_sandbox --data FOLDER`: run the sandbox until it is told to stop."""

import logging
from pathlib import Path

import click

from genie_sandbox.account import save
from genie_sandbox.made_up.thirty_days import made_up_account
from genie_sandbox.recorded import account_of
from genie_sandbox.server.process import LOOPBACK, Sandbox

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(name="sandbox")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the account to serve. [default: a made-up one, kept in .genie/sandbox]",
)
@click.option(
    "--recorded",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Instead, folder of examples that `genie-assets doctor --record` wrote.",
)
@click.option("--state", type=_FOLDER, help="Folder that outlives the process. [default: a temporary one]")
@click.option("--host", default=LOOPBACK, show_default=True, help="Address to listen on; loopback only.")
@click.option("--port", "ports", type=click.IntRange(0, 65535), multiple=True, help="One per running workspace.")
@click.option("--ready-file", type=click.Path(dir_okay=False, path_type=Path), help="Written when ready.")
@click.option("--clock", "clock_ms", type=int, help="When its clock begins, ms UTC. [default: the account's end]")
@click.option("--sql/--no-sql", default=True, show_default=True, help="Serve SQL statements and files.")
@click.option("--parent-pid", type=int, hidden=True, help="End when this is no longer the parent process.")
def main(
    data: Path | None,
    recorded: Path | None,
    state: Path | None,
    host: str,
    ports: tuple[int, ...],
    clock_ms: int | None,
    ready_file: Path | None,
    sql: bool,
    parent_pid: int | None,
) -> None:
    """Serve an account as Databricks workspaces on this machine."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if data and recorded:
        raise click.UsageError("Give one of --data and --recorded.")
    try:
        if recorded:
            data = Path(".genie/sandbox/recorded")
            save(account_of(recorded), data)
        sandbox = Sandbox(
            data or made_up_account(Path(".genie/sandbox/account")),
            state=state,
            host=host,
            ports=ports,
            sql=sql,
            clock_ms=clock_ms,
            ready_file=ready_file,
            parent_pid=parent_pid,
        )
        sandbox.run()
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
