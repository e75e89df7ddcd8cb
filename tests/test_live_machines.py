"""The real thing on PostgreSQL: two webs and two workers of the real command line, half of them
killed, and real servers of others that sign and are told of an update.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.abc import Query

from fedi_letter.demo.process import PeerProcess
from tests.machines import Machines
from tests.waiting import until

PEOPLE = 16
SERVERS = ("mastodon", "gotosocial", "misskey", "pleroma")

pytestmark = pytest.mark.timeout(300)


async def insist(peers: PeerProcess, person: str, verb: str, *args: Any) -> None:
    """Let somebody do something, and their server send it again until it is taken."""
    deed = await peers.do(person, verb, *args)
    status = deed["status"]
    while status != 202:
        sent = await peers.do(person, "again", {"deed": deed["deed"]}, signed_anew=True)
        status = sent["status"]


async def test_two_webs_and_two_workers_lose_and_repeat_nothing_though_half_are_killed(
    letter_keys: Path, postgres_url: str
) -> None:
    async with (
        Machines(letter_keys, postgres_url, webs=2, workers=2) as machines,
        PeerProcess() as peers,
    ):
        hosts = [(await peers.serve(name)).split("://")[1] for name in SERVERS]
        people = [f"person{n}@{hosts[n % len(hosts)]}" for n in range(PEOPLE)]
        letter = f"{machines.origin}/"
        handle = f"@letter@127.0.0.1:{machines.balancer.port}"
        await asyncio.gather(*(insist(peers, one, "follow", handle) for one in people[:4]))
        await until(lambda: following(peers, people[:4]), lambda count: count == 4)

        signing = [
            asyncio.create_task(insist(peers, one, "reply", letter, "I sign")) for one in people
        ]
        await until(machines.roll, lambda roll: len(roll) > 0)
        await machines.kill(machines.webs[0])
        await machines.kill(machines.workers[0])
        await asyncio.gather(*signing)
        await until(lambda: unclaimed(postgres_url), lambda count: count == 0)
        ask(postgres_url, LEASES_OF_THE_DEAD_ARE_OVER)
        roll = await until(machines.roll, lambda roll: len(roll) == PEOPLE)
        assert sorted(entry["number"] for entry in roll) == list(range(1, PEOPLE + 1))
        assert len({entry["actor"] for entry in roll}) == PEOPLE
        assert all(machines.balancer.passed.values()), "both webs were spoken to"

        await machines.run("post", "Thank you all.")
        await until(lambda: undelivered(postgres_url), lambda count: count == 0)
        told = Counter([told async for told in creates(peers, hosts)])
        assert set(told.values()) == {1}
        [(inboxes,)] = ask(postgres_url, INBOXES_OF_THE_UPDATE)
        assert len(told) == inboxes >= len(hosts)


LEASES_OF_THE_DEAD_ARE_OVER = """
UPDATE receipts SET lease_until = now() WHERE id IN (
    SELECT id FROM receipts WHERE settled_at IS NULL AND lease_until > now()
    FOR UPDATE SKIP LOCKED
)
"""
UNCLAIMED = """
SELECT count(*) FROM receipts
WHERE settled_at IS NULL AND (lease_until IS NULL OR lease_until <= now())
"""
UNDELIVERED = "SELECT count(*) FROM deliveries WHERE settled_at IS NULL"
INBOXES_OF_THE_UPDATE = """
SELECT count(*) FROM deliveries
WHERE state = 'delivered' AND outbox_id = (SELECT max(id) FROM outbox)
"""


def ask(url: str, query: Query) -> list[tuple[int, ...]]:
    """Carry something out and answer its rows, if it has any."""
    with psycopg.connect(url) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


async def unclaimed(url: str) -> int:
    """Answer how many receipts nobody has taken up."""
    return ask(url, UNCLAIMED)[0][0]


async def undelivered(url: str) -> int:
    """Answer how many deliveries are open."""
    return ask(url, UNDELIVERED)[0][0]


async def following(peers: PeerProcess, people: list[str]) -> int:
    """Answer how many of these know that they follow the letter."""
    return sum([len((await peers.do(one, "who"))["following"]) for one in people])


async def creates(peers: PeerProcess, hosts: list[str]) -> AsyncIterator[tuple[str, str]]:
    """Answer the host and path of every Create that these servers were sent."""
    for host in hosts:
        for received in await peers.ask(do="received", host=host):
            if received["activity"].get("type") == "Create":
                yield host, received["path"]
