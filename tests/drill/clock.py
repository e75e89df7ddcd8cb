"""Drill 5: the letter's clock is stepped an hour forward and an hour back in the middle of things.

A step back may hold up what had just come in, for as long as the step; nothing may be lost by it.

Covers: what is judged, delivered, retried and shown by one whole process whose clock is wrong (see
`stepped`), while everybody else's is right. Does not cover clocks that differ between the processes
of one installation, the database's own clock, nor timers of the operating system, which no step
touches.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

from tests.drill.manners import Manner
from tests.drill.reckoning import Balance
from tests.drill.scene import Setting, scene

HOSTS, FOLLOWERS, SIGNERS_EACH = 30, 300, 60
PER_SECOND = 20.0
STEPS = (
    ("an hour forward", 1),
    ("right again", 0),
    ("an hour back", -1),
    ("right again", 0),
    ("an hour later", 1),
)
"""The last stands for time that passes: what a step back held up must then have been done."""
SETTLES_WITHIN_SECONDS = 120.0


async def clock(setting: Setting) -> list[Balance]:
    """Perform it; answer the balances."""
    async with scene(replace(setting, has_odd_clock=True), [Manner.PROMPT] * HOSTS) as here:
        count = setting.share(FOLLOWERS)
        await here.follow([here.person(n % HOSTS, f"reader{n}") for n in range(count)])
        steps, expected = Balance("the clock's steps"), set[str]()
        for number, (name, hours) in enumerate(STEPS):
            await here.post(f"News number {number}.", inboxes=count + len(await here.roll()))
            people = [
                here.person(n % HOSTS, f"signer{number}x{n}")
                for n in range(setting.share(SIGNERS_EACH))
            ]
            expected |= {one.uri for one in people}
            deeds = [here.crowd.reply(one) for one in people]
            wave = asyncio.create_task(here.mail.wave(deeds, PER_SECOND))
            await asyncio.sleep(len(deeds) / PER_SECOND / 2)
            here.step(timedelta(hours=hours))
            await wave
            await here.settled(SETTLES_WITHIN_SECONDS)
            late = expected - set(await here.roll())
            steps.say(name, f"{len(expected)} signed so far, {len(late)} of them not yet counted")
        coming, going = await here.reckon()
        missing = expected ^ set(await here.roll())
        steps.demand(not missing, f"the roll is wrong by {len(missing)} at the end")
        for note in here.notes:
            going.say("note", note)
        return [steps, coming, going]
