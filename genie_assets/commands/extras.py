"""What only some commands need, and how it is installed."""

from importlib.util import find_spec

import click

# What each extra of setup.cfg brings, as it is imported.
_BRINGS = {
    "sandbox": (
        "duckdb",
        "pysail",
        "pyspark",
        "sqlglot",
        "starlette",
        "uvicorn",
        "google.rpc",
        "grpc_status",
        "zstandard",
    ),
    "sql": ("duckdb", "sqlglot"),
    "ui": ("dagster_webserver",),
}


def require(command: str, *extras: str) -> None:
    """See to it that what a command needs is installed.

    Raises:
        click.ClickException: something is missing; says how to install it.
    """
    missing = [name for extra in extras for name in _BRINGS[extra] if not _is_there(name)]
    if missing:
        # Who wants the sandbox wants the UI, too.
        installed = "sql" if extras == ("sql",) else "sandbox,ui"
        raise click.ClickException(
            f"`genie-assets {command}` needs packages that are not installed ({', '.join(missing)}): "
            f"pip install 'genie-assets[{installed}]'"
        )


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # the package that it should be in
        return False
