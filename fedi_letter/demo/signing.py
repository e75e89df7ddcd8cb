"""How simulated servers sign: draft-cavage-12 in several hands, and RFC 9421.

This is the one door to bovine and http-message-signatures on the peers' side. Nothing here is
shared with the letter's own `httpsig`: two independent readings of the specifications meet on
the wire.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from bovine.crypto.http_signature import HttpSignature, build_signature
from bovine.crypto.types import CryptographicIdentifier, CryptographicSecret
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)

from fedi_letter.demo.keys import KeyPair
from fedi_letter.demo.wire import Headers, target_of

HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"


class Scheme(StrEnum):
    """The two families of HTTP signatures in use."""

    CAVAGE = "cavage"
    RFC9421 = "rfc9421"


@dataclass(frozen=True)
class Signer:
    """A key pair under the id by which others fetch its public half."""

    key_id: str
    pair: KeyPair


@dataclass(frozen=True)
class Style:
    """What one kind of server puts under its signature, and how it writes it down."""

    covers_post: tuple[str, ...] = ("(request-target)", "host", "date", "digest", "content-type")
    covers_get: tuple[str, ...] = ("(request-target)", "host", "date", "accept")
    algorithm: str = "rsa-sha256"
    by_bovine: bool = False
    algorithm_last: bool = False
    components: tuple[str, ...] = ("@method", "@target-uri")
    label: str = "sig1"


@dataclass(frozen=True)
class Draft:
    """A request before it is signed; `extra` are headers such as Accept or User-Agent."""

    method: str
    url: str
    body: bytes
    content_type: str | None
    extra: Headers


@dataclass
class _Request:
    """The three fields http-message-signatures reads of a request."""

    method: str
    url: str
    headers: dict[str, str]


def digest_of(body: bytes) -> str:
    """The RFC 3230 `Digest` value, with the upper-case prefix Mastodon and Threads insist on.

    >>> digest_of(b"")
    'SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return f"SHA-256={base64.b64encode(hashlib.sha256(body).digest()).decode()}"


def http_date(now: datetime) -> str:
    """An HTTP date (RFC 9110 §5.6.7) of an aware UTC time."""
    return now.strftime(HTTP_DATE)


def signed(draft: Draft, signer: Signer, style: Style, scheme: Scheme, now: datetime) -> Headers:
    """Every header of the signed request, in the order sent."""
    match scheme:
        case Scheme.CAVAGE:
            return _cavage(draft, signer, style, now)
        case Scheme.RFC9421:
            return _rfc9421(draft, signer, style, now)


def _cavage(draft: Draft, signer: Signer, style: Style, now: datetime) -> Headers:
    headers = _plain(draft, now)
    if draft.method == "POST":
        headers["digest"] = digest_of(draft.body)
        headers["content-length"] = str(len(draft.body))
    covered = style.covers_post if draft.method == "POST" else style.covers_get
    fields = {"(request-target)": f"{draft.method.lower()} {target_of(draft.url)}", **headers}
    chosen = {name: fields[name] for name in covered}
    if style.by_bovine:
        headers["signature"] = bovine_signature(signer, chosen)
    else:
        headers["signature"] = _by_hand(signer, style, chosen)
    return tuple(headers.items())


def _plain(draft: Draft, now: datetime) -> dict[str, str]:
    headers = {"host": urlsplit(draft.url).netloc, "date": http_date(now)}
    if draft.content_type:
        headers["content-type"] = draft.content_type
    return headers | {name.lower(): value for name, value in draft.extra}


def _by_hand(signer: Signer, style: Style, fields: Mapping[str, str]) -> str:
    text = signing_string(fields)
    signature = base64.b64encode(signer.pair.sign(text.encode())).decode()
    parameters = [f'keyId="{signer.key_id}"', f'algorithm="{style.algorithm}"']
    parameters += [f'headers="{" ".join(fields)}"', f'signature="{signature}"']
    if style.algorithm_last:
        parameters.append(parameters.pop(1))
    return ",".join(parameters)


def signing_string(fields: Mapping[str, str]) -> str:
    """What a cavage signature signs (draft-cavage-12 §2.3).

    >>> signing_string({"(request-target)": "post /inbox", "host": "far.example"})
    '(request-target): post /inbox\\nhost: far.example'
    """
    return "\n".join(f"{name}: {value}" for name, value in fields.items())


def bovine_signature(signer: Signer, fields: Mapping[str, str]) -> str:
    """The `Signature` header as bovine writes it (draft-cavage-12, rsa-sha256)."""
    rest = dict(fields)
    method, target = rest.pop("(request-target)").split(" ", 1)
    signature = build_signature(rest.pop("host"), method, target)  # type: ignore[no-untyped-call]  # bovine is untyped here
    for name, value in rest.items():
        signature = signature.with_field(name, value)
    secret = CryptographicSecret(signer.key_id, signer.pair.private)
    return str(signature.sign_for_http_draft(secret))


def bovine_verifies(public_pem: str, fields: Mapping[str, str], signature: str) -> bool:
    """Whether bovine finds the base64 `signature` over these fields to be that key's."""
    message = HttpSignature()  # type: ignore[no-untyped-call]  # bovine is untyped here
    for name, value in fields.items():
        message = message.with_field(name, value)  # type: ignore[no-untyped-call]  # as above
    identifier = CryptographicIdentifier.from_pem(public_pem, "owner")
    return bool(message.verify_with_identity(identifier, signature) == "owner")


def _rfc9421(draft: Draft, signer: Signer, style: Style, now: datetime) -> Headers:
    headers = _plain(draft, now)
    if draft.method == "POST":
        headers["content-length"] = str(len(draft.body))
    request = _Request(draft.method, draft.url, headers)
    HTTPMessageSigner(
        signature_algorithm=algorithms.RSA_V1_5_SHA256,
        key_resolver=MappingKeyResolver(
            public_keys={}, private_keys={signer.key_id: signer.pair.private}
        ),
    ).sign(
        request,
        key_id=signer.key_id,
        created=now,
        label=style.label,
        covered_component_ids=style.components,
        body=draft.body if draft.method == "POST" else None,
    )
    return tuple((name.lower(), value) for name, value in request.headers.items())


class _Timeless(HTTPMessageVerifier):
    """Leaves age to the caller, whose clock need not be the machine's."""

    max_clock_skew = timedelta(days=36500)


def verify_rfc9421(
    method: str, url: str, headers: Mapping[str, str], body: bytes, *, public_pem: str, key_id: str
) -> Mapping[str, int | str]:
    """The signature's parameters once http-message-signatures has proven it.

    Demands `@method` and `@target-uri`, and the body's digest on a POST; leaves age to the
    caller. Raises ValueError saying what is wrong.
    """
    keys = MappingKeyResolver(public_keys={key_id: public_pem.encode()}, private_keys={})
    verifier = _Timeless(signature_algorithm=algorithms.RSA_V1_5_SHA256, key_resolver=keys)
    try:
        [result] = verifier.verify(
            _Request(method, url, dict(headers)),
            max_age=None,
            require_components=("@method", "@target-uri"),
            body=body if method == "POST" else None,
        )
    except HTTPMessageSignaturesException as problem:
        raise ValueError(str(problem)) from problem
    return result.parameters
