"""Where the play is performed: the servers of the cast in their processes, before the letter.

Performs steps in order and tells what the door answered; judges nothing. Whoever runs the demo
compares the fates with the letter's own pages.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from fedi_letter.demo.process import PeerProcess
from fedi_letter.demo.script import BOTS, SERVERS, Actor, Deed, Fate, Fellow, Place, Step


@dataclass(frozen=True)
class Performed:
    """A step, who did it under which handle, and what their server was answered."""

    step: Step
    handle: str
    activity_id: str | None
    statuses: tuple[int, ...]

    @property
    def at_the_door(self) -> bool:
        """Whether the answers fit the fate: 401 for who is turned away, 2xx for who is heard."""
        if self.step.fate is Fate.TURNED_AWAY:
            return bool(self.statuses) and set(self.statuses) == {401}
        if self.step.fate is Fate.UNHEARD:
            return not self.statuses
        if self.step.fate is Fate.REFUSED:
            return bool(self.statuses)  # some servers say no at once, others after a look
        return all(200 <= status < 300 for status in self.statuses)


class Stage:
    """`async with Stage(letter) as stage: performed = await stage.perform(step)`"""

    def __init__(
        self, letter: Mapping[Place, str], *, processes: int = 2, host: str = "127.0.0.1"
    ) -> None:
        """`letter` gives the page, the actor id and the inbox."""
        self._letter = letter
        self._processes = processes
        self._host = host
        self._open = AsyncExitStack()
        self._homes: dict[str, tuple[PeerProcess, str]] = {}
        self._deeds: dict[str, int] = {}

    async def __aenter__(self) -> "Stage":
        """Starts the processes and spreads the servers over them."""
        crowd = [
            await self._open.enter_async_context(PeerProcess()) for _ in range(self._processes)
        ]
        for number, (name, dialect) in enumerate(SERVERS.items()):
            process = crowd[number % len(crowd)]
            origin = await process.serve(dialect, host=self._host)
            self._homes[name] = (process, origin.split("://")[1])
        for bot in BOTS:
            process, handle = self.home_of(bot)
            await process.ask(do="open", person=handle, kind="Service")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends every process."""
        await self._open.aclose()

    def home_of(self, who: str) -> tuple[PeerProcess, str]:
        """The process somebody of the cast lives in, and their handle (`user@host:port`)."""
        user, name = who.split("@")
        process, host = self._homes[name]
        return process, f"{user}@{host}"

    async def perform(self, step: Step) -> Performed:
        """Lets it happen."""
        process, handle = self.home_of(step.who)
        args = [await self._meant(argument) for argument in step.args]
        done = await process.do(handle, step.verb, *args, **step.named)
        if step.label:
            self._deeds[step.label] = done["deed"]
        told: Sequence[Any] = done if isinstance(done, list) else [done]
        activity_id = done["activity"]["id"] if isinstance(done, dict) and "deed" in done else None
        return Performed(step, handle, activity_id, tuple(_statuses(told, self._letter_host)))

    @property
    def _letter_host(self) -> str:
        return self._letter[Place.INBOX].split("/")[2]

    async def answers(self) -> Counter[int]:
        """How often the letter's server gave each status to a POST of anybody; 0 is no answer."""
        total: Counter[int] = Counter()
        for process in {process for process, _ in self._homes.values()}:
            told = await process.ask(do="answers", host=self._letter_host)
            total.update({status: count for status, count in told})
        return total

    async def timeline(self, who: str) -> list[dict[str, Any]]:
        """What somebody of the cast sees of those they follow."""
        process, handle = self.home_of(who)
        found: list[dict[str, Any]] = await process.do(handle, "timeline")
        return found

    async def _meant(self, argument: Any) -> Any:
        match argument:
            case Place():
                return self._letter[argument]
            case Deed(label):
                return {"deed": self._deeds[label]}
            case Fellow(who):
                return {"person": self.home_of(who)[1]}
            case Actor(who):
                process, handle = self.home_of(who)
                return (await process.do(handle, "who"))["uri"]
        return argument


def _statuses(told: Sequence[Any], host: str) -> list[int]:
    """What the letter's own host answered, wherever it was told."""
    found: list[int] = []
    for one in told:
        if one is None:
            continue
        deliveries = one.get("sent", [one])
        found += [sent["status"] for sent in deliveries if sent["url"].split("/")[2] == host]
    return found
