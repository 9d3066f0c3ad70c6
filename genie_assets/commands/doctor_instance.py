"""What `genie-assets doctor` says of the Dagster instance that runs go to."""

from collections.abc import Iterator

import click
import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType

from genie_assets.commands.findings import Finding
from genie_assets.commands.instances import HomeError, open_home
from genie_assets.commands.places import dagster_home, is_home_made

_KINDS = {InstigatorType.SCHEDULE: "schedule", InstigatorType.SENSOR: "sensor"}


def instance_findings() -> Iterator[Finding]:
    """What the instance starts by itself, and where it keeps its runs. Its pool is `preflight`'s."""
    if not is_home_made():
        yield Finding(
            ok=None, text="Not looked at, as no run has made it yet: the Dagster instance", name="dagster"
        )
        return
    try:
        with open_home(dagster_home()) as instance:
            found = [_storage(instance), *_started(instance)]
    except (HomeError, click.ClickException):
        return  # `preflight` has said so
    yield from found


def _storage(instance: dg.DagsterInstance) -> Finding:
    name = "dagster.storage"
    if "sqlite" not in type(instance.run_storage).__name__.lower():
        return Finding(ok=True, text="The Dagster instance keeps its runs in a database server", name=name)
    text = "The Dagster instance keeps its runs in SQLite: enough for one machine, and no more"
    return Finding(ok=True, text=text, name=name)


def _started(instance: dg.DagsterInstance) -> Iterator[Finding]:
    states = instance.all_instigator_state()
    for kind, word in _KINDS.items():
        on = sum(s.status is InstigatorStatus.RUNNING for s in states if s.instigator_type is kind)
        name = f"dagster.{word}s"
        if on:
            yield Finding(ok=True, text=f"Switched on in the Dagster instance: {word}s, {on}", name=name)
            continue
        text = f"No {word} has been switched on in the Dagster instance: nothing is started by one"
        cure = (f"dagster {word} start --start-all -w workspace.yaml",)
        yield Finding(ok=True, text=text, warns=True, name=name, cure=cure)
