"""A clock that jumps by an hour, either way, delays nobody by an hour."""

from datetime import timedelta

import pytest

from fedi_letter.demo.signing import Signer
from tests.trips.wire import gets, post, reply_by
from tests.world import LETTER, World

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_what_came_in_before_is_judged_after(world: World, step: timedelta) -> None:
    ada = world.fediverse.actor("ada@far.example")
    assert (await ada.reply(LETTER, "I sign.")).status == 202
    world.clock.now += step
    await world.house.worker.run_until_idle()
    assert await world.signed() == [ada.handle]


@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_a_signature_is_believed_though_the_clocks_differ(
    world: World, step: timedelta
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "I sign.")
    world.clock.now += step
    assert (await ada.again(deed)).status == 202


async def test_a_useless_key_is_asked_for_again_though_the_clock_went_back(world: World) -> None:
    mallory = world.fediverse.mallory()
    signer = Signer(f"{mallory.server.origin}/users/nobody#main-key", mallory.account.pair)
    assert (await post(world, signer, reply_by(mallory.uri))).status == 401
    world.clock.now -= HOUR
    assert (await post(world, signer, reply_by(mallory.uri))).status == 401
    assert len(gets(world, "evil.example")) == 2


async def test_a_new_key_is_fetched_though_the_clock_went_back(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    assert (await post(world, ada, reply_by(ada.uri))).status == 202
    await ada.rotate_key()
    assert (await post(world, ada, reply_by(ada.uri, 2))).status == 202
    world.clock.now -= HOUR
    await ada.rotate_key()
    assert (await post(world, ada, reply_by(ada.uri, 3))).status == 202
