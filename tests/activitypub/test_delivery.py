"""What follows from an attempt to deliver, and when a host is left alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.activitypub.delivery import (
    BREAKER_FAILURES,
    BREAKER_HOLD,
    LONGEST_WAIT,
    SCHEDULE,
    Breaker,
    Delivered,
    DeliveryReason,
    GiveUp,
    Outcome,
    Retry,
    Stance,
    after_failure,
    after_success,
    backoff,
    counts_against_host,
    drops_recipient,
    failing_days,
    is_dead,
    settle,
    stance,
    wants_second_knock,
    wants_smaller_body,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
JITTER = st.floats(0, 1)
STATUS = st.none() | st.integers(100, 599)


@given(JITTER, JITTER, st.integers(1, 40))
def test_backoff_is_monotone_and_bounded(one: float, other: float, attempts: int) -> None:
    """Whatever the dice say, the next wait is no shorter, and none is longer than a day."""
    earlier, later = backoff(attempts, one), backoff(attempts + 1, other)
    assert SCHEDULE[0] <= earlier <= LONGEST_WAIT
    assert later >= earlier or SCHEDULE[min(attempts, 10)] == LONGEST_WAIT


@given(JITTER)
def test_the_schedule_is_the_promised_one(jitter: float) -> None:
    """1m 5m 30m 2h 6h 12h, then five days; at most a tenth longer."""
    waits = [backoff(attempt, jitter) for attempt in range(1, 13)]
    promised = [60, 300, 1800, 7200, 21600, 43200, *[86400] * 6]
    for wait, seconds in zip(waits, promised, strict=True):
        assert seconds <= wait.total_seconds() <= seconds * 1.1


@given(st.integers(1, 30), STATUS, st.none() | st.timedeltas(), JITTER)
def test_every_outcome_settles(
    attempts: int, status: int | None, retry_after: timedelta | None, jitter: float
) -> None:
    """A retry lies within a day, and there are at most eleven of them."""
    answer = settle(attempts, Outcome(status, retry_after), NOW, jitter)
    if isinstance(answer, Retry):
        assert attempts <= len(SCHEDULE)
        assert SCHEDULE[0] <= answer.at - NOW <= LONGEST_WAIT
    elif isinstance(answer, Delivered):
        assert status is not None
        assert 200 <= status < 300
    else:
        assert answer.drop_recipient == (status == 410)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, DeliveryReason.NOT_WANTED),
        (403, DeliveryReason.FORBIDDEN),
        (404, DeliveryReason.NOT_FOUND),
        (406, DeliveryReason.NOT_WANTED),
        (410, DeliveryReason.GONE),
        (413, DeliveryReason.TOO_LARGE),
        (415, DeliveryReason.NOT_WANTED),
        (422, DeliveryReason.NOT_WANTED),
        (501, DeliveryReason.NOT_WANTED),
    ],
)
def test_final_answers(status: int, reason: DeliveryReason) -> None:
    """B8; T12: only a 410 drops the recipient at once."""
    assert settle(1, Outcome(status), NOW, 0.5) == GiveUp(reason, drop_recipient=status == 410)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome(401), DeliveryReason.NOT_SIGNED_RIGHT),
        (Outcome(408), DeliveryReason.SERVER_TROUBLE),
        (Outcome(425), DeliveryReason.TOO_MANY),
        (Outcome(429), DeliveryReason.TOO_MANY),
        (Outcome(500), DeliveryReason.SERVER_TROUBLE),
        (Outcome(503), DeliveryReason.SERVER_TROUBLE),
        (Outcome(302), DeliveryReason.REDIRECTED),
        (Outcome(None, problem="timeout"), DeliveryReason.UNREACHABLE),
    ],
)
def test_passing_trouble_is_tried_again(outcome: Outcome, reason: DeliveryReason) -> None:
    """On the schedule, until it has been tried enough."""
    assert settle(1, outcome, NOW, 0.0) == Retry(NOW + timedelta(minutes=1), reason)
    assert settle(11, outcome, NOW, 1.0) == Retry(NOW + timedelta(hours=24), reason)
    assert settle(12, outcome, NOW, 0.0) == GiveUp(DeliveryReason.TRIED_ENOUGH)


def test_a_problem_nothing_can_cure_is_final() -> None:
    """An address we refuse to call stays refused."""
    outcome = Outcome(None, problem="private address", final=True)
    assert settle(1, outcome, NOW, 0.0) == GiveUp(DeliveryReason.REFUSED_BY_US)
    assert not counts_against_host(outcome)


@pytest.mark.parametrize(
    ("attempt", "asked", "least"),
    [
        (1, timedelta(seconds=120), timedelta(seconds=120)),
        (1, timedelta(seconds=0), timedelta(minutes=1)),
        (1, timedelta(seconds=-5), timedelta(minutes=1)),
        (3, timedelta(seconds=120), SCHEDULE[2]),
        (3, timedelta(hours=3), timedelta(hours=3)),
        (3, timedelta(days=30), timedelta(hours=24)),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(
    status: int, attempt: int, asked: timedelta, least: timedelta
) -> None:
    """T13: never sooner than asked or than the schedule has it, never later than a day."""
    for jitter in (0.0, 1.0):
        answer = settle(attempt, Outcome(status, asked), NOW, jitter)
        assert isinstance(answer, Retry)
        assert least <= answer.at - NOW <= min(least * 1.1, LONGEST_WAIT)


def test_who_wants_the_other_scheme_or_a_smaller_body() -> None:
    """B4 and B8."""
    assert [status for status in range(200, 600) if wants_second_knock(status)] == [400, 401]
    assert [status for status in range(200, 600) if wants_smaller_body(status)] == [413]


def test_five_failures_in_ten_minutes_earn_a_rest() -> None:
    """B9: then one probe; its failure means another rest, its success a fresh start."""
    breaker = Breaker()
    for minute in range(BREAKER_FAILURES):
        assert stance(breaker, NOW + timedelta(minutes=minute)) is Stance.OPEN
        breaker = after_failure(breaker, NOW + timedelta(minutes=minute))
    fifth = NOW + timedelta(minutes=4)
    assert stance(breaker, fifth) is Stance.HELD
    assert stance(breaker, fifth + BREAKER_HOLD - timedelta(seconds=1)) is Stance.HELD
    assert stance(breaker, fifth + BREAKER_HOLD) is Stance.PROBE
    again = after_failure(breaker, fifth + BREAKER_HOLD)
    assert stance(again, fifth + BREAKER_HOLD + timedelta(minutes=29)) is Stance.HELD
    assert stance(after_success(breaker, fifth + BREAKER_HOLD), fifth) is Stance.OPEN


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (timedelta(hours=2), timedelta(hours=2)),
        (timedelta(seconds=0), timedelta(minutes=1)),
        (timedelta(days=30), timedelta(days=1)),
    ],
)
def test_a_host_is_left_alone_for_as_long_as_it_asks(asked: timedelta, given: timedelta) -> None:
    """B8: at the first time, at the fifth, and when a probe is told so again."""
    breaker, now = Breaker(), NOW
    for number in range(1, 7):
        breaker = after_failure(breaker, now, asked)
        kept = min(number, BREAKER_FAILURES - 1)
        assert (breaker.failures, breaker.held_until) == (kept, now + given)
        now += given
        assert stance(breaker, now) is Stance.PROBE


def test_what_was_under_way_ends_no_rest() -> None:
    """Four go at once: three may be told to come back later, and one nothing at all."""
    hour = timedelta(hours=1)
    held = after_failure(Breaker(), NOW, hour)
    soon = NOW + timedelta(seconds=1)
    assert after_failure(held, soon).held_until == NOW + hour
    assert after_failure(held, soon, timedelta(minutes=2)).held_until == NOW + hour
    assert after_failure(held, soon, 2 * hour).held_until == soon + 2 * hour
    assert after_success(held, soon) == held
    assert after_success(held, NOW + hour) == Breaker(), "the probe's"


def test_by_its_failures_it_is_told_whether_a_rest_was_asked_for() -> None:
    """A failed probe after one that was is a guess again, and a wish after failures a wish."""
    hour, soon = timedelta(hours=1), NOW + timedelta(seconds=1)
    asked = after_failure(Breaker(), NOW, hour)
    probed = after_failure(asked, NOW + hour)
    assert probed == Breaker(BREAKER_FAILURES, NOW, NOW + hour + BREAKER_HOLD)
    for _ in range(5):  # under way when the rest began
        asked = after_failure(asked, soon)
    assert asked == Breaker(BREAKER_FAILURES - 1, NOW, NOW + hour)
    tired = Breaker()
    for _ in range(BREAKER_FAILURES + 1):
        tired = after_failure(tired, NOW)
    wish = after_failure(tired, soon, hour)
    assert (wish.failures, wish.held_until) == (BREAKER_FAILURES - 1, soon + hour)
    assert after_success(wish, soon) == wish


def test_what_succeeds_after_all_ends_a_rest_that_nobody_asked_for() -> None:
    """Five failures were a guess about the host, and a success is better than a guess."""
    breaker = Breaker()
    for _ in range(BREAKER_FAILURES):
        breaker = after_failure(breaker, NOW)
    assert after_success(breaker, NOW + timedelta(seconds=1)) == Breaker()


def test_failures_far_apart_earn_no_rest() -> None:
    """One every eleven minutes is not an outage."""
    breaker = Breaker()
    for step in range(20):
        breaker = after_failure(breaker, NOW + step * timedelta(minutes=11))
        assert breaker.failures == 1
        assert breaker.held_until is None


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=2)), max_size=30))
def test_a_rest_is_never_longer_than_half_an_hour(steps: list[timedelta]) -> None:
    """Whenever failures come, the host is called again within thirty minutes."""
    breaker, now = Breaker(), NOW
    for step in steps:
        now += step
        breaker = after_failure(breaker, now)
        assert stance(breaker, now + BREAKER_HOLD) is not Stance.HELD


@given(st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1)), min_size=1, max_size=40))  # noqa: DTZ001
def test_failing_days_are_distinct_days(instants: list[datetime]) -> None:
    """However often something fails in a day, the day counts once."""
    days, last = 0, None
    for instant in sorted(instants):
        now = instant.replace(tzinfo=UTC)
        days, last = failing_days(days, last, now), now
    assert days == len({instant.date() for instant in instants})


def test_when_a_host_is_dead_and_a_recipient_dropped() -> None:
    """Seven days for the host; 410 at once, 403 and 404 after three."""
    assert [is_dead(days) for days in (0, 6, 7, 8)] == [False, False, True, True]
    assert drops_recipient(410, 0)
    assert [drops_recipient(404, days) for days in (1, 2, 3)] == [False, False, True]
    assert [drops_recipient(403, days) for days in (1, 2, 3)] == [False, False, True]
    assert not drops_recipient(500, 30)
    assert not drops_recipient(None, 30)


def test_one_recipients_absence_is_not_the_hosts_trouble() -> None:
    """The breaker counts what concerns the whole host."""
    for status in (400, 401, 403, 404, 410, 413, 501):
        assert not counts_against_host(Outcome(status))
    for outcome in (Outcome(500), Outcome(503), Outcome(429), Outcome(None, problem="dns")):
        assert counts_against_host(outcome)
