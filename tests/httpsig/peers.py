"""The other side: peers with keys who sign with bovine and cryptography, never with our code.

A request is described by what its sender wanted; every knob is one thing a sender may do wrong.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path

from bovine.crypto.http_signature import HttpSignature
from bovine.crypto.types import CryptographicSecret
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from fedi_letter.httpsig.keys import (
    PrivateKey,
    PrivateMaterial,
    PublicKey,
    load_private_key,
    load_public_key,
)
from fedi_letter.httpsig.message import Headers, Message
from fedi_letter.httpsig.verify import Claim, claim, verify

ORIGIN = "https://letter.test"
NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
BODY = b'{"type":"Follow","actor":"https://far.test/users/alice"}'
VECTORS = Path(__file__).parent.parent / "vectors"


@dataclass(frozen=True)
class Peer:
    """Someone far away who owns a key."""

    owner: str
    key_id: str
    material: PrivateMaterial

    @property
    def public(self) -> PublicKey:
        pem = self.material.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        return load_public_key(self.key_id, self.owner, pem.decode())

    @property
    def private(self) -> PrivateKey:
        return load_private_key(self.key_id, self.private_pem)

    @property
    def private_pem(self) -> bytes:
        return self.material.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def signature(self, signed: str) -> str:
        """Base64, as draft-cavage carries it."""
        text = signed.encode()
        match self.material:
            case rsa.RSAPrivateKey():
                # bovine's base64 for RSA; for the other kinds it writes what nobody reads.
                return str(CryptographicSecret(self.key_id, self.material).sign(text))
            case ed25519.Ed25519PrivateKey():
                return base64.b64encode(self.material.sign(text)).decode()
            case ec.EllipticCurvePrivateKey():
                r, s = decode_dss_signature(self.material.sign(text, ec.ECDSA(SHA256())))
                return base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()


@lru_cache
def peer(name: str = "alice", kind: str = "rsa") -> Peer:
    """A peer whose key is made once per test run."""
    owner = f"https://far.test/users/{name}"
    material: PrivateMaterial
    match kind:
        case "ed25519":
            material = ed25519.Ed25519PrivateKey.generate()
        case "p-256":
            material = ec.generate_private_key(ec.SECP256R1())
        case _:
            material = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Peer(owner, f"{owner}#main-key", material)


def digest(body: bytes, name: str = "SHA-256") -> str:
    """A `Digest` member."""
    hashed = hashlib.new(name.lower().replace("-", ""), body).digest()
    return f"{name}={base64.b64encode(hashed).decode()}"


def content_digest(body: bytes, name: str = "sha-256") -> str:
    """A `Content-Digest` member."""
    hashed = hashlib.new(name.replace("-", ""), body).digest()
    return f"{name}=:{base64.b64encode(hashed).decode()}:"


def date(instant: datetime = NOW) -> str:
    """A Date header."""
    return format_datetime(instant, usegmt=True)


def seconds(instant: datetime = NOW) -> str:
    """An instant as signatures write it."""
    return str(int(instant.timestamp()))


@dataclass(frozen=True)
class Cavage:
    """A request signed with draft-cavage, before it is sent. None in `headers` drops a header."""

    signer: Peer = field(default_factory=peer)
    method: str = "POST"
    target: str = "/inbox"
    signed_target: str | None = None
    body: bytes = BODY
    covered: str = "(request-target) host date digest content-type"
    headers: dict[str, str | None] = field(default_factory=dict)
    algorithm: str | None = "rsa-sha256"
    created: str | None = None
    expires: str | None = None

    def lines(self) -> dict[str, str]:
        """The headers that are sent, names as written."""
        usual: dict[str, str | None] = {
            "Host": "letter.test",
            "Date": date(),
            "Content-Type": "application/activity+json",
            "Digest": digest(self.body) if self.body else None,
        }
        return {name: v for name, v in {**usual, **self.headers}.items() if v is not None}

    def signing_string(self) -> str:
        """What is signed, built by bovine."""
        values = {name.lower(): value for name, value in self.lines().items()} | {
            "(request-target)": f"{self.method.lower()} {self.signed_target or self.target}",
            "(created)": self.created or "",
            "(expires)": self.expires or "",
        }
        signature = HttpSignature()  # type: ignore[no-untyped-call]  # bovine: no annotations
        for name in self.covered.lower().split():
            if name in values:
                signature.with_field(name, values[name])  # type: ignore[no-untyped-call]
        return str(signature.build_message())  # type: ignore[no-untyped-call]

    def parameters(self) -> list[str]:
        """The members of the Signature header."""
        members = [f'keyId="{self.signer.key_id}"']
        if self.algorithm is not None:
            members.append(f'algorithm="{self.algorithm}"')
        if self.created is not None:
            members.append(f"created={self.created}")
        if self.expires is not None:
            members.append(f"expires={self.expires}")
        members.append(f'headers="{self.covered}"')
        members.append(f'signature="{self.signer.signature(self.signing_string())}"')
        return members

    def message(self, signature: str | None = None) -> Message:
        """The request as it arrives."""
        value = ",".join(self.parameters()) if signature is None else signature
        lines = (*self.lines().items(), ("Signature", value))
        return Message(self.method, self.target, lines, self.body)


def with_lines(message: Message, *extra: tuple[str, str]) -> Message:
    """The same request with lines added at the end by whoever carries it."""
    return Message(message.method, message.target, (*message.headers, *extra), message.body)


def with_line(message: Message, name: str, value: str | None) -> Message:
    """The same request with one header changed (or dropped) on the way."""
    kept: Headers = tuple(line for line in message.headers if line[0].lower() != name.lower())
    added: Headers = () if value is None else ((name, value),)
    return Message(message.method, message.target, kept + added, message.body)


def with_body(message: Message, body: bytes) -> Message:
    """The same request with another body."""
    return Message(message.method, message.target, message.headers, body)


def believe(message: Message, key: PublicKey, received_at: datetime = NOW) -> Claim:
    """Claim and verify, as the inbox does; raises SignatureRefused."""
    asserted = claim(message, origin=ORIGIN, received_at=received_at)
    verify(asserted, message, key, origin=ORIGIN)
    return asserted
