"""Content codings: which one a client likes best, and bytes in it; pure.

Compressing costs a hundred times what sending does, so it is done once per finished answer and
never per request.
"""

import gzip
import re
from enum import StrEnum

import brotli

LEAST_BYTES = 500
"""Below this an answer fits into the first packet whatever is done to it."""

BROTLI_QUALITY = 4
"""A fifth of the time of 5 for 5 % more bytes; a page is made anew several times a second."""

BROTLI_WINDOW = 18
"""256 KiB, as large as our largest page: the default would take 4 MB of memory each time."""

GZIP_LEVEL = 6

_COMPRESSIBLE = re.compile(r"text/|image/svg|application/([\w.-]+\+)?(json|xml)\b")
_CODING = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


class Coding(StrEnum):
    """The codings we offer beside the plain bytes, the smaller first."""

    BROTLI = "br"
    GZIP = "gzip"


def choose_coding(header: str) -> Coding | None:
    """The coding for this `Accept-Encoding` (RFC 9110 §12.5.3), None for the plain bytes.

    The plain bytes go to whoever names none of ours, even one who refuses them: better than a 406.

    >>> choose_coding("gzip, deflate, br;q=1.0, zstd"), choose_coding("br;q=0.1, gzip;q=0.8")
    (<Coding.BROTLI: 'br'>, <Coding.GZIP: 'gzip'>)
    >>> choose_coding("gzip;q=0, *;q=0"), choose_coding("identity, gzip;q=0.5"), choose_coding("")
    (None, None, None)
    """
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        match = _CODING.fullmatch(part)
        if match is not None:
            name = "gzip" if match[1] == "x-gzip" else match[1]
            weights[name] = float(match[2] or 1)
    anything = weights.get("*", 0.0)
    best = max(Coding, key=lambda coding: weights.get(coding, anything))
    likes = weights.get(best, anything)
    return best if likes > 0 and likes >= weights.get("identity", 0.0) else None


def is_compressible(body: bytes, media_type: str) -> bool:
    """Whether the answer is offered in codings at all: text, and more than a few lines of it.

    >>> is_compressible(b" " * 600, "application/activity+json"), is_compressible(b"", "text/html")
    (True, False)
    """
    return len(body) >= LEAST_BYTES and _COMPRESSIBLE.match(media_type) is not None


def encode(body: bytes, coding: Coding) -> bytes:
    """The body in this coding, always the same bytes for the same body.

    >>> gzip.decompress(encode(b"letter", Coding.GZIP))
    b'letter'
    >>> brotli.decompress(encode(b"letter", Coding.BROTLI))
    b'letter'
    """
    if coding is Coding.BROTLI:
        packed: bytes = brotli.compress(
            body, mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY, lgwin=BROTLI_WINDOW
        )
        return packed
    return gzip.compress(body, GZIP_LEVEL, mtime=0)
