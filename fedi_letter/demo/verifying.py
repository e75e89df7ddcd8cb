"""How simulated servers check a signature, and how strict each kind is.

Fetches nothing: the caller brings the key that `key_id_of` names. Cavage is read by hand and
proven twice, with `cryptography` and with bovine; RFC 9421 by http-message-signatures.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fedi_letter.demo.keys import verifies
from fedi_letter.demo.signing import (
    HTTP_DATE,
    Scheme,
    bovine_verifies,
    digest_of,
    signing_string,
    verify_rfc9421,
)
from fedi_letter.demo.wire import Headers, header, host_of, target_of

_PARAMETER = re.compile(r'\s*(\w+)=(?:"([^"]*)"|(\d+))\s*(?:,|$)')
_KEYID_9421 = re.compile(r';\s*keyid="([^"]+)"')


class NotProven(Exception):
    """The request's signature is missing, malformed, too old or false; the text says which."""


@dataclass(frozen=True)
class Strictness:
    """What one kind of server demands of a signature."""

    schemes: frozenset[Scheme] = frozenset((Scheme.CAVAGE, Scheme.RFC9421))
    must_cover: tuple[str, ...] = ("(request-target)", "host", "date", "digest")
    needs_algorithm: bool = False
    window: timedelta = timedelta(hours=12)
    refuses: bool = True
    """Whether a signature that fails is answered 401, rather than only noted."""


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; `url` is the public one, built from our own origin."""

    method: str
    url: str
    headers: Headers
    body: bytes


def scheme_of(headers: Headers) -> Scheme:
    """Which family the request is signed in; raises `NotProven` when it is unsigned."""
    if header(headers, "signature") is None:
        raise NotProven("the request is not signed")
    has_input = header(headers, "signature-input") is not None
    return Scheme.RFC9421 if has_input else Scheme.CAVAGE


def key_id_of(headers: Headers) -> str:
    """The id of the key that is said to have signed."""
    if scheme_of(headers) is Scheme.CAVAGE:
        return _parameters(headers)["keyId"]
    found = _KEYID_9421.search(header(headers, "signature-input") or "")
    if not found:
        raise NotProven("signature-input names no keyid")
    return found[1]


def prove(seen: Seen, public_pem: str, strictness: Strictness, now: datetime) -> Scheme:
    """The scheme in which that key signed this request; raises `NotProven`."""
    scheme = scheme_of(seen.headers)
    if scheme not in strictness.schemes:
        raise NotProven(f"{scheme} is not spoken here")
    try:
        if scheme is Scheme.CAVAGE:
            _prove_cavage(seen, public_pem, strictness, now)
        else:
            _prove_rfc9421(seen, public_pem, strictness, now)
    except ValueError as problem:
        raise NotProven(f"the signature cannot be read: {problem}") from problem
    return scheme


def _parameters(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    rest = header(headers, "signature") or ""
    while rest:
        match = _PARAMETER.match(rest)
        if not match or match[1] in found:
            raise NotProven("the Signature header is malformed")
        found[match[1]] = match[2] if match[2] is not None else match[3]
        rest = rest[match.end() :]
    if not {"keyId", "signature"} <= found.keys():
        raise NotProven("the Signature header lacks keyId or signature")
    return found


def _prove_cavage(seen: Seen, pem: str, strictness: Strictness, now: datetime) -> None:
    parameters = _parameters(seen.headers)
    if strictness.needs_algorithm and "algorithm" not in parameters:
        raise NotProven("the Signature header lacks algorithm")
    names = parameters.get("headers", "date").split(" ")
    missing = {n for n in strictness.must_cover if n != "digest" or seen.body} - set(names)
    if missing:
        raise NotProven(f"not covered: {', '.join(sorted(missing))}")
    fields = {name: _field(seen, name) for name in names}
    if seen.method == "POST" and header(seen.headers, "digest") != digest_of(seen.body):
        raise NotProven("the digest is not the body's")
    if header(seen.headers, "host") != host_of(seen.url):
        raise NotProven("the request is for another host")
    _check_age(_date(header(seen.headers, "date") or ""), strictness, now)
    signature = parameters["signature"]
    try:
        raw = base64.b64decode(signature, validate=True)
    except binascii.Error as problem:
        raise NotProven("the signature is not base64") from problem
    by_hand = verifies(pem, signing_string(fields).encode(), raw)
    if not by_hand or not bovine_verifies(pem, fields, signature):
        raise NotProven("the signature is not that key's")


def _field(seen: Seen, name: str) -> str:
    if name == "(request-target)":
        return f"{seen.method.lower()} {target_of(seen.url)}"
    value = header(seen.headers, name)
    if value is None:
        raise NotProven(f"{name} is covered but absent")
    return value


def _prove_rfc9421(seen: Seen, pem: str, strictness: Strictness, now: datetime) -> None:
    headers = {name.lower(): header(seen.headers, name) or "" for name, _ in seen.headers}
    key_id = key_id_of(seen.headers)
    parameters = verify_rfc9421(
        seen.method, seen.url, headers, seen.body, public_pem=pem, key_id=key_id
    )
    created = datetime.fromtimestamp(int(parameters["created"]), UTC)
    _check_age(created, strictness, now)


def _date(value: str) -> datetime:
    return datetime.strptime(value, HTTP_DATE).replace(tzinfo=UTC)


def _check_age(moment: datetime, strictness: Strictness, now: datetime) -> None:
    if abs(now - moment) > strictness.window:
        raise NotProven(f"signed at {moment.isoformat()}, outside the window")
