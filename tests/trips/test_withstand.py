"""Replays, storms and hostile documents change nothing and cost little (T43, T56, T57, T58)."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from fedi_letter.demo.signing import Signer
from fedi_letter.demo.wire import PUBLIC, Document
from fedi_letter.store.receipts import oldest_pending
from tests.trips.wire import Way, bytes_of, gets, post, reply_by, signed_headers, verdict
from tests.world import ACTOR, INBOX, LETTER, World

Twist = Callable[[Document], Document]


async def test_a_captured_request_sent_again_changes_nothing(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deeds = [
        await ada.reply(LETTER, "I sign. Art is work."),
        await ada.boost(LETTER),
        await ada.like(LETTER),
    ]
    await world.work()
    before = await world.everything_public()
    for deed in deeds:
        assert (await ada.again(deed)).status == 202
        assert (await ada.again(deed, signed_anew=True)).status == 202
    await world.work()
    assert await world.everything_public() == before


async def test_a_captured_request_is_worth_nothing_after_half_a_day(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "I sign.")
    await world.later(timedelta(hours=13))
    assert (await ada.again(deed)).status == 401


async def test_a_boost_taken_back_is_not_brought_back_by_replaying_it(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    boost = await ada.boost(LETTER)
    await world.work()
    await ada.unboost(boost)
    await world.work()
    assert await world.signed() == []
    await ada.again(boost)
    await ada.again(boost, signed_anew=True)
    reworded = {**boost.activity, "object": {"id": LETTER}, "published": "2026-11-23T00:00:00Z"}
    assert (await post(world, ada, reworded)).status == 202
    await world.work()
    assert await world.signed() == []
    assert (await verdict(world, boost.id)).startswith("boost: withdrawn (undone-by-sender")


async def test_a_reply_taken_back_is_not_brought_back_by_replaying_it(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    reply = await ada.reply(LETTER, "I sign.")
    await world.work()
    assert reply.note is not None
    await ada.delete(reply.note)
    await world.work()
    await ada.again(reply)
    await ada.again(reply, signed_anew=True)
    edited = {**reply.activity, "id": f"{reply.id}2", "type": "Update"}
    assert (await post(world, ada, edited)).status == 202
    await world.work()
    assert await world.signed() == []


async def test_an_edit_is_not_undone_by_replaying_what_came_before(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    reply = await ada.reply(LETTER, "I sign. First words.")
    assert reply.note is not None
    first = await ada.edit(reply.note, "I sign. Second words.")
    await ada.edit(reply.note, "I sign. Last words.")
    await world.work()
    for deed in (reply, first):
        await ada.again(deed)
        await ada.again(deed, signed_anew=True)
    await world.work()
    [entry] = await world.roll()
    assert entry["statement"] == "Last words."


async def test_t43_a_storm_of_deletes_costs_no_request(world: World) -> None:
    sent = await world.fediverse.mallory().delete_storm(INBOX, 500)
    assert {one.status for one in sent} == {202}
    assert len(sent) == 500
    await world.work()
    assert world.outbound() == []
    gone = "https://evil.example/users/gone7"
    assert await verdict(world, gone) == "noted: unknown-account"


async def bad_keys(world: World, count: int, host: Callable[[int], str]) -> list[int]:
    """Statuses of as many requests at once, each under another key id that leads nowhere."""
    mallory = world.fediverse.mallory()
    body = bytes_of(reply_by(mallory.uri))
    headers = signed_headers(world, mallory.account.signer, body, Way())
    rest = tuple(pair for pair in headers if pair[0] != "signature")
    true = dict(headers)["signature"]

    async def one(number: int) -> int:
        named = f"https://{host(number)}/users/nobody{number}#main-key"
        shown = true.replace(mallory.account.key_id, named)
        wrong = (*rest, ("signature", shown))
        return (await world.request("POST", INBOX, headers=wrong, body=body)).status

    return list(await asyncio.gather(*map(one, range(count))))


async def test_t56_a_thousand_bad_keys_of_one_host_are_few_requests(world: World) -> None:
    statuses = await bad_keys(world, 1000, lambda _: "evil.example")
    assert set(statuses) <= {202, 401}
    await world.house.worker.run_until_idle()
    assert 1 <= len(gets(world, "evil.example")) <= 60
    assert await world.signed() == []


async def test_t56_bad_keys_of_dead_hosts_are_few_requests(world: World) -> None:
    statuses = await bad_keys(world, 200, lambda number: f"dead{number % 10}.example")
    assert set(statuses) == {202}
    await world.house.worker.run_until_idle()
    assert len(world.outbound()) <= 10 * 2


async def test_t56_a_bad_key_is_not_asked_for_again_for_ten_minutes(world: World) -> None:
    mallory = world.fediverse.mallory()
    signer = Signer(f"{mallory.server.origin}/users/nobody#main-key", mallory.account.pair)
    for _ in range(5):
        assert (await post(world, signer, reply_by(mallory.uri))).status == 401
        world.clock.advance(timedelta(minutes=1))
    assert len(gets(world, "evil.example")) == 1
    world.clock.advance(timedelta(minutes=6))
    assert (await post(world, signer, reply_by(mallory.uri))).status == 401
    assert len(gets(world, "evil.example")) == 2


AS = "https://www.w3.org/ns/activitystreams#"


def in_a_graph(create: Document) -> Document:
    """The activity hidden in a graph of its own."""
    return {"@context": create["@context"], "id": create["id"], "@graph": [create]}


def included(create: Document) -> Document:
    """A like with somebody's signature beside it."""
    like = {**create, "type": "Like", "object": LETTER}
    return {**like, "@included": [create]}


def reversed_(create: Document) -> Document:
    """A post that is not in the activity but points at it."""
    return {**create, "@reverse": {"object": create["object"]}}


def expanded(create: Document) -> Document:
    """The same in absolute words, with another actor in short ones."""
    return {**create, f"{AS}actor": [{"@id": "https://far.example/users/ada"}]}


@pytest.mark.parametrize("twist", [in_a_graph, included, reversed_, expanded])
async def test_t57_a_restructured_document_says_nothing(world: World, twist: Twist) -> None:
    mallory = world.fediverse.mallory()
    await post(world, mallory, twist(reply_by(mallory.uri)))
    ada = world.fediverse.actor("ada@far.example")
    await post(world, mallory, twist(reply_by(ada.uri, number=2)))
    nested = reply_by(mallory.uri, number=3)
    nested["object"] = twist(nested["object"] | {"@context": nested["@context"], "object": {}})
    await post(world, mallory, nested)
    await world.work()
    assert await world.signed() == []
    page = await world.document(LETTER)
    assert page["likes"]["totalItems"] == 0


def many_tags(note: Document) -> None:
    """Mentions of thousands."""
    note["tag"] = [{"type": "Mention", "href": f"https://b.example/{n}"} for n in range(18_000)]


def many_recipients(note: Document) -> None:
    """Addressed to everybody one by one."""
    note["cc"] = [f"https://b.example/{number}" for number in range(30_000)]


def many_options(note: Document) -> None:
    """A poll of ten thousand answers."""
    note["oneOf"] = [{"type": "Note", "name": str(number)} for number in range(20_000)]


def long_words(note: Document) -> None:
    """A book."""
    note["content"] = "<p>I sign.</p>" + "<p>word</p>" * 70_000


def deep_words(note: Document) -> None:
    """Tags within tags."""
    note["content"] = "<p>I sign.</p>" + "<div>" * 50_000 + "x" + "<b" * 100_000


def long_names(note: Document) -> None:
    """Everything that has a name has a long one."""
    note |= {
        "name": "n" * 200_000,
        "summary": "s" * 200_000,
        "url": "https://b.example/" + "u" * 9_000,
    }


@pytest.mark.parametrize(
    "swell", [many_tags, many_recipients, many_options, long_words, deep_words, long_names]
)
async def test_t58_a_swollen_post_is_cut_and_costs_no_fetches(
    world: World, swell: Callable[[Document], None]
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    create = reply_by(ada.uri)
    swell(create["object"])
    assert len(bytes_of(create)) < 1_000_000
    assert (await post(world, ada, create)).status == 202
    await world.work()
    assert world.outbound() == [ada.uri]
    [entry] = await world.roll()
    assert len(json.dumps(entry)) < 20_000
    assert len(await world.page("/signatories")) < 60_000


async def test_t58_a_swollen_profile_is_cut(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example", name="A" * 300_000)
    ada.account.summary = "s" * 300_000
    await ada.reply(LETTER, "I sign.")
    await world.work()
    await ada.rename("B\u0000\u202e" * 50_000)
    await world.work()
    [entry] = await world.roll()
    assert 0 < len(entry["name"]) <= 500
    assert entry["name"].startswith("B")
    assert "\u202e" not in entry["name"]


HOSTILE: tuple[Document, ...] = (
    {"content": "<p>I sign.\u0000</p>"},
    {"content": "I sign. \ud83d"},
    {"content": {"en": "I sign."}},
    {"content": ["I sign."]},
    {"published": "99999-99-99T99:99:99Z"},
    {"published": 10**300},
    {"updated": "not a time"},
    {"url": "https://far.example/\u0000"},
    {"url": [{"type": "Link", "href": "javascript:alert(1)"}, 7, None]},
    {"inReplyTo": [LETTER, 7, None, {"id": LETTER}, {}]},
    {"attributedTo": [{"id": "https://far.example/users/ada", "name": "\u0000"}]},
    {"contentMap": {"\u0000": "I sign."}},
    {"tag": {"type": "Mention", "href": ["https://far.example"]}},
    {"to": {"id": PUBLIC}, "cc": 7},
    {"type": ["Note", "Note"]},
    {"name": "\u0000", "summary": 7},
    {"id": "https://far.example/users/ada/\u0000"},
)


async def test_t58_odd_values_hold_up_nobody_else(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@far.example")
    for number, odd in enumerate(HOSTILE):
        create: dict[str, Any] = reply_by(ada.uri, number, **odd)
        body = json.dumps(create).encode()
        assert (await post(world, ada, body)).status in (202, 400), odd
    assert (await bob.reply(LETTER, "I sign.")).status == 202
    await world.work()
    assert await world.signed() == [ada.handle, bob.handle]
    assert await world.house.context.database.read(oldest_pending) is None


async def test_t58_too_deep_or_twice_told_is_refused(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deep = reply_by(ada.uri, 1, attachment=json.loads("[" * 40 + "]" * 40))
    twice = bytes_of(reply_by(ada.uri, 2)).replace(b'"type":', b'"actor": "x", "type":', 1)
    strange = bytes_of(reply_by(ada.uri, 3)).replace(b'"cc":', b'"x": NaN, "cc":', 1)
    for body in (bytes_of(deep), twice, strange):
        assert (await post(world, ada, body)).status in (202, 400)
    await world.work()
    assert await world.signed() == []
    assert (await verdict(world, f"{ada.uri}/statuses/1/activity")).startswith("refused: too-deep")


async def test_a_mention_of_everybody_is_not_a_signature_of_anybody(world: World) -> None:
    mallory = world.fediverse.mallory()
    ada = world.fediverse.actor("ada@far.example")
    create = reply_by(mallory.uri, attributedTo=[ada.uri], to=[PUBLIC, ACTOR])
    assert (await post(world, mallory, create)).status == 202
    await world.work()
    assert await world.signed() == []
