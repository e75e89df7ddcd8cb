"""What every service needs, made once at start and handed down; nothing here is global."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ulid import ULID

from fedi_letter.activitypub.uris import Uris
from fedi_letter.httpsig.keys import PrivateKey
from fedi_letter.letter.model import Policy
from fedi_letter.letter.phrases import Phrasebook
from fedi_letter.remote.client import Client
from fedi_letter.services.courtesy import Courtesy
from fedi_letter.services.tally import Tally
from fedi_letter.store.database import Database

Clock = Callable[[], datetime]


@dataclass
class Bell:
    """Says that there is work, so that nobody need poll fast.

    It is heard in this process alone: by the loop that does the work, or by the relay that tells
    the workers on other machines.
    """

    _event: asyncio.Event = field(default_factory=asyncio.Event)

    def ring(self) -> None:
        """Say that there is work."""
        self._event.set()

    @property
    def is_rung(self) -> bool:
        """Whether somebody rang and nobody has heard it yet."""
        return self._event.is_set()

    async def wait(self, seconds: float | None = None) -> None:
        """Return when rung, or after `seconds`: other processes cannot ring our bell."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()


@dataclass(frozen=True)
class Context:
    """The letter, its keys, the clock and the doors to the database and the network."""

    uris: Uris
    policy: Policy
    phrasebook: Phrasebook
    database: Database
    client: Client
    letter_key: PrivateKey
    instance_key: PrivateKey
    letter_id: int
    clock: Clock
    software_version: str
    receipts_bell: Bell = field(default_factory=Bell)
    deliveries_bell: Bell = field(default_factory=Bell)
    tally: Tally = field(default_factory=Tally)
    courtesy: Courtesy = field(default_factory=Courtesy)


def new_id(now: datetime) -> str:
    """Answer a fresh id for an update or an activity of ours: a ULID, sortable by time."""
    return str(ULID.from_datetime(now))
