"""Who writes to the letter: people on as many loopback servers, a few keys shared among them.

Everybody has a server of their own, as budgets and queues per server are the product's to have; key
ids differ, though key material repeats, since making a key takes a tenth of a second.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

KEYS = 6
HOSTS_PER_NET = 250


def loopback(number: int, *, net: int) -> str:
    """Answer the number-th loopback address of a net (127.net.x.y)."""
    return f"127.{net}.{number // HOSTS_PER_NET}.{number % HOSTS_PER_NET + 1}"


@dataclass(frozen=True)
class Person:
    """The number-th person; their server is the process of `peers` at this port."""

    number: int
    port: int

    @property
    def uri(self) -> str:
        """The id of their actor."""
        return f"http://{loopback(self.number, net=1)}:{self.port}/users/p{self.number}"

    @property
    def key_id(self) -> str:
        """The id of their key."""
        return f"{self.uri}#main-key"

    def document(self, public_pem: str) -> bytes:
        """Their actor as their server gives it."""
        key = {"id": self.key_id, "owner": self.uri, "publicKeyPem": public_pem}
        return json.dumps(
            {
                "@context": [
                    "https://www.w3.org/ns/activitystreams",
                    "https://w3id.org/security/v1",
                ],
                "id": self.uri,
                "type": "Person",
                "preferredUsername": f"p{self.number}",
                "name": f"Person {self.number}",
                "inbox": f"{self.uri}/inbox",
                "publicKey": key,
            }
        ).encode()


def number_in(uri: str) -> int:
    """Answer whose actor or key id this is.

    >>> number_in("http://127.1.0.8:4000/users/p7#main-key")
    7
    """
    return int(uri.partition("#")[0].rpartition("/p")[2])


class KeyRing:
    """The few RSA-2048 keys, kept as PEM files in a folder that the other processes read too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Make the keys."""
        self.folder.mkdir(parents=True)
        for number in range(KEYS):
            pem = generate_private_key(65537, 2048).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            )
            (self.folder / f"{number}.pem").write_bytes(pem)

    @cached_property
    def _private(self) -> tuple[RSAPrivateKey, ...]:
        return tuple(self._load(number) for number in range(KEYS))

    @cached_property
    def _public(self) -> tuple[str, ...]:
        shape = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return tuple(key.public_key().public_bytes(*shape).decode() for key in self._private)

    def private(self, person: int) -> RSAPrivateKey:
        """The key a person signs with."""
        return self._private[person % KEYS]

    def public_pem(self, person: int) -> str:
        """The same key as their server shows it."""
        return self._public[person % KEYS]

    def _load(self, number: int) -> RSAPrivateKey:
        key = load_pem_private_key((self.folder / f"{number}.pem").read_bytes(), None)
        assert isinstance(key, RSAPrivateKey)
        return key
