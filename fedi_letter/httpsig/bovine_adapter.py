"""The one door to bovine, typed: its sound primitives and none of its policy.

What is taken: the signing string of draft-cavage for what we sign ourselves (`cavage` rebuilds what
others signed, for the sake of speed), signing and verifying with a key, the multikey codec, the
`Digest` value and key generation. What is not, each for a reason measured on bovine 0.5.19:

- `SignatureChecker` and `validate_digest` let an unsigned `Digest` vouch for an exchanged body,
  accept a signature made for another host, and never look at `(expires)`;
- its RFC 9421 parser raises `AttributeError` on every request with the http-sf of today, and
  without that would accept signatures that cover nothing;
- `HttpSignature.verify` logs the private key when the PEM is bad;
- signing with Ed25519 yields a header that nobody can verify;
- `bovine.parse` and `bovine.jsonld` open a database in the working directory and fetch what a
  stranger names.

bovine ships its annotations in part: the ignores below are calls to functions without any.
"""

from collections.abc import Iterable

from bovine.crypto import generate_rsa_public_private_key
from bovine.crypto.helper import content_digest_sha256
from bovine.crypto.http_signature import HttpSignature
from bovine.crypto.multibase import decode_multibase_public_key
from bovine.crypto.types import CryptographicIdentifier, CryptographicSecret
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

PublicMaterial = RSAPublicKey | Ed25519PublicKey | EllipticCurvePublicKey
Identity = CryptographicIdentifier


def signing_string(fields: Iterable[tuple[str, str]]) -> str:
    """The lines that draft-cavage-12 §2.3 signs: `name: value`, joined by line feeds.

    >>> signing_string([("(request-target)", "get /"), ("host", "far.example")])
    '(request-target): get /\\nhost: far.example'
    """
    signature = HttpSignature()  # type: ignore[no-untyped-call]
    for name, value in fields:
        signature.with_field(name, value)  # type: ignore[no-untyped-call]
    return str(signature.build_message())  # type: ignore[no-untyped-call]


def identity(material: PublicMaterial) -> Identity:
    """A loaded key in the form that `is_signed_by` takes; make it once per key."""
    return CryptographicIdentifier(controller="verified", public_key=material)


def is_signed_by(signer: Identity, signed: bytes, signature: bytes) -> bool:
    """Whether the key made this signature: RSA PKCS#1 v1.5 with SHA-256, Ed25519, or ECDSA.

    An ECDSA signature is r and s side by side; its length is checked by the caller.
    """
    return signer.verify(signed, signature) is not None


def decoded_multikey(multibase: str) -> PublicMaterial:
    """The key in a Multikey's `publicKeyMultibase` (FEP-521a); ValueError when there is none."""
    try:
        material = decode_multibase_public_key(multibase)  # type: ignore[no-untyped-call]
    except (ValueError, IndexError, TypeError, UnsupportedAlgorithm):
        raise ValueError("not a multikey") from None
    if not isinstance(material, PublicMaterial):
        raise ValueError("a multikey of a kind unknown here")
    return material


def digest_header(body: bytes) -> str:
    """The `Digest` of a body. The upper-case prefix is what Mastodon and Threads insist on.

    >>> digest_header(b"")
    'SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return content_digest_sha256(body, prefix="SHA-256")


def signature_header(key_id: str, key: RSAPrivateKey, covered: str, signed: str) -> str:
    """The draft-cavage `Signature` value over what `signing_string` made of the covered fields."""
    signature = CryptographicSecret(key_id, key).sign(signed)
    return f'keyId="{key_id}",algorithm="rsa-sha256",headers="{covered}",signature="{signature}"'


def new_rsa_pem() -> bytes:
    """A fresh RSA-2048 private key, PKCS#8, not encrypted."""
    _, private_pem = generate_rsa_public_private_key()
    return private_pem.encode("ascii")
