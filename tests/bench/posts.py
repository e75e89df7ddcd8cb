"""Signed POSTs as finished bytes: replies that say “I sign”, each by and of its own.

Signed by hand, as another server would, with none of the product's code.
"""

import base64
import hashlib
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.bench.people import KeyRing, Person

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
INBOX_PATH = "/inbox"
WORDS = "This has to change before the next summer, and I say so as somebody who lives there. "

_serials = itertools.count(1)


@dataclass(frozen=True)
class Writers:
    """So many people, their keys, and the letter they write to."""

    keys: KeyRing
    people: Sequence[Person]
    origin: str

    @property
    def host(self) -> str:
        """The letter's host as its Host header has it."""
        return self.origin.partition("://")[2]

    def cavage(self, count: int) -> list[bytes]:
        """Answer so many requests signed by draft-cavage-12 with rsa-sha256."""
        return list(self._each(count, self._cavage))

    def rfc9421(self, count: int) -> list[bytes]:
        """Answer so many requests signed by RFC 9421 with rsa-v1_5-sha256."""
        return list(self._each(count, self._rfc9421))

    def _each(self, count: int, sign: Callable[[Person, bytes], bytes]) -> Iterator[bytes]:
        """In threads: signing gives up the GIL and takes most of the preparation."""
        authors = itertools.islice(itertools.cycle(self.people), count)
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
            yield from threads.map(lambda person: sign(person, self._reply(person)), authors)

    def _reply(self, person: Person) -> bytes:
        note = f"{person.uri}/statuses/{next(_serials)}"
        audience = {"to": [PUBLIC], "cc": [f"{self.origin}/actors/letter"]}
        published = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return json.dumps(
            {
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": f"{note}/activity",
                "type": "Create",
                "actor": person.uri,
                "published": published,
                **audience,
                "object": {
                    "id": note,
                    "type": "Note",
                    "attributedTo": person.uri,
                    "inReplyTo": f"{self.origin}/letters/letter",
                    "published": published,
                    "url": note,
                    "content": f"<p>I sign. {WORDS * 4}</p>",
                    "contentMap": {"en": f"<p>I sign. {WORDS * 4}</p>"},
                    **audience,
                },
            }
        ).encode()

    def _cavage(self, person: Person, body: bytes) -> bytes:
        digest = "SHA-256=" + _sha256(body)
        date = formatdate(usegmt=True)
        signed = (
            f"(request-target): post {INBOX_PATH}\nhost: {self.host}\ndate: {date}\n"
            f"digest: {digest}\ncontent-type: application/activity+json"
        )
        names = "(request-target) host date digest content-type"
        signature = (
            f'keyId="{person.key_id}",algorithm="rsa-sha256",headers="{names}",'
            f'signature="{self._signature(person, signed)}"'
        )
        return self._request(body, Date=date, Digest=digest, Signature=signature)

    def _rfc9421(self, person: Person, body: bytes) -> bytes:
        digest = f"sha-256=:{_sha256(body)}:"
        parameters = (
            f'("@method" "@target-uri" "content-digest");created={int(time.time())};'
            f'keyid="{person.key_id}"'
        )
        signed = (
            f'"@method": POST\n"@target-uri": {self.origin}{INBOX_PATH}\n'
            f'"content-digest": {digest}\n"@signature-params": {parameters}'
        )
        return self._request(
            body,
            **{
                "Content-Digest": digest,
                "Signature-Input": f"sig1={parameters}",
                "Signature": f"sig1=:{self._signature(person, signed)}:",
            },
        )

    def _signature(self, person: Person, signed: str) -> str:
        key = self.keys.private(person.number)
        return base64.b64encode(key.sign(signed.encode(), PKCS1v15(), SHA256())).decode()

    def _request(self, body: bytes, **headers: str) -> bytes:
        lines = {
            "Host": self.host,
            "User-Agent": "bench",
            "Content-Type": "application/activity+json",
            **headers,
            "Content-Length": str(len(body)),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"POST {INBOX_PATH} HTTP/1.1\r\n{head}\r\n".encode() + body


def _sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()
