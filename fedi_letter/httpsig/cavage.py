"""draft-cavage-http-signatures-12: the scheme nearly every server speaks.

The header is parsed strictly where laxness has been exploited (a parameter given twice, an
uncovered target) and tolerantly where servers differ without harm: blanks around commas, the
case of parameter and header names, quoted or bare times.
"""

import binascii
import re
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from fedi_letter.httpsig.address import own_authorities
from fedi_letter.httpsig.bovine_adapter import is_signed_by
from fedi_letter.httpsig.keys import KeyKind, PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.statement import Statement

_MAX_HEADER_CHARS = 8192
_MAX_COVERED = 64
_P256_BYTES = 32

_PARAMETER = re.compile(
    r'[ \t]*([A-Za-z][A-Za-z0-9_-]*)[ \t]*=[ \t]*(?:"([^"\\\x00-\x1f]*)"|([0-9.]+))[ \t]*(?:,|$)'
)
# The same for the four parameters in the order and spelling of nearly every server, in one go.
_USUAL = re.compile(
    r'keyId="([^"\\\x00-\x1f]*)",(?:algorithm="([^"\\\x00-\x1f]*)",)?'
    r'headers="([^"\\\x00-\x1f]*)",signature="([^"\\\x00-\x1f]*)"'
)
_USUAL_NAMES = ("keyid", "algorithm", "headers", "signature")
_COMPONENT = re.compile(r"\((?:request-target|created|expires)\)|[a-z0-9!#$%&'*+.^_`|~-]+")
_CREATED = re.compile(r"[0-9]{1,12}")
_EXPIRES = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")

# hs2019 means "look at the key"; GoToSocial and others use it for RSA with SHA-256. rsa-sha512
# and the rest are not seen on the fediverse and are refused rather than half supported.
_ALGORITHMS = frozenset({None, "hs2019", "rsa-sha256"})


def read(message: Message) -> Statement:
    """The one `Signature` header, parsed (§2.1).

    Raises SignatureRefused: duplicate-signature, malformed-signature, unsupported-algorithm.
    """
    lines = message.values("signature")
    if len(lines) != 1:
        raise SignatureRefused(Refusal.DUPLICATE_SIGNATURE, f"{len(lines)} Signature headers")
    parameters = _parameters(lines[0])
    algorithm = parameters.get("algorithm")
    algorithm = None if algorithm is None else algorithm.lower()
    if algorithm not in _ALGORITHMS:
        raise SignatureRefused(Refusal.UNSUPPORTED_ALGORITHM, "algorithm is not taken here")
    covered = _covered(parameters.get("headers"))
    return Statement(
        key_id=_required(parameters, "keyid"),
        algorithm=algorithm,
        covered=covered,
        # An unsigned creation time says nothing; an unsigned expiry can only shorten.
        created=_time(parameters, "created", _CREATED) if "(created)" in covered else None,
        expires=_expiry(parameters, "(expires)" in covered),
        signature=_signature(_required(parameters, "signature")),
    )


def check_coverage(statement: Statement, message: Message, origin: str) -> None:
    """Whether the signature binds the request line and our own host (interop: a signature made
    for another server is not for us).

    Raises SignatureRefused: request-target-not-covered, host-not-covered, wrong-host.
    """
    if "(request-target)" not in statement.covered:
        raise SignatureRefused(Refusal.REQUEST_TARGET_NOT_COVERED, "(request-target) is unsigned")
    if "host" not in statement.covered:
        raise SignatureRefused(Refusal.HOST_NOT_COVERED, "host is unsigned")
    host = message.value("host")
    if host is None or host.lower() not in own_authorities(origin):
        raise SignatureRefused(Refusal.WRONG_HOST, "signed for another host")


def verify(statement: Statement, message: Message, key: PublicKey) -> None:
    """Whether `key` signed the covered lines of this message (§2.5).

    The target is tried as it came. On GET and HEAD it is tried once more without its query:
    Mastodon before 4.3 signed fetches so, and a reader of public documents gains nothing by it.
    On POST it would let anyone add a query to someone else's signed request.

    Raises SignatureRefused: unsupported-algorithm, key-unusable, covered-header-missing,
    malformed-signature, signature-mismatch.
    """
    loaded = key.loaded
    if statement.algorithm == "rsa-sha256" and loaded.kind is not KeyKind.RSA:
        raise SignatureRefused(Refusal.UNSUPPORTED_ALGORITHM, "rsa-sha256 with a key that is none")
    signature = statement.signature
    if loaded.kind is KeyKind.P256:
        signature = _raw_ecdsa(signature)
    for target in _targets(message):
        if is_signed_by(loaded.identity, _signed_bytes(statement, message, target), signature):
            return
    raise SignatureRefused(Refusal.SIGNATURE_MISMATCH, "the key did not sign this message")


def _targets(message: Message) -> tuple[str, ...]:
    path, query, _ = message.target.partition("?")
    if query and message.method in ("GET", "HEAD"):
        return message.target, path
    return (message.target,)


def _signed_bytes(statement: Statement, message: Message, target: str) -> bytes:
    """The lines that are signed (§2.3), joined by line feeds."""
    text = "\n".join(_lines(statement, message, target))
    if text.count("\n") != len(statement.covered) - 1 or "\r" in text:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "a line break in a covered value")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise SignatureRefused(
            Refusal.MALFORMED_SIGNATURE, "a covered value that is not bytes"
        ) from None


def _lines(statement: Statement, message: Message, target: str) -> list[str]:
    lines: list[str] = []
    for name in statement.covered:
        value = message.value(name) if name[0] != "(" else _pseudo(name, statement, message, target)
        if value is None:
            raise SignatureRefused(Refusal.COVERED_HEADER_MISSING, "a covered header is not there")
        lines.append(f"{name}: {value}")
    return lines


def _pseudo(name: str, statement: Statement, message: Message, target: str) -> str | None:
    if name == "(request-target)":
        return f"{message.method.lower()} {target}"
    return statement.created if name == "(created)" else statement.expires


def _parameters(header: str) -> dict[str, str]:
    if len(header) > _MAX_HEADER_CHARS:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "Signature header too long")
    usual = _USUAL.fullmatch(header)
    if usual is not None:
        pairs = zip(_USUAL_NAMES, usual.groups(), strict=True)
        return {name: value for name, value in pairs if value is not None}
    parameters: dict[str, str] = {}
    position = 0
    while position < len(header):
        found = _PARAMETER.match(header, position)
        if found is None:
            raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "Signature is not a parameter list")
        name = found[1].lower()
        if name in parameters:
            # Readers disagree on which of two wins: the disagreement is the attack.
            raise SignatureRefused(Refusal.DUPLICATE_SIGNATURE, "a parameter is given twice")
        parameters[name] = found[2] if found[2] is not None else found[3]
        position = found.end()
    if header.endswith(","):
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "Signature ends in a comma")
    return parameters


def _required(parameters: dict[str, str], name: str) -> str:
    value = parameters.get(name)
    if not value:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, f"no {name}")
    return value


# A server signs the same list every time.
@lru_cache(maxsize=256)
def _covered(headers: str | None) -> tuple[str, ...]:
    # Without the parameter only `(created)` is signed (§2.1.6): never enough for us.
    names = tuple((headers or "(created)").lower().split())
    if len(names) > _MAX_COVERED or len(set(names)) != len(names):
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "headers repeats itself or is too long")
    if not names or not all(map(_COMPONENT.fullmatch, names)):
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "headers names what is no header")
    return names


def _time(parameters: dict[str, str], name: str, shape: re.Pattern[str]) -> str:
    value = _required(parameters, name)
    if shape.fullmatch(value) is None:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, f"{name} is not a time")
    return value


def _expiry(parameters: dict[str, str], covered: bool) -> str | None:
    return _time(parameters, "expires", _EXPIRES) if covered or "expires" in parameters else None


def _signature(encoded: str) -> bytes:
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "signature is not base64") from None


def _raw_ecdsa(signature: bytes) -> bytes:
    """r and s side by side; the draft does not say which form is meant, so DER is taken too."""
    if len(signature) == 2 * _P256_BYTES:
        return signature
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(_P256_BYTES) + s.to_bytes(_P256_BYTES)
    except (ValueError, OverflowError):
        raise SignatureRefused(Refusal.SIGNATURE_MISMATCH, "not an ECDSA signature") from None
