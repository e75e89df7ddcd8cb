"""Both transports over real loopback sockets: what they refuse, cut, ignore, never repeat (T55)."""

import asyncio
import json
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON, LD_JSON
from fedi_letter.httpsig.keys import PrivateKey
from fedi_letter.httpsig.verify import Scheme
from fedi_letter.remote.client import Client, FetchFailed, FetchProblem
from fedi_letter.remote.fanout import PinnedTransport
from fedi_letter.remote.guard import GuardRefused
from fedi_letter.remote.transport import (
    AiohttpTransport,
    Transport,
    TransportFailed,
    TransportProblem,
    WireRequest,
    public_socket,
)
from tests.clock import Clock
from tests.remote.pages import note
from tests.remote.wire import Names, Reply, get, http, saying, self_signed, serving

Kind = type[AiohttpTransport] | type[PinnedTransport]


@pytest.fixture(params=[AiohttpTransport, PinnedTransport])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each transport in turn: what is promised of one is promised of both."""
    chosen: Kind = request.param
    return chosen


@pytest.fixture
async def laboratory(kind: Kind) -> AsyncIterator[Transport]:
    """A transport that may call loopback."""
    transport = kind(allow_private=True)
    yield transport
    await transport.close()


@pytest.fixture
async def client(
    laboratory: Transport, clock: Clock, instance_key: PrivateKey
) -> AsyncIterator[Client]:
    """The client over real sockets, with a short deadline."""
    made = Client(
        laboratory,
        key=instance_key,
        user_agent="fedi-letter/test",
        clock=clock,
        allow_private=True,
        get_deadline=timedelta(seconds=1),
        post_deadline=timedelta(seconds=1),
    )
    yield made
    await made.close()


async def test_a_server_on_loopback_can_be_called_in_a_laboratory(
    laboratory: Transport,
) -> None:
    async with serving(saying(http("200 OK", b"hello", "X-Note: one", "X-Note: two"))) as server:
        response = await laboratory.send(get(server.url + "/"))
    assert (response.status, response.body, response.is_cut) == (200, b"hello", False)
    notes = [value for name, value in response.headers if name.lower() == "x-note"]
    assert notes == ["one", "two"]


async def test_a_header_that_is_not_of_plain_letters_harms_nothing(laboratory: Transport) -> None:
    said = http("429 Too Many", b"", "X-Motto: café ☕", "Retry-After: 60")
    async with serving(saying(said)) as server:
        response = await laboratory.send(get(server.url + "/"))
    assert (response.status, response.value("Retry-After")) == (429, "60")


async def test_who_took_a_delivery_took_it_though_the_body_never_ends() -> None:
    transport = PinnedTransport(allow_private=True)
    said = b"HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\nso far"
    async with serving(saying(said)) as server:
        assert (await transport.send(get(server.url + "/"))).status == 202
    await transport.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_our_own_machine_is_refused_before_anything_is_connected(
    kind: Kind, host: str
) -> None:
    transport = kind(allow_private=False)
    async with serving(saying(http("200 OK"))) as server:
        with pytest.raises(GuardRefused):
            await transport.send(get(f"http://{host}:{server.port}/"))
        assert server.connections == 0
    await transport.close()


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("10.0.0.1", "192.168.0.1"),
        ("::1", "127.0.0.1"),
        ("::ffff:127.0.0.1",),
        ("64:ff9b::7f00:1",),
        ("169.254.169.254",),
        ("0.0.0.1",),
    ],
)
async def test_a_public_name_that_leads_inside_is_refused_whatever_it_led_to_before(
    kind: Kind, addresses: tuple[str, ...]
) -> None:
    names = Names(*addresses)
    transport = kind(allow_private=False, resolver=names)
    async with serving(saying(http("200 OK"))) as server:
        with pytest.raises(GuardRefused):
            await transport.send(get(f"http://rebinding.example:{server.port}/"))
        assert server.connections == 0
    # Asked once: the address that was judged is the one that would have been connected to.
    assert names.questions == 1
    await transport.close()


@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, ("1.1.1.1", 443)), (socket.AF_INET6, ("2606:4700:4700::1111", 443, 0, 0))],
)
def test_a_public_address_gets_a_socket_of_its_own_kind(
    family: socket.AddressFamily, address: tuple[str, int]
) -> None:
    with public_socket((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)) as made:
        assert (made.family, made.type) == (family, socket.SOCK_STREAM)


async def test_a_client_calls_a_refused_address_by_its_name(
    kind: Kind, clock: Clock, instance_key: PrivateKey
) -> None:
    transport = kind(allow_private=False, resolver=Names("192.168.0.1"))
    client = Client(transport, key=instance_key, user_agent="x", clock=clock, allow_private=False)
    with pytest.raises(FetchFailed) as caught:
        await client.get_document("https://inside.example/notes/1")
    assert caught.value.problem is FetchProblem.BLOCKED_ADDRESS
    assert not caught.value.is_transient
    answer = await client.post(
        "https://inside.example/inbox", b"{}", key=instance_key, scheme=Scheme.CAVAGE
    )
    assert answer.problem is FetchProblem.BLOCKED_ADDRESS
    await client.close()


async def test_a_name_that_does_not_exist_is_unreachable(kind: Kind) -> None:
    transport = kind(allow_private=False, resolver=Names())
    with pytest.raises(TransportFailed) as caught:
        await transport.send(get("https://nowhere.example/"))
    assert caught.value.problem is TransportProblem.UNREACHABLE
    await transport.close()


async def test_the_request_leaves_as_it_was_signed(laboratory: Transport) -> None:
    async with serving(saying(http("202 Accepted"))) as server:
        headers = (
            ("Host", "far.example"),
            ("Date", "now"),
            ("Signature", "s"),
            ("User-Agent", "a"),
            ("Accept-Encoding", "gzip, deflate"),
        )
        url = server.url + "/a%2Fb/%C3%A9;x?q=a%20b+c&r=%7e"
        await laboratory.send(WireRequest("POST", url, headers, b'{"a":1}', 100))
        head = server.heads[0].decode()
    assert head.startswith("POST /a%2Fb/%C3%A9;x?q=a%20b+c&r=%7e HTTP/1.1\r\n")
    names = [line.partition(":")[0].lower() for line in head.split("\r\n")[1:] if line]
    # These two are reqwest's own; they say nothing, and no scheme signs them.
    named = [name for name in names if name not in ("accept", "connection")]
    signed = ["content-length", "date", "host", "signature"]
    assert sorted(named) == ["accept-encoding", *signed, "user-agent"]
    for name, value in headers:
        assert f"\r\n{name}: {value}\r\n".lower() in head.lower()


async def test_cookies_are_not_kept(laboratory: Transport) -> None:
    async with serving(saying(http("200 OK", b"", "Set-Cookie: a=b; Path=/"))) as server:
        await laboratory.send(get(server.url + "/"))
        await laboratory.send(get(server.url + "/"))
        assert len(server.heads) == 2
        assert b"cookie" not in server.heads[1].lower()


async def test_a_proxy_in_the_environment_is_not_obeyed(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(saying(http("200 OK", b"the proxy"))) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        transport = kind(allow_private=True)
        async with serving(saying(http("200 OK", b"the server"))) as server:
            response = await transport.send(get(server.url + "/"))
        assert response.body == b"the server"
        assert proxy.connections == 0
        await transport.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_transport_follows_no_redirect(laboratory: Transport, method: str) -> None:
    async with serving(saying(http("307 Elsewhere", b"", "Location: /other"))) as server:
        body = b"{}" if method == "POST" else None
        response = await laboratory.send(WireRequest(method, server.url + "/", (), body, 100))
        assert (response.status, response.value("location")) == (307, "/other")
        assert len(server.heads) == 1


async def test_a_bomb_is_dropped_when_it_passes_the_limit(laboratory: Transport) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(128)) + packer.flush()
    assert len(bomb) < 256 * 1024
    async with serving(saying(http("200 OK", bomb, "Content-Encoding: gzip"))) as server:
        tracemalloc.start()
        response = await laboratory.send(get(server.url + "/"))
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert response.is_cut
    assert len(response.body) == 1_000_000
    assert peak_bytes < 8 * 1024 * 1024


async def test_a_body_without_an_end_is_cut(laboratory: Transport) -> None:
    async def endless(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
            await writer.drain()

    async with serving(endless) as server:
        response = await laboratory.send(get(server.url + "/", max_bytes=100_000))
    assert response.is_cut
    assert len(response.body) == 100_000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 999999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    ],
    ids=["nothing", "ssh", "status", "long-header", "many-headers"],
)
async def test_a_broken_answer_is_no_answer(laboratory: Transport, answer: bytes) -> None:
    async with serving(closing(answer)) as server:
        with pytest.raises(TransportFailed) as caught:
            await laboratory.send(get(server.url + "/"))
    assert caught.value.problem is TransportProblem.UNREACHABLE


def closing(answer: bytes) -> Reply:
    """Say this and close the connection."""

    async def reply(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    return reply


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        http("200 OK", b"not gzip", "Content-Encoding: gzip"),
    ],
    ids=["short", "not-gzip"],
)
async def test_of_a_broken_body_a_delivery_needs_nothing_and_a_fetch_everything(
    kind: Kind, laboratory: Transport, answer: bytes
) -> None:
    async with serving(closing(answer)) as server:
        if kind is PinnedTransport:
            assert (await laboratory.send(get(server.url + "/"))).status == 200
            return
        with pytest.raises(TransportFailed) as caught:
            await laboratory.send(get(server.url + "/"))
    assert caught.value.problem is TransportProblem.UNREACHABLE


async def test_a_delivery_is_not_repeated_when_a_kept_connection_breaks(
    laboratory: Transport,
) -> None:
    async def once(head: bytes, writer: asyncio.StreamWriter) -> None:
        if b" /last " in head:
            writer.close()
        else:
            writer.write(http("202 Accepted"))

    async with serving(once) as server:
        laboratory.expect([server.url + "/first", server.url + "/last"])
        await laboratory.send(WireRequest("POST", server.url + "/first", (), b"{}", 100))
        with pytest.raises(TransportFailed):
            await laboratory.send(WireRequest("POST", server.url + "/last", (), b"{}", 100))
        assert server.connections == 1
        assert len(server.heads) == 2


async def test_nobody_listening_is_unreachable(laboratory: Transport) -> None:
    async with serving(saying(b"")) as server:
        port = server.port
    with pytest.raises(TransportFailed) as caught:
        await laboratory.send(get(f"http://127.0.0.1:{port}/"))
    assert caught.value.problem is TransportProblem.UNREACHABLE


async def test_a_server_without_a_certificate_is_unreachable_by_https(
    laboratory: Transport,
) -> None:
    async with serving(saying(http("400 Bad Request"))) as server:
        with pytest.raises(TransportFailed) as caught:
            await laboratory.send(get(f"https://127.0.0.1:{server.port}/"))
    assert caught.value.problem is TransportProblem.UNREACHABLE


async def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    laboratory: Transport, tmp_path: Path
) -> None:
    async with serving(saying(http("200 OK")), self_signed("localhost", tmp_path)) as server:
        with pytest.raises(TransportFailed) as caught:
            await laboratory.send(get(f"https://localhost:{server.port}/"))
        assert server.heads == []
    assert caught.value.problem is TransportProblem.UNREACHABLE
    assert "certificate" in caught.value.detail.lower()


async def test_a_server_that_drips_is_cut_off_by_the_deadline(client: Client) -> None:
    async def drip(_: bytes, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {ACTIVITY_JSON}\r\nContent-Length: 9\r\n\r\n{{"
        writer.write(head.encode())
        await writer.drain()
        await asyncio.Event().wait()

    async with serving(drip) as server:
        with pytest.raises(FetchFailed) as caught:
            await client.get_document(server.url + "/notes/1")
    assert caught.value.problem is FetchProblem.TIMEOUT


async def test_a_redirect_to_itself_ends_after_three_on_the_wire(client: Client) -> None:
    async with serving(saying(http("302 Found", b"", "Location: /notes/1"))) as server:
        with pytest.raises(FetchFailed) as caught:
            await client.get_document(server.url + "/notes/1")
        assert len(server.heads) == 1 + 3
    assert caught.value.problem is FetchProblem.TOO_MANY_REDIRECTS


async def test_a_signed_document_travels_over_real_sockets(client: Client) -> None:
    async def reply(_: bytes, writer: asyncio.StreamWriter) -> None:
        document = json.dumps(note(server.url + "/notes/1")).encode()
        writer.write(http("200 OK", document, f"Content-Type: {LD_JSON}"))

    async with serving(reply) as server:
        fetched = await client.get_document(server.url + "/notes/1")
        head = server.heads[0].decode().lower()
    assert fetched.document["type"] == "Note"
    assert f"host: 127.0.0.1:{server.port}\r\n" in head
    assert head.count("\r\nsignature:") == 1
    assert head.count("\r\naccept:") == 1
    assert head.count("\r\nhost:") == 1


async def test_a_delivery_travels_over_real_sockets(
    client: Client, instance_key: PrivateKey
) -> None:
    async with serving(saying(http("202 Accepted"))) as server:
        answer = await client.post(
            server.url + "/inbox", b'{"type":"Update"}', key=instance_key, scheme=Scheme.CAVAGE
        )
        head = server.heads[0].decode().lower()
    assert answer.status == 202
    assert f"content-type: {ACTIVITY_JSON}\r\n" in head
    assert "content-length: 17\r\n" in head
    assert head.count("\r\ncontent-type:") == 1


async def test_a_laboratory_finds_handles_without_certificates(client: Client) -> None:
    async def reply(_: bytes, writer: asyncio.StreamWriter) -> None:
        host = f"127.0.0.1:{server.port}"
        link = {"rel": "self", "type": ACTIVITY_JSON, "href": f"http://{host}/users/ada"}
        body = json.dumps({"subject": f"acct:ada@{host}", "links": [link]}).encode()
        writer.write(http("200 OK", body, "Content-Type: application/jrd+json"))

    async with serving(reply) as server:
        actor = await client.webfinger(f"@ada@127.0.0.1:{server.port}")
    assert actor == f"http://127.0.0.1:{server.port}/users/ada"
