"""What does not arrive at once: the schedule, resting hosts, order, and workers that die."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, Engine, event, func, select

from fedi_letter.activitypub.delivery import SCHEDULE
from fedi_letter.app import open_house
from fedi_letter.demo.people import Person
from fedi_letter.demo.server import Trouble
from fedi_letter.services import deliver, updates
from fedi_letter.services.courtesy import AT_ONCE
from fedi_letter.services.deliver import LEASE
from fedi_letter.services.line import PER_HOST
from fedi_letter.store import dispatch, followers, progress, tables
from fedi_letter.store.progress import DeliveryLine
from tests.trips.arrivals import (
    FAR,
    arrived,
    crowd,
    follower,
    followers_total,
    moody,
    next_attempt,
    post,
    posted,
    recovered,
)
from tests.trips.seeds import BEGINNING
from tests.waiting import until
from tests.world import HANDLE, INBOX, LETTER, SOON, World, open_world

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


async def lines(world: World) -> list[DeliveryLine]:
    """How each delivery stands, as `fedi-letter deliveries` shows it."""
    return await world.house.context.database.read(progress.listing, 5_000)


def fate(person: Person, uri: str) -> list[str]:
    """What this person's server was told about one object, in order."""
    about = [received.activity for received in arrived(person, "Create", "Update", "Delete")]
    return [activity["type"] for activity in about if activity["object"]["id"] == uri]


async def test_b9_the_schedule_is_kept_and_a_host_dead_for_seven_days_revives_by_itself(
    world: World,
) -> None:
    ada = await follower(world, f"ada@{FAR}")
    ada.server.inbox_trouble = Trouble(500)
    start = len(posted(world, FAR))
    await post(world)
    await world.house.worker.run_until_idle()
    for _ in SCHEDULE:
        await next_attempt(world)
    tries = [seen.at for seen in posted(world, FAR)[start:]]
    assert len(tries) == len(SCHEDULE) + 1
    for wait, (before, after) in zip(SCHEDULE, pairwise(tries), strict=True):
        assert wait <= after - before <= min(1.1 * wait, DAY)
    assert await world.house.context.database.read(dispatch.next_due) is None
    recovered(world, ada.server)
    await post(world, "Too early.")
    await world.later(30 * DAY)
    assert len(posted(world, FAR)) == start + len(tries)
    assert await followers_total(world) == 1
    await ada.like(LETTER)
    await world.work()
    await post(world, "Welcome back.")
    await world.work()
    assert [entry.html for entry in ada.timeline.values()] == ["<p>Welcome back.</p>"]


async def test_b9_five_failures_rest_a_host_and_one_probe_asks_again(world: World) -> None:
    people = await crowd(world, 12)
    healthy = await follower(world, "ada@healthy.example")
    world.internet.time_out(FAR)
    start = len(posted(world, FAR))
    await post(world)
    await world.house.worker.run_until_idle()
    asked = len(posted(world, FAR)) - start
    assert 5 <= asked <= 8  # those under way together when the fifth failed
    assert len(healthy.timeline) == 1
    tried = {line.inbox: line.attempts for line in await lines(world) if line.host == FAR}
    attempts = [line.attempts for line in await lines(world) if line.state == "waiting"]
    assert sorted(attempts) == [0] * (12 - asked) + [1] * asked
    assert len(tried) == 12
    world.clock.advance(29 * MINUTE)
    await world.house.worker.run_until_idle()
    assert len(posted(world, FAR)) == start + asked
    world.clock.advance(2 * MINUTE)
    await world.house.worker.run_until_idle()
    assert len(posted(world, FAR)) == start + asked + 1  # the probe, in vain
    recovered(world, people[0].server)
    world.clock.advance(31 * MINUTE)
    await world.house.worker.run_until_idle()
    await world.later(timedelta(hours=3))
    assert [len(person.timeline) for person in people] == [1] * 12


async def test_b8_a_server_that_asks_for_an_hour_is_left_alone_by_all(world: World) -> None:
    people = await crowd(world, 12)
    server = people[0].server
    server.inbox_trouble = Trouble(429, (("Retry-After", "3600"),))
    start = len(posted(world, FAR))
    await post(world)
    await world.house.worker.run_until_idle()
    asked = len(posted(world, FAR)) - start
    assert asked <= 4  # those under way together when the first was told
    world.clock.advance(59 * MINUTE)
    await world.house.worker.run_until_idle()
    assert len(posted(world, FAR)) == start + asked
    attempts = sorted(line.attempts for line in await lines(world) if line.state == "waiting")
    assert attempts == [0] * (12 - asked) + [1] * asked
    # told so again by the one who asks for all, who alone loses a try
    world.clock.advance(2 * MINUTE)
    await world.house.worker.run_until_idle()
    assert len(posted(world, FAR)) == start + asked + 1
    recovered(world, server)
    await world.later(timedelta(hours=3))
    assert [len(person.timeline) for person in people] == [1] * 12


async def test_who_follows_amid_a_fan_out_is_answered_before_it_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, few in (("WAVE", 20), ("MOST_CLAIMED", 20), ("IN_FLIGHT", 4), ("RUNS_LOW", 4)):
        monkeypatch.setattr(deliver, name, few)
    await crowd(world, 60)
    await post(world)
    ada = world.fediverse.actor("ada@new.example")
    await ada.follow(HANDLE)
    await world.house.worker.judge()
    world.clock.advance(SOON)
    before = len(world.outbound())
    await world.house.worker.run_until_idle()
    sent = [urlsplit(url).hostname for url in world.outbound()[before:]]
    assert Counter(sent) == {FAR: 60, "new.example": 1}
    assert sent.index("new.example") < 10


async def test_b9_whatever_a_resting_host_signs_wakes_it(world: World) -> None:
    people = await crowd(world, 6)
    world.internet.time_out(FAR)
    await post(world)
    await world.house.worker.run_until_idle()
    recovered(world, people[0].server)
    ada = people[0]
    seen = ada.write("View", f"{ada.uri}#view/1", object="https://elsewhere.example/films/1")
    assert (await ada.send(seen, [INBOX])).status == 202
    await world.work()
    await world.later(2 * MINUTE)
    assert [len(person.timeline) for person in people] == [1] * 6


async def test_b9_four_failures_do_not_rest_a_host(world: World) -> None:
    people = await crowd(world, 4)
    world.internet.hang_up(FAR)
    await post(world)
    await world.house.worker.run_until_idle()
    recovered(world, people[0].server)
    await world.later(2 * MINUTE)
    assert [len(person.timeline) for person in people] == [1] * 4


async def test_b9_a_delete_never_overtakes_the_create(world: World) -> None:
    ada = await follower(world, f"ada@{FAR}")
    bob = await follower(world, "bob@near.example")
    ada.server.inbox_trouble = Trouble(503)
    doomed = await updates.post(world.house.context, "Doomed.")
    await world.house.worker.run_until_idle()
    recovered(world, ada.server)
    await updates.edit(world.house.context, doomed.id, "Doomed, too.")
    await updates.delete(world.house.context, doomed.id)
    other = await post(world, "Another matter.")
    world.clock.advance(timedelta(seconds=10))
    await world.house.worker.run_until_idle()
    # Another object does not wait for the first, nor another server.
    assert list(ada.timeline) == [other]
    assert fate(bob, doomed.object_uri) == ["Create", "Update", "Delete"]
    await world.later(2 * MINUTE)
    assert fate(ada, doomed.object_uri) == ["Create", "Update", "Delete"]
    assert list(ada.timeline) == list(bob.timeline) == [other]


async def test_law_10_what_arrives_late_is_what_was_written_then(world: World) -> None:
    ada = await follower(world, f"ada@{FAR}")
    ada.server.inbox_trouble = Trouble(503)
    update = await updates.post(world.house.context, "First wording.")
    await world.house.worker.run_until_idle()
    recovered(world, ada.server)
    await updates.edit(world.house.context, update.id, "Second wording.")
    await world.later(2 * MINUTE)
    create, change = arrived(ada, "Create", "Update")
    assert "First wording." in create.body.decode()
    assert "Second wording." in change.body.decode()
    for received in (create, change):
        served = await world.request("GET", received.activity["id"])
        assert served.body == received.body
    assert ada.timeline[update.object_uri].html == "<p>Second wording.</p>"


async def test_a_slow_host_does_not_keep_a_wave_beyond_its_lease(world: World) -> None:
    people = await crowd(world, 20)

    def slowly(path: str, body: bytes) -> None:
        world.clock.advance(MINUTE)

    moody(world, people[0].server, slowly)
    await post(world)
    began = world.clock()
    await world.house.worker.deliverer.run_once()
    assert world.clock() - began < LEASE
    await world.house.worker.run_until_idle()
    assert [len(arrived(people[0], "Create"))] == [20]


async def test_one_servers_odd_answer_ends_the_wave_for_nobody_else(world: World) -> None:
    [odd, *_] = await crowd(world, 3, "odd.example")
    people = await crowd(world, 20)

    def oddly(path: str, body: bytes) -> None:
        raise ValueError("nobody expected this of a server")

    moody(world, odd.server, oddly)
    await post(world)
    await world.house.worker.deliverer.run_once()
    assert len(arrived(people[0].server, "Create")) == 20
    assert arrived(odd.server, "Create") == []
    recovered(world, odd.server)
    for _ in range(3):
        await next_attempt(world)
    assert len(arrived(odd.server, "Create")) == 3


def telling(world: World, person: Person) -> asyncio.Queue[None]:
    """Hear of each delivery that reaches this person's server."""
    heard = asyncio.Queue[None]()
    moody(world, person.server, lambda *_: heard.put_nowait(None))
    return heard


async def test_who_follows_while_a_wave_hangs_is_answered_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, few in (("WAVE", 12), ("MOST_CLAIMED", 12)):
        monkeypatch.setattr(deliver, name, few)
    people = await crowd(world, 20)
    start = len(posted(world, FAR))

    async def asked() -> int:
        return len(posted(world, FAR)) - start

    world.internet.hang(FAR)
    await post(world)
    running = asyncio.create_task(world.house.worker.deliverer.run_once())
    await until(asked, lambda count: count == PER_HOST)
    ada = world.fediverse.actor("ada@new.example")
    heard = telling(world, ada)
    await ada.follow(HANDLE)
    await world.house.worker.judge()
    world.clock.advance(SOON)  # so long an Accept waits, for Misskey's sake
    await heard.get()
    assert await asked() == PER_HOST, "the wave goes on, and nobody of it was given up for this"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    recovered(world, people[0].server)
    await world.later(LEASE)
    assert len(arrived(people[0], "Create")) == 20


async def test_a_host_that_hangs_holds_up_neither_the_others_nor_what_comes_next(
    world: World,
) -> None:
    ada, bob = await follower(world, f"ada@{FAR}"), await follower(world, "bob@hangs.example")
    heard = telling(world, ada)
    world.internet.hang("hangs.example")
    await post(world, "First.")
    running = asyncio.create_task(world.house.worker.deliverer.run_once())
    await heard.get()
    await post(world, "Second.")
    await heard.get()
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    recovered(world, bob.server)
    await world.later(LEASE)
    assert [len(arrived(person, "Create")) for person in (ada, bob)] == [2, 2]


async def test_a_deliverer_told_to_stop_leaves_what_it_has_not_begun_to_others(
    world: World,
) -> None:
    people = await crowd(world, 12)
    ada = await follower(world, "ada@near.example")
    heard = telling(world, ada)
    world.internet.hang(FAR)
    await post(world)
    running = asyncio.create_task(world.house.worker.deliverer.run_once())
    await heard.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    recovered(world, people[0].server)
    await world.house.worker.run_until_idle()
    assert len(arrived(people[0], "Create")) == 12 - PER_HOST
    # Those that had not begun lost no try.
    assert {line.attempts for line in await lines(world)} == {1}
    await world.later(LEASE)
    assert len(arrived(people[0], "Create")) == 12


async def test_a_deliverer_stopped_while_others_go_first_leaves_what_it_held_back(
    world: World,
) -> None:
    people = await crowd(world, 3)
    await post(world)
    courtesy = world.house.context.courtesy
    courtesy.heard(inf)
    while courtesy.delay(monotonic()) < 60:
        pass  # so many went before that the next would wait for a minute
    running = asyncio.create_task(world.house.worker.deliverer.run_once())
    await until(lambda: world.house.context.database.read(taken), lambda count: count == 3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert arrived(people[0], "Create") == []
    courtesy.heard(-inf)
    await world.house.worker.run_until_idle()
    assert len(arrived(people[0], "Create")) == 3, "nobody had to wait for a lease to end"


def taken(connection: Connection) -> int:
    """How many deliveries somebody holds."""
    held = select(func.count()).where(tables.deliveries.c.lease_until.is_not(None))
    return int(connection.execute(held).scalar_one())


async def test_a_signature_makes_deliveries_give_way(world: World) -> None:
    courtesy = world.house.context.courtesy
    courtesy.heard(-inf)
    assert not any(courtesy.delay(monotonic()) for _ in range(2 * AT_ONCE))
    await world.fediverse.actor("ada@far.example").reply(LETTER, "I sign")
    assert any(courtesy.delay(monotonic()) for _ in range(2 * AT_ONCE))


async def test_what_a_killed_deliverer_claimed_comes_back(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys) as world:
        ada = await follower(world, f"ada@{FAR}")
        uri = await post(world)
        context = world.house.context
        claimed = await context.database.write(dispatch.claim, world.clock(), 500, LEASE)
        assert [one.object_uri for one in claimed] == [uri]
    async with open_house(world.settings, transport=world.internet, clock=world.clock) as house:
        assert await house.worker.deliverer.run_once() == 0
        world.clock.advance(LEASE)
        assert await house.worker.deliverer.run_once() == 1
    [create] = arrived(ada, "Create")
    assert create.body == claimed[0].body
    assert list(ada.timeline) == [uri]


def plant(connection: Connection, letter_id: int, first: int, last: int) -> None:
    """Put so many followers on record, each on a server of their own."""
    for number in range(first, last):
        uri = f"https://s{number}.example/users/ada"
        followers.add(
            connection,
            letter_id,
            actor_uri=uri,
            follow_uri=f"{uri}#follow",
            inbox=f"{uri}/inbox",
            shared_inbox=None,
            host=f"s{number}.example",
            now=BEGINNING,
        )


async def test_a_thousand_followers_cost_as_many_statements_as_ten(world: World) -> None:
    context, statements = world.house.context, list[str]()

    def count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    async def costs() -> tuple[int, int, int]:
        statements.clear()
        await post(world)
        posting = len(statements)
        world.clock.advance(MINUTE)
        wave = await context.database.write(dispatch.claim, world.clock(), 5_000, LEASE)
        return len(wave), posting, len(statements) - posting

    event.listen(Engine, "before_cursor_execute", count)
    try:
        await context.database.write(plant, context.letter_id, 0, 10)
        few = await costs()
        world.clock.advance(DAY)
        await context.database.write(plant, context.letter_id, 10, 1_000)
        many = await costs()
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert (few[0], many[0]) == (10, 1_000 + 10)  # the first ten have come back
    assert few[1:] == many[1:]


async def test_two_workers_at_once_send_nothing_twice(world: World) -> None:
    people = await crowd(world, 8)
    uri = await post(world)
    async with open_house(world.settings, transport=world.internet, clock=world.clock) as second:
        workers = (house.worker.deliverer.run_once() for house in (world.house, second))
        waves = await asyncio.gather(*workers)
    assert sum(waves) == len(people)
    assert len(arrived(people[0], "Create")) == len(people)
    assert [list(person.timeline) for person in people] == [[uri]] * len(people)


async def test_a_signatory_whose_inbox_is_gone_is_told_nothing_more(world: World) -> None:
    """Their server's shared inbox first, then their own: each is asked once."""
    ada = world.fediverse.actor("ada@blog.example", "ghost")
    await ada.reply(LETTER, "I sign.")
    await world.work()
    ada.server.inbox_trouble = Trouble(410)
    for text in ("First.", "Second.", "Third.", "Fourth."):
        await post(world, text)
        await world.work()
    seen = world.internet.requests_to("blog.example")
    asked = [one.url.rpartition("/")[2] for one in seen if one.method == "POST"]
    assert asked == ["inbox", "ada"]
    assert await world.signed() == [ada.handle]
