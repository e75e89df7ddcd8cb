"""Simulated servers in processes of their own, over real sockets."""

from collections.abc import AsyncIterator

import pytest

from fedi_letter.demo.process import PeerFailed, PeerProcess


@pytest.fixture
async def peers() -> AsyncIterator[PeerProcess]:
    async with PeerProcess() as process:
        yield process


async def eventually_follows(peers: PeerProcess, person: str, whom: str) -> None:
    """Asks until the Accept has come; the suite's own time limit ends it otherwise."""
    while whom not in (await peers.do(person, "who"))["following"]:
        pass


async def test_people_of_two_processes_follow_reply_and_take_back(peers: PeerProcess) -> None:
    async with PeerProcess() as others:
        ada = "ada@" + (await peers.serve("mastodon")).removeprefix("http://")
        bea = "bea@" + (await others.serve("gotosocial")).removeprefix("http://")
        who = await peers.do(ada, "who")
        await others.do(bea, "follow", ada)
        await eventually_follows(others, bea, who["uri"])
        letter = await peers.do(ada, "post", "Dear all")
        [entry] = await others.do(bea, "timeline")
        assert (entry["uri"], entry["html"]) == (letter["post"], "<p>Dear all</p>")
        reply = await others.do(bea, "reply", letter["post"], "I sign.", language="fr")
        assert reply["status"] == 202
        edit = await others.do(bea, "edit", {"deed": reply["deed"]}, "I sign!")
        assert edit["activity"]["object"]["content"].endswith("I sign!</p>")
        await others.do(bea, "delete", {"deed": reply["deed"]})
        received = await peers.ask(do="received", host=who["handle"].split("@")[-1])
        kinds = [(r["activity"]["type"], r["status"], r["scheme"]) for r in received]
        assert kinds == [(k, 202, "cavage") for k in ("Follow", "Create", "Update", "Delete")]


async def test_misdeeds_are_refused_over_sockets_too(peers: PeerProcess) -> None:
    host = (await peers.serve("mastodon")).removeprefix("http://")
    letter = await peers.do(f"ada@{host}", "post", "Dear all")
    deed = await peers.do(f"bea@{host}", "reply", letter["post"], "I sign.")
    bea = (await peers.do(f"bea@{host}", "who"))["uri"]
    forged = await peers.do(f"mallory@{host}", "forge", bea, letter["post"])
    altered = await peers.do(f"mallory@{host}", "alter", {"deed": deed["deed"]}, "sign", "resign")
    stale = await peers.do(f"mallory@{host}", "stale", letter["post"], {"seconds": 50_000})
    assert [sent["status"] for sent in (forged, altered, stale)] == [401, 401, 401]


async def test_what_cannot_be_done_is_said(peers: PeerProcess) -> None:
    host = (await peers.serve("takahe")).removeprefix("http://")
    with pytest.raises(PeerFailed, match="nobody can fly"):
        await peers.do(f"ada@{host}", "fly")
    with pytest.raises(PeerFailed, match="no server"):
        await peers.do("ada@nowhere.example", "post", "Hello")
    with pytest.raises(PeerFailed, match="NotFound"):
        await peers.do(f"ada@{host}", "reply", f"http://{host}/nothing", "Hello")


async def test_a_server_can_be_told_to_be_ill(peers: PeerProcess) -> None:
    host = (await peers.serve("mastodon")).removeprefix("http://")
    letter = await peers.do(f"ada@{host}", "post", "Dear all")
    await peers.ask(do="trouble", host=host, status=503)
    assert (await peers.do(f"bea@{host}", "reply", letter["post"], "Hi"))["status"] == 503
    await peers.ask(do="trouble", host=host, status=None)
    assert (await peers.do(f"bea@{host}", "reply", letter["post"], "Hi"))["status"] == 202
