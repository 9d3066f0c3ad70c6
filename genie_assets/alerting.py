"""The sensor `alerts`: tells the channels what is broken, once, and when it is fine again.

What is broken says `broken`, what is news to whom say the rules of `domain.incidents`; what was told is kept in
the sensor's cursor, one state per channel (docs/decisions/alerts.md). A channel that is down fails no tick and no
run: it is tried again, and then told what is news by then. A tick in which everything was well beats the heart.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import dagster as dg

from genie_assets.broken import Watched, broken_now
from genie_assets.domain.alert_text import message
from genie_assets.domain.incidents import (
    Broken,
    QuietHours,
    Rules,
    after_telling,
    due,
    observed,
    retry_time,
)
from genie_assets.domain.numbers import form, many
from genie_assets.domain.told import Told, from_text, to_text
from genie_assets.domain.waiting import last_days
from genie_assets.gateways.channels import Channel, ChannelError, beat, open_channels, send_to_all
from genie_assets.jobs import Jobs
from genie_assets.settings import Settings, SettingsError, load_settings
from genie_assets.wiring import Clock

Checks = Sequence[dg.AssetChecksDefinition]


def is_on(settings: Settings) -> bool:
    """Whether the sensor is on by itself: whoever names a channel, or a heart to beat, wants it."""
    return bool(settings.alert_channels or settings.heartbeat)


def build_alerts(jobs: Jobs, daily: Checks, standing: Checks) -> dg.SensorDefinition:
    """The sensor.

    Args:
        jobs: All jobs.
        daily: The checks of days.
        standing: The checks of all days together.
    """
    status = dg.DefaultSensorStatus
    keys_of_days, keys_of_all = _keys(daily), _keys(standing)

    @dg.sensor(
        minimum_interval_seconds=60,
        default_status=status.RUNNING if is_on(load_settings()) else status.STOPPED,
        description="Tells the channels of GENIE_ALERT_CHANNELS what is broken, once, and when it is fine again.",
    )
    def alerts(
        context: dg.SensorEvaluationContext, genie_clock: dg.ResourceParam[Clock]
    ) -> dg.SensorResult | dg.SkipReason:
        """Look at the latest verdicts and runs, tell each channel what is news to it, and beat the heart."""
        settings, now = load_settings(), genie_clock.now()
        if not is_on(settings):
            return dg.SkipReason("No channel is named: set GENIE_ALERT_CHANNELS (docs/operations.md, Alerts).")
        channels = opened(settings)
        days = [day.isoformat() for day in last_days(now, settings.genie_lookback_days)]
        broken = broken_now(context.instance, Watched(keys_of_days, keys_of_all, frozenset(jobs), days), now)
        look = Look(tuple(broken), now, _rules(settings), settings.genie_dagster_url)
        told = tell(channels, from_text(context.cursor), look)
        for each in told:
            if each.problem:
                context.log.warning("%s was not reached and is tried again: %s", each.channel.name, each.problem)
        # Only if all is well with us: whoever watches the heart learns of a channel that is down.
        is_well = not any(each.state.failures for each in told)
        missed = beat(settings.heartbeat) if settings.heartbeat and is_well else None
        if missed:
            context.log.warning("GENIE_ALERT_HEARTBEAT_URL was not reached: %s", missed)
        return dg.SensorResult(
            skip_reason=dg.SkipReason(_summary(broken, told)),
            cursor=to_text({each.channel.key: each.state for each in told}),
        )

    return alerts


def opened(settings: Settings) -> tuple[Channel, ...]:
    """The channels of GENIE_ALERT_CHANNELS.

    Raises:
        SettingsError: what they need is not installed.
    """
    try:
        return open_channels(settings.alert_channels)
    except ChannelError as error:
        raise SettingsError(f"GENIE_ALERT_CHANNELS is set, but {error}") from None


@dataclass(frozen=True)
class Look:
    """What was found, when, UTC, and how it is told."""

    broken: tuple[Broken, ...]
    now: dt.datetime
    rules: Rules
    dagster_url: str | None = None


@dataclass(frozen=True)
class Attempt:
    """What a channel was to be told in a tick, and what came of it: its new state, and what went wrong."""

    channel: Channel
    state: Told
    sent: int = 0
    problem: str = ""


def tell(channels: Sequence[Channel], states: Mapping[str, Told], look: Look) -> list[Attempt]:
    """Tell each channel what is news to it, all side by side; one that failed lately is left alone for a while.

    The state of a channel that is not among these is forgotten: should it come back, it is told everything.
    """
    seen = [_seen(channel, states.get(channel.key, Told()), look) for channel in channels]
    notices = [
        () if _waits(each.state, look.now) else due(each.state.incidents, look.now, look.rules) for each in seen
    ]
    chosen = [number for number, news in enumerate(notices) if news]
    messages = [message(notices[number], look.dagster_url) for number in chosen]
    results = send_to_all([channels[number] for number in chosen], messages)
    told = list(seen)
    for number, result in zip(chosen, results, strict=True):
        before, news = seen[number].state, notices[number]
        if result.is_taken:
            state = Told(after_telling(before.incidents, news, look.now))
            told[number] = replace(seen[number], state=state, sent=len(news))
        else:
            failures = before.failures + 1
            state = replace(before, failures=failures, retry_at=look.now + retry_time(failures))
            told[number] = replace(seen[number], state=state, problem=result.reason)
    return told


def _seen(channel: Channel, before: Told, look: Look) -> Attempt:
    return Attempt(channel, replace(before, incidents=observed(before.incidents, look.broken, look.now)))


def _waits(state: Told, now: dt.datetime) -> bool:
    return state.retry_at is not None and now < state.retry_at


def _rules(settings: Settings) -> Rules:
    hours = settings.genie_alert_quiet_hours
    quiet = QuietHours(*hours, ZoneInfo(settings.genie_time_zone)) if hours else None
    return Rules(dt.timedelta(hours=settings.genie_alert_remind_hours), quiet)


def _keys(checks: Checks) -> tuple[dg.AssetCheckKey, ...]:
    return tuple(sorted({key for each in checks for key in each.check_keys}, key=lambda key: key.to_user_string()))


def _summary(broken: Sequence[Broken], told: Sequence[Attempt]) -> str:
    sent, down = sum(each.sent for each in told), sum(bool(each.state.failures) for each in told)
    sentences = [
        f"{many(len({each.cause for each in broken}), 'incident')} now; {many(sent, 'notice')} "
        f"{form(sent, 'was', 'were')} delivered."
    ]
    if down:
        sentences.append(f"{down} of {many(len(told), 'channel')} cannot be reached; the next looks try again.")
    return " ".join(sentences)
