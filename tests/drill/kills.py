"""Drill 1: kill -9 of web, of worker, of both, at random instants in the middle of everything.

A wave of boosts and replies comes in, every fourth is taken back, and two updates go out to the
followers, while processes are killed and started again.
"""

import asyncio
import random

from tests.drill.manners import Manner
from tests.drill.people import Deed
from tests.drill.reckoning import Balance
from tests.drill.scene import ALONE, Scene, Setting, scene

HOSTS, FOLLOWERS, SIGNERS = 100, 2_000, 1_200
PER_SECOND = 60.0
TAKEN_BACK_EVERY = 4
SETTLES_WITHIN_SECONDS = 240


async def kills(setting: Setting) -> list[Balance]:
    """Perform it; answer the balances."""
    dice = random.Random()
    async with scene(setting, [Manner.PROMPT] * HOSTS) as here:
        count = setting.share(FOLLOWERS)
        await here.follow([here.person(n % HOSTS, f"reader{n}") for n in range(count)])
        signers = [here.person(n % HOSTS, f"signer{n}") for n in range(setting.share(SIGNERS))]
        first = [
            here.crowd.reply(one) if n % 2 else here.crowd.boost(one)
            for n, one in enumerate(signers)
        ]
        gone: set[str] = set()

        async def sign_and_perhaps_regret(deed: Deed) -> None:
            await here.mail.send(deed)
            number = first.index(deed)
            if number % TAKEN_BACK_EVERY == 0:
                gone.add(deed.person.uri)
                await asyncio.sleep(dice.random() * 2)
                await here.mail.send(here.crowd.undo(deed))

        async with asyncio.TaskGroup() as acts:
            acts.create_task(here.mail.wave(first, PER_SECOND, sign_and_perhaps_regret))
            acts.create_task(_announce(here))
            acts.create_task(_kill_at_random(here, dice))
        await here.settled(SETTLES_WITHIN_SECONDS)
        coming, going = await here.reckon()
        roll = await here.roll()
        expected = {one.uri for one in signers} - gone
        coming.say("killed", ", ".join(here.machine.kills))
        coming.say("ready again after", ", ".join(f"{s:.1f} s" for s in here.machine.restarts))
        coming.say("on the public roll", f"{len(roll)} of {len(expected)} expected")
        coming.demand(len(roll) == len(set(roll)), "somebody is on the roll twice")
        missing, surplus = expected - set(roll), set(roll) - expected
        coming.demand(
            not missing, f"{len(missing)} missing from the roll, as {sorted(missing)[:3]}"
        )
        coming.demand(not surplus, f"{len(surplus)} on the roll by mistake: {sorted(surplus)[:3]}")
        for note in here.notes:
            going.say("note", note)
        return [coming, going]


async def _announce(here: Scene) -> None:
    """Two updates; the command has a process of its own, so nobody's death interrupts it."""
    for text in ("First news.", "Second news."):
        await asyncio.sleep(3)
        await here.post(text)


async def _kill_at_random(here: Scene, dice: random.Random) -> None:
    alone = here.setting.layout is ALONE
    victims: list[tuple[str, ...]] = (
        [("serve",)] * 3
        if alone
        else [
            ("web1",),
            ("worker1",),
            ("web2", "worker2"),
            ("worker3",),
            ("web1", "web2", "worker1", "worker2", "worker3"),
        ]
    )
    for names in victims:
        await asyncio.sleep(1 + dice.random() * 3)
        await here.kill_and_restart(*names)
