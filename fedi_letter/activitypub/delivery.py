"""What a delivery's outcome means: done, again later, or never; and when a host needs a rest.

Pure arithmetic over what the caller keeps; `now` and jitter are arguments. Laws:

1. Back-off never shrinks from one attempt to the next and never passes 24 hours (interop B9).
2. What a peer says about when to come back is honoured up to 24 hours (interop B8).
3. One recipient's 404, 403 or 410 is about that recipient, never about their host.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

SCHEDULE: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    *(timedelta(hours=24),) * 5,
)
LONGEST_WAIT: Final = timedelta(hours=24)
_JITTER_SHARE: Final = 0.1

BREAKER_FAILURES: Final = 5
BREAKER_WINDOW: Final = timedelta(minutes=10)
BREAKER_HOLD: Final = timedelta(minutes=30)
DAYS_UNTIL_DEAD: Final = 7
DAYS_UNTIL_DROPPED: Final = 3


class DeliveryReason(StrEnum):
    """What became of an attempt; kept as the delivery's last outcome."""

    DELIVERED = "delivered"
    NOT_SIGNED_RIGHT = "not-signed-right"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    GONE = "gone"
    TOO_LARGE = "too-large"
    NOT_WANTED = "not-wanted"
    TOO_MANY = "too-many"
    SERVER_TROUBLE = "server-trouble"
    REDIRECTED = "redirected"
    UNREACHABLE = "unreachable"
    REFUSED_BY_US = "refused-by-us"
    TRIED_ENOUGH = "tried-enough"


@dataclass(frozen=True)
class Outcome:
    """What one attempt gave: a status, or the problem that kept one from coming.

    `final` marks a problem that no later attempt can cure, such as a refused address.
    """

    status: int | None
    retry_after: timedelta | None = None
    problem: str | None = None
    final: bool = False


@dataclass(frozen=True)
class Delivered:
    """It arrived."""


@dataclass(frozen=True)
class Retry:
    """Try again at `at`."""

    at: datetime
    reason: DeliveryReason


@dataclass(frozen=True)
class GiveUp:
    """Never try this delivery again; `drop_recipient` says to stop delivering to them at all."""

    reason: DeliveryReason
    drop_recipient: bool = False


Settlement = Delivered | Retry | GiveUp

_FINAL: Final = {
    400: DeliveryReason.NOT_WANTED,
    403: DeliveryReason.FORBIDDEN,
    404: DeliveryReason.NOT_FOUND,
    410: DeliveryReason.GONE,
    413: DeliveryReason.TOO_LARGE,
    501: DeliveryReason.NOT_WANTED,
}
_RETRIED: Final = {
    401: DeliveryReason.NOT_SIGNED_RIGHT,
    408: DeliveryReason.SERVER_TROUBLE,
    425: DeliveryReason.TOO_MANY,
    429: DeliveryReason.TOO_MANY,
}


def settle(attempts: int, outcome: Outcome, now: datetime, jitter: float) -> Settlement:
    """Answer what follows from an attempt (interop B8, B9).

    `attempts` counts the tries made, this one included, so it is at least 1; `jitter` is between 0
    and 1 and only ever lengthens the wait. A second knock with the other signature scheme belongs
    to the same attempt and comes before this.
    """
    if outcome.status is not None and 200 <= outcome.status < 300:
        return Delivered()
    final = _final_reason(outcome)
    if final is not None:
        return GiveUp(final, drop_recipient=final is DeliveryReason.GONE)
    if attempts > len(SCHEDULE):
        return GiveUp(DeliveryReason.TRIED_ENOUGH)
    return Retry(now + _wait(attempts, outcome.retry_after, jitter), _retried_reason(outcome))


def backoff(attempts: int, jitter: float) -> timedelta:
    """Answer how long to wait after the n-th attempt (from 1), at most 24 hours.

    >>> backoff(1, 0.0)
    datetime.timedelta(seconds=60)
    """
    base = SCHEDULE[min(max(attempts, 1), len(SCHEDULE)) - 1]
    return min(base * (1 + _JITTER_SHARE * min(max(jitter, 0.0), 1.0)), LONGEST_WAIT)


def wants_second_knock(status: int) -> bool:
    """Whether the answer may mean that the peer wants the other signature scheme (interop B4)."""
    return status in (400, 401)


def wants_smaller_body(status: int) -> bool:
    """Whether to send once more without the content (interop B8)."""
    return status == 413


def counts_against_host(outcome: Outcome) -> bool:
    """Whether an outcome says that the host is in trouble, rather than this one recipient."""
    if outcome.status is None:
        return not outcome.final
    return outcome.status in (408, 429) or (outcome.status >= 500 and outcome.status != 501)


def drops_recipient(status: int | None, failing_days: int) -> bool:
    """Whether to stop delivering to a recipient: at once for 410, after 3 days of 403 or 404."""
    return status == 410 or (status in (403, 404) and failing_days >= DAYS_UNTIL_DROPPED)


@dataclass(frozen=True)
class Breaker:
    """What is kept per host: failures in a row since `first_failure_at`, and a rest if any."""

    failures: int = 0
    first_failure_at: datetime | None = None
    held_until: datetime | None = None


class Stance(StrEnum):
    """Whether a host may be called."""

    OPEN = "open"
    PROBE = "probe"
    HELD = "held"


def stance(breaker: Breaker, now: datetime) -> Stance:
    """Answer whether to call a host: freely, with one probe after its rest, or not at all."""
    if breaker.held_until is None:
        return Stance.OPEN
    return Stance.HELD if now < breaker.held_until else Stance.PROBE


def after_failure(breaker: Breaker, now: datetime, retry_after: timedelta | None = None) -> Breaker:
    """Answer the breaker after a failure: 5 in a row within 10 minutes earn a rest of 30.

    A failed probe earns another rest at once. A host that says when to come back is left alone by
    everybody until then, for a day at most (interop B8); what was under way meanwhile changes that
    only to a longer rest. By the failures it is told which kind of rest it is: one that was asked
    for has fewer than five.
    """
    first, failures = breaker.first_failure_at, breaker.failures + 1
    if first is None or (breaker.held_until is None and now - first > BREAKER_WINDOW):
        first, failures = now, 1
    before = stance(breaker, now)
    if retry_after is not None:
        held_until = now + _wished(retry_after)
    elif before is Stance.PROBE or failures >= BREAKER_FAILURES:
        held_until = now + BREAKER_HOLD
    else:
        held_until = None
    if before is Stance.HELD:  # it was under way when the rest began
        held_until = max(filter(None, (held_until, breaker.held_until)))
    if retry_after is not None or _is_asked_for(breaker, now):
        failures = min(failures, BREAKER_FAILURES - 1)
    elif held_until is not None:
        failures = max(failures, BREAKER_FAILURES)
    return Breaker(failures, first, held_until)


def after_success(breaker: Breaker, now: datetime) -> Breaker:
    """Answer the breaker after a success: as new.

    But what was under way does not end a rest that the host asked for meanwhile.
    """
    return breaker if _is_asked_for(breaker, now) else Breaker()


def failing_days(days: int, last_failing_at: datetime | None, now: datetime) -> int:
    """Answer on how many distinct UTC days something failed, today included.

    >>> failing_days(2, datetime(2026, 1, 1, 23, 59, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    3
    """
    if last_failing_at is None:
        return max(days, 0) + 1
    same = last_failing_at.astimezone(UTC).date() == now.astimezone(UTC).date()
    return max(days, 1) if same else days + 1


def is_dead(days: int) -> bool:
    """Whether a host has failed long enough to be left alone until it speaks to us again."""
    return days >= DAYS_UNTIL_DEAD


def _final_reason(outcome: Outcome) -> DeliveryReason | None:
    """Answer why an outcome is final, or None when it is not."""
    if outcome.final:
        return DeliveryReason.REFUSED_BY_US
    status = outcome.status
    if status is None or status in _RETRIED:
        return None
    if status in _FINAL:
        return _FINAL[status]
    return DeliveryReason.NOT_WANTED if 400 <= status < 500 else None


def _retried_reason(outcome: Outcome) -> DeliveryReason:
    """Answer why an outcome is worth another attempt."""
    if outcome.status is None:
        return DeliveryReason.UNREACHABLE
    if outcome.status < 400:
        return DeliveryReason.REDIRECTED
    return _RETRIED.get(outcome.status, DeliveryReason.SERVER_TROUBLE)


def _wait(attempts: int, retry_after: timedelta | None, jitter: float) -> timedelta:
    """Answer the wait: as the schedule says, or longer where the peer wishes it.

    Not shorter: a server that says `Retry-After: 30` for an hour would use up all tries in minutes.
    """
    wait = backoff(attempts, jitter)
    if retry_after is None:
        return wait
    wished = _wished(retry_after) * (1 + _JITTER_SHARE * min(max(jitter, 0.0), 1.0))
    return min(max(wait, wished), LONGEST_WAIT)


def _wished(retry_after: timedelta) -> timedelta:
    """Answer for how long a peer is left alone that says when to come back."""
    return min(max(retry_after, SCHEDULE[0]), LONGEST_WAIT)


def _is_asked_for(breaker: Breaker, now: datetime) -> bool:
    """Whether a host rests because it said so, and not for its failures."""
    return stance(breaker, now) is Stance.HELD and breaker.failures < BREAKER_FAILURES
