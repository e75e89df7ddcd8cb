"""The authors publish: a letter, its versions and updates, and what readers elsewhere see of it."""

import hashlib
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fedi_letter.files import read_letter
from fedi_letter.services.publish import LetterSource, publish
from fedi_letter.services.refusals import PublicationRefused
from tests.trips.arrivals import arrived, english, first_create, follower, one_of_each, status_of
from tests.world import (
    ACTOR,
    LETTER,
    MARKDOWN,
    ORIGIN,
    PAGE,
    World,
    open_world,
)

LARGEST_BYTES = 48_000
PARAGRAPH = "Art is work, and whoever profits from work pays for it. " * 6
LONG = f"# Art is work\n\nWe write to you today. {PARAGRAPH}\n\n" + f"{PARAGRAPH}\n\n" * 8
SHIPPED = Path(__file__).parents[2] / "templates" / "letter" / "artists.en.md"
VOID = {"br", "hr", "img", "meta", "link", "input"}


class Balance(HTMLParser):
    """Whether every element that was opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """HTMLParser: an element begins."""
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """HTMLParser: the innermost element ends."""
        assert self.open.pop() == tag


def is_whole(html: str) -> bool:
    """Whether the HTML is complete."""
    parser = Balance()
    parser.feed(html)
    parser.close()
    return not parser.open


async def test_t7_a_letter_of_sixty_kilobytes_travels_cut_at_a_block(
    database_url: str, letter_keys: Path
) -> None:
    text = "# Art is work\n\n" + "".join(f"The {n}. paragraph: {PARAGRAPH}\n\n" for n in range(180))
    assert len(text.encode()) > 60_000
    async with open_world(database_url, letter_keys, sources=(english(text),)) as world:
        create, body = await first_create(world)
        assert len(body) <= LARGEST_BYTES
        assert len(body) > LARGEST_BYTES * 0.9
        content = create["object"]["content"]
        assert is_whole(content)
        assert f'<a href="{PAGE}">' in content[-200:]
        assert (await world.document(LETTER))["content"] == content
        assert "179. paragraph" in await world.page()
        assert "179. paragraph" not in content
        people = await one_of_each(world)
        await publish(world.house.context, english(text + "The end."))
        await world.work()
        for name, person in people.items():
            [update] = arrived(person, "Update")
            assert len(update.body) <= LARGEST_BYTES, name
        assert "The end." in await world.page()


async def test_t8_a_long_letter_is_an_article_with_name_and_plain_summary(
    database_url: str, letter_keys: Path
) -> None:
    text = LONG.replace("# Art is work", "# Art *is* work & `<b>` too").replace("today", "`<i>`")
    async with open_world(database_url, letter_keys, sources=(english(text),)) as world:
        article = await world.document(LETTER)
        assert article["type"] == "Article"
        for plain in (article["name"], article["summary"], *article["summaryMap"].values()):
            assert "<" not in plain
        assert len(article["name"]) <= 150
        assert len(article["summary"]) <= 500
        assert article["summary"].startswith("We write to you")
        assert article["summary"].endswith("Version 1.")
        assert article["summary"].count("Version") == 1
        assert article["preview"]["type"] == "Note"


async def test_a8_each_kind_of_server_shows_a_long_letter_in_its_way(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys, sources=(english(LONG),)) as world:
        people = await one_of_each(world)
        await publish(world.house.context, english(LONG + "The end."), note="an end")
        await world.work()
        seen = {name: person.timeline.get(LETTER) for name, person in people.items()}
        mastodon = seen["mastodon"]
        assert mastodon is not None
        assert mastodon.html.startswith("<h2>Art is work</h2><p>We write to you today.")
        assert mastodon.html.endswith(f'Version 2.</p><p><a href="{PAGE}">{PAGE}</a></p>')
        assert "The end." not in mastodon.html
        assert mastodon.warning is None
        for name in ("gotosocial", "hollo"):
            entry = seen[name]
            assert entry is not None
            assert (entry.title, entry.url) == ("Art is work", PAGE)
            assert "The end." in entry.html
            assert (entry.warning or "").endswith("Version 2.")
        assert seen["takahe"] is None  # takes no Article, so the Note is what its readers see
        for name, person in people.items():
            [note] = [entry for uri, entry in person.timeline.items() if uri != LETTER]
            assert note.kind == "Note"
            assert "Version 2 of “Art is work” is published: an end" in note.html, name
            assert f'href="{LETTER}/revisions/2"' in note.html


async def test_t15_a_typo_leaves_what_mastodon_compares_and_a_revision_changes_it(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys, sources=(english(LONG),)) as world:
        ada = await follower(world, "ada@far.example")
        before = await world.document(LETTER)
        corrected = LONG.replace("We write to you", "We all write to you")
        fixed = await publish(world.house.context, english(corrected), typo=True)
        await world.work()
        assert (fixed.number, fixed.version) == (2, 1)
        after = await world.document(LETTER)
        assert "We all write" in after["content"]
        for name in ("name", "summary", "summaryMap", "preview"):
            assert after[name] == before[name]
        assert before["published"] == after["published"] < after["updated"]
        [update] = arrived(ada)[1:]
        assert update.activity["type"] == "Update"

        done = await publish(world.house.context, english(corrected + "More."), note="more")
        await world.work()
        assert (done.number, done.version, done.deliveries) == (3, 2, 1)
        revised = await world.document(LETTER)
        assert revised["summary"].startswith("We all write")
        assert revised["summary"].endswith("Version 2.")
        assert revised["updated"] > after["updated"]
        kinds = [received.activity["type"] for received in arrived(ada)[2:]]
        assert sorted(kinds) == ["Create", "Update"]
        assert "Version 2, " in await world.page()


async def test_b11_a_signature_says_which_version_it_was_given_to(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.boost(LETTER)
    await world.work()
    done = await publish(world.house.context, english("# Art is work\n\nNew words."))
    await world.work()
    bob = world.fediverse.actor("bob@far.example")
    await bob.boost(LETTER)
    await world.work()
    assert [entry["revision"] for entry in await world.roll()] == [1, 2]
    assert done.page_url == f"{LETTER}/revisions/2"
    for number, words in ((1, "free bug testers"), (2, "New words.")):
        assert words in await world.page(f"{LETTER}/revisions/{number}")
    # The signatory is told of the new version, follower or not (interop B2).
    assert sorted(one.activity["type"] for one in arrived(ada)) == ["Create", "Update"]


async def test_the_same_text_again_is_refused_and_nothing_is_sent(world: World) -> None:
    ada = await follower(world, "ada@far.example")
    outbox = await world.document(f"{ACTOR}/outbox")
    for typo in (False, True):
        with pytest.raises(PublicationRefused, match="revision 1 already"):
            await publish(world.house.context, LetterSource("en", MARKDOWN), typo=typo)
    await world.work()
    assert await world.document(f"{ACTOR}/outbox") == outbox
    assert [received.activity["type"] for received in arrived(ada)] == ["Accept"]
    assert await status_of(world, f"{LETTER}/revisions/2", "text/html") == 404


async def test_a11_every_language_is_said_to_be_one_and_is_replaced_alone(
    database_url: str, letter_keys: Path
) -> None:
    german = LetterSource("de", b"# Kunst ist Arbeit\n\nWir schreiben Ihnen.")
    sources = (english("# Art is work\n\nWe write to you."), german)
    async with open_world(database_url, letter_keys, sources=sources) as world:
        ada = await follower(world, "ada@far.example")
        note = await world.document(LETTER)
        assert note["type"] == "Note"
        assert list(note["contentMap"]) == ["en", "de"]
        assert note["contentMap"]["en"] == note["content"]
        assert "Wir schreiben Ihnen." in note["contentMap"]["de"]
        assert "Version 1." in note["contentMap"]["en"]
        assert "Fassung 1." in note["contentMap"]["de"]
        changed = LetterSource("de", b"# Kunst ist Arbeit\n\nWir schreiben euch.")
        await publish(world.house.context, changed, typo=True)
        await publish(world.house.context, LetterSource("ja", "# 芸術\n\n仕事です。".encode()))
        await world.work()
        note = ada.timeline[LETTER].document
        assert list(note["contentMap"]) == ["en", "de", "ja"]
        assert "Wir schreiben euch." in note["contentMap"]["de"]
        assert "We write to you." in note["content"]
        assert "第2版。" in note["contentMap"]["ja"]
        assert 'lang="ja"' in await world.page("/?lang=ja")


async def test_a11_nine_languages_of_a_long_letter_travel(
    database_url: str, letter_keys: Path
) -> None:
    languages = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja")
    sources = tuple(LetterSource(one, f"{LONG}\n\n({one})".encode()) for one in languages)
    async with open_world(database_url, letter_keys, sources=sources) as world:
        create, body = await first_create(world)
        assert len(body) < LARGEST_BYTES
        article = create["object"]
        assert list(article["nameMap"]) == list(article["summaryMap"]) == list(languages)
        assert len(set(article["summaryMap"].values())) == len(languages)
        assert "(en)" in article["content"]
        assert article.get("contentMap", {"en": article["content"]})["en"] == article["content"]
        for language in languages:
            assert f"({language})" in await world.page(f"/?lang={language}")


async def test_the_first_letter_survives_every_way_it_goes(
    database_url: str, letter_keys: Path
) -> None:
    source = SHIPPED.read_bytes()
    signs = ("☠️ we are not your:", "▌║█║▌║█║▌║ DENORMALIZE BILLION DOLLAR BRANDS", "║▌║█║▌║█║▌")
    async with open_world(database_url, letter_keys, sources=tuple(read_letter(None))) as world:
        page, document = await world.page(), await world.document(LETTER)
        assert document["type"] == "Note"
        people = await one_of_each(world)
        await publish(world.house.context, LetterSource("en", source + b"\nThank you.\n"))
        await world.work()
        for sign in signs:
            assert sign in page
            assert sign in document["content"]
            for name, person in people.items():
                assert sign in person.timeline[LETTER].html, name
        # A Note shows nothing but its body, so how to sign is in it, and not in what is signed.
        last = document["content"].rpartition("<p>")[2]
        assert "Version 1." in last
        assert f'<a href="{PAGE}">letter.example</a>' in last
        assert b"Version 1." not in source
        first = await world.request(
            "GET", f"{LETTER}/revisions/1", headers=(("Accept", "application/json"),)
        )
        revision = json.loads(first.body)
        assert revision["sha256"] == hashlib.sha256(source).hexdigest()
        assert revision["translations"][0]["source"].encode() == source
        assert revision["sha256"] in page
        title = "Artists are not your unpaid R&D"
        assert revision["translations"][0]["title"] == title


async def test_a_letter_keeps_the_kind_other_servers_have_stored(world: World) -> None:
    assert (await world.document(LETTER))["type"] == "Note"
    await publish(world.house.context, english(LONG))
    assert (await world.document(LETTER))["type"] == "Note"
    assert ORIGIN in (await world.document(LETTER))["url"]
