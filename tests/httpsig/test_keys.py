"""Which keys are taken, and that the private ones are never shown."""

import base64
import hashlib
import pickle
from collections.abc import Callable
from dataclasses import replace

import pytest
from bovine.crypto.multibase import encode_public_key_to_multibase, multibase_58btc_encode
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.httpsig.keys import (
    KeyKind,
    PublicKey,
    generate_rsa_pem,
    load_private_key,
    load_public_key,
)
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from tests.httpsig.peers import VECTORS, Peer, peer

KINDS = {"rsa": KeyKind.RSA, "ed25519": KeyKind.ED25519, "p-256": KeyKind.P256}


def spki(material: object) -> str:
    """A public key as PEM, whatever its kind."""
    assert hasattr(material, "public_bytes")
    pem: bytes = material.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def multikey(someone: Peer) -> str:
    return str(encode_public_key_to_multibase(someone.material.public_key()))


def refused(material: str) -> Refusal:
    with pytest.raises(SignatureRefused) as error:
        load_public_key("https://far.test/k", "https://far.test/u", material)
    return error.value.reason


@pytest.mark.parametrize("kind", KINDS)
def test_pem_and_multikey_are_one_key(kind: str) -> None:
    someone = peer(kind, kind)
    from_pem = someone.public
    from_multikey = load_public_key(someone.key_id, someone.owner, multikey(someone))
    assert from_pem == from_multikey
    assert from_pem.kind is from_multikey.kind is KINDS[kind]


def test_the_fingerprint_is_that_of_the_der() -> None:
    pem = (VECTORS / "test-key-ed25519.pem").read_text(encoding="ascii")
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    key = load_public_key("k", "o", pem)
    assert key.sha256 == hashlib.sha256(der).hexdigest()
    assert PublicKey("other", "other", key.pem).sha256 == key.sha256


def test_pkcs1_and_crlf_become_the_same_canonical_pem() -> None:
    material = peer().material.public_key()
    assert isinstance(material, rsa.RSAPublicKey)
    pkcs1 = material.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    crlf = "  " + spki(material).replace("\n", "\r\n")
    assert load_public_key("k", "o", pkcs1).pem == load_public_key("k", "o", crlf).pem


def test_a_key_is_parsed_once() -> None:
    key = peer().public
    assert key.loaded is replace(key, key_id="another").loaded


REFUSED_MATERIAL: dict[str, Callable[[], str]] = {
    "rsa 1024": lambda: spki(
        rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()  # noqa: S505  # the weak key is the point
    ),
    "rsa 16384": lambda: spki(rsa.RSAPublicNumbers(65537, (1 << 16383) + 1).public_key()),
    "rsa with a huge exponent": lambda: spki(
        rsa.RSAPublicNumbers((1 << 2000) + 1, (1 << 2047) + 1).public_key()
    ),
    "p-384": lambda: spki(ec.generate_private_key(ec.SECP384R1()).public_key()),
    "secp256k1": lambda: spki(ec.generate_private_key(ec.SECP256K1()).public_key()),
    "ed448": lambda: spki(ed448.Ed448PrivateKey.generate().public_key()),
    "dsa": lambda: spki(dsa.generate_private_key(2048).public_key()),
    "a private key": lambda: peer().private_pem.decode(),
    "a multikey of p-384": lambda: str(
        encode_public_key_to_multibase(ec.generate_private_key(ec.SECP384R1()).public_key())
    ),
    "a multikey too short": lambda: multibase_58btc_encode(b"\xed\x01short"),
    "a multikey of unknown codec": lambda: multibase_58btc_encode(b"\x01\x02" + bytes(32)),
    "a multikey of nothing": lambda: "z",
    "another multibase": lambda: "mAQID",
    "no key": lambda: "hello",
    "nothing": lambda: "",
    "beyond ascii": lambda: "-----BEGIN PUBLIC KEY-----\né",
    "half a surrogate": lambda: "-----BEGIN PUBLIC KEY-----\n\ud800",
    "too long": lambda: "z" + "1" * 8192,
}


@pytest.mark.parametrize("make", REFUSED_MATERIAL.values(), ids=REFUSED_MATERIAL.keys())
def test_other_material_is_refused(make: Callable[[], str]) -> None:
    assert refused(make()) is Refusal.KEY_UNUSABLE


@given(st.one_of(st.text(), st.text().map(lambda text: "z" + text), st.binary().map(repr)))
def test_arbitrary_material_is_a_key_or_a_refusal(material: str) -> None:
    assert refused(material) is Refusal.KEY_UNUSABLE


@given(st.binary(max_size=200))
def test_arbitrary_bytes_as_multikey_or_der_are_a_key_or_a_refusal(junk: bytes) -> None:
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(junk).decode()}\n-----END PUBLIC KEY-----"
    assert refused(pem) is Refusal.KEY_UNUSABLE
    prefixed = multibase_58btc_encode(b"\x85$" + junk)
    assert refused(prefixed) is Refusal.KEY_UNUSABLE


def test_a_generated_key_is_ours_to_load() -> None:
    pem = generate_rsa_pem()
    key = load_private_key("https://letter.test/actors/letter#main-key", pem)
    assert key.kind is KeyKind.RSA
    assert load_public_key(key.key_id, "o", key.public_pem).pem == key.public_pem
    assert pem != generate_rsa_pem()


@pytest.mark.parametrize("kind", KINDS)
def test_private_material_is_not_shown(kind: str) -> None:
    someone = peer(kind, kind)
    key = someone.private
    secret = someone.private_pem.decode().splitlines()[1]
    for shown in (repr(key), str(key), f"{key}"):
        assert secret not in shown
        assert "PRIVATE" not in shown
        assert "material" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_private_key_that_cannot_be_read_is_not_quoted() -> None:
    good = peer().private_pem
    encrypted = peer().material.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    for pem in (good[:-60], good.replace(b"A", b"B"), encrypted, b"", b"\xff", good[:400]):
        with pytest.raises(SignatureRefused) as error:
            load_private_key("https://letter.test/k", pem)
        assert error.value.reason is Refusal.KEY_UNUSABLE
        assert error.value.__cause__ is None
        assert error.value.__suppress_context__
        assert "BEGIN" not in str(error.value)
        assert error.value.args == (str(error.value),)


def test_private_keys_of_other_kinds_are_refused() -> None:
    odd = ed448.Ed448PrivateKey.generate()
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # the weak key is the point
    for material in (odd, weak):
        pem = material.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(SignatureRefused) as error:
            load_private_key("https://letter.test/k", pem)
        assert error.value.reason is Refusal.KEY_UNUSABLE
