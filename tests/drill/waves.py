"""Waves of signatures and how long each takes from sending to the public roll."""

import time
from collections.abc import Sequence

from tests.drill.people import Deed, Person
from tests.drill.reckoning import Balance
from tests.drill.scene import Scene
from tests.drill.watch import Delays, Watch

SEEN_WITHIN_SECONDS = 60.0
DELAYED_AT_MOST_SECONDS = 1.0


async def timed_wave(here: Scene, people: Sequence[Person], per_second: float) -> Delays:
    """Have these sign at a pace; answer how long it took until a reader saw each on the roll."""
    began: dict[str, float] = {}

    async def send(deed: Deed) -> None:
        began[deed.person.uri] = time.monotonic()
        await here.mail.send(deed)

    async with Watch(here.machine.origin) as watch:
        await here.mail.wave([here.crowd.reply(one) for one in people], per_second, send)
        missing = await watch.until_seen({one.uri for one in people}, SEEN_WITHIN_SECONDS)
    seconds = [watch.seen[uri] - at for uri, at in began.items() if uri in watch.seen]
    delays = Delays.of(seconds, watch.late)
    here.tell(f"on the roll after {delays}")
    if missing:
        here.notes.append(f"{len(missing)} not on the roll after {SEEN_WITHIN_SECONDS:.0f} s")
    return delays


def compared(alone: Delays, beside: Delays, what: str) -> Balance:
    """Answer both, and whether the second was delayed by no more than a second."""
    balance = Balance("how long until a signature is on the public roll")
    balance.say(f"without {what}", alone)
    balance.say(f"beside {what}", beside)
    longer = beside.longest - alone.longest
    balance.demand(longer <= DELAYED_AT_MOST_SECONDS, f"the longest delayed by {longer:.2f} s")
    balance.demand(alone.count > 0, "nobody signed before")
    balance.demand(beside.count == alone.count, f"{alone.count - beside.count} were not seen")
    return balance
