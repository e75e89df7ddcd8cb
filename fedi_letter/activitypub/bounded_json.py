"""JSON of strangers decoded without surprises: bounded depth, no duplicate keys, finite numbers.

Knows nothing of ActivityPub.
"""

import json
import re
from typing import Any, Final, NoReturn

DEEPEST_NESTING: Final = 32

_STRINGS_AND_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


class NotJson(ValueError):
    """Bytes that are not JSON as RFC 8259 has it, or hold a lone surrogate."""


class DuplicateKey(ValueError):
    """A key appears twice in one object: readers disagree about which one counts."""


def decode(body: bytes) -> Any:
    """Answer the value in a body; raises `NotJson` or `DuplicateKey`.

    The caller has looked at `nesting` first, so the decoder cannot recurse far.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_not_finite,
            parse_float=_finite,
        )
        # An escape can smuggle in half a character, which neither database nor socket takes.
        if _SURROGATE_ESCAPE.search(body):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except DuplicateKey:
        raise
    except (ValueError, RecursionError) as problem:
        raise NotJson(str(problem)) from None
    return value


def nesting(body: bytes) -> int:
    """Answer how deep brackets nest, without building anything; 0 when they cannot be many.

    >>> nesting(b"[" * 40 + b"]" * 40)
    40
    """
    if body.count(b"{") + body.count(b"[") <= DEEPEST_NESTING:
        return 0
    depth = deepest = 0
    for found in _STRINGS_AND_BRACKETS.finditer(body):
        sign = found[0]
        if sign in (b"{", b"["):
            depth += 1
            deepest = max(deepest, depth)
        elif sign in (b"}", b"]"):
            depth -= 1
    return deepest


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object whose keys are all different."""
    built = dict(pairs)
    if len(built) != len(pairs):
        raise DuplicateKey("a key appears twice in one object")
    return built


def _not_finite(sign: str) -> NoReturn:
    """Refuse NaN and Infinity."""
    raise NotJson(f"{sign} is not JSON")


def _finite(digits: str) -> float:
    """Refuse numbers that only fit as infinity."""
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise NotJson("a number is too large")
    return number
