"""One HTTP request as the signature saw it: method, raw target, header lines in order, body.

Knows no scheme and no server. Values are text as ASGI gives it, one character per byte (latin-1),
so that a covered header can be turned back into exactly the bytes that were signed.
"""

from dataclasses import dataclass, field

Headers = tuple[tuple[str, str], ...]
"""Header lines in the order they came; names in any case."""

_NONE: tuple[str, ...] = ()
_NO_NAMES: frozenset[str] = frozenset()


# Not frozen: one is made for every request, and that would double what making it costs.
@dataclass(slots=True)
class Message:
    """A request. `target` is the raw path with `?query`, as on the request line; never decoded.

    Nothing in it is ever changed.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    _lines: dict[str, tuple[str, ...]] | None = field(
        default=None, init=False, repr=False, compare=False
    )

    def values(self, name: str) -> tuple[str, ...]:
        """Every line of this header, in order, trimmed; `name` in lower case.

        >>> Message("GET", "/", (("Accept", "a "), ("accept", "b")), b"").values("accept")
        ('a', 'b')
        """
        return (self._lines or self._by_name()).get(name, _NONE)

    def value(self, name: str) -> str | None:
        """The lines of this header joined by `, ` (RFC 9110 §5.3), or None when there is none."""
        values = (self._lines or self._by_name()).get(name)
        if values is None:
            return None
        return values[0] if len(values) == 1 else ", ".join(values)

    @property
    def repeated(self) -> frozenset[str]:
        """The names of the headers that have several lines, in lower case; rarely any."""
        lines = self._lines or self._by_name()
        if len(lines) == len(self.headers):
            return _NO_NAMES
        return frozenset(name for name, values in lines.items() if len(values) > 1)

    def _by_name(self) -> dict[str, tuple[str, ...]]:
        lines: dict[str, tuple[str, ...]] = {}
        for name, value in self.headers:
            lower, trimmed = name.lower(), (value.strip(" \t"),)
            lines[lower] = lines[lower] + trimmed if lower in lines else trimmed
        self._lines = lines
        return lines
