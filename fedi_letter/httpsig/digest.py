"""Does the body match what its digest headers say of it?

Reads `Digest` (RFC 3230) and `Content-Digest` (RFC 9530). Every algorithm we understand must
match, and one must be there: a reader that stops at the first agreeable value lets an unsigned
header vouch for an exchanged body. Whether a digest is *signed* is asked in `verify`.
"""

import binascii
import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import http_sf

from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.spelling import bytes_of

_UNDERSTOOD: dict[str, Callable[[bytes], bytes]] = {
    "sha-256": lambda body: hashlib.sha256(body).digest(),
    "sha-512": lambda body: hashlib.sha512(body).digest(),
}


def check_digest(value: str, body: bytes) -> None:
    """Holds a `Digest` value (RFC 3230 §4.3.2) against the body; algorithm names in any case.

    Raises SignatureRefused: digest-malformed, digest-unsupported, digest-mismatch.
    """
    if value != _usual(body):
        _compare(_read_digest(value), body)


def _usual(body: bytes) -> str:
    """The `Digest` of this body as nearly every server spells it."""
    encoded = binascii.b2a_base64(hashlib.sha256(body).digest(), newline=False)
    return "SHA-256=" + encoded.decode("ascii")


def check_content_digest(value: str, body: bytes) -> None:
    """Holds a `Content-Digest` value (RFC 9530 §2) against the body.

    Raises SignatureRefused: digest-malformed, digest-unsupported, digest-mismatch.
    """
    _compare(_read_content_digest(value), body)


def _compare(claimed: Iterable[tuple[str, bytes]], body: bytes) -> None:
    seen: set[str] = set()
    for algorithm, value in claimed:
        if algorithm in seen:
            raise SignatureRefused(Refusal.DIGEST_MALFORMED, f"{algorithm} given twice")
        seen.add(algorithm)
        if _UNDERSTOOD[algorithm](body) != value:
            raise SignatureRefused(Refusal.DIGEST_MISMATCH, f"{algorithm} is not that of the body")
    if not seen:
        raise SignatureRefused(Refusal.DIGEST_UNSUPPORTED, "neither sha-256 nor sha-512")


def _read_digest(value: str) -> Iterable[tuple[str, bytes]]:
    for member in value.split(","):
        name, equals, encoded = member.strip(" \t").partition("=")
        if not equals:
            raise SignatureRefused(Refusal.DIGEST_MALFORMED, "a digest without a value")
        algorithm = name.lower()
        if algorithm in _UNDERSTOOD:
            yield algorithm, _decoded(encoded)


def _decoded(encoded: str) -> bytes:
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        raise SignatureRefused(Refusal.DIGEST_MALFORMED, "a digest that is not base64") from None


def _read_content_digest(value: str) -> Iterable[tuple[str, bytes]]:
    plain = bytes_of(value)
    if plain is not None and plain[0] in _UNDERSTOOD:
        yield plain
        return
    for algorithm, member in _members(value).items():
        if algorithm not in _UNDERSTOOD:
            continue
        if not isinstance(member, tuple) or not isinstance(member[0], bytes):
            raise SignatureRefused(Refusal.DIGEST_MALFORMED, f"{algorithm} is not a byte sequence")
        yield algorithm, member[0]


def _members(value: str) -> dict[str, Any]:
    def refuse_repeated(key: str, context: str) -> None:
        if context == "dictionary":
            raise SignatureRefused(Refusal.DIGEST_MALFORMED, "an algorithm given twice")

    try:
        members = http_sf.parse(
            value.encode("latin-1"), tltype="dictionary", on_duplicate_key=refuse_repeated
        )
    except ValueError:
        raise SignatureRefused(Refusal.DIGEST_MALFORMED, "not a structured field") from None
    if not isinstance(members, dict):
        raise SignatureRefused(Refusal.DIGEST_MALFORMED, "not a dictionary")
    return members
