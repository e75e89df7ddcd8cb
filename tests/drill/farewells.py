"""Drill 6: ten thousand Deletes of strangers, offered at once.

Each is answered 202, none makes the letter ask anybody anything, and other people's signatures are
on the roll within a second more than without them. One web and one worker process are killed in a
second, smaller storm.
"""

import asyncio
import time
from collections import Counter

from tests.drill.blast import blast, request
from tests.drill.manners import Manner, address
from tests.drill.people import GONE_PREFIX, Deed
from tests.drill.reckoning import Balance
from tests.drill.scene import Scene, Setting, scene
from tests.drill.waves import compared, timed_wave

DELETES, FEW_DELETES, SIGNERS = 10_000, 1_000, 100
PER_SECOND = 25.0
STORMY, CALM = range(20), range(20, 60)
"""The hosts whose accounts vanish, and the hosts of the people who sign."""
SETTLES_WITHIN_SECONDS = 120.0


async def farewells(setting: Setting) -> list[Balance]:
    """Perform it; answer the balances."""
    async with scene(setting, [Manner.PROMPT] * (len(STORMY) + len(CALM))) as here:
        signers = [
            here.person(CALM[n % len(CALM)], f"signer{n}") for n in range(setting.share(SIGNERS))
        ]
        half = len(signers) // 2
        deeds = _deletes(here, setting.share(DELETES), "a")
        signed = [request(here.crowd.target.inbox, here.crowd.sign(d), d.body) for d in deeds]
        alone = await timed_wave(here, signers[:half], PER_SECOND)
        storm = asyncio.create_task(_storm(here, deeds, signed))
        beside = await timed_wave(here, signers[half : 2 * half], PER_SECOND)
        statuses, took = await storm
        delays = compared(alone, beside, "the Deletes")
        async with asyncio.TaskGroup() as acts:
            later = _deletes(here, setting.share(FEW_DELETES), "b")
            acts.create_task(here.mail.wave(later, 200.0))
            acts.create_task(here.kill_one_of_each())
        await here.settled(SETTLES_WITHIN_SECONDS)
        coming, going = await here.reckon()
        storms = Balance("the storm")
        storms.say("first answers", ", ".join(f"{s}: {n}" for s, n in sorted(statuses.items())))
        storms.say("all answered after", f"{took:.1f} s")
        storms.demand(not statuses[0], f"{statuses[0]} were not answered within a minute")
        gets = (await here.hosts.tally()).gets
        asked = sum(gets[address(n)] for n in STORMY)
        storms.say("requests that the letter made for them", asked)
        storms.demand(not asked, f"{asked} requests went out")
        everybody = all(answers[202] for answers in here.mail.answers.values())
        storms.demand(everybody, "some were never answered 202")
        going.say("killed", ", ".join(here.machine.kills))
        return [storms, delays, coming, going]


def _deletes(here: Scene, count: int, wave: str) -> list[Deed]:
    return [
        here.crowd.farewell(here.person(STORMY[n % len(STORMY)], f"{GONE_PREFIX}{wave}{n}"))
        for n in range(count)
    ]


async def _storm(here: Scene, deeds: list[Deed], signed: list[bytes]) -> tuple[Counter[int], float]:
    """Offer all at once; whoever is not answered 202 tries again like any server."""
    began = time.monotonic()
    statuses = await blast(here.machine.doors, signed)
    for deed, status in zip(deeds, statuses, strict=True):
        here.mail.answers[deed.id][status] += 1
    took = time.monotonic() - began
    again = [deed for deed, status in zip(deeds, statuses, strict=True) if status != 202]
    await here.mail.wave(again, 500.0)
    return Counter(statuses), took
