"""Keys: which ones we accept, and how they are held.

1. RSA of 2048 to 8192 bits, Ed25519, P-256; nothing else is loaded for use. Smaller RSA is weak,
   larger RSA (or a large exponent) is a way to burn our processor, and odd curves have been the
   subject of advisories: the material comes from strangers.
2. Private material never appears in a repr, a comparison or an exception.
3. A key is parsed once; the parsed form is kept in a bounded cache.

Knows nothing of where keys are fetched or stored, nor of who may own one.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from fedi_letter.httpsig.bovine_adapter import (
    Identity,
    PublicMaterial,
    decoded_multikey,
    identity,
    new_rsa_pem,
)
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused

PrivateMaterial = RSAPrivateKey | Ed25519PrivateKey | EllipticCurvePrivateKey

_MIN_RSA_BITS = 2048
_MAX_RSA_BITS = 8192
_MAX_RSA_EXPONENT_BITS = 64
_MAX_MATERIAL_CHARS = 8192


class KeyKind(StrEnum):
    """The kinds of key we take."""

    RSA = "rsa"
    ED25519 = "ed25519"
    P256 = "p-256"


@dataclass(frozen=True, slots=True)
class LoadedKey:
    """A public key ready to verify with. Only `verify`'s own modules need it."""

    kind: KeyKind
    material: PublicMaterial
    identity: Identity
    sha256: str


@dataclass(frozen=True)
class PublicKey:
    """Someone's key: the id a signature names, the actor said to own it, and the key as PEM.

    Made by `load_public_key`, or directly from columns that once came from there.
    """

    key_id: str
    owner: str
    pem: str

    @property
    def loaded(self) -> LoadedKey:
        """The parsed key; SignatureRefused(key-unusable) when the PEM is no key we take."""
        return _loaded(self.pem)

    @property
    def kind(self) -> KeyKind:
        """Which kind of key; refuses as `loaded` does."""
        return self.loaded.kind

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the SubjectPublicKeyInfo DER: equal for equal keys, however encoded."""
        return self.loaded.sha256


@dataclass(frozen=True)
class PrivateKey:
    """A key of ours. The material is kept out of repr and comparison."""

    key_id: str
    kind: KeyKind
    public_pem: str
    material: PrivateMaterial = field(repr=False, compare=False)


def load_public_key(key_id: str, owner: str, material: str) -> PublicKey:
    """The key published as `publicKeyPem` or as a Multikey's `publicKeyMultibase` (FEP-521a).

    Raises SignatureRefused(key-unusable) for anything but the kinds and sizes in law 1.
    """
    if len(material) > _MAX_MATERIAL_CHARS:
        raise SignatureRefused(Refusal.KEY_UNUSABLE, "key material is too long")
    text = material.strip()
    public = _from_multikey(text) if text.startswith("z") else _from_pem(text)
    _kind_of(public)
    return PublicKey(key_id, owner, _pem_of(public))


def load_private_key(key_id: str, pem: bytes) -> PrivateKey:
    """Our own key from its PEM. Slow (the key is checked), so it is done once per process.

    Raises SignatureRefused(key-unusable), whose text never holds any of the PEM.
    """
    try:
        material = _checked(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # `from None`: the cause may quote what it was given.
        raise SignatureRefused(
            Refusal.KEY_UNUSABLE, f"private key for {key_id} is not an unencrypted PEM"
        ) from None
    if not isinstance(material, PrivateMaterial):
        raise SignatureRefused(Refusal.KEY_UNUSABLE, f"private key for {key_id}: kind not taken")
    public = material.public_key()
    return PrivateKey(key_id, _kind_of(public), _pem_of(public), material)


def generate_rsa_pem() -> bytes:
    """A new RSA-2048 private key as unencrypted PKCS#8 PEM; the only randomness in this package."""
    return new_rsa_pem()


@lru_cache(maxsize=4)
def _checked(pem: bytes) -> object:
    return load_pem_private_key(pem, password=None)


@lru_cache(maxsize=8192)
def _loaded(pem: str) -> LoadedKey:
    material = _from_pem(pem)
    der = material.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return LoadedKey(_kind_of(material), material, identity(material), sha256(der).hexdigest())


def _from_pem(pem: str) -> PublicMaterial:
    try:
        material = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise SignatureRefused(Refusal.KEY_UNUSABLE, "not a public key in PEM") from None
    if not isinstance(material, PublicMaterial):
        raise SignatureRefused(Refusal.KEY_UNUSABLE, "a kind of key not taken here")
    return material


def _from_multikey(text: str) -> PublicMaterial:
    try:
        return decoded_multikey(text)
    except ValueError as error:
        raise SignatureRefused(Refusal.KEY_UNUSABLE, str(error)) from None


def _kind_of(material: PublicMaterial) -> KeyKind:
    if isinstance(material, Ed25519PublicKey):
        return KeyKind.ED25519
    if isinstance(material, EllipticCurvePublicKey):
        if isinstance(material.curve, SECP256R1):
            return KeyKind.P256
        raise SignatureRefused(Refusal.KEY_UNUSABLE, "a curve other than P-256")
    if not _MIN_RSA_BITS <= material.key_size <= _MAX_RSA_BITS:
        raise SignatureRefused(Refusal.KEY_UNUSABLE, f"RSA of {material.key_size} bits")
    if material.public_numbers().e.bit_length() > _MAX_RSA_EXPONENT_BITS:
        raise SignatureRefused(Refusal.KEY_UNUSABLE, "RSA with an oversized exponent")
    return KeyKind.RSA


def _pem_of(material: PublicMaterial) -> str:
    pem = material.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii")
