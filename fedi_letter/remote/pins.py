"""Clients that were told the address of every host they call, so that none of them asks for one.

reqwest has no hook at which an address could be judged while connecting (see `guard`). So a name is
resolved and judged here first, and the client is made with that very address written into it: no
name is resolved between the check and the use, and one that changes its address meanwhile
(rebinding) gains nothing (interop C11, T54).

1. A client is given out for those hosts only that were pinned in it.
2. Names are resolved together and pinned together, because a client costs 7 ms: it reads every root
   certificate. One name that takes its time holds up nobody but those who wait for it.
3. What is remembered is bounded: a pin by its time, the clients by their number.
"""

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiohttp.abc import AbstractResolver
from pyreqwest.client import Client
from pyreqwest.exceptions import PyreqwestError

from fedi_letter.remote.guard import GuardReason, GuardRefused, refuse_address
from fedi_letter.remote.transport import TransportFailed, TransportProblem, named

PINNED_FOR_SECONDS = 120.0
# Long enough for those who come right after one that failed, too short to outlast its recovery.
_FAILED_FOR_SECONDS = 5.0
_GATHERED_FOR_SECONDS = 0.05
MOST_CLIENTS = 16
_MOST_PINS = 20_000
_LOOKUPS_AT_ONCE = 100


@dataclass(frozen=True)
class _Pin:
    """What came of a name: a client that knows its address, or why there is none."""

    client: Client | None
    until: float
    refused: GuardReason | None = None
    failed: str = ""


class Pins:
    """Gives out, for a host, a client in which its judged address is written."""

    def __init__(
        self,
        build: Callable[[Mapping[str, str]], Client],
        *,
        resolver: AbstractResolver,
        allow_private: bool,
    ) -> None:
        """`build` makes a client from addresses by host; `allow_private` judges none of them."""
        self._build = build
        self._resolver = resolver
        self._allow_private = allow_private
        self._loop = asyncio.get_running_loop()
        self._pins: dict[str, _Pin] = {}
        self._asked: dict[str, asyncio.Future[_Pin]] = {}
        self._found: dict[str, str] = {}
        self._unanswered = 0
        self._gathering: asyncio.TimerHandle | None = None
        self._built_at = 0.0
        self._clients: deque[Client] = deque()
        self._lookups = asyncio.Semaphore(_LOOKUPS_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._builder = ThreadPoolExecutor(1, thread_name_prefix="pins")

    def known(self, host: str) -> Client | None:
        """Answer the client for a host that is pinned now, or None."""
        pin = self._pins.get(host)
        return None if pin is None or pin.until <= self._loop.time() else pin.client

    async def client(self, host: str) -> Client:
        """Answer the client for `host`. Raises GuardRefused or TransportFailed."""
        pin = self._pins.get(host)
        if pin is None or pin.until <= self._loop.time():
            # Shielded: others may wait for the same name when this one's deadline is over.
            pin = await asyncio.shield(self._ask(host))
        if pin.refused is not None:
            raise GuardRefused(pin.refused, host)
        if pin.client is None:
            raise TransportFailed(TransportProblem.UNREACHABLE, pin.failed)
        return pin.client

    def expect(self, hosts: Iterable[str]) -> None:
        """Begin to resolve and pin those that are not."""
        now = self._loop.time()
        for host in hosts:
            pin = self._pins.get(host)
            if pin is None or pin.until <= now:
                self._ask(host)

    async def close(self) -> None:
        """Close every client; what is on its way gets no answer."""
        if self._gathering is not None:
            self._gathering.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._builder.shutdown(wait=True)
        for client in self._clients:
            await client.close()
        await self._resolver.close()

    def _ask(self, host: str) -> asyncio.Future[_Pin]:
        asked = self._asked.get(host)
        if asked is None:
            asked = self._asked[host] = self._loop.create_future()
            self._unanswered += 1
            self._start(self._resolve(host))
        return asked

    async def _resolve(self, host: str) -> None:
        try:
            addresses = await self._addresses(host)
        except OSError as error:
            self._settle(host, self._failure(failed=f"{host}: {error}"[:300]))
        else:
            self._judge(host, addresses)
        self._unanswered -= 1
        self._gather()

    async def _addresses(self, host: str) -> list[str]:
        literal = _literal(host)
        if literal is not None:
            return [literal]
        async with self._lookups:
            answers = await self._resolver.resolve(host, 0, socket.AF_UNSPEC)
        return [answer["host"] for answer in answers]

    def _judge(self, host: str, addresses: list[str]) -> None:
        """Take the first address that may be called, one of IPv4 before one of IPv6.

        Everybody reaches those of IPv4; a delivery has no time to find out about the other.
        """
        if not addresses:
            self._settle(host, self._failure(failed=f"{host} has no address"))
            return
        reasons = [None if self._allow_private else refuse_address(each) for each in addresses]
        judged = zip(addresses, reasons, strict=True)
        public = sorted((each for each, reason in judged if reason is None), key=_is_ipv6)
        if public:
            self._found[host] = public[0]
        else:
            self._settle(host, self._failure(refused=reasons[0]))

    def _failure(self, *, refused: GuardReason | None = None, failed: str = "") -> _Pin:
        return _Pin(None, self._loop.time() + _FAILED_FOR_SECONDS, refused, failed)

    def _gather(self) -> None:
        """Pin what was found: at once when nobody else is asked, or after a little while."""
        if not self._found or self._gathering is not None:
            return
        rested = self._loop.time() - self._built_at > _GATHERED_FOR_SECONDS
        delay = 0.0 if rested and self._unanswered == 0 else _GATHERED_FOR_SECONDS
        self._gathering = self._loop.call_later(delay, lambda: self._start(self._pin()))

    async def _pin(self) -> None:
        found, self._found = self._found, {}
        pin = await self._pinned(found)
        for host in found:
            self._settle(host, pin)
        self._built_at = self._loop.time()
        self._gathering = None
        self._gather()

    async def _pinned(self, found: Mapping[str, str]) -> _Pin:
        # In a thread: reading certificates would hold up everything else on the loop.
        try:
            client = await self._loop.run_in_executor(self._builder, self._build, found)
        except PyreqwestError as error:
            return self._failure(failed=named(error))
        self._clients.append(client)
        if len(self._clients) > MOST_CLIENTS:
            self._forget(self._clients.popleft())
        return _Pin(client, self._loop.time() + PINNED_FOR_SECONDS)

    def _settle(self, host: str, pin: _Pin) -> None:
        if len(self._pins) >= _MOST_PINS:
            self._forget(None)
        self._pins[host] = pin
        self._asked.pop(host).set_result(pin)

    def _forget(self, client: Client | None) -> None:
        """Drop what is over, and this client: not closed, so what it has under way goes on."""
        now = self._loop.time()
        self._pins = {
            host: pin
            for host, pin in self._pins.items()
            if pin.until > now and (client is None or pin.client is not client)
        }

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _literal(host: str) -> str | None:
    address = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return None
    return address


def _is_ipv6(address: str) -> bool:
    return ":" in address
