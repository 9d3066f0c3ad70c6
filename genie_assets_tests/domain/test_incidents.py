"""What channels are told, and how often: whatever breaks, flaps, is restarted, or cannot be reached."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from genie_assets.domain.alert_text import message, plain
from genie_assets.domain.incidents import (
    LONGEST_SETTLE,
    MEMORY,
    SETTLE,
    Broken,
    Incident,
    Kind,
    Notice,
    QuietHours,
    Rules,
    Severity,
    after_telling,
    due,
    observed,
    retry_time,
)
from genie_assets.domain.told import Told, from_text, to_text

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
CAUSES = ("class:PERMISSION", "check:audit_is_fresh", "run:genie_daily")
RULES = Rules()


def broken(
    cause: str = CAUSES[0], at: dt.datetime = NOON, severity: Severity = Severity.ERROR, **texts: str
) -> Broken:
    return Broken(
        cause, severity, texts.get("what", "3 messages cannot be read"), "grant CAN MANAGE", at, "runs/1"
    )


class Channel:
    """A channel that takes what it is sent, or does not; its state goes through the text that is kept."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.text, self.rules = "", rules
        self.taken: list[tuple[dt.datetime, Notice]] = []

    @property
    def told(self) -> Told:
        return from_text(self.text).get("one", Told())

    def tick(self, now: dt.datetime, found: Iterable[Broken], *, is_up: bool = True, is_kept: bool = True) -> None:
        """A tick; one that is killed behind the sending keeps nothing."""
        seen = observed(self.told.incidents, list(found), now)
        notices = due(seen, now, self.rules)
        if is_up:
            self.taken += [(now, notice) for notice in notices]
            seen = after_telling(seen, notices, now)
        if is_kept:
            self.text = to_text({"one": Told(seen)})

    def kinds(self, cause: str = CAUSES[0]) -> list[Kind]:
        return [notice.kind for _, notice in self.taken if notice.incident.broken.cause == cause]


def run(channel: Channel, begin: dt.datetime, steps: int, step: dt.timedelta, *found: Broken) -> dt.datetime:
    for number in range(steps):
        channel.tick(begin + number * step, found)
    return begin + steps * step


def test_an_incident_is_told_once_reminded_of_ever_more_rarely_and_recovers_once() -> None:
    channel = Channel()
    then = run(channel, NOON, 24 * 8, HOUR, broken())
    assert channel.kinds() == [Kind.ALERT, Kind.REMINDER, Kind.REMINDER, Kind.REMINDER]
    assert [at - NOON for at, _ in channel.taken] == [0 * DAY, 1 * DAY, 3 * DAY, 7 * DAY]
    run(channel, then, 60, MINUTE)
    assert channel.kinds()[4:] == [Kind.RECOVERY]
    run(channel, then + HOUR, 72, HOUR)
    assert channel.told.incidents == (), "what is long over is forgotten"


def test_what_turns_from_a_warning_into_an_error_is_told_once_more_and_not_each_time() -> None:
    channel = Channel()
    for number, severity in enumerate(["WARN", "ERROR", "WARN", "ERROR", "ERROR"]):
        channel.tick(NOON + number * MINUTE, [broken(severity=Severity(severity))])
    assert channel.kinds() == [Kind.ALERT, Kind.WORSE]


def test_a_thousand_failures_of_one_cause_are_one_incident() -> None:
    channel = Channel()
    many = [broken(at=NOON - number * MINUTE) for number in range(1_000)]
    run(channel, NOON, 600, MINUTE, *many)
    assert channel.kinds() == [Kind.ALERT]


def test_a_check_that_flaps_each_hour_for_a_month_sends_a_handful_of_messages() -> None:
    channel = Channel()
    for number in range(24 * 30 * 4):
        at = NOON + number * 15 * MINUTE
        channel.tick(at, [broken(at=at)] if number // 4 % 2 else [])
    counts = Counter(channel.kinds())
    assert counts[Kind.ALERT] <= 4
    assert counts[Kind.ALERT] - counts[Kind.RECOVERY] in (0, 1)
    assert len(channel.taken) <= 16


def test_quiet_hours_hold_everything_and_tell_it_at_their_end_by_the_clock_on_the_wall() -> None:
    """Berlin goes to summer time in that night: 07:00 is 05:00 UTC on the day after."""
    quiet = QuietHours(dt.time(22), dt.time(7), ZoneInfo("Europe/Berlin"))
    channel = Channel(Rules(quiet=quiet))
    begin = dt.datetime(2026, 3, 28, 22, tzinfo=dt.UTC)
    run(channel, begin, 2 * 60, MINUTE, broken(at=begin))
    run(channel, begin + 2 * HOUR, 10 * 60, MINUTE)
    assert channel.kinds() == [Kind.ALERT, Kind.RECOVERY]
    assert {at for at, _ in channel.taken} == {dt.datetime(2026, 3, 29, 5, tzinfo=dt.UTC)}
    (alert, _) = (notice for _, notice in channel.taken)
    assert alert.incident.opened == begin
    by_day = QuietHours(dt.time(12), dt.time(13), dt.UTC)
    assert [by_day.hold(NOON + number * 30 * MINUTE) for number in (-1, 0, 1, 2)] == [False, True, True, False]


def test_a_channel_that_was_down_is_told_what_is_news_to_it_and_nothing_twice() -> None:
    channel = Channel()
    for number in range(3 * 24):
        now = NOON + number * HOUR
        found = [broken(CAUSES[0])] if number < 24 else [broken(CAUSES[1])]
        channel.tick(now, found, is_up=number >= 60)
    assert channel.kinds(CAUSES[0]) == [Kind.ALERT, Kind.RECOVERY]
    assert channel.kinds(CAUSES[1]) == [Kind.ALERT]
    assert [retry_time(number) // MINUTE for number in (1, 2, 3, 6, 60)] == [1, 2, 4, 30, 30]


def test_a_tick_that_is_killed_behind_the_sending_repeats_its_notices_once() -> None:
    channel = Channel()
    channel.tick(NOON, [broken()], is_kept=False)
    run(channel, NOON + MINUTE, 60, MINUTE, broken())
    assert channel.kinds() == [Kind.ALERT, Kind.ALERT]


ticks = st.lists(
    st.tuples(
        st.integers(1, 3 * 24 * 60),  # minutes since the tick before
        st.sets(st.sampled_from(CAUSES)),
        st.sampled_from(Severity),
        st.booleans(),  # whether the channel is up
    ),
    max_size=60,
)


@settings(max_examples=150)
@given(ticks, st.booleans())
def test_whatever_happens_alert_and_recovery_take_turns_and_messages_are_bounded(
    course: list[tuple[int, set[str], Severity, bool]], is_quiet: bool
) -> None:
    quiet = QuietHours(dt.time(20), dt.time(8), dt.UTC) if is_quiet else None
    channel, now = Channel(Rules(quiet=quiet)), NOON
    for minutes, causes, severity, is_up in course:
        now += minutes * MINUTE
        channel.tick(now, [broken(cause, now, severity) for cause in sorted(causes)], is_up=is_up)
    took = now - NOON
    # The course ends, and everything is fine for long.
    for _ in range(12):
        now += 12 * HOUR + 7 * MINUTE
        channel.tick(now, [])
    for cause in CAUSES:
        kinds = channel.kinds(cause)
        turns = [kind for kind in kinds if kind in (Kind.ALERT, Kind.RECOVERY)]
        assert turns == [Kind.ALERT, Kind.RECOVERY] * (len(turns) // 2), "each alert has its one recovery"
        assert kinds.count(Kind.WORSE) <= kinds.count(Kind.ALERT)
        assert (Kind.ALERT in kinds) == any(cause in causes for _, causes, _, _ in course)
        # Between two alerts something was fine for its settle time, which doubles.
        assert kinds.count(Kind.ALERT) <= 9 + (took / LONGEST_SETTLE)
        assert kinds.count(Kind.REMINDER) <= took / RULES.remind_after
    assert channel.told.incidents == ()


@given(ticks, st.lists(st.booleans(), min_size=60, max_size=60))
def test_each_kill_costs_one_repeat_at_most(
    course: list[tuple[int, set[str], Severity, bool]], kept: list[bool]
) -> None:
    calm, killed, now = Channel(), Channel(), NOON
    for (minutes, _, _, _), is_kept in zip(course, kept, strict=False):
        now += minutes * MINUTE
        calm.tick(now, [broken()])
        killed.tick(now, [broken()], is_kept=is_kept)
    kills = kept[: len(course)].count(False)
    assert killed.kinds().count(Kind.ALERT) <= calm.kinds().count(Kind.ALERT) + kills
    assert not course or Kind.ALERT in killed.kinds()


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(str))
def test_a_state_that_cannot_be_read_is_none(text: str) -> None:
    assert from_text(text) == {}
    assert from_text('{"one": {"incidents": [{"cause": 1}, null], "failures": 2}}') == {"one": Told((), 2)}


def test_the_damping_is_what_the_runbook_says() -> None:
    assert (SETTLE, LONGEST_SETTLE, MEMORY) == (10 * MINUTE, 24 * HOUR, 48 * HOUR)


HOSTILE = (
    "Sales <!channel> @here [click](http://evil.example/x) `*b*`\u202e\x1b[31m\n\n"
    "BROKEN: forged & www.evil.example"
)


def test_a_message_says_what_since_when_what_to_do_and_where_and_nothing_hostile() -> None:
    incident = Incident(broken(what=f"3 spaces: {HOSTILE}"), opened=NOON, returns=2)
    told = message([Notice(Kind.ALERT, incident)], "https://dagster.example/")
    assert told.title == "genie-assets: 1 broken"
    lines = told.body.splitlines()
    assert len(lines) == 4, "no text from outside makes a line"
    assert lines[0].startswith("BROKEN: 3 spaces: Sales ‹!channel› (at)here (click)(http : // evil")
    assert lines[1].startswith("Since 2026-03-10 12:00 UTC. It comes and goes: 2 times so far")
    assert lines[2:] == ["What to do: grant CAN MANAGE", "https://dagster.example/runs/1"]
    assert not set("<>@`[]*&\x1b\u202e") & set(told.body)
    assert len(plain("x" * 10_000)) == 600
    assert "http" not in message([Notice(Kind.ALERT, Incident(broken(), NOON))], None).body
    fine = message([Notice(Kind.RECOVERY, Incident(broken(), NOON, gone=NOON + HOUR))], None)
    assert not fine.is_bad
    assert fine.body.splitlines()[1] == "Since 2026-03-10 12:00 UTC until 2026-03-10 13:00 UTC."
    many = message([Notice(Kind.ALERT, Incident(broken(str(n)), NOON)) for n in range(60)], None)
    assert many.body.endswith("And 35 more: see the checks and runs in Dagster.")
