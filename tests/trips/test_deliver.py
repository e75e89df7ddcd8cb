"""What the letter says arrives: signed, once, in order, however the other side behaves."""

import base64
import hashlib
from datetime import datetime, timedelta

import pytest

from fedi_letter.demo.server import Trouble
from fedi_letter.demo.signing import HTTP_DATE, Scheme
from fedi_letter.demo.verifying import NotProven, Seen, Strictness, prove
from fedi_letter.store import headway
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
from tests.world import ACTOR, LETTER, World

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


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
    context = world.house.context
    found = await context.database.read(
        headway.report, context.letter_id, world.clock(), object_uri=uri
    )
    [sent] = found.updates
    assert (sent.headway.announced, sent.headway.delivered) == (1, 1)


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
