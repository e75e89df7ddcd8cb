"""Drill 2: the database goes away in the middle of everything, twice.

Meanwhile the letter answers 503 with Retry-After, its processes live on, and the other servers come
back. SQLite has no server that could go away.
"""

import asyncio

import aiohttp

from tests.databases import Postgres
from tests.drill.manners import Manner
from tests.drill.reckoning import Balance
from tests.drill.scene import Scene, Setting, scene

HOSTS, FOLLOWERS, SIGNERS = 50, 500, 600
WAVE_SECONDS = 15.0
"""Longer than both outages, however few sign."""
AWAY_SECONDS = 4.0
SETTLES_WITHIN_SECONDS = 240.0


async def outage(setting: Setting) -> list[Balance]:
    """Perform it; answer the balances."""
    if setting.database == "sqlite":
        skipped = Balance("skipped")
        skipped.say("reason", "SQLite has no server that could be restarted")
        return [skipped]
    async with scene(setting, [Manner.PROMPT] * HOSTS) as here:
        count = setting.share(FOLLOWERS)
        await here.follow([here.person(n % HOSTS, f"reader{n}") for n in range(count)])
        signers = [here.person(n % HOSTS, f"signer{n}") for n in range(setting.share(SIGNERS))]
        deeds = [here.crowd.boost(one) for one in signers]
        await here.post("News before the night.", inboxes=count)
        wave = asyncio.create_task(here.mail.wave(deeds, len(deeds) / WAVE_SECONDS))
        health = Balance("while the database was away")
        for mode in ("immediate", "fast"):
            await asyncio.sleep(2)
            await _away(here, mode, health)
        await here.kill_one_of_each()
        await wave
        await here.settled(SETTLES_WITHIN_SECONDS)
        coming, going = await here.reckon()
        roll = await here.roll()
        coming.say("on the public roll", f"{len(roll)} of {len(signers)} expected")
        coming.demand(sorted(roll) == sorted(one.uri for one in signers), "the roll is not theirs")
        waits = here.mail.retry_after
        health.say("Retry-After of the 503s", ", ".join(f"{s}: {n}" for s, n in waits.items()))
        health.demand(bool(waits), "nobody was answered 503")
        health.demand(not waits["none"], "a 503 without Retry-After")
        going.say("killed", ", ".join(here.machine.kills))
        for note in here.notes:
            going.say("note", note)
        return [health, coming, going]


async def _away(here: Scene, mode: str, health: Balance) -> None:
    """Stop the database, look at the letter meanwhile, and start it again."""
    server = here.server
    if not isinstance(server, Postgres):
        raise TypeError("this drill needs a database server")
    await asyncio.to_thread(server.stop, mode)
    await asyncio.sleep(AWAY_SECONDS / 2)
    found = {
        path: await _status(f"{here.machine.origin}{path}") for path in ("/healthz", "/readyz")
    }
    health.say(f"stopped ({mode})", ", ".join(f"{path} {status}" for path, status in found.items()))
    health.demand(found == {"/healthz": 200, "/readyz": 503}, f"the letter answered {found}")
    await asyncio.sleep(AWAY_SECONDS / 2)
    await asyncio.to_thread(server.start)


async def _status(url: str) -> int:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        try:
            async with session.get(url) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
