"""What the letter's server is measured against: bare endpoints under the same uvicorn settings.

`bare` reads the body and answers 202; `replay` answers given bytes and headers; `verifying` reads,
verifies with the product's own `httpsig`, keeps nothing and answers 202. And RSA alone, in a loop.
"""

import argparse
import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvicorn
import uvloop
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.types import ASGIApp, Receive, Scope, Send

from fedi_letter.httpsig.keys import PublicKey, load_public_key
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.verify import claim, verify
from tests.bench.machine import on_cores
from tests.bench.people import KeyRing, number_in

EMPTY = [(b"content-type", b"text/plain"), (b"content-length", b"0")]


class Page(msgspec.Struct, frozen=True):
    """An answer to give again, byte for byte."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Replay:
    """The same answer to every request."""

    def __init__(self, page: Page) -> None:
        headers = [(name.encode(), value.encode()) for name, value in page.headers]
        self._start = {"type": "http.response.start", "status": page.status, "headers": headers}
        self._body = {"type": "http.response.body", "body": page.body}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, without a look at the request."""
        await send(self._start)
        await send(self._body)


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and answer 202."""
    await _body(receive)
    await send({"type": "http.response.start", "status": 202, "headers": EMPTY})
    await send({"type": "http.response.body", "body": b""})


class Verifying:
    """Read, verify, answer 202: everything the inbox does but for keeping it."""

    def __init__(self, keys: KeyRing, origin: str) -> None:
        self._ring = keys
        self._origin = origin
        self._keys: dict[str, PublicKey] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery; a refusal ends as an error 500, which the run reports."""
        body = await _body(receive)
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        )
        message = Message("POST", scope["raw_path"].decode("latin-1"), headers, body)
        claimed = claim(message, origin=self._origin, received_at=datetime.now(UTC))
        verify(claimed, message, self._key(claimed.key_id), origin=self._origin)
        await send({"type": "http.response.start", "status": 202, "headers": EMPTY})
        await send({"type": "http.response.body", "body": b""})

    def _key(self, key_id: str) -> PublicKey:
        if key_id not in self._keys:
            owner, number = key_id.partition("#")[0], number_in(key_id)
            self._keys[key_id] = load_public_key(key_id, owner, self._ring.public_pem(number))
        return self._keys[key_id]


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        event = await receive()
        chunks.append(event.get("body", b""))
        if not event.get("more_body", False):
            return b"".join(chunks)


def signatures_per_second(keys: KeyRing, *, core: int, seconds: float) -> float:
    """Answer how often one thread signs with RSA-2048 on one core, and does nothing else."""
    key, message = keys.private(0), b"x" * 300
    with on_cores(core):
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            key.sign(message, PKCS1v15(), SHA256())
            count += 1
        return count / (time.perf_counter() - began)


def verifications_per_second(keys: KeyRing, *, core: int, seconds: float) -> float:
    """Answer how often one thread verifies RSA-2048 on one core, and does nothing else."""
    key, message = keys.private(0), b"x" * 300
    signature, public = key.sign(message, PKCS1v15(), SHA256()), key.public_key()
    with on_cores(core):
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            for _ in range(100):
                public.verify(signature, message, PKCS1v15(), SHA256())
            count += 100
        return count / (time.perf_counter() - began)


def _application(arguments: argparse.Namespace) -> ASGIApp:
    if arguments.kind == "replay":
        return Replay(msgspec.msgpack.decode(arguments.page.read_bytes(), type=Page))
    if arguments.kind == "verifying":
        return Verifying(KeyRing(arguments.keys), arguments.origin)
    return bare


def main() -> None:
    """Serve one of the yardsticks until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["bare", "replay", "verifying"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keys", type=Path)
    parser.add_argument("--origin")
    parser.add_argument("--page", type=Path)
    arguments = parser.parse_args()
    config = uvicorn.Config(  # as `fedi_letter.cli.running` sets it
        _application(arguments),
        port=arguments.port,
        loop="none",
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
