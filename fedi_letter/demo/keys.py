"""RSA key pairs of simulated people, made at run time and shared between tests.

Knows `cryptography` only; no HTTP.
"""

from dataclasses import dataclass, field
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)


@dataclass(frozen=True)
class KeyPair:
    """One RSA-2048 key, its public half as PEM too."""

    private: RSAPrivateKey = field(repr=False)
    public_pem: str

    def sign(self, message: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2) over `message`."""
        return self.private.sign(message, PKCS1v15(), SHA256())


def verifies(public_pem: str, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is that key's PKCS1-v1_5/SHA-256 signature of `message`.

    Raises ValueError when the PEM holds no key.
    """
    key = load_pem_public_key(public_pem.encode())
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


class KeyPool:
    """Hands out key pairs that differ within one pool.

    Pools of one process share the pairs: making one costs a tenth of a second, and a test only
    needs that Alice's key is not Mallory's.
    """

    def __init__(self) -> None:
        self._taken = 0

    def take(self) -> KeyPair:
        """A pair this pool has not handed out before."""
        self._taken += 1
        return _pair(self._taken)


@cache
def _pair(number: int) -> KeyPair:
    private = generate_private_key(public_exponent=65537, key_size=2048)
    public_pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private, public_pem.decode())
