"""A whole small world for stories: the letter as it really runs, other servers, one clock.

Only the network and the clock stand in; the application, its database, its keys and every signature
are real. What a story sees is what an outsider sees: pages, documents, what arrived elsewhere.
"""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from fedi_letter.app import House, asgi, open_house
from fedi_letter.remote.transport import WireRequest, WireResponse
from fedi_letter.services.publish import LetterSource, publish_first
from fedi_letter.settings import Settings, load_settings
from fedi_letter.web.freshness import EVERY_TIME
from tests.clock import Clock
from tests.fediverse import Fediverse
from tests.internet import Internet, ask

HOST = "letter.example"
ORIGIN = f"https://{HOST}"
LETTER = f"{ORIGIN}/letters/letter"
PAGE = f"{ORIGIN}/"
ACTOR = f"{ORIGIN}/actors/letter"
HANDLE = f"@letter@{HOST}"
INBOX = f"{ORIGIN}/inbox"

ACTIVITY_JSON = "application/activity+json"
MARKDOWN = b"# Artists are not your unpaid R&D\n\nWe are not your free bug testers.\n"
SOON = timedelta(seconds=3)
LARGEST_BODY_BYTES = 10_000_000
ROLL_READ_AT_MOST = 100


@dataclass
class World:
    """One letter and whoever it meets."""

    house: House
    internet: Internet
    fediverse: Fediverse
    clock: Clock
    app: Any
    settings: Settings
    seen: dict[str, Any] = field(default_factory=dict)

    async def work(self) -> None:
        """Let the letter do everything that is due within the next seconds, and peers react."""
        for _ in range(3):
            await self.house.worker.run_until_idle()
            self.clock.advance(SOON)
            await self.fediverse.settled()
        await self.house.worker.run_until_idle()

    async def later(self, by: timedelta) -> None:
        """Let time pass, and the letter do what has become due, its sweep too."""
        self.clock.advance(by)
        while await self.house.worker.rechecker.run_once():
            pass
        await self.work()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes | None = None,
    ) -> WireResponse:
        """Answer what the letter's server says to one raw request."""
        target = url if url.startswith("http") else f"{ORIGIN}{url}"
        return await ask(self.app, WireRequest(method, target, headers, body, LARGEST_BODY_BYTES))

    async def page(self, url: str = "/") -> str:
        """Answer a page as a browser gets it."""
        answer = await self.request("GET", url, headers=(("Accept", "text/html"),))
        assert answer.status == 200, (url, answer.status, answer.body[:300])
        return answer.body.decode()

    async def document(self, url: str) -> dict[str, Any]:
        """Answer a document as another server gets it."""
        answer = await self.request("GET", url, headers=(("Accept", ACTIVITY_JSON),))
        assert answer.status == 200, (url, answer.status, answer.body[:300])
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def roll(self) -> list[dict[str, Any]]:
        """Answer the public roll, every page of it, once it agrees with the count it states."""
        entries, total = await self._roll()
        for _ in range(ROLL_READ_AT_MOST):
            if len(entries) == total:
                break
            entries, total = await self._roll()
        assert len(entries) == total
        return entries

    async def _roll(self) -> tuple[list[dict[str, Any]], int]:
        """The names and the count; they are of two moments while people sign."""
        entries: list[dict[str, Any]] = []
        total, url = 0, "/signatories.json"
        while url:
            answer = await self.request("GET", url)
            assert answer.status == 200, answer.body[:300]
            page = json.loads(answer.body)
            entries += page["signatories"]
            total, url = page["total"], page["next"]
        return entries, total

    async def signed(self) -> list[str]:
        """Answer the handles on the roll, oldest signature first."""
        return [entry["handle"] for entry in await self.roll()]

    async def everything_public(self) -> str:
        """Answer all that the world can read of us, for looking for what must not be there."""
        urls = ("/", "/signatories", "/signatories.csv", "/signatories.json", "/feed.atom")
        parts = [(await self.request("GET", url)).body.decode() for url in urls]
        documents = (LETTER, f"{LETTER}/replies", f"{LETTER}/likes", f"{LETTER}/shares")
        for url in (*documents, f"{ACTOR}/outbox", f"{ACTOR}/followers", f"{ACTOR}/featured"):
            parts.append(json.dumps(await self.document(url), ensure_ascii=False))
        return "\n".join(parts)

    def outbound(self) -> list[str]:
        """Answer the urls the letter's own server asked or posted to, oldest first."""
        agent = "fedi-letter/"
        return [
            seen.url
            for seen in self.internet.requests
            if (seen.value("user-agent") or "").startswith(agent)
        ]


@contextlib.asynccontextmanager
async def open_world(
    database_url: str,
    keys: Path,
    *,
    sources: tuple[LetterSource, ...] = (LetterSource("en", MARKDOWN),),
    clock: Clock | None = None,
    **overrides: Any,
) -> AsyncIterator[World]:
    """A published letter at https://letter.example; `overrides` are settings."""
    clock = clock or Clock()
    internet = Internet(clock)
    settings = load_settings(
        _env_file=None, origin=ORIGIN, database_url=database_url, keys=keys, **overrides
    )
    async with open_house(settings, transport=internet, clock=clock) as house:
        await publish_first(house.context, list(sources))
        app = asgi(house, with_worker=False, pace=EVERY_TIME)
        internet.serve(HOST, app)
        yield World(house, internet, Fediverse(internet, clock), clock, app, settings)
