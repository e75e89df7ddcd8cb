"""Everybody comes at once: finished bytes in every coding, asked of nobody, and never stale."""

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from itertools import product
from typing import Concatenate, ParamSpec, TypeVar

import brotli
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fedi_letter.app import asgi, compose, open_house
from fedi_letter.letter.model import EndorsementState
from fedi_letter.remote.transport import WireRequest, WireResponse
from fedi_letter.services import updates
from fedi_letter.services.publish import LetterSource, publish, retract
from fedi_letter.store import actors
from fedi_letter.store.actors import ActorRecord
from fedi_letter.store.database import Connection, Database
from fedi_letter.store.errors import DatabaseUnavailable, Trouble
from fedi_letter.web.freshness import Pace
from fedi_letter.web.routes import application
from tests.internet import Application, ask
from tests.trips.looks import note_of
from tests.trips.seeds import Seed, crowd, planted
from tests.world import ACTIVITY_JSON, ACTOR, LETTER, MARKDOWN, ORIGIN, World

P = ParamSpec("P")
T = TypeVar("T")

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
CODINGS = ("", "gzip", "br")
FINGER = f"{ORIGIN}/.well-known/webfinger?resource=acct:letter@letter.example"
SURFACES = (
    *((f"{ORIGIN}{path}", BROWSER) for path in ("/", "/signatories", "/@letter", "/feed.atom")),
    *((url, ACTIVITY_JSON) for url in (LETTER, ACTOR, f"{ACTOR}/outbox", f"{ACTOR}/followers")),
    *((f"{LETTER}/{name}", ACTIVITY_JSON) for name in ("replies", "likes", "shares")),
    (f"{ORIGIN}/signatories.json", "*/*"),
    (f"{ORIGIN}/nodeinfo/2.1", "*/*"),
    (FINGER, "*/*"),
)
"""What a stampede asks for, and as what."""

AGREED = Pace().edition.usable_for


async def fetch(
    app: Application, url: str, accept: str, *, method: str = "GET", **headers: str
) -> WireResponse:
    """One answer; `headers` are named with underscores."""
    more = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return await ask(app, WireRequest(method, url, (("Accept", accept), *more), None, 10_000_000))


def unpacked(answer: WireResponse) -> bytes:
    """The body as the client reads it."""
    match dict(answer.headers).get("content-encoding"):
        case "br":
            plain: bytes = brotli.decompress(answer.body)
            return plain
        case "gzip":
            return gzip.decompress(answer.body)
        case _:
            return answer.body


async def surfaces(app: Application) -> str:
    """All that a stampede gets to read, in every coding."""
    parts = []
    for (url, accept), coding in product(SURFACES, CODINGS):
        answer = await fetch(app, url, accept, accept_encoding=coding)
        assert answer.status == 200, url
        parts.append(unpacked(answer).decode())
    return "\n".join(parts)


class Watched(Database):
    """A database that says how often it was read, and can be cut off."""

    reads = 0
    is_cut_off = False

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Count, then read."""
        self.reads += 1
        if self.is_cut_off:
            raise DatabaseUnavailable(Trouble.LOST, "cut off")
        return await super().read(fn, *args, **kwargs)


def watched(world: World) -> tuple[Application, Watched]:
    """The letter as another process serves it, at the pace of a real one, and its database."""
    database = Watched(world.settings.database_url)
    context = replace(world.house.context, database=database)
    return asgi(compose(context), with_worker=False), database


async def test_a_page_says_the_same_in_every_coding_under_a_tag_of_its_own(world: World) -> None:
    await planted(world, *crowd(20))
    for url, accept in SURFACES:
        plain = await fetch(world.app, url, accept)
        tags = {dict(plain.headers)["etag"]}
        assert "content-encoding" not in dict(plain.headers)
        if len(plain.body) < 500:
            continue
        assert "Accept-Encoding" in dict(plain.headers)["vary"], url
        for coding in ("gzip", "br"):
            packed = await fetch(world.app, url, accept, accept_encoding=coding)
            headers = dict(packed.headers)
            assert headers["content-encoding"] == coding
            assert headers["content-length"] == str(len(packed.body))
            assert headers["vary"] == dict(plain.headers)["vary"]
            assert len(packed.body) < len(plain.body)
            assert unpacked(packed) == plain.body
            tags.add(headers["etag"])
        assert len(tags) == 3, url
        assert all(tag.startswith('"') for tag in tags)


async def test_what_is_remembered_is_answered_as_it_was_made(world: World) -> None:
    app, database = watched(world)
    with database:
        for (url, accept), coding in product(SURFACES, CODINGS):
            made = await fetch(app, url, accept, accept_encoding=coding)
            again = await fetch(app, url, accept, accept_encoding=coding)
            assert (again.status, again.headers, again.body) == (200, made.headers, made.body)
            assert dict(made.headers)["content-length"] == str(len(made.body))
            head = await fetch(app, url, accept, method="HEAD", accept_encoding=coding)
            assert (head.status, head.headers, head.body) == (200, made.headers, b"")
            tag = dict(made.headers)["etag"]
            for known in (tag, f'"other", W/{tag}', "*"):
                same = await fetch(app, url, accept, accept_encoding=coding, if_none_match=known)
                assert (same.status, same.body) == (304, b"")
                told = dict(same.headers)
                kept = {name: dict(made.headers).get(name) for name in told}
                assert told == kept
                assert told["etag"] == tag
                assert "content-security-policy" in told


async def test_the_tag_of_one_coding_is_not_that_of_another(world: World) -> None:
    packed = await fetch(world.app, f"{ORIGIN}/", BROWSER, accept_encoding="gzip")
    tag = dict(packed.headers)["etag"]
    answer = await fetch(world.app, f"{ORIGIN}/", BROWSER, if_none_match=tag)
    assert answer.status == 200
    assert "content-encoding" not in dict(answer.headers)


async def test_a_stampede_asks_the_database_for_nothing_twice(world: World) -> None:
    await planted(world, *crowd(5))
    app, database = watched(world)
    with database:
        shown = await surfaces(app)
        asked = database.reads
        crowds = await asyncio.gather(*(surfaces(app) for _ in range(20)))
        assert set(crowds) == {shown}
        assert database.reads == asked


async def test_a_wave_of_signatures_renders_nothing_more_often_than_agreed(world: World) -> None:
    app, database = watched(world)
    with database:
        for url in (f"{ORIGIN}/", LETTER):
            await fetch(app, url, BROWSER)
        asked = database.reads
        for n in range(50):
            await planted(world, Seed(f"person{n}"))
            await fetch(app, f"{ORIGIN}/", BROWSER)
        assert database.reads == asked
        world.clock.advance(AGREED)
        assert "Signed by 50 people" in (await fetch(app, f"{ORIGIN}/", BROWSER)).body.decode()
        # the edition with the tallies behind it, how many, and the page
        assert database.reads <= asked + 4


async def test_a_name_taken_back_is_gone_from_every_answer_of_every_process(world: World) -> None:
    async with open_house(world.settings, transport=world.internet, clock=world.clock) as second:
        app = asgi(second, with_worker=False)
        alice = world.fediverse.actor("alice@far.example")
        deed = await alice.reply(LETTER, "I sign. Alone at dusk.")
        await world.work()
        for _ in range(2):
            shown = await surfaces(app)
            assert alice.handle in shown
            assert "Alone at dusk" in shown
        await alice.delete(note_of(deed))
        await world.house.worker.run_until_idle()
        world.clock.advance(AGREED)
        shown = await surfaces(app)
        assert alice.handle not in shown
        assert alice.uri not in shown
        assert note_of(deed).uri not in shown
        assert "Alone at dusk" not in shown


def suspend(connection: Connection, uri: str, now: datetime) -> None:
    """Their server says that the account is suspended."""
    known = actors.actor(connection, uri)
    assert known is not None
    fetched = {field.name: getattr(known, field.name) for field in fields(ActorRecord)}
    suspended = ActorRecord(**{**fetched, "suspended": True})
    actors.roll_shows(connection, actors.put_actors(connection, [suspended], now))


async def test_a_comment_falls_with_its_author_s_account_though_they_never_signed(
    world: World,
) -> None:
    bob = Seed("bob", "Bob", "but the tone", state=EndorsementState.COMMENT, listed=False)
    await planted(world, bob)
    app, database = watched(world)
    with database:
        assert "but the tone" in await surfaces(app)
        await world.house.context.database.write(suspend, bob.uri, world.clock())
        world.clock.advance(AGREED)
        shown = await surfaces(app)
        assert "but the tone" not in shown
        assert bob.post not in shown


async def test_another_process_sees_revisions_updates_and_the_end(world: World) -> None:
    app, database = watched(world)
    with database:
        await surfaces(app)
        second = LetterSource("en", MARKDOWN + b"\nNor your PR puppets.\n")
        await publish(world.house.context, second, note="a second sentence")
        update = await updates.post(world.house.context, "We handed the letter over.")
        world.clock.advance(AGREED)
        shown = await surfaces(app)
        assert "Nor your PR puppets." in shown
        assert "We handed the letter over." in shown
        assert (await fetch(app, update.object_uri, ACTIVITY_JSON)).status == 200
        await updates.delete(world.house.context, update.id)
        await retract(world.house.context)
        world.clock.advance(AGREED)
        for url in (update.object_uri, LETTER):
            for accept in (ACTIVITY_JSON, BROWSER):
                assert (await fetch(app, url, accept)).status == 410, url
        assert (await fetch(app, ACTOR, ACTIVITY_JSON)).status == 200


async def test_t17_what_is_remembered_does_not_outlive_the_database(world: World) -> None:
    app, database = watched(world)
    with database:
        await surfaces(app)
        database.is_cut_off = True
        assert (await fetch(app, LETTER, ACTIVITY_JSON)).status == 200
        world.clock.advance(AGREED)
        for url, accept in SURFACES:
            answer = await fetch(app, url, accept)
            assert answer.status == 503, url
            assert dict(answer.headers)["cache-control"] == "no-store"
        database.is_cut_off = False
        await surfaces(app)


async def test_each_reader_is_answered_in_their_language_from_memory_too(world: World) -> None:
    second = LetterSource("de", b"# Ein Brief\n\nWir testen nicht umsonst.\n")
    await publish(world.house.context, second, note="in German")
    app, database = watched(world)
    with database:
        for _ in range(2):
            for language, word in (
                ("de-CH", "umsonst"),
                ("en", "bug testers"),
                ("", "bug testers"),
            ):
                page = await fetch(app, f"{ORIGIN}/", BROWSER, accept_language=language)
                assert word in page.body.decode()
                assert "Accept-Language" in dict(page.headers)["vary"]


async def test_a_header_given_twice_is_read_whole(world: World) -> None:
    once = (("Accept", BROWSER),)
    twice = (("Accept", ACTIVITY_JSON), ("Accept", "text/html;q=0.1"))
    app, database = watched(world)
    with database:
        for _ in range(2):
            for headers, type in ((once, "text/html"), (twice, ACTIVITY_JSON)):
                answer = await ask(app, WireRequest("GET", LETTER, headers, None, 1_000_000))
                assert dict(answer.headers)["content-type"].startswith(type)


async def test_what_others_serve_is_never_remembered(world: World) -> None:
    async def desk(request: Request) -> Response:
        return PlainTextResponse(f"for {request.headers.get('cookie')} alone")

    house = world.house
    app = application(house.context, house.intake, more=[Route("/desk", desk)])
    for name in ("ada", "bob", "ada"):
        answer = await fetch(app, f"{ORIGIN}/desk", "*/*", cookie=name)
        assert answer.body.decode() == f"for {name} alone"


async def test_t62_two_thousand_servers_come_for_a_dozen_answers_each(world: World) -> None:
    await planted(world, *crowd(40))
    app, database = watched(world)
    dozen = (FINGER, ACTOR, LETTER, *(f"{ACTOR}/{name}" for name in ("outbox", "followers")))
    dozen += (*(f"{ACTOR}/{name}" for name in ("following", "featured")), f"{LETTER}/replies")
    dozen += (f"{LETTER}/likes", f"{LETTER}/shares", f"{ORIGIN}/nodeinfo/2.1")
    with database:

        async def server(n: int) -> set[int]:
            agent = {"user_agent": f"Mastodon (+https://s{n}.example/)", "accept_encoding": "gzip"}
            answers = [await fetch(app, url, ACTIVITY_JSON, **agent) for url in dozen]
            card = await fetch(app, f"{ORIGIN}/", "text/html", **agent)
            assert b"og:title" in gzip.decompress(card.body)[:4_000]
            return {answer.status for answer in (*answers, card)}

        await server(0)
        asked = database.reads
        statuses = await asyncio.gather(*(server(n) for n in range(2_000)))
        assert set().union(*statuses) == {200}
        assert database.reads == asked


async def test_the_totals_of_the_json_and_of_the_page_agree(world: World) -> None:
    await planted(world, *crowd(7))
    document = json.loads((await fetch(world.app, f"{ORIGIN}/signatories.json", "*/*")).body)
    assert document["total"] == 7
    page = (await fetch(world.app, f"{ORIGIN}/signatories", BROWSER)).body.decode()
    assert "7 people signed" in page
