"""How a simulated server behaves towards whoever calls it. Pure: no socket, no clock."""

import zlib
from enum import StrEnum


class Manner(StrEnum):
    """One kind of behaviour, of every answer of a host."""

    PROMPT = "prompt"
    SLOW = "slow"  # answers after 5 to 30 seconds
    TRICKLING = "trickling"  # one byte a second
    HANGING = "hanging"  # never answers
    REFUSING = "refusing"  # nobody listens there
    GONE = "gone"  # 410
    HUGE = "huge"  # a head that says yes, and a body of 100 MB
    REDIRECTING = "redirecting"  # to itself, for ever
    THROTTLING = "throttling"  # 429, come back in an hour
    GARBAGE = "garbage"  # the first bytes of a TLS handshake, in the clear
    FAILING = "failing"  # 503
    CLOSING = "closing"  # hangs up when it is asked


DEAD = (Manner.HANGING, Manner.REFUSING)
SOONEST_SECONDS, LATEST_SECONDS = 5, 30
UNCERTAIN_SECONDS = range(17, 24)
"""Around the letter's own deadline of 20 s either side may be first, so nobody answers then."""


def delay_of(host: str) -> int:
    """Answer after how many seconds a slow host answers; always the same for the same host.

    >>> SOONEST_SECONDS <= delay_of("127.1.0.1") <= LATEST_SECONDS
    True
    """
    choices = [s for s in range(SOONEST_SECONDS, LATEST_SECONDS + 1) if s not in UNCERTAIN_SECONDS]
    return choices[zlib.crc32(host.encode()) % len(choices)]


def address(number: int) -> str:
    """Answer the n-th loopback address that simulated servers use.

    >>> address(0), address(3000)
    ('127.1.0.1', '127.1.11.185')
    """
    high, low = divmod(number + 1, 256)
    return f"127.{1 + high // 256}.{high % 256}.{low}"
