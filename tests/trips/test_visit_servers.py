"""Other servers come to look: discovery, actors, the letter, collections, what was taken back."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from fedi_letter.activitypub import documents
from fedi_letter.app import asgi, compose
from fedi_letter.letter.model import EndorsementState, Visibility
from fedi_letter.remote.transport import WireRequest, WireResponse
from fedi_letter.services import updates
from fedi_letter.services.context import Context, new_id
from fedi_letter.services.publish import LetterSource, retract
from fedi_letter.store import outbox
from fedi_letter.store.database import Database
from tests.internet import ask
from tests.trips.seeds import Seed, crowd, planted
from tests.world import (
    ACTIVITY_JSON,
    ACTOR,
    HANDLE,
    HOST,
    INBOX,
    LETTER,
    ORIGIN,
    PAGE,
    World,
    open_world,
)

AS = "https://www.w3.org/ns/activitystreams"
LD_JSON = f'application/ld+json; profile="{AS}"'
WEBFINGER = "/.well-known/webfinger"


async def fetch(world: World, url: str, accept: str = ACTIVITY_JSON) -> WireResponse:
    """What a server gets."""
    return await world.request("GET", url, headers=(("Accept", accept),))


async def test_t1_webfinger_finds_the_letter_however_it_is_called(world: World) -> None:
    for resource in (
        "acct:letter@letter.example",
        "acct:LETTER@letter.example",
        "acct%3Aletter%40letter.example",
        f"{ORIGIN}/actors/letter",
        f"{ORIGIN}/@letter",
    ):
        answer = await fetch(world, f"{WEBFINGER}?resource={resource}", "*/*")
        headers = dict(answer.headers)
        assert answer.status == 200, resource
        assert headers["content-type"] == "application/jrd+json"
        assert headers["access-control-allow-origin"] == "*"
        document = json.loads(answer.body)
        assert document["subject"] == "acct:letter@letter.example"
        links = {(link["rel"], link["type"]): link["href"] for link in document["links"]}
        assert links[("self", ACTIVITY_JSON)] == ACTOR


async def test_t2_webfinger_says_plainly_whom_it_does_not_know(world: World) -> None:
    for query, status in (
        ("?resource=acct:nobody@letter.example", 404),
        ("?resource=acct:letter@other.example", 404),
        ("?resource=", 400),
        ("", 400),
        ("?resource=acct:a@b&resource=acct:c@d", 400),
    ):
        answer = await fetch(world, WEBFINGER + query, "*/*")
        assert answer.status == status, query
        assert b"<html" not in answer.body
    origin = await fetch(world, f"{WEBFINGER}?resource={PAGE}", "*/*")
    assert json.loads(origin.body)["links"][0]["href"] == f"{ORIGIN}/actors/instance.actor"


def mastodon_accepts_actor(document: dict[str, Any], requested: str) -> None:
    """What Mastodon demands of an actor before it keeps it, as far as its source tells."""
    contexts = document["@context"]
    assert AS in contexts
    assert document["id"] == requested
    assert document["type"] in ("Person", "Service", "Application", "Group", "Organization")
    assert re.fullmatch(r"[a-z0-9_]+([.-]+[a-z0-9_]+)*", document["preferredUsername"])
    assert document["inbox"].startswith(ORIGIN)
    key = document["publicKey"]
    assert key["owner"] == document["id"]
    assert key["id"].partition("#")[0] == document["id"]
    assert key["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----")
    assert document["url"].startswith(f"{ORIGIN}/")
    assert document["endpoints"]["sharedInbox"] == INBOX
    assert len(document.get("summary", "")) <= 20_000
    assert isinstance(document.get("attachment", []), list)


async def test_t3_mastodon_would_keep_our_actors(world: World) -> None:
    for actor in (ACTOR, f"{ORIGIN}/actors/instance.actor"):
        document = await world.document(actor)
        mastodon_accepts_actor(document, actor)
        name = f"acct:{document['preferredUsername']}@{HOST}"
        found = json.loads((await fetch(world, f"{WEBFINGER}?resource={name}", "*/*")).body)
        assert [link["href"] for link in found["links"] if link["rel"] == "self"] == [actor]
        for relation in ("outbox", "followers", "following"):
            collection = await world.document(document[relation])
            assert collection["id"] == document[relation]
            assert isinstance(collection["totalItems"], int)


async def test_the_letter_s_actor_hides_nothing_that_mastodon_looks_for(world: World) -> None:
    document = await world.document(ACTOR)
    assert document["name"] == "Artists are not your unpaid R&D"
    assert document["manuallyApprovesFollowers"] is False
    assert document["discoverable"] is True
    assert document["indexable"] is True
    for relation in ("outbox", "followers", "following"):
        collection = await world.document(document[relation])
        page = await world.document(collection["first"])
        assert page["type"] == "OrderedCollectionPage"
        assert page["partOf"] == document[relation]
    assert (await world.document(document["featured"]))["orderedItems"] == [LETTER]


async def test_t4_t5_the_type_asked_for_is_the_type_that_comes(world: World) -> None:
    accepts = (ACTIVITY_JSON, LD_JSON, f"{ACTIVITY_JSON}, {LD_JSON}")
    ids = {LETTER: LETTER, PAGE: LETTER, ACTOR: ACTOR, f"{ORIGIN}/@letter": ACTOR}
    for accept, (url, id) in product(accepts, ids.items()):
        answer = await fetch(world, url, accept)
        headers = dict(answer.headers)
        assert answer.status == 200
        assert headers["content-type"] == "application/activity+json"
        assert "Accept" in headers["vary"]
        assert headers["cache-control"] == "public, max-age=180"
        assert headers["access-control-allow-origin"] == "*"
        assert json.loads(answer.body)["id"] == id


async def test_a_browser_gets_a_page_that_names_its_document(world: World) -> None:
    update = await updates.post(world.house.context, "News.")
    for url, id in ((LETTER, LETTER), (ACTOR, ACTOR), (update.object_uri, update.object_uri)):
        answer = await fetch(world, url, "text/html,application/xhtml+xml,*/*;q=0.8")
        headers = dict(answer.headers)
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert headers["link"] == f'<{id}>; rel="alternate"; type="application/activity+json"'
        assert (
            f'rel="alternate" type="application/activity+json" href="{id}"' in answer.body.decode()
        )
        assert "Accept" in headers["vary"]


async def test_t6_a_public_document_is_for_everybody_however_they_sign(world: World) -> None:
    await world.fediverse.actor("alice@far.example").look_up(LETTER)  # signed, by a real peer
    signed = [seen for seen in world.internet.requests if seen.url == LETTER]
    assert signed
    garbage = (
        ("Accept", ACTIVITY_JSON),
        ("Signature", 'keyId="https://evil.example/#k",headers="date",signature="AAAA"'),
        ("Signature-Input", "nonsense"),
    )
    for headers in (garbage, garbage[:1]):
        assert (await world.request("GET", LETTER, headers=headers)).status == 200


async def test_a_document_is_sent_again_only_when_it_changed(world: World) -> None:
    first = await fetch(world, LETTER)
    known = (("Accept", ACTIVITY_JSON), ("If-None-Match", dict(first.headers)["etag"]))
    again = await world.request("GET", LETTER, headers=known)
    assert (again.status, again.body) == (304, b"")
    await planted(world, Seed("ada"))
    assert (await world.request("GET", LETTER, headers=known)).status == 200


class Balance(HTMLParser):
    """Whether every tag of a text is closed in order."""

    def __init__(self) -> None:
        """Nothing is open yet."""
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a tag."""
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        assert self.open.pop() == tag


async def test_a_letter_of_sixty_kilobytes_travels_and_is_read_whole(
    database_url: str, letter_keys: Path
) -> None:
    paragraph = "Ein Satz mit ä und „Zeichen“, *schräg* und [verlinkt](https://a.example/).\n\n"
    source = ("# Ein langer Brief\n\n" + paragraph * 800).encode()
    assert len(source) > 60_000
    async with open_world(
        database_url, letter_keys, sources=(LetterSource("de", source),)
    ) as world:
        listed = await world.document(f"{ACTOR}/outbox?page=1")
        create = await fetch(world, listed["orderedItems"][0]["id"])
        assert len(create.body) <= 48_000
        letter = await world.document(LETTER)
        assert len(documents.encode(letter)) <= 48_000
        assert letter["type"] == "Article"
        assert "<" not in letter["summary"]
        checker = Balance()
        checker.feed(letter["content"])
        checker.close()
        assert checker.open == []
        page = await world.page()
        assert page.count("<em>schräg</em>") == 800


async def test_three_hundred_approved_replies_are_all_on_the_first_page(world: World) -> None:
    hidden = Seed(
        "hidden",
        state=EndorsementState.PRIVATE,
        visibility=Visibility.DIRECT,
        listed=False,
    )
    await planted(world, hidden, *crowd(300))
    letter = await world.document(LETTER)
    assert letter["replies"]["totalItems"] == 300
    items = letter["replies"]["first"]["items"]
    assert items == [f"https://far.example/posts/person{n}" for n in range(300, 0, -1)]
    assert "next" not in letter["replies"]["first"]
    assert (await world.document(f"{LETTER}/replies"))["first"]["items"] == items


async def test_more_than_five_hundred_replies_go_on_another_page(world: World) -> None:
    await planted(world, *crowd(510))
    replies = await world.document(f"{LETTER}/replies")
    assert len(replies["first"]["items"]) == 500
    page = await world.document(replies["first"]["next"])
    assert page["items"] == [f"https://far.example/posts/person{n}" for n in range(10, 0, -1)]
    assert "next" not in page


async def test_likes_and_boosts_are_counted_inside_the_letter(world: World) -> None:
    for user in ("ada", "bob"):
        person = world.fediverse.actor(f"{user}@far.example")
        await person.like(LETTER)
    await world.fediverse.actor("eve@far.example").boost(LETTER)
    await world.work()
    letter = await world.document(LETTER)
    likes = {"id": f"{LETTER}/likes", "type": "Collection", "totalItems": 2}
    assert letter["likes"] == likes
    assert letter["shares"] == {"id": f"{LETTER}/shares", "type": "Collection", "totalItems": 1}
    assert (await world.document(f"{LETTER}/likes"))["totalItems"] == 2
    assert (await world.document(f"{LETTER}/shares"))["totalItems"] == 1
    assert "2 people like the letter" in await world.page()


async def test_an_update_taken_back_leaves_a_tombstone_and_no_text(world: World) -> None:
    update = await updates.post(world.house.context, "A slip of the pen.")
    listed = await world.document(f"{ACTOR}/outbox?page=1")
    create = listed["orderedItems"][0]["id"]
    assert (await world.document(update.object_uri))["content"] == "<p>A slip of the pen.</p>"
    await updates.delete(world.house.context, update.id)
    gone = await fetch(world, update.object_uri)
    assert gone.status == 410
    assert dict(gone.headers)["content-type"] == ACTIVITY_JSON
    assert json.loads(gone.body)["type"] == "Tombstone"
    assert (await fetch(world, update.object_uri, "text/html")).status == 410
    assert (await fetch(world, create)).status == 410
    assert "slip of the pen" not in await world.everything_public()
    page = await world.document(f"{ACTOR}/outbox?page=1")
    assert "slip of the pen" not in json.dumps(page)
    assert [item["type"] for item in page["orderedItems"]] == ["Delete", "Create"]


async def test_a_letter_taken_back_leaves_a_tombstone_and_a_living_actor(world: World) -> None:
    await retract(world.house.context)
    assert (await fetch(world, LETTER)).status == 410
    assert (await fetch(world, PAGE, "text/html")).status == 410
    assert (await fetch(world, ACTOR)).status == 200
    assert (await world.document(f"{ACTOR}/featured"))["orderedItems"] == []


async def test_t60_the_private_answers_exactly_as_the_missing(world: World) -> None:
    context = world.house.context
    id = new_id(context.clock())
    uri = context.uris.activity(id)
    secret = documents.encode({"id": uri, "type": "Accept", "content": "secret"})
    await context.database.write(
        outbox.append, context.letter_id, uri, "Accept", LETTER, secret, False, context.clock()
    )
    for accept in (ACTIVITY_JSON, "text/html", "*/*"):
        private = await fetch(world, uri, accept)
        missing = await fetch(world, context.uris.activity("0" * 26), accept)
        assert private.status == 404
        assert (private.headers, private.body) == (missing.headers, missing.body)
    assert "secret" not in await world.everything_public()


async def test_odd_ids_are_missing_and_break_nothing(world: World) -> None:
    for path in ("/updates/..%2f", "/activities/%00", "/updates/ä", "/letters/letter/revisions/0"):
        assert (await fetch(world, path)).status == 404, path
    for page in ("0", "x", "9" * 40):
        assert (await fetch(world, f"{ACTOR}/outbox?page={page}")).status == 400


async def test_t17_out_of_reach_is_503_and_never_gone(world: World) -> None:
    nowhere = Database("postgresql://nobody@/nothing?host=/nonexistent/socket")
    with nowhere:
        context: Context = replace(world.house.context, database=nowhere)
        app = asgi(compose(context), with_worker=False)
        headers = (("Accept", ACTIVITY_JSON),)
        finger = f"{ORIGIN}{WEBFINGER}?resource=acct:letter@letter.example"
        for url in (ACTOR, LETTER, PAGE, finger, f"{ORIGIN}/readyz", f"{ORIGIN}/signatories.csv"):
            answer = await ask(app, WireRequest("GET", url, headers, None, 100_000))
            assert answer.status == 503, url
            assert int(dict(answer.headers)["retry-after"]) > 0
            assert dict(answer.headers)["cache-control"] == "no-store"
        person = await ask(app, WireRequest("GET", PAGE, (("Accept", "text/html"),), None, 100_000))
        assert person.status == 503
        assert b"out of reach for a moment" in person.body
        sent = (("Content-Type", ACTIVITY_JSON),)
        body = b'{"type":"Follow","actor":"https://far.example/a","object":"x"}'
        delivery = await ask(app, WireRequest("POST", INBOX, sent, body, 100_000))
        assert delivery.status == 503
        alive = await ask(app, WireRequest("GET", f"{ORIGIN}/healthz", (), None, 100_000))
        assert (alive.status, alive.body) == (200, b"ok")


async def test_nodeinfo_host_meta_and_robots(world: World) -> None:
    index = json.loads((await fetch(world, "/.well-known/nodeinfo", "*/*")).body)
    links = {link["rel"].rpartition("/")[2]: link["href"] for link in index["links"]}
    for version in ("2.0", "2.1"):
        answer = await fetch(world, links[version], "*/*")
        document = json.loads(answer.body)
        assert document["version"] == version
        assert document["protocols"] == ["activitypub"]
        assert document["usage"]["localPosts"] == 1
        assert dict(answer.headers)["access-control-allow-origin"] == "*"
    assert (await fetch(world, "/nodeinfo/3.0", "*/*")).status == 404
    xrd = ElementTree.fromstring((await fetch(world, "/.well-known/host-meta", "*/*")).body)
    template = xrd[0].get("template") or ""
    asked = template.replace("{uri}", f"acct:{HANDLE.removeprefix('@')}")
    assert (await fetch(world, asked, "*/*")).status == 200
    robots = (await fetch(world, "/robots.txt", "*/*")).body.decode()
    assert "Disallow: /admin" in robots
    assert "Disallow: /\n" not in robots
