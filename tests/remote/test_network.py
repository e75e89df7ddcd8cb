"""Deliveries over real sockets: pinned, spelt as signed, cut off in time (T54)."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from pyreqwest.client import Client, ClientBuilder

from fedi_letter.remote.fanout import PinnedTransport
from fedi_letter.remote.guard import GuardReason, GuardRefused
from fedi_letter.remote.network import Network
from fedi_letter.remote.pins import MOST_CLIENTS, Pins
from fedi_letter.remote.transport import (
    AiohttpTransport,
    Misspelt,
    NotConnected,
    TransportFailed,
    TransportProblem,
    WireRequest,
)
from tests.remote.wire import Names, get, http, saying, serving


def post(url: str, body: bytes = b"{}") -> WireRequest:
    """A plain POST."""
    return WireRequest("POST", url, (), body, 100)


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """The network of a laboratory."""
    opened = Network.open(allow_private=True)
    yield opened
    await opened.close()


class Directory(AbstractResolver):
    """Name servers that know some names, and keep quiet about all others."""

    def __init__(self, **addresses: str) -> None:
        """Know these, dots written as underscores."""
        self.addresses = {name.replace("_", "."): told for name, told in addresses.items()}
        self.questions: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Answer as aiohttp wants it."""
        self.questions.append(host)
        if host not in self.addresses:
            await asyncio.Event().wait()
        return await Names(self.addresses[host]).resolve(host, port)

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_url_that_reqwest_would_respell_leaves_as_it_was_signed(network: Network) -> None:
    targets = ("/a/../inbox", "/inbox?it='s", "/%2e%2e/inbox", "/in{b}ox")
    async with serving(saying(http("202 Accepted"))) as server:
        for target in targets:
            response = await network.send(post(server.url + target))
            assert response.status == 202
        lines = [head.partition(b"\r\n")[0].decode() for head in server.heads]
    assert lines == [f"POST {target} HTTP/1.1" for target in targets]


async def test_a_host_that_reqwest_would_respell_is_not_called_by_it() -> None:
    transport = PinnedTransport(allow_private=True)
    for url in ("http://127.1/inbox", "http://0x7f.0.0.1/inbox", "http://localhost:80/inbox"):
        with pytest.raises(Misspelt):
            await transport.send(post(url))
    await transport.close()


@pytest.mark.parametrize("url", ["", "inbox", "https://", "mailto:ada@far.example"])
async def test_what_has_no_host_is_refused(url: str) -> None:
    transport = PinnedTransport(allow_private=True)
    transport.expect([url])
    with pytest.raises(GuardRefused):
        await transport.send(post(url))
    await transport.close()


async def test_a_host_whose_first_address_is_dead_is_reached_at_another() -> None:
    names = Names("127.0.0.2", "127.0.0.1")
    quick = PinnedTransport(allow_private=True, resolver=names)
    network = Network(AiohttpTransport(allow_private=True, resolver=names), lambda: quick)
    async with serving(saying(http("202 Accepted"))) as server:
        url = f"http://two.example:{server.port}/inbox"
        with pytest.raises(NotConnected):
            await quick.send(post(url))
        assert (await network.send(post(url))).status == 202
        assert len(server.heads) == 1
    await network.close()


async def test_what_was_sent_by_one_is_not_sent_again_by_the_other(network: Network) -> None:
    async def hang_up(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with serving(hang_up) as server:
        with pytest.raises(TransportFailed) as caught:
            await network.send(post(server.url + "/inbox"))
        assert len(server.heads) == 1
    assert caught.value.problem is TransportProblem.UNREACHABLE


async def test_documents_do_not_go_where_deliveries_go(network: Network) -> None:
    async with serving(saying(http("200 OK", b"hello"))) as server:
        assert (await network.send(get(server.url + "/"))).body == b"hello"
        assert b"accept: */*" not in server.heads[0].lower()


async def test_a_connection_is_kept_while_deliveries_are_expected_and_closed_after_the_last(
    network: Network,
) -> None:
    async with serving(saying(http("202 Accepted"))) as server:
        urls = [f"{server.url}/users/{number}/inbox" for number in range(3)]
        network.expect(urls)
        for url in [*urls, server.url + "/unexpected"]:
            await network.send(post(url))
        closing = [b"connection: close" in head.lower() for head in server.heads]
        assert closing == [False, False, True, True]
        assert server.connections == 2


async def test_an_answer_that_drips_is_cut_off_though_nobody_waits_for_it_any_more() -> None:
    has_come, has_left = asyncio.Event(), asyncio.Event()

    async def drip(_: bytes, writer: asyncio.StreamWriter) -> None:
        has_come.set()
        writer.write(b"HTTP/1.1 202 Accepted\r\nX: ")
        while not writer.transport.is_closing():
            writer.write(b"y")
            await asyncio.sleep(0)
        has_left.set()

    transport = PinnedTransport(allow_private=True, deadline=timedelta(milliseconds=300))
    async with serving(drip) as server:
        with pytest.raises(TransportFailed) as caught:
            await transport.send(post(server.url + "/inbox"))
        assert caught.value.problem is TransportProblem.TIMEOUT
        await has_left.wait()
        has_come.clear()
        has_left.clear()
        waiting = asyncio.create_task(transport.send(post(server.url + "/inbox")))
        await has_come.wait()
        waiting.cancel()
        await has_left.wait()
    await transport.close()


async def test_closing_ends_what_is_on_its_way() -> None:
    has_come = asyncio.Event()

    async def silence(_: bytes, writer: asyncio.StreamWriter) -> None:
        has_come.set()
        await asyncio.Event().wait()

    transport = PinnedTransport(allow_private=True)
    async with serving(silence) as server:
        waiting = asyncio.create_task(transport.send(post(server.url + "/inbox")))
        await has_come.wait()
        await transport.close()
        with pytest.raises(TransportFailed):
            await waiting


async def test_a_name_stays_where_it_was_judged_to_be() -> None:
    directory = Directory(far_example="127.0.0.1")
    transport = PinnedTransport(allow_private=True, resolver=directory)
    async with serving(saying(http("202 Accepted"))) as server:
        url = f"http://far.example:{server.port}/inbox"
        assert (await transport.send(post(url))).status == 202
        directory.addresses["far.example"] = "169.254.169.254"
        assert (await transport.send(post(url))).status == 202
    assert directory.questions == ["far.example"]
    await transport.close()


async def test_a_name_that_takes_its_time_holds_up_nobody_else() -> None:
    directory = Directory(far_example="127.0.0.1")
    transport = PinnedTransport(allow_private=True, resolver=directory)
    async with serving(saying(http("202 Accepted"))) as server:
        urls = [f"http://{name}.example:{server.port}/inbox" for name in ("slow", "far")]
        transport.expect(urls)
        slow = asyncio.create_task(transport.send(post(urls[0])))
        assert (await transport.send(post(urls[1]))).status == 202
        slow.cancel()
    await transport.close()


def plainly(_: Mapping[str, str]) -> Client:
    """A client of no use but to be told from others."""
    return ClientBuilder().build()


async def test_of_several_addresses_a_public_one_is_pinned() -> None:
    told: dict[str, str] = {}

    def build(addresses: Mapping[str, str]) -> Client:
        told.update(addresses)
        return plainly(addresses)

    names = Names("10.0.0.1", "2606:4700:4700::1111", "1.1.1.1")
    made = Pins(build, resolver=names, allow_private=False)
    await made.client("far.example")
    assert told == {"far.example": "1.1.1.1"}
    await made.close()


async def test_a_refused_name_is_asked_about_once_for_all_who_come_together() -> None:
    names = Names("10.0.0.1", "1.1.1.1:80")
    made = Pins(plainly, resolver=names, allow_private=False)
    for _ in range(3):
        with pytest.raises(GuardRefused) as caught:
            await made.client("inside.example")
        assert caught.value.reason is GuardReason.PRIVATE
    assert names.questions == 1
    await made.close()


async def test_hosts_expected_together_share_a_client_and_clients_are_few() -> None:
    made = Pins(plainly, resolver=Names("1.1.1.1"), allow_private=False)
    hosts = [f"s{number}.example" for number in range(300)]
    made.expect(hosts)
    assert len({id(await made.client(host)) for host in hosts}) == 1
    for number in range(MOST_CLIENTS + 1):
        await made.client(f"alone{number}.example")
    assert made.known("s0.example") is None
    assert made.known("alone0.example") is None
    assert made.known(f"alone{MOST_CLIENTS}.example") is not None
    await made.close()
