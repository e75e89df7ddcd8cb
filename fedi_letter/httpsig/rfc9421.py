"""RFC 9421, HTTP Message Signatures: parsed for our policy, proved by http-message-signatures.

The target is rebuilt from our configured origin, never from what a proxy or the client says.
Times are judged by the caller against the hour of arrival, so the library's own clock is
switched off: a request that waited in our queue has not grown old by our delay.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import http_sf
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    MappingKeyResolver,
    algorithms,
)

from fedi_letter.httpsig.keys import KeyKind, PrivateKey, PublicKey
from fedi_letter.httpsig.message import Headers, Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.statement import Statement

_MAX_HEADER_CHARS = 8192
_LABEL = "sig1"

# The first of each kind is what we sign with. RSA without `alg` may be either padding: the
# RFC's own example (B.2.3) leaves it out.
ALGORITHMS: dict[KeyKind, tuple[type[HTTPSignatureAlgorithm], ...]] = {
    KeyKind.RSA: (algorithms.RSA_V1_5_SHA256, algorithms.RSA_PSS_SHA512),
    KeyKind.ED25519: (algorithms.ED25519,),
    KeyKind.P256: (algorithms.ECDSA_P256_SHA256,),
}
_KNOWN = {choice.algorithm_id for choices in ALGORITHMS.values() for choice in choices}


@dataclass(frozen=True, slots=True)
class _Lines:
    """Header lines in the form the library reads: `items()` in order, repeated names kept."""

    lines: Headers

    def items(self) -> Headers:
        return self.lines


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: _Lines


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """A request being signed; the library writes its headers into the dict."""

    method: str
    url: str
    headers: dict[str, str]


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(
        self, sig_input: object, max_age: timedelta | None = None
    ) -> None:
        """Nothing: `verify.claim` has judged the times against the hour of arrival."""


def read(message: Message) -> Statement:
    """The one signature of `Signature-Input` and `Signature`, parsed (§4).

    Several signatures are refused: which of them a reader picks is not signed, and no server of
    the fediverse sends more than one.

    Raises SignatureRefused: duplicate-signature, malformed-signature, unsupported-algorithm,
    date-missing.
    """
    label, inner = _only_member(message, "signature-input")
    signature_label, signature = _only_member(message, "signature")
    if label != signature_label:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "labels differ")
    if not isinstance(inner, tuple) or not isinstance(inner[0], list):
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "Signature-Input is not a list")
    if not isinstance(signature, tuple) or not isinstance(signature[0], bytes):
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "Signature is not a byte sequence")
    components, parameters = inner
    created = _seconds(parameters, "created")
    if created is None:
        raise SignatureRefused(Refusal.DATE_MISSING, "no created")
    return Statement(
        key_id=_key_id(parameters),
        algorithm=_algorithm(parameters),
        covered=tuple(_component_name(component) for component in components),
        created=created,
        expires=_seconds(parameters, "expires"),
        signature=signature[0],
    )


def check_coverage(statement: Statement, message: Message) -> None:
    """Whether method, host and target are signed: `@target-uri`, or `@authority` with either
    `@request-target` or `@path` (and `@query` when there is one) (§2.2).

    Raises SignatureRefused: method-not-covered, request-target-not-covered, host-not-covered.
    """
    covered = statement.covered
    if "@method" not in covered:
        raise SignatureRefused(Refusal.METHOD_NOT_COVERED, "@method is unsigned")
    if "@target-uri" in covered:
        return
    whole_path = "@path" in covered and ("@query" in covered or "?" not in message.target)
    if not whole_path and "@request-target" not in covered:
        raise SignatureRefused(Refusal.REQUEST_TARGET_NOT_COVERED, "the target is unsigned")
    if "@authority" not in covered:
        raise SignatureRefused(Refusal.HOST_NOT_COVERED, "@authority is unsigned")


def verify(statement: Statement, message: Message, key: PublicKey, origin: str) -> None:
    """Whether `key` signed the covered components of this message (§3.2).

    Raises SignatureRefused: unsupported-algorithm, key-unusable, signature-mismatch.
    """
    loaded = key.loaded
    choices = [
        choice
        for choice in ALGORITHMS[loaded.kind]
        if statement.algorithm in (None, choice.algorithm_id)
    ]
    if not choices:
        raise SignatureRefused(Refusal.UNSUPPORTED_ALGORITHM, "alg contradicts the key")
    request = _Request(message.method, origin + message.target, _Lines(message.headers))
    resolver = MappingKeyResolver(public_keys={statement.key_id: loaded.material}, private_keys={})
    if not any(_is_signed(choice, resolver, request) for choice in choices):
        raise SignatureRefused(Refusal.SIGNATURE_MISMATCH, "the key did not sign this message")


def _is_signed(
    choice: type[HTTPSignatureAlgorithm], resolver: MappingKeyResolver, request: _Request
) -> bool:
    verifier = _Verifier(signature_algorithm=choice, key_resolver=resolver)
    try:
        verifier.verify(request, max_age=None)
    except HTTPMessageSignaturesException:
        return False
    return True


def sign(key: PrivateKey, *, method: str, url: str, body: bytes | None, now: datetime) -> Headers:
    """The headers Content-Digest (when there is a body), Signature-Input and Signature.

    Covers `@method @target-uri` and `content-digest`, with `created`, `keyid` and `alg`: exactly
    what Mastodon requires. `url` is the normalised one; `now` is aware.
    """
    headers: dict[str, str] = {}
    signer = HTTPMessageSigner(
        signature_algorithm=ALGORITHMS[key.kind][0],
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={key.key_id: key.material}),
    )
    signer.sign(
        _Outgoing(method, url, headers),
        key_id=key.key_id,
        created=now,
        label=_LABEL,
        covered_component_ids=("@method", "@target-uri"),
        body=body,
    )
    return tuple(headers.items())


# What http-sf returns is a union of tuples and lists with `Any` inside once it is taken apart;
# it is `Any` here and typed again in the Statement.
def _only_member(message: Message, name: str) -> tuple[str, Any]:
    lines = message.values(name)
    if len(lines) != 1:
        raise SignatureRefused(Refusal.DUPLICATE_SIGNATURE, f"{len(lines)} {name} headers")
    members = _members(lines[0], name)
    if len(members) != 1:
        raise SignatureRefused(Refusal.DUPLICATE_SIGNATURE, f"{len(members)} members in {name}")
    return next(iter(members.items()))


def _members(value: str, name: str) -> dict[str, Any]:
    def refuse_repeated(key: str, context: str) -> None:
        raise SignatureRefused(Refusal.DUPLICATE_SIGNATURE, f"a key given twice in {name}")

    if len(value) > _MAX_HEADER_CHARS:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, f"{name} is too long")
    try:
        members = http_sf.parse(
            value.encode("ascii"), tltype="dictionary", on_duplicate_key=refuse_repeated
        )
    except ValueError:
        raise SignatureRefused(
            Refusal.MALFORMED_SIGNATURE, f"{name} is not a structured field"
        ) from None
    if not isinstance(members, dict):
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, f"{name} is not a dictionary")
    return members


def _component_name(component: tuple[Any, dict[str, Any]]) -> str:
    """The name; marked when it carries parameters, for `"content-digest";key="x"` or
    `"@method";req` sign something else than the name says and must not count as it."""
    name, parameters = component
    if not isinstance(name, str):
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "a component that is not a string")
    return f"{name};" if parameters else name


def _key_id(parameters: dict[str, Any]) -> str:
    key_id = parameters.get("keyid")
    if not isinstance(key_id, str) or not key_id:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "no keyid")
    return key_id


def _algorithm(parameters: dict[str, Any]) -> str | None:
    algorithm = parameters.get("alg")
    if algorithm is None:
        return None
    if not isinstance(algorithm, str) or algorithm not in _KNOWN:
        raise SignatureRefused(Refusal.UNSUPPORTED_ALGORITHM, "alg is not taken here")
    return algorithm


def _seconds(parameters: dict[str, Any], name: str) -> str | None:
    value = parameters.get(name)
    if value is None:
        return None
    if type(value) is not int or value < 0:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, f"{name} is not a time")
    return str(value)
