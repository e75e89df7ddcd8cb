"""Drill 8: an update to 50,000 followers on 3,000 servers, some of them slow, dead or gone.

Three waves of signatures come in: before the fan-out, beside it, and after one web and one worker
process were killed in it. The second may not be delayed by more than a second against the first.
Beside the second some begin to follow; in the end `deliveries` must tell what the tables and the
other servers say.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import func, select

from fedi_letter.store import tables
from fedi_letter.store.database import Connection
from tests.drill.manners import DEAD, Manner
from tests.drill.people import Deed, Person
from tests.drill.reckoning import Balance, lines
from tests.drill.scene import Scene, Setting, scene
from tests.drill.watch import Delays
from tests.drill.waves import compared, timed_wave

HOSTS, FOLLOWERS, SIGNERS = 3_000, 50_000, 300
PER_SECOND = 20.0
NEWCOMERS, NEWCOMERS_PER_SECOND = 20, 2.0
SETTLES_WITHIN_SECONDS = 900.0
SLOW_QUIET_SECONDS = 30.0
"""Longer than the letter waits for a slow host, so that no living process is robbed of a lease."""
PERCENT = {Manner.SLOW: 3, Manner.TRICKLING: 2, Manner.REFUSING: 3, Manner.HANGING: 2}
PERCENT_GONE = 1


def manners(count: int) -> list[Manner]:
    """Answer how each of so many hosts behaves: 5 % slow, 5 % dead, 1 % gone, spread evenly."""
    hundred = [manner for manner, share in PERCENT.items() for _ in range(share)]
    hundred += [Manner.GONE] * PERCENT_GONE
    hundred += [Manner.PROMPT] * (100 - len(hundred))
    return [hundred[n * 37 % 100] for n in range(count)]


async def fanout(setting: Setting) -> list[Balance]:
    """Perform it; answer the balances."""
    behaviour = manners(setting.share(HOSTS))
    async with scene(setting, behaviour) as here:
        count = setting.share(FOLLOWERS)
        await here.follow([here.person(n % len(behaviour), f"reader{n}") for n in range(count)])
        signing = _waves(here, behaviour)
        alone = await timed_wave(here, next(signing), PER_SECOND)
        before = await here.reckon()
        began, published = time.monotonic(), datetime.now(UTC)
        await here.post("Many people read this.", inboxes=count + alone.count)
        enqueued = time.monotonic() - began
        beside, _ = await asyncio.gather(
            timed_wave(here, next(signing), PER_SECOND),
            here.mail.wave(_follows(here, behaviour), NEWCOMERS_PER_SECOND),
        )
        waiting = await here.database.read(_open)
        await here.kill_one_of_each()
        after = await timed_wave(here, next(signing), PER_SECOND)
        await here.settled(SETTLES_WITHIN_SECONDS, SLOW_QUIET_SECONDS)
        took = time.monotonic() - began
        coming, going = await here.reckon()
        delays = compared(alone, beside, "the fan-out")
        delays.say("beside it, after the kills", after)
        delays.say("deliveries still open when the second wave was over", waiting)
        delays.demand(waiting > 0, "the fan-out was over before the wave was: nothing was measured")
        going.say("killed", ", ".join(here.machine.kills))
        going.say("the post command took", f"{enqueued:.1f} s")
        going.say("the healthy had it after", f"{await _healthy(here, published):.0f} s")
        going.say("all at rest after", f"{took:.0f} s")
        going.say("a new follower was answered after", await _answered(here))
        for note in here.notes:
            going.say("note", note)
        going.problems += await _misreported(here)
        await _classes(here, going, count, len(before[1].problems))
        return [delays, coming, going]


def _waves(here: Scene, behaviour: list[Manner]) -> Iterator[list[Person]]:
    """Answer waves of signers, who live on hosts in good health."""
    well = [n for n, manner in enumerate(behaviour) if manner is Manner.PROMPT]
    share = here.setting.share(SIGNERS)
    for number in range(3):
        yield [here.person(well[n % len(well)], f"wave{number}signer{n}") for n in range(share)]


def _follows(here: Scene, behaviour: list[Manner]) -> list[Deed]:
    well = [n for n, manner in enumerate(behaviour) if manner is Manner.PROMPT]
    people = [here.person(well[n % len(well)], f"newcomer{n}") for n in range(NEWCOMERS)]
    return [here.crowd.deed(one, "Follow", here.crowd.target.actor) for one in people]


async def _answered(here: Scene) -> Delays:
    """Answer how long it took from the judgement of a Follow to the arrival of its Accept."""
    accepts = [line for line in await here.database.read(lines) if line.kind == "Accept"]
    return Delays.of(
        [(one.settled_at - one.created_at).total_seconds() for one in accepts if one.settled_at]
    )


async def _misreported(here: Scene) -> list[str]:
    """Answer what `deliveries` says of each update that the tables do not."""
    report = await here.run_json("deliveries", "--summary")
    told = {
        one["activity_id"]: Counter(
            delivered=one["delivered"],
            waiting=sum(one["waiting"][kind] for kind in ("due", "retrying", "held")),
            **{"given-up": sum(one["given_up"].values())},
        )
        for one in report["updates"]
    }
    kept: dict[str, Counter[str]] = {activity: Counter() for activity in here.announced}
    for line in await here.database.read(lines):
        if line.activity_id in kept:
            kept[line.activity_id][line.state] += 1
    return [
        f"deliveries says of {activity} {told.get(activity)}, and there are {counted}"
        for activity, counted in kept.items()
        if told.get(activity) != counted
    ]


async def _healthy(here: Scene, published: datetime) -> float:
    """Answer how many seconds passed until every server in good health had been told."""
    settled = [
        (line.settled_at - published).total_seconds()
        for line in await here.database.read(lines)
        if line.settled_at and here.hosts.manner_of(line.host) is Manner.PROMPT
    ]
    return max(settled, default=0.0)


def _open(connection: Connection) -> int:
    table = tables.deliveries
    query = select(func.count()).select_from(table).where(table.c.settled_at.is_(None))
    return int(connection.execute(query).scalar_one())


def _dropped(connection: Connection) -> Counter[str]:
    table = tables.followers.c
    query = select(table.host, func.count()).where(table.state == "dropped").group_by(table.host)
    return Counter(dict(connection.execute(query).tuples().all()))


async def _classes(here: Scene, going: Balance, followers: int, earlier: int) -> None:
    """What each class of hosts must come to."""
    dropped = await here.database.read(_dropped)
    by_manner: Counter[Manner] = Counter()
    for host, count in dropped.items():
        by_manner[here.hosts.manner_of(host)] += count
    gone = [n for n in range(followers) if _manner_of(here, n) is Manner.GONE]
    going.say("followers dropped", ", ".join(f"{m} {n}" for m, n in by_manner.items()) or "none")
    going.demand(
        by_manner[Manner.GONE] == len(gone),
        f"{len(gone)} followers are gone and {by_manner[Manner.GONE]} were dropped",
    )
    going.demand(by_manner.total() == by_manner[Manner.GONE], "others were dropped than the gone")
    going.demand(not earlier, "it did not balance before the fan-out")
    going.demand(
        not any(by_manner[manner] for manner in DEAD), "the dead were dropped within an hour"
    )


def _manner_of(here: Scene, number: int) -> Manner:
    return list(here.hosts.manners.values())[number % len(here.hosts.manners)]
