"""What the letter says arrives: signed, once, in order, however the other side behaves."""

import asyncio
import base64
import hashlib
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from fedi_letter.activitypub.delivery import SCHEDULE
from fedi_letter.app import open_house
from fedi_letter.demo.people import Person
from fedi_letter.demo.server import Trouble
from fedi_letter.demo.signing import HTTP_DATE, Scheme
from fedi_letter.demo.verifying import NotProven, Seen, Strictness, prove
from fedi_letter.services import updates
from fedi_letter.services.deliver import LEASE
from fedi_letter.store import deliveries, followers, progress
from fedi_letter.store.progress import DeliveryLine
from tests.trips.arrivals import (
    arrived,
    follower,
    followers_total,
    moody,
    posted,
    recovered,
)
from tests.trips.seeds import BEGINNING
from tests.world import ACTOR, LETTER, World, open_world

FAR = "far.example"
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


async def post(world: World, text: str = "Thank you all.") -> str:
    """Publish an update and answer the object's id; nothing is sent yet."""
    return (await updates.post(world.house.context, text)).object_uri


async def crowd(world: World, count: int, host: str = FAR) -> list[Person]:
    """Followers on one server that has no shared inbox, so that each gets a delivery."""
    return [await follower(world, f"p{number}@{host}", "gotosocial") for number in range(count)]


async def lines(world: World) -> list[DeliveryLine]:
    """How each delivery stands, as `fedi-letter deliveries` shows it."""
    return await world.house.context.database.read(progress.listing, 5_000)


async def next_attempt(world: World) -> None:
    """Let the clock stand where something is due next, and the letter try it."""
    due = await world.house.context.database.read(deliveries.next_due)
    assert due is not None
    world.clock.advance(max(due - world.clock(), timedelta(0)))
    await world.house.worker.run_until_idle()


def fate(person: Person, uri: str) -> list[str]:
    """What this person's server was told about one object, in order."""
    about = [received.activity for received in arrived(person, "Create", "Update", "Delete")]
    return [activity["type"] for activity in about if activity["object"]["id"] == uri]


async def test_t9_the_signature_covers_the_exact_bytes(world: World) -> None:
    ada = await follower(world, f"ada@{FAR}")
    start = len(posted(world, FAR))
    await post(world, "Grüße ☠️ & <b>thanks</b>")
    await world.work()
    [seen] = posted(world, FAR)[start:]
    digest = base64.b64encode(hashlib.sha256(seen.body).digest()).decode()
    assert seen.value("digest") == f"SHA-256={digest}"
    assert 'algorithm="rsa-sha256"' in (seen.value("signature") or "")
    assert (
        'headers="(request-target) host date digest content-type"'
        in (seen.value("signature") or "").lower()
    )
    assert seen.value("content-type") == "application/activity+json"
    [received] = arrived(ada, "Create")
    assert received.body == seen.body
    assert received.scheme == Scheme.CAVAGE
    key = (await world.document(ACTOR))["publicKey"]["publicKeyPem"]
    altered = Seen("POST", seen.url, seen.headers, seen.body.replace(b"thanks", b"Thanks"))
    with pytest.raises(NotProven, match="digest"):
        prove(altered, key, Strictness(), world.clock())


async def test_t10_the_date_is_that_of_the_sending_not_of_the_writing(world: World) -> None:
    ada = await follower(world, f"ada@{FAR}")
    ada.server.inbox_trouble = Trouble(503)
    start = len(posted(world, FAR))
    await post(world)
    await world.house.worker.run_until_idle()
    recovered(world, ada.server)
    await world.later(timedelta(hours=1))
    first, second = posted(world, FAR)[start:]
    assert second.at - first.at >= timedelta(hours=1)
    for seen in (first, second):
        dated = datetime.strptime(seen.value("date") or "", HTTP_DATE).replace(
            tzinfo=seen.at.tzinfo
        )
        assert abs(dated - seen.at) <= timedelta(seconds=5)
    assert len(arrived(ada, "Create")) == 1


async def test_t12_a_410_from_one_personal_inbox_removes_that_follower_only(world: World) -> None:
    ada, bob = await crowd(world, 2)
    gone = ada.account.inbox.removeprefix(ada.server.origin)
    moody(world, ada.server, lambda path, _: 410 if path == gone else None)
    await post(world)
    await world.work()
    assert await followers_total(world) == 1
    assert len(bob.timeline) == 1
    start = len(posted(world, FAR))
    await post(world)
    await world.later(DAY)
    assert [seen.url for seen in posted(world, FAR)[start:]] == [bob.account.inbox]
    recovered(world, ada.server)
    await follower(world, f"p0@{FAR}")
    assert await followers_total(world) == 2


async def test_t13_a_429_with_retry_after_is_waited_for(world: World) -> None:
    ada = await follower(world, f"ada@{FAR}")
    ada.server.inbox_trouble = Trouble(429, (("Retry-After", "120"),))
    start = len(posted(world, FAR))
    await post(world)
    await world.house.worker.run_until_idle()
    recovered(world, ada.server)
    world.clock.advance(timedelta(seconds=119))
    await world.house.worker.run_until_idle()
    assert len(posted(world, FAR)) == start + 1
    await next_attempt(world)
    first, second = posted(world, FAR)[start:]
    assert timedelta(seconds=120) <= second.at - first.at < timedelta(seconds=150)
    assert len(ada.timeline) == 1


async def test_b8_a_retry_after_of_a_year_is_waited_for_a_day(world: World) -> None:
    ada = await follower(world, f"ada@{FAR}")
    ada.server.inbox_trouble = Trouble(503, (("Retry-After", "31536000"),))
    start = len(posted(world, FAR))
    await post(world)
    await world.house.worker.run_until_idle()
    recovered(world, ada.server)
    await next_attempt(world)
    first, second = posted(world, FAR)[start:]
    assert second.at - first.at == DAY
    assert len(ada.timeline) == 1


async def test_b2_followers_and_signatories_are_told_each_server_once(world: World) -> None:
    for user in ("ada", "bob", "cleo"):
        await follower(world, f"{user}@big.example")
    for user in ("gil", "gus"):
        await follower(world, f"{user}@gts.example", "gotosocial")
    signer = world.fediverse.actor("sam@signers.example")
    await signer.reply(LETTER, "I sign.")
    both = await follower(world, "bea@both.example")
    await both.reply(LETTER, "I sign.")
    fan = world.fediverse.actor("fay@fans.example")
    await fan.like(LETTER)
    private = world.fediverse.actor("pam@private.example")
    await private.reply(LETTER, "I sign.", visibility="direct")
    await world.work()
    start = len(world.internet.requests)
    await post(world)
    await world.work()
    told = [seen.url for seen in world.internet.requests[start:] if seen.method == "POST"]
    assert sorted(told) == [
        "https://big.example/inbox",
        "https://both.example/inbox",
        "https://gts.example/users/gil/inbox",
        "https://gts.example/users/gus/inbox",
        "https://signers.example/inbox",
    ]


async def test_b4_the_second_knock_is_remembered_per_server_for_thirty_days(world: World) -> None:
    await follower(world, "nia@novel.example", "novel")
    await follower(world, f"ada@{FAR}")

    async def knocks(host: str) -> list[str]:
        start = len(posted(world, host))
        await post(world)
        await world.work()
        sent = posted(world, host)[start:]
        return ["9421" if seen.value("signature-input") else "cavage" for seen in sent]

    assert await knocks("novel.example") == ["9421"]  # learnt from the Accept
    assert await knocks(FAR) == ["cavage"]
    world.clock.advance(31 * DAY)
    assert await knocks("novel.example") == ["cavage", "9421"]
    assert await knocks("novel.example") == ["9421"]  # learnt anew, for another thirty days
    world.clock.advance(29 * DAY)
    assert await knocks("novel.example") == ["9421"]
    assert await knocks(FAR) == ["cavage"]


async def test_b4_a_401_is_tried_again_later_and_a_400_never(world: World) -> None:
    ada, bob = await follower(world, "ada@four.example"), await follower(world, "bob@one.example")
    carl = await follower(world, "carl@mixed.example")
    ada.server.inbox_trouble, bob.server.inbox_trouble = Trouble(400), Trouble(401)
    # Refuses today's signature for a reason of its own, and does not know the other scheme.
    moods = [401, 400]
    moody(world, carl.server, lambda *_: moods.pop(0) if moods else None)
    starts = {host: len(posted(world, host)) for host in ("four.example", "one.example")}
    await post(world)
    await world.house.worker.run_until_idle()
    for host, start in starts.items():
        assert len(posted(world, host)) == start + 2
    for person in (ada, bob):
        recovered(world, person.server)
    await world.later(timedelta(hours=1))
    assert len(ada.timeline) == 0
    assert len(bob.timeline) == 1
    assert len(carl.timeline) == 1


async def test_b8_what_is_final_is_asked_once_and_what_is_trouble_again(world: World) -> None:
    final = {403: 1, 404: 1, 406: 1, 413: 2, 415: 1, 422: 1, 501: 1}
    later = (408, 425, 429, 500, 502, 503, 504)
    for status in (*final, *later):
        ada = await follower(world, f"ada@s{status}.example")
        ada.server.inbox_trouble = Trouble(status)
    starts = {status: len(posted(world, f"s{status}.example")) for status in (*final, *later)}
    await post(world)
    await world.house.worker.run_until_idle()
    for server in world.fediverse.servers.values():
        recovered(world, server)
    await world.later(2 * DAY)
    for status, asked in final.items():
        assert len(posted(world, f"s{status}.example")) == starts[status] + asked, status
        assert arrived(world.fediverse.servers[f"s{status}.example"], "Create") == []
    for status in later:
        assert len(posted(world, f"s{status}.example")) == starts[status] + 2, status
        assert len(arrived(world.fediverse.servers[f"s{status}.example"], "Create")) == 1
    assert await followers_total(world) == len(final) + len(later)


async def test_b8_a_server_that_finds_it_too_large_gets_it_without_content(world: World) -> None:
    ada = await follower(world, f"ada@{FAR}")
    moody(world, ada.server, lambda _, body: 413 if b"endless" in body else None)
    uri = await post(world, "An endless text.")
    await world.work()
    [create] = arrived(ada, "Create")
    assert create.activity["object"]["id"] == uri
    assert create.activity["object"]["content"] == ""
    assert "contentMap" not in create.activity["object"]
    [sent] = await world.house.context.database.read(progress.report, 50, uri)
    assert (sent.delivered, sent.waiting, sent.given_up) == (1, 0, 0)


@pytest.mark.parametrize("status", [403, 404])
async def test_b8_refused_on_three_days_drops_the_follower(world: World, status: int) -> None:
    ada = await follower(world, f"ada@{FAR}")

    async def refused_today(times: int = 1) -> None:
        ada.server.inbox_trouble = Trouble(status)
        for _ in range(times):
            await post(world)
            await world.work()
        recovered(world, ada.server)
        world.clock.advance(DAY)

    await refused_today(times=4)
    await refused_today()
    assert await followers_total(world) == 1
    await post(world)  # taken, so the count begins anew
    await world.work()
    assert len(ada.timeline) == 1
    for _ in range(3):
        assert await followers_total(world) == 1
        await refused_today()
    assert await followers_total(world) == 0
    start = len(posted(world, FAR))
    await post(world)
    await world.work()
    assert posted(world, FAR)[start:] == []


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
    assert await world.house.context.database.read(deliveries.next_due) is None
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


async def test_what_a_killed_deliverer_claimed_comes_back(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys) as world:
        ada = await follower(world, f"ada@{FAR}")
        uri = await post(world)
        context = world.house.context
        claimed = await context.database.write(deliveries.claim, world.clock(), 500, LEASE)
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
        wave = await context.database.write(deliveries.claim, world.clock(), 5_000, LEASE)
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
