"""One HTTP request as the signature saw it: method, raw target, header lines in order, body.

Knows no scheme and no server. Values are text as ASGI gives it, one character per byte (latin-1),
so that a covered header can be turned back into exactly the bytes that were signed.
"""

from dataclasses import dataclass
from functools import cached_property

Headers = tuple[tuple[str, str], ...]
"""Header lines in the order they came; names in any case."""


@dataclass(frozen=True)
class Message:
    """A request. `target` is the raw path with `?query`, as on the request line; never decoded."""

    method: str
    target: str
    headers: Headers
    body: bytes

    @cached_property
    def _by_name(self) -> dict[str, tuple[str, ...]]:
        lines: dict[str, tuple[str, ...]] = {}
        for name, value in self.headers:
            lower = name.lower()
            lines[lower] = (*lines.get(lower, ()), value.strip(" \t"))
        return lines

    def values(self, name: str) -> tuple[str, ...]:
        """Every line of this header, in order, trimmed; `name` in lower case.

        >>> Message("GET", "/", (("Accept", "a "), ("accept", "b")), b"").values("accept")
        ('a', 'b')
        """
        return self._by_name.get(name, ())

    def value(self, name: str) -> str | None:
        """The lines of this header joined by `, ` (RFC 9110 §5.3), or None when there is none."""
        values = self._by_name.get(name)
        return None if values is None else ", ".join(values)
