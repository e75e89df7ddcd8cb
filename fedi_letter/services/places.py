"""The places of a waiting room, shared out among those who come from different houses.

1. There are so many places and so many bytes, and never more are taken.
2. While half of them are free, whoever comes first is served first: a big server may send a lot.
3. From then on the other half is shared out evenly among those who are there: whoever has his share
   waits outside, and whoever comes from elsewhere still finds a place.

Knows neither what waits nor why.
"""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Places:
    """So many places and bytes; `take` one per guest and `leave` it again."""

    count: int
    size_bytes: int
    _counts: Counter[str] = field(default_factory=Counter)
    _bytes: Counter[str] = field(default_factory=Counter)
    _taken: int = 0
    _taken_bytes: int = 0

    def has_room(self, house: str, size_bytes: int) -> bool:
        """Whether somebody from this house would find a place now.

        >>> places = Places(4, 100)
        >>> for _ in range(2):
        ...     places.take("far.example", 10)
        >>> places.has_room("far.example", 10), places.has_room("near.example", 10)
        (False, True)
        """
        if self._taken >= self.count or self._taken_bytes + size_bytes > self.size_bytes:
            return False
        if self._taken * 2 < self.count and self._taken_bytes * 2 < self.size_bytes:
            return True
        houses = len(self._counts) + (house not in self._counts)
        fair = self._counts[house] * 2 * houses < self.count
        return fair and self._bytes[house] * 2 * houses < self.size_bytes

    def take(self, house: str, size_bytes: int) -> None:
        """Take a place; whether there is room was asked before."""
        self._counts[house] += 1
        self._bytes[house] += size_bytes
        self._taken += 1
        self._taken_bytes += size_bytes

    def leave(self, house: str, size_bytes: int) -> None:
        """Give the place up."""
        self._taken -= 1
        self._taken_bytes -= size_bytes
        self._counts[house] -= 1
        self._bytes[house] -= size_bytes
        if not self._counts[house]:
            del self._counts[house], self._bytes[house]
