"""Everything one drill needs, opened in order: database, processes, simulated servers, senders.

A drill acts through a `Scene`, waits until it has `settled`, and asks for the reckoning.
"""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import and_, func, or_, select, update

from fedi_letter.store import followers, letters, tables
from fedi_letter.store.database import Connection, Database
from tests.databases import Postgres
from tests.drill.hosts import Hosts
from tests.drill.machine import Layout, Machine, MachineFailed
from tests.drill.mail import Mail
from tests.drill.manners import Manner, address
from tests.drill.people import Crowd, Person, Target
from tests.drill.postgres import NAME, postgres
from tests.drill.reckoning import Balance, inbound, lines, outbound, receipts

ALONE = Layout()
MANY = Layout(webs=2, workers=3)
QUIET_SECONDS = 6.0
PUBLISHED_WITHIN_POLLS = 200
_POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Setting:
    """On what a drill is performed."""

    database: str
    limit: float = 1.0
    """The share of the full numbers: 0.1 for a rehearsal."""
    has_odd_clock: bool = False
    """Whether one process does everything, under a clock that can be stepped."""

    @property
    def layout(self) -> Layout:
        """Answer which processes run."""
        if self.has_odd_clock:
            return Layout(has_odd_clock=True)
        return MANY if self.database == "postgresql" else ALONE

    def share(self, full: int) -> int:
        """Answer how many of so many."""
        return max(1, round(full * self.limit))


@dataclass(frozen=True)
class Underway:
    """What is due now and not done; `leased` is in somebody's hands, or was in a dead one's."""

    receipts: int
    deliveries: int
    leased: int

    def __bool__(self) -> bool:
        return bool(self.receipts or self.deliveries)

    def __str__(self) -> str:
        return f"{self.receipts} receipts and {self.deliveries} deliveries ({self.leased} in hand)"

    def total(self) -> int:
        """Answer how much there is to do."""
        return self.receipts + self.deliveries


@dataclass
class Scene:
    """A running letter amid simulated servers."""

    setting: Setting
    machine: Machine
    hosts: Hosts
    crowd: Crowd
    mail: Mail
    database: Database
    server: Postgres | None
    announced: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    offset: timedelta = timedelta(0)
    """How wrong the letter's clock is."""
    began: float = field(default_factory=time.monotonic)

    def tell(self, what: str) -> None:
        """Say on standard error how far the drill has come."""
        print(f"  {time.monotonic() - self.began:5.0f} s  {what}", file=sys.stderr, flush=True)

    def person(self, number: int, name: str) -> Person:
        """Answer somebody of that name at the n-th host."""
        return Person(self.hosts.origin(address(number)), name)

    async def follow(self, people: Sequence[Person]) -> None:
        """Make followers of these at once, without their Follows."""
        await self.database.write(_seed, [(one.uri, f"{one.uri}/inbox") for one in people])

    async def post(self, text: str, *, inboxes: int | None = None) -> None:
        """Publish an update with the command line, and remember to how many inboxes it goes."""
        await self.machine.run("post", text)
        self.tell(f"posted: {text}")
        if inboxes is not None:
            newest = (await self.run_json("post", "list"))[0]
            activity = await self.database.read(_announcement_of, newest["object_id"])
            self.announced[activity] = inboxes

    async def kill_and_restart(self, *names: str, after_seconds: float = 0.5) -> None:
        """Kill these processes at once and start them again a little later."""
        await asyncio.gather(*(self.machine.kill(name) for name in names))
        await asyncio.sleep(after_seconds)
        began = time.monotonic()
        self.tell(f"killed: {', '.join(names)}")
        await asyncio.gather(*(self.machine.start(name) for name in names))
        self.tell(f"started: {', '.join(names)}")
        self.machine.restarts.append(time.monotonic() - began)

    async def kill_one_of_each(self) -> None:
        """Kill one web and one worker process for good; on SQLite the one process, and restart."""
        if self.setting.layout is ALONE:
            await self.kill_and_restart("serve")
            return
        await self.machine.kill("web2")
        await self.machine.kill("worker3")
        self.tell("killed for good: web2, worker3")

    def step(self, offset: timedelta) -> None:
        """Make the letter's clock wrong by so much from now on."""
        self.offset = offset
        self.machine.clock.write_text(str(offset.total_seconds()))

    async def settled(self, within_seconds: float, quiet_seconds: float = QUIET_SECONDS) -> None:
        """Return when nothing is due. What a killed process held is given back early, once quiet.

        The letter gives it back when its lease is over, minutes later; nobody waits that long here,
        so the leases of those who died, or failed in the middle, are ended by hand, which the
        report says.
        """
        until = time.monotonic() + within_seconds
        before, since = Underway(0, 0, 0), time.monotonic()
        while time.monotonic() < until:
            now = await self.database.read(_underway, datetime.now(UTC) + self.offset)
            if not now:
                self.tell("settled")
                return
            if now != before:
                if not before or now.total() < before.total() // 2:
                    self.tell(f"waits for {now}")
                before, since = now, time.monotonic()
            elif now.leased and time.monotonic() - since > quiet_seconds:
                ended = await self.database.write(_end_leases)
                if ended:
                    self.notes.append(f"ended by hand: {ended} leases of whoever died or failed")
                since = time.monotonic()
            await asyncio.sleep(_POLL_SECONDS)
        self.unsettled.append(f"not settled within {within_seconds:.0f} s: {before}")

    async def roll(self) -> list[str]:
        """Answer the actors on the public roll, every page of it."""
        found: list[str] = []
        url = f"{self.machine.origin}/signatories.json?limit=100"
        async with aiohttp.ClientSession() as session:
            while url:
                async with session.get(url) as answer:
                    answer.raise_for_status()
                    page = await answer.json(content_type=None)
                found += [entry["actor"] for entry in page["signatories"]]
                url = page["next"]
        return found

    async def reckon(self) -> tuple[Balance, Balance]:
        """Answer the two balances."""
        kept = await self.database.read(receipts)
        gone_out = await self.database.read(lines)
        tally = await self.hosts.tally()
        going = outbound(gone_out, tally, self.announced, self.hosts.manner_of)
        coming = inbound(kept, self.mail)
        coming.problems += self.machine.ended()
        coming.problems += self.unsettled
        return coming, going

    async def run_json(self, *arguments: str) -> Any:
        """Answer what a command says to programs."""
        return json.loads(await self.machine.run(*arguments, "--json"))


@asynccontextmanager
async def scene(
    setting: Setting,
    manners: Mapping[int, Manner] | Sequence[Manner],
    folder: Path | None = None,
    **settings: str,
) -> AsyncIterator[Scene]:
    """Open everything; `manners` are those of the first hosts, `folder` where the data goes."""
    found = dict(enumerate(manners)) if isinstance(manners, Sequence) else dict(manners)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="letter-drill-")))
        where = folder or place / "data"
        _prepare(place, where)
        server = None
        url = f"sqlite:///{where / 'letter.db'}"
        if setting.database == "postgresql":
            server = stack.enter_context(postgres(where))
            url = server.url(NAME)
        stack.callback(_keep_logs, place)
        async with Machine(place, url, setting.layout, **settings) as machine:
            crowd = Crowd(await _discover(machine.origin))
            named = {address(number): manner for number, manner in found.items()}
            async with (
                Hosts(named, crowd.pems) as hosts,
                Mail(crowd, machine.doors) as mail,
            ):
                with Database(url) as database:
                    yield Scene(setting, machine, hosts, crowd, mail, database, server)


def _prepare(place: Path, where: Path) -> None:
    where.mkdir(exist_ok=True)
    place.chmod(0o755)  # PostgreSQL runs under an account of its own


def _keep_logs(place: Path) -> None:
    """Show what the processes complained of, once."""
    for log in sorted(place.glob("*.log")):
        told = log.read_text(errors="replace")
        if "Traceback" in told:
            kept = Path(tempfile.gettempdir()) / f"letter-drill-{log.name}"
            shutil.copyfile(log, kept)
            print(f"    {log.name} has a traceback: {kept}", file=sys.stderr)


async def _discover(origin: str) -> Target:
    """Find the letter as other servers do: WebFinger, then the actor."""
    host = origin.removeprefix("http://")
    asked = {"Accept": "application/activity+json"}
    async with aiohttp.ClientSession() as session:
        finger = f"{origin}/.well-known/webfinger?resource=acct:letter@{host}"
        async with session.get(finger) as answer:
            jrd = await answer.json(content_type=None)
        (actor_id,) = (link["href"] for link in jrd["links"] if link["rel"] == "self")
        async with session.get(actor_id, headers=asked) as answer:
            actor = await answer.json(content_type=None)
        for _ in range(PUBLISHED_WITHIN_POLLS):
            async with session.get(f"{origin}/", headers=asked) as answer:
                letter = await answer.json(content_type=None)
            if answer.status == 200:
                return Target(actor["id"], letter["id"], actor["endpoints"]["sharedInbox"])
            await asyncio.sleep(_POLL_SECONDS)
    raise MachineFailed("no process published the letter")


def _seed(connection: Connection, people: Sequence[tuple[str, str]]) -> None:
    letter = letters.the_letter(connection)
    if letter is None:
        raise RuntimeError("the letter has not been published")
    now = datetime.now(UTC)
    rows = [
        {
            "letter_id": letter.id,
            "actor_uri": uri,
            "inbox": inbox,
            "host": inbox.split("/")[2],
            "state": str(followers.FollowerState.LIVE),
            "since": now,
        }
        for uri, inbox in people
    ]
    connection.execute(tables.followers.insert(), rows)


def _announcement_of(connection: Connection, object_uri: str) -> str:
    sent = tables.outbox.c
    query = select(sent.activity_uri).where(sent.object_uri == object_uri, sent.type == "Create")
    return str(connection.execute(query).scalar_one())


def _underway(connection: Connection, now: datetime) -> Underway:
    came, going, servers = tables.receipts.c, tables.deliveries.c, tables.origins.c
    soon = now + timedelta(seconds=3)
    held = select(servers.host).where(servers.host == going.host, servers.held_until > now)
    open_receipts = and_(came.settled_at.is_(None), came.due_at <= soon)
    open_deliveries = and_(going.settled_at.is_(None), going.due_at <= soon, ~held.exists())

    def count(table: Any, where: Any) -> int:
        return int(
            connection.execute(select(func.count()).select_from(table).where(where)).scalar_one()
        )

    leased = count(tables.receipts, open_receipts & came.lease_until.is_not(None))
    leased += count(tables.deliveries, open_deliveries & going.lease_until.is_not(None))
    return Underway(
        count(tables.receipts, open_receipts), count(tables.deliveries, open_deliveries), leased
    )


def _end_leases(connection: Connection) -> int:
    ended = 0
    for table in (tables.receipts, tables.deliveries):
        open_ = or_(table.c.settled_at.is_(None)) & table.c.lease_until.is_not(None)
        done = connection.execute(update(table).where(open_).values(lease_until=None))
        ended += done.rowcount
    return ended
