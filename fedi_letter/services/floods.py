"""Whose turn it is to wait: servers that send more than a worker should have in hand at once.

1. Of a server of which enough is in hand no more is taken.
2. While others came a moment ago, a flood rests after each piece of its work, several times as long
   as that took, so that others find an idle processor; alone, it is worked off without a pause.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from math import inf

IN_HAND = 16
"""Of a server of which so many receipts are being judged, no more are taken."""
OTHERS_REMEMBERED_SECONDS = 1.0
REST, LONGEST_REST_SECONDS = 12.0, 1.0
"""As long as that since what is settled was judged before, which takes several times the time; with
three times as long others waited for seconds."""


class Floods:
    """Kept by one worker; every `now` is in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._resting: frozenset[str] = frozenset()
        self._rest_ends = -inf
        self._others_until = -inf

    def among(self, hosts: Iterable[str | None], now: float) -> set[str]:
        """Answer the servers that wait, given those of all that is in hand, one for each receipt.

        >>> floods = Floods()
        >>> floods.among(["flood.example"] * IN_HAND + ["other.example", None], now=0.0)
        {'flood.example'}
        >>> floods.others_came(now=0.0)
        >>> floods.worked({"flood.example"}, took=0.1, now=0.1)
        >>> floods.among([], now=0.3), round(floods.rest_left(now=0.3), 1)
        ({'flood.example'}, 0.8)
        >>> floods.among([], now=1.2), floods.rest_left(now=1.2)
        (set(), 0.0)
        """
        counted = Counter(hosts)
        crowding = {host for host, count in counted.items() if host and count >= IN_HAND}
        return crowding | self._resting if self.rest_left(now) else crowding

    def others_came(self, now: float) -> None:
        """Note that somebody else waits while a server floods us."""
        self._others_until = now + OTHERS_REMEMBERED_SECONDS

    def worked(self, hosts: Collection[str], took: float, now: float) -> None:
        """Note that work of these servers, which flood us, took so many seconds."""
        if now < self._others_until:
            self._resting = frozenset(hosts)
            self._rest_ends = now + min(REST * took, LONGEST_REST_SECONDS)

    def rest_left(self, now: float) -> float:
        """Answer for how many seconds the floods still rest."""
        return max(self._rest_ends - now, 0.0)
