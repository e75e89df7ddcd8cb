"""RFC 9421, HTTP Message Signatures: parsed by http-sf, judged by our policy.

The target is rebuilt from our configured origin, never from what a proxy or the client says.
Times are judged by the caller against the hour of arrival: a request that waited in our queue has
not grown old by our delay. http-message-signatures signs for us and lends its algorithms; what is
signed of a request that came in is rebuilt in `signature_base`, for the sake of speed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import http_sf
from cryptography.exceptions import InvalidSignature
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPSignatureAlgorithm,
    MappingKeyResolver,
    algorithms,
)

from fedi_letter.httpsig.bovine_adapter import PublicMaterial
from fedi_letter.httpsig.keys import KeyKind, PrivateKey, PublicKey
from fedi_letter.httpsig.message import Headers, Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.signature_base import signature_base
from fedi_letter.httpsig.spelling import bytes_of, strings_of
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
# §6.2; one we do not know may change what the signature means.
_PARAMETERS = frozenset({"alg", "created", "expires", "keyid", "nonce", "tag"})
_TEXTS = ("nonce", "tag")
_KNOWN = {choice.algorithm_id for choices in ALGORITHMS.values() for choice in choices}


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """A request being signed; the library writes its headers into the dict."""

    method: str
    url: str
    headers: dict[str, str]


def read(message: Message) -> Statement:
    """The one signature of `Signature-Input` and `Signature`, parsed (§4).

    Several signatures are refused: which of them a reader picks is not signed, and no server of
    the fediverse sends more than one.

    Raises SignatureRefused: duplicate-signature, malformed-signature, unsupported-algorithm,
    date-missing.
    """
    label, (components, parameters), spelt = _input(message)
    signature_label, signature = _signature(message)
    if label != signature_label:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "labels differ")
    if not parameters.keys() <= _PARAMETERS:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "a parameter unknown here")
    if not all(isinstance(parameters.get(name, ""), str) for name in _TEXTS):
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "a nonce or tag that is no string")
    created = _seconds(parameters, "created")
    if created is None:
        raise SignatureRefused(Refusal.DATE_MISSING, "no created")
    return Statement(
        key_id=_key_id(parameters),
        algorithm=_algorithm(parameters),
        covered=tuple(_component_name(component) for component in components),
        created=created,
        expires=_seconds(parameters, "expires"),
        signature=signature,
        parameters=spelt,
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
    signed = signature_base(statement, message, origin)
    if not any(
        _is_signed(choice, loaded.material, statement.signature, signed) for choice in choices
    ):
        raise SignatureRefused(Refusal.SIGNATURE_MISMATCH, "the key did not sign this message")


def _is_signed(
    choice: type[HTTPSignatureAlgorithm], material: PublicMaterial, signature: bytes, signed: bytes
) -> bool:
    try:
        choice(public_key=material).verify(signature=signature, message=signed)
    except (InvalidSignature, HTTPMessageSignaturesException):
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
def _input(message: Message) -> tuple[str, tuple[list[Any], dict[str, Any]], str]:
    """Label, list and the list serialised anew (§2.3): blanks between its parts are not signed."""
    line = _only_line(message, "signature-input")
    plain = strings_of(line)
    if plain is not None:
        return plain
    label, inner = _only_member(line, "signature-input")
    if not isinstance(inner, tuple) or not isinstance(inner[0], list):
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "Signature-Input is not a list")
    return label, inner, http_sf.ser([inner])


def _signature(message: Message) -> tuple[str, bytes]:
    line = _only_line(message, "signature")
    plain = bytes_of(line)
    if plain is not None:
        return plain
    label, signature = _only_member(line, "signature")
    if not isinstance(signature, tuple) or not isinstance(signature[0], bytes):
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, "Signature is not a byte sequence")
    return label, signature[0]


def _only_line(message: Message, name: str) -> str:
    lines = message.values(name)
    if len(lines) != 1:
        raise SignatureRefused(Refusal.DUPLICATE_SIGNATURE, f"{len(lines)} {name} headers")
    if len(lines[0]) > _MAX_HEADER_CHARS:
        raise SignatureRefused(Refusal.MALFORMED_SIGNATURE, f"{name} is too long")
    return lines[0]


def _only_member(line: str, name: str) -> tuple[str, Any]:
    members = _members(line, name)
    if len(members) != 1:
        raise SignatureRefused(Refusal.DUPLICATE_SIGNATURE, f"{len(members)} members in {name}")
    return next(iter(members.items()))


def _members(value: str, name: str) -> dict[str, Any]:
    def refuse_repeated(key: str, context: str) -> None:
        raise SignatureRefused(Refusal.DUPLICATE_SIGNATURE, f"a key given twice in {name}")

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
