"""What `genie-assets doctor` says of the Dagster instance that runs go to."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import click
import dagster as dg
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
)

from genie_assets.commands.dagster_lines import location_names, on_the_workspace
from genie_assets.commands.findings import Finding
from genie_assets.commands.instances import HomeError, open_home
from genie_assets.commands.places import dagster_home, is_home_made
from genie_assets.commands.terminal import readable
from genie_assets.definitions import build_defs

# A daemon beats every half minute; Dagster itself takes one for dead after half an hour, as a tick may take long.
_LONGEST_SILENCE = dt.timedelta(minutes=30)
_KINDS = {InstigatorType.SCHEDULE: "schedule", InstigatorType.SENSOR: "sensor"}
# Without these nothing is loaded, or what failed or was left behind is not gone on with.
_NEEDED = frozenset({"today_hourly", "retry_open_errors", "continue_pending"})


def instance_findings() -> Iterator[Finding]:
    """What the instance starts by itself, and where it keeps its runs. Its pool is `preflight`'s."""
    if not is_home_made():
        yield Finding(
            ok=None, text="Not looked at, as no run has made it yet: the Dagster instance", name="dagster"
        )
        return
    try:
        with open_home(dagster_home()) as instance:
            states = instance.all_instigator_state()
            switches = list(_started(states))
            found = [_storage(instance), *(each.finding() for each in switches), *_daemon(instance, switches)]
            beat = instance.get_daemon_heartbeats().get("SENSOR")
            found += _code(states, switches, beat.timestamp if beat else None)
    except (HomeError, click.ClickException):
        return  # `preflight` has said so
    yield from found


def _storage(instance: dg.DagsterInstance) -> Finding:
    name = "dagster.storage"
    if "sqlite" not in type(instance.run_storage).__name__.lower():
        return Finding(ok=True, text="The Dagster instance keeps its runs in a database server", name=name)
    text = "The Dagster instance keeps its runs in SQLite: enough for one machine, and no more"
    return Finding(ok=True, text=text, name=name)


@dataclass(frozen=True)
class _Switches:
    """Which of our schedules, or of our sensors, are on, and which are off."""

    word: str
    on: frozenset[str]
    off: frozenset[str]
    elsewhere: tuple[str, ...]  # code locations that are gone, under which some of them are on
    wanted: frozenset[str]  # by settings, or without which nothing goes on

    def finding(self) -> Finding:
        name, some = f"dagster.{self.word}s", f"{self.word}s, {len(self.on)} of {len(self.on | self.off)}"
        if not self.on:
            text = f"No {self.word} has been switched on in the Dagster instance: nothing is started by one"
            if self.elsewhere:
                gone = ", ".join(map(readable, self.elsewhere))
                text += f". Some are on under the code location {gone}, which the workspace does not name"
            cure = on_the_workspace(f"dagster {self.word} start --start-all")
            return Finding(ok=True, text=text, warns=True, name=name, cure=cure)
        text = f"Switched on in the Dagster instance: {some}"
        if self.off:
            text += f"; off: {', '.join(sorted(self.off))}"
        if missing := sorted(self.off & self.wanted):
            lines = [line for each in missing for line in on_the_workspace(f"dagster {self.word} start {each}")]
            text += f". It takes {', '.join(missing)} to go on by itself"
            return Finding(ok=True, text=text, warns=True, name=name, cure=tuple(dict.fromkeys(lines)))
        return Finding(ok=True, text=text, name=name)


def _daemon(instance: dg.DagsterInstance, switches: Sequence[_Switches]) -> Iterator[Finding]:
    """What is switched on, and nobody starts it: Dagster itself shows it as on."""
    beats = instance.get_daemon_heartbeats()
    since = dt.datetime.now(dt.UTC).timestamp() - _LONGEST_SILENCE.total_seconds()
    daemons = {"schedule": "SCHEDULER", "sensor": "SENSOR"}
    silent = [
        f"{each.word}s"
        for each in switches
        if each.on and (daemons[each.word] not in beats or beats[daemons[each.word]].timestamp < since)
    ]
    if silent:
        minutes = round(_LONGEST_SILENCE / dt.timedelta(minutes=1))
        text = (
            f"Nothing starts the {' and '.join(silent)} that are on: no daemon of Dagster has shown itself on "
            f"this instance for {minutes} minutes. Keep one running"
        )
        cure = on_the_workspace("dagster-daemon run")
        yield Finding(ok=True, text=text, warns=True, name="dagster.daemon", cure=cure)


def _code(
    states: Sequence[InstigatorState], switches: Sequence[_Switches], beat: float | None
) -> Iterator[Finding]:
    """Sensors that a living daemon does not reach: it goes on without a code location that cannot be loaded.

    Each of our sensors ticks once a minute, whether or not it starts something.
    """
    since = dt.datetime.now(dt.UTC).timestamp() - _LONGEST_SILENCE.total_seconds()
    on = {name for each in switches if each.word == "sensor" for name in each.on}
    known = [
        moment
        for each in states
        if each.name in on and isinstance(each.instigator_data, SensorInstigatorData)
        for moment in (each.instigator_data.last_tick_timestamp, each.instigator_data.last_sensor_start_timestamp)
        if moment is not None
    ]
    if beat is not None and beat >= since and known and max(known) < since:
        latest = dt.datetime.fromtimestamp(max(known), dt.UTC)
        text = (
            f"A daemon of Dagster runs, but none of our sensors has ticked since {latest:%Y-%m-%d %H:%M} UTC: it "
            "does not reach our code location, and starts no schedule either. The UI shows why, under Deployment, "
            "and reloads it there; or start its process again, or `genie-assets dev`"
        )
        yield Finding(ok=True, text=text, warns=True, name="dagster.code_location")


def _started(states: Sequence[InstigatorState]) -> Iterator[_Switches]:
    definitions, locations = build_defs(), location_names()
    running = dg.DefaultScheduleStatus.RUNNING, dg.DefaultSensorStatus.RUNNING
    ours = {
        InstigatorType.SCHEDULE: definitions.schedules or (),
        InstigatorType.SENSOR: definitions.sensors or (),
    }
    for kind, word in _KINDS.items():
        by_itself = {str(each.name): each.default_status in running for each in ours[kind]}
        of_kind = [each for each in states if each.instigator_type is kind and each.name in by_itself]
        yield _switches(word, by_itself, of_kind, locations)


def _switches(
    word: str,
    by_itself: Mapping[str, bool],
    states: Sequence[InstigatorState],
    locations: Collection[str] | None,
) -> _Switches:
    """What was switched by hand wins over what is on by itself; what another code location has counts nowhere."""
    here = [each for each in states if locations is None or _location(each) in locations]
    by_hand = {
        each.name: each.status is InstigatorStatus.RUNNING
        for each in here
        if each.status is not InstigatorStatus.DECLARED_IN_CODE
    }
    on = frozenset(name for name, default in by_itself.items() if by_hand.get(name, default))
    gone = {_location(each) for each in states if each not in here and each.status is InstigatorStatus.RUNNING}
    wanted = _NEEDED | {name for name, default in by_itself.items() if default}
    return _Switches(word, on, frozenset(by_itself) - on, tuple(sorted(gone)), wanted)


def _location(state: InstigatorState) -> str:
    return state.origin.repository_origin.code_location_origin.location_name
