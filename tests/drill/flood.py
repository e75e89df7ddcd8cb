"""Drill 7: one host sends 95 % of the traffic; nobody else waits for it, and nothing is lost."""

import asyncio

from tests.drill.manners import Manner
from tests.drill.reckoning import Balance
from tests.drill.scene import Setting, scene
from tests.drill.waves import compared, timed_wave

FLOODING, OTHERS = 1_900, 100
OTHERS_PER_SECOND = 10.0
HOSTS = 40
SETTLES_WITHIN_SECONDS = 240.0


async def flood(setting: Setting) -> list[Balance]:
    """Perform it; answer the balances."""
    async with scene(setting, [Manner.PROMPT] * (HOSTS + 1)) as here:
        count = setting.share(OTHERS)
        before, during = (
            [here.person(1 + n % HOSTS, f"{wave}{n}") for n in range(count)]
            for wave in ("before", "during")
        )
        crowd = [here.person(0, f"flooding{n}") for n in range(setting.share(FLOODING))]
        flooding_with = [here.crowd.reply(one) for one in crowd]
        await here.mail.prepare(flooding_with)
        alone = await timed_wave(here, before, OTHERS_PER_SECOND)
        pace = OTHERS_PER_SECOND * len(crowd) / count
        flooding = asyncio.create_task(here.mail.wave(flooding_with, pace))
        beside = await timed_wave(here, during, OTHERS_PER_SECOND)
        delays = compared(alone, beside, f"one host's {pace:.0f} a second")
        await here.kill_one_of_each()
        await flooding
        await here.settled(SETTLES_WITHIN_SECONDS)
        coming, going = await here.reckon()
        roll = set(await here.roll())
        lost = {one.uri for one in (*before, *during)} - roll
        flooded = {one.uri for one in crowd}
        coming.say("of the flood on the roll", f"{len(flooded & roll)} of {len(flooded)}")
        coming.demand(not lost, f"{len(lost)} of the others' signatures are lost")
        coming.demand(flooded <= roll, f"{len(flooded - roll)} of the flooding host's are lost")
        going.say("killed", ", ".join(here.machine.kills))
        for note in here.notes:
            going.say("note", note)
        return [delays, coming, going]
