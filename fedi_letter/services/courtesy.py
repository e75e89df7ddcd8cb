"""Who signs goes before who is told: a fan-out holds back while people knock.

A fan-out takes every core there is for minutes, and a person who signs beside it would wait for
seconds until their name stands on the roll. So for a second after each arrival deliveries begin at
a modest pace; when nobody has come for that long, they go as fast as they can again.
"""

from math import inf
from time import monotonic

LASTS_SECONDS = 1.0
AMID_ARRIVALS_PER_SECOND = 50.0
AT_ONCE = 20
"""So many begin without delay after a pause: what a single arrival sets off waits for nobody."""


class Courtesy:
    """Kept by one process: each knows of the arrivals that it takes in or judges itself."""

    def __init__(self) -> None:
        self._heard_at = -inf
        self._next_at = -inf

    def heard(self, now: float | None = None) -> None:
        """Note that somebody knocked, or that what they brought is being judged."""
        self._heard_at = monotonic() if now is None else now

    def delay(self, now: float) -> float:
        """Answer for how many seconds the next delivery holds back; asked once for each.

        >>> courtesy = Courtesy()
        >>> courtesy.delay(now=5.0)
        0.0
        >>> courtesy.heard(now=5.0)
        >>> [round(courtesy.delay(now=5.5), 2) for _ in range(AT_ONCE + 3)][AT_ONCE:]
        [0.0, 0.02, 0.04]
        >>> courtesy.delay(now=6.5)
        0.0
        """
        if now - self._heard_at > LASTS_SECONDS:
            return 0.0
        begins_at = max(now - AT_ONCE / AMID_ARRIVALS_PER_SECOND, self._next_at)
        self._next_at = begins_at + 1 / AMID_ARRIVALS_PER_SECOND
        return max(begins_at - now, 0.0)
