"""Two processes on one database: what one learns or decides, the other heeds within two seconds."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from fedi_letter.app import House, asgi, open_house
from fedi_letter.demo.people import Person
from fedi_letter.remote.transport import WireRequest
from fedi_letter.store import moderation
from fedi_letter.store.moderation import BlockKind
from tests.internet import ask
from tests.trips.wire import Way, bytes_of, reply_by, signed_headers
from tests.world import HANDLE, INBOX, LARGEST_BODY_BYTES, World

TWO_SECONDS = timedelta(seconds=2)


@dataclass
class Other:
    """The same letter in another process."""

    world: World
    house: House

    async def told(self, person: Person, number: int, by: Person | None = None) -> int:
        """What this process answers to a reply of somebody, signed by them or by `by`."""
        signer = (by or person).account.signer
        body = bytes_of(reply_by(person.uri, number))
        headers = signed_headers(self.world, signer, body, Way())
        request = WireRequest("POST", INBOX, headers, body, LARGEST_BODY_BYTES)
        return (await ask(asgi(self.house, with_worker=False), request)).status


@contextlib.asynccontextmanager
async def another(world: World) -> AsyncIterator[Other]:
    """Open the second house."""
    house = open_house(world.settings, transport=world.internet, clock=world.clock)
    async with house as opened:
        yield Other(world, opened)


async def test_a_block_made_elsewhere_is_heeded_and_lifted(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    database = world.house.context.database
    async with another(world) as other:
        assert await other.told(ada, 1) == 202
        subject = (BlockKind.DOMAIN, "far.example", None, "admin:x", world.clock())
        assert await database.write(moderation.add_block, *subject)
        world.clock.advance(TWO_SECONDS)
        assert await other.told(ada, 2) == 403
        assert await database.write(moderation.remove_block, "far.example")
        world.clock.advance(TWO_SECONDS)
        assert await other.told(ada, 3) == 202


async def test_a_key_replaced_elsewhere_is_believed_no_more(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    async with another(world) as other:
        assert await other.told(ada, 1) == 202
        assert (await ada.follow(HANDLE)).status == 202
        old = ada.account.signer
        await ada.rotate_key()
        assert (await ada.boost("https://letter.example/letters/letter")).status == 202
        world.clock.advance(TWO_SECONDS)
        assert await other.told(ada, 2) == 202
        body = bytes_of(reply_by(ada.uri, 3))
        headers = signed_headers(world, old, body, Way())
        request = WireRequest("POST", INBOX, headers, body, LARGEST_BODY_BYTES)
        answer = await ask(asgi(other.house, with_worker=False), request)
        assert answer.status == 401


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1)])
async def test_a_clock_that_jumps_delays_no_block(world: World, step: timedelta) -> None:
    ada = world.fediverse.actor("ada@far.example")
    assert (await ada.follow(HANDLE)).status == 202
    async with another(world) as other:
        subject = (BlockKind.ACTOR, ada.uri, None, "admin:x", world.clock())
        await other.house.context.database.write(moderation.add_block, *subject)
        world.clock.now += step
        assert (await ada.boost("https://letter.example/letters/letter")).status == 403
