"""Drill 4: peers that trickle, pour, redirect for ever, refuse, hang, or send anything at all.

They follow the letter (so it delivers to them), sign it (so it asks them for keys), and knock at
its inbox by hand. Meanwhile good people sign, and nobody makes them wait.
"""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.drill.intruders import intrude
from tests.drill.manners import Manner, address
from tests.drill.people import Deed
from tests.drill.reckoning import Balance, Line, lines
from tests.drill.scene import Scene, Setting, scene
from tests.drill.waves import compared, timed_wave

BAD = [manner for manner in Manner if manner not in (Manner.PROMPT, Manner.SLOW)]
OF_EACH, GOOD = 2, 30
FOLLOWERS_EACH, SIGNERS = 3, 60
PER_SECOND = 10.0
SETTLES_WITHIN_SECONDS = 420.0
SLOW_QUIET_SECONDS = 30.0
AN_HOUR = timedelta(minutes=59)
KILOBYTES_AT_MOST = 400_000
"""Of any process of the letter, though bodies of 100 MB were poured at it from both sides."""


async def badpeers(setting: Setting) -> list[Balance]:
    """Perform it; answer the balances."""
    manners = BAD * OF_EACH + [Manner.PROMPT] * GOOD
    async with scene(setting, manners) as here:
        followers = [
            here.person(host, f"reader{n}")
            for host in range(len(manners))
            for n in range(FOLLOWERS_EACH)
        ]
        await here.follow(followers)
        count = setting.share(SIGNERS)
        good = [here.person(len(BAD) * OF_EACH + n % GOOD, f"good{n}") for n in range(2 * count)]
        bad = [here.person(host, "signer") for host in range(len(BAD) * OF_EACH)]
        alone = await timed_wave(here, good[:count], PER_SECOND)
        await here.post("News for everybody.", inboxes=len(followers) + count)
        async with asyncio.TaskGroup() as acts:
            acts.create_task(here.mail.wave([here.crowd.boost(one) for one in bad], PER_SECOND))
            acts.create_task(here.mail.wave(_odd_deeds(here), PER_SECOND))
            intruding = acts.create_task(intrude(here))
            beside = await timed_wave(here, good[count:], PER_SECOND)
        memory = {name: here.machine.peak_kilobytes(name) for name in here.setting.layout.names}
        await here.kill_one_of_each()
        await here.settled(SETTLES_WITHIN_SECONDS, SLOW_QUIET_SECONDS)
        coming, going = await here.reckon()
        roll = set(await here.roll())
        coming.demand({one.uri for one in good} <= roll, "not all the good are on the roll")
        pouring = {f"{here.hosts.origin(address(n))}/" for n, m in enumerate(BAD * OF_EACH)}
        strangers = [uri for uri in roll if any(uri.startswith(origin) for origin in pouring)]
        coming.demand(not strangers, f"on the roll without a key: {strangers}")
        _heed_manners(here, going, await here.database.read(lines))
        await _few_questions(here, going)
        going.say(
            "most memory", ", ".join(f"{name} {kb // 1024} MB" for name, kb in memory.items())
        )
        going.demand(max(memory.values()) < KILOBYTES_AT_MOST, "too much memory was taken")
        for note in here.notes:
            going.say("note", note)
        return [intruding.result(), compared(alone, beside, "the bad"), coming, going]


def _odd_deeds(here: Scene) -> list[Deed]:
    """Answer properly signed activities that make no sense."""
    odd: list[object] = [
        None,
        7,
        [],
        {},
        {"id": 7},
        {"id": "\x00"},
        [[[[]]]],
        "javascript:alert(1)",
    ]
    person = here.person(len(BAD) * OF_EACH, "odd")
    kinds = ("Create", "Announce", "Undo", "Delete", "Update", "Follow", "Like", "Move", "Flag")
    made = [(kind, about) for kind in kinds for about in odd]
    return [here.crowd.deed(person, kind, about) for kind, about in made]


def _heed_manners(here: Scene, going: Balance, kept: list[Line]) -> None:
    """Whoever said “in an hour” is asked in an hour, and the dead are not called delivered."""
    throttled = [one for one in kept if here.hosts.manner_of(one.host) is Manner.THROTTLING]
    later = datetime.now(UTC) + AN_HOUR / 2
    soon = [one for one in throttled if one.outcome == "too-many" and one.due_at < later]
    going.say("told to come back in an hour", f"{len(throttled)} deliveries")
    going.demand(not soon, f"{len(soon)} of these are tried again sooner")


async def _few_questions(here: Scene, going: Balance) -> None:
    """Redirects are followed a few times, and nobody is asked for a key over and over."""
    tally = await here.hosts.tally()
    asked = {
        address(n): tally.gets[address(n)]
        for n, manner in enumerate(BAD * OF_EACH)
        if tally.gets[address(n)]
    }
    told = ", ".join(f"{here.hosts.manners[host]} {count}" for host, count in asked.items())
    going.say("asked for keys", told)
    going.demand(max(asked.values(), default=0) <= 40, "somebody was asked more than forty times")
