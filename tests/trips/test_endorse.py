"""People sign the letter by replying, mentioning and boosting, from whatever server they use."""

from pathlib import Path

import pytest

from fedi_letter.letter.moderation import Move
from fedi_letter.services.moderate import review
from fedi_letter.services.publish import LetterSource, publish
from tests.trips.looks import (
    announce_of,
    create_of,
    everybody,
    handles,
    is_nowhere,
    note_of,
    queue,
    queued,
    send,
    total,
)
from tests.world import ACTOR, HANDLE, LETTER, MARKDOWN, PAGE, World, open_world

PHRASES = {
    "en": ("I sign", "#ISign"),
    "de": ("Ich unterschreibe", "#IchUnterschreibe"),
    "fr": ("Je signe", "#JeSigne"),
    "es": ("Firmo", "#YoFirmo"),
    "it": ("Firmo", "#IoFirmo"),
    "nl": ("Ik teken", "#IkTeken"),
    "pt": ("Eu assino", "#EuAssino"),
    "pl": ("Podpisuję", "#PodpisujęSię"),
    "ja": ("署名します", "#署名します"),
}
REFUSALS = {
    "en": ("I do not sign this.", "I will not sign", "I refuse to sign", "not signing"),
    "de": ("Ich unterschreibe nicht.", "Das unterschreibe ich niemals", "Ohne mich."),
    "fr": ("Je ne signe pas.", "Je refuse de signer", "Jamais je ne signe ça"),
    "es": ("No firmo.", "No firmo esto, lo siento", "Me niego a firmar"),
    "it": ("Non firmo.", "Io non firmo questa lettera", "Mi rifiuto di firmare"),
    "nl": ("Ik teken niet.", "Dit teken ik nooit", "Ik onderteken dit niet"),
    "pt": ("Não assino.", "Eu não assino isto", "Recuso-me a assinar"),
    "pl": ("Nie podpisuję.", "Nie podpisuję się pod tym", "Odmawiam podpisania"),
    "ja": ("署名しません。", "署名しない", "これには署名できません"),
}


async def test_a_reply_with_the_phrase_puts_a_person_on_the_roll(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example", name="Ada Lovelace")
    deed = await ada.reply(LETTER, "I sign. Art is work.")
    assert deed.status == 202
    await world.work()
    [entry] = await world.roll()
    assert entry["number"] == 1
    assert (entry["handle"], entry["actor"]) == (ada.handle, ada.uri)
    assert entry["name"] == "Ada Lovelace"
    assert entry["via"] == ["reply"]
    assert entry["statement"] == "Art is work."
    assert entry["revision"] == 1
    assert entry["url"] == note_of(deed).page
    assert "Signed by 1 person" in await world.page()


async def test_a_reply_from_every_kind_of_server_signs(world: World) -> None:
    people = everybody(world)
    for ada in people.values():
        await ada.reply(LETTER, "I sign. Art is work.")
    await world.work()
    found = {entry["handle"]: (entry["via"], entry["statement"]) for entry in await world.roll()}
    assert found == {ada.handle: (["reply"], "Art is work.") for ada in people.values()}


async def test_a_boost_signs_wherever_it_reaches_us(world: World) -> None:
    people = everybody(world)
    for ada in people.values():
        await ada.boost(LETTER)
    await world.work()
    heard_of = [ada for ada in people.values() if ada.server.dialect.boost_reaches_author]
    found = {entry["handle"]: entry["via"] for entry in await world.roll()}
    assert found == {ada.handle: ["boost"] for ada in heard_of}
    assert await total(world, "shares") == len(heard_of) == 8


async def test_a_reply_or_boost_of_any_of_the_letters_addresses_counts(world: World) -> None:
    for number, address in enumerate((LETTER, PAGE, f"{LETTER}/", PAGE.rstrip("/")), start=1):
        ada = world.fediverse.actor(f"ada{number}@far.example")
        bob = world.fediverse.actor(f"bob{number}@far.example")
        await send(ada, create_of(ada, "I sign", reply_to=address))
        await send(bob, announce_of(bob, object={"id": address}))
    await world.work()
    assert len(await world.signed()) == 8


async def test_a_mention_signs_by_the_phrase_alone(world: World) -> None:
    people = everybody(world)
    passers_by = everybody(world, "eve")
    for ada, eve in zip(people.values(), passers_by.values(), strict=True):
        await ada.mention(HANDLE, "I sign the letter.")
        await eve.mention(HANDLE, "What a fine letter!")
    await world.work()
    found = {entry["handle"]: entry["via"] for entry in await world.roll()}
    assert found == {ada.handle: ["mention"] for ada in people.values()}
    assert await queue(world) == []


async def test_a_reply_to_somebody_else_signs_nothing_though_it_mentions_us(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@near.example")
    note = note_of(await ada.reply(LETTER, "I sign"))
    tag = [{"type": "Mention", "href": ACTOR, "name": HANDLE}]
    await send(bob, create_of(bob, "I sign too", reply_to=note.uri, tag=tag))
    await world.work()
    assert await world.signed() == [ada.handle]
    assert await queue(world) == []


async def test_votes_likes_quotes_follows_reports_and_blocks_never_sign(world: World) -> None:
    for name, ada in everybody(world).items():
        await ada.vote(LETTER, "I sign", "Yes")
        await ada.like(LETTER)
        await ada.quote(LETTER, "Read this")
        await ada.follow(HANDLE)
        if name != "takahe":
            await ada.flag(LETTER, "I sign this report")
        await ada.block(HANDLE)
    await world.work()
    assert await world.signed() == []
    assert await queue(world) == []
    assert await total(world, "likes") == 10


async def test_a_boost_of_an_update_is_counted_there_and_signs_nothing(world: World) -> None:
    await publish(world.house.context, LetterSource("en", MARKDOWN + b"\nMore.\n"))
    update = (await world.document(f"{ACTOR}/outbox?page=1"))["orderedItems"][0]["object"]["id"]
    ada = world.fediverse.actor("ada@far.example")
    await send(ada, announce_of(ada, object=update))
    await world.work()
    assert await world.signed() == []
    assert (await world.document(f"{update}/shares"))["totalItems"] == 1
    assert await total(world, "shares") == 0


async def test_a_plain_reply_waits_for_an_admin_and_is_not_shown(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "Have you thought of the platypus?")
    await world.work()
    assert await world.signed() == []
    await is_nowhere(world, "platypus", ada.handle, note_of(deed).uri)
    [item] = await queue(world)
    assert (item.handle, item.state) == (ada.handle, "held")
    assert "platypus" in item.text
    await review(world.house.context, [item.id], Move.ACCEPT, reason=None, by="admin:root")
    assert await world.signed() == [ada.handle]


async def test_a_clear_phrase_signs_in_nine_languages_however_it_is_dressed(
    sqlite_url: str, letter_keys: Path
) -> None:
    dresses = ("{}", "{}!!! 🎨✊", "✍️ {}…", "**{}**.", "@letter {}, thanks.")
    async with open_world(sqlite_url, letter_keys) as world:
        said = {}
        for language, (phrase, hashtag) in PHRASES.items():
            texts = [dress.format(phrase) for dress in dresses]
            texts += [phrase.upper(), hashtag, f"{hashtag} #art"]
            for number, text in enumerate(texts):
                ada = world.fediverse.actor(f"{language}{number}@far.example")
                said[ada.handle] = text
                await ada.reply(LETTER, text, language=language)
        await world.work()
        signed = set(await world.signed())
    assert {handle: text for handle, text in said.items() if handle not in signed} == {}


async def test_a_refusal_in_nine_languages_is_held_and_never_counted(
    sqlite_url: str, letter_keys: Path
) -> None:
    async with open_world(sqlite_url, letter_keys, plain_replies="sign") as world:
        said = {}
        for language, texts in REFUSALS.items():
            for number, text in enumerate(texts):
                eve = world.fediverse.actor(f"{language}{number}@far.example")
                said[eve.handle] = text
                await eve.reply(LETTER, text, language=language)
        await world.work()
        signed = await world.signed()
        held = await queued(world)
    assert {handle: said[handle] for handle in signed} == {}
    assert held == dict.fromkeys(said, "held")


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("I sign", ""),
        ("I sign. Art is work.", "Art is work."),
        ("Art is work. I sign.", "Art is work."),
        ("Art is work.\n\nI sign!", "Art is work."),
        ("I sign: painter, Łódź 🎨", "painter, Łódź 🎨"),
        ("#ISign\n\nEllen, illustrator", "Ellen, illustrator"),
    ],
)
async def test_what_remains_of_the_reply_is_the_statement(
    sqlite_url: str, letter_keys: Path, text: str, statement: str
) -> None:
    async with open_world(sqlite_url, letter_keys) as world:
        ada = world.fediverse.actor("ada@far.example")
        await ada.reply(LETTER, text)
        await world.work()
        [entry] = await world.roll()
        assert entry["statement"] == statement


async def test_t29_the_same_announce_five_times_is_one_signature(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.boost(LETTER)
    await world.work()
    for signed_anew in (False, True, False, True):
        again = await ada.again(deed, signed_anew=signed_anew)
        assert again.status == 202
        await world.work()
    assert await world.signed() == [ada.handle]
    assert await total(world, "shares") == 1


async def test_t29_all_at_once_it_is_one_signature_too(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "I sign")
    for _ in range(4):
        await ada.again(deed)
    await world.work()
    assert await world.signed() == [ada.handle]
    assert await total(world, "replies") == 1


async def test_two_ways_make_one_row(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.boost(LETTER)
    await ada.boost(LETTER)
    await ada.reply(LETTER, "I sign")
    await ada.reply(LETTER, "I sign, I said")
    await world.work()
    [entry] = await world.roll()
    assert (entry["number"], entry["via"]) == (1, ["reply", "boost"])
    assert await total(world, "shares") == 1


async def test_t31_two_edits_under_one_activity_id_are_both_applied(world: World) -> None:
    tina = world.fediverse.actor("tina@takahe.example", "takahe")
    note = note_of(await tina.reply(LETTER, "I sign. One."))
    first = await tina.edit(note, "I sign. Two.")
    await world.work()
    assert [entry["statement"] for entry in await world.roll()] == ["Two."]
    second = await tina.edit(note, "I sign. Three.")
    assert first.id == second.id
    await world.work()
    assert [entry["statement"] for entry in await world.roll()] == ["Three."]


async def test_an_edit_can_sign(world: World) -> None:
    people = everybody(world)
    notes = {ada: note_of(await ada.reply(LETTER, "Hm.")) for ada in people.values()}
    await world.work()
    assert await queued(world) == dict.fromkeys(handles(notes), "held")
    for ada, note in notes.items():
        await ada.edit(note, "I sign. Slept on it.")
    await world.work()
    found = {entry["handle"]: entry["statement"] for entry in await world.roll()}
    assert found == dict.fromkeys(handles(notes), "Slept on it.")
    assert await queue(world) == []


async def test_an_older_edit_that_arrives_late_changes_nothing(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    note = note_of(await ada.reply(LETTER, "I sign. One."))
    await world.work()
    world.internet.refuse("letter.example")
    late = await ada.edit(note, "I sign. Two.")
    assert late.status == 0
    world.internet.serve("letter.example", world.app)
    await ada.edit(note, "I sign. Three.")
    await world.work()
    await ada.again(late, signed_anew=True)
    await world.work()
    assert [entry["statement"] for entry in await world.roll()] == ["Three."]


async def test_an_edit_of_a_reply_we_never_had_counts_as_the_reply(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    create = create_of(ada, "I sign. Late.", updated=world.clock().isoformat())
    await send(ada, {**create, "id": f"{ada.uri}#updates/1", "type": "Update"})
    await send(ada, create)
    await world.work()
    assert [entry["statement"] for entry in await world.roll()] == ["Late."]


async def test_a_reply_named_only_by_its_id_is_fetched(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    note = note_of(await ada.post("I sign"))
    note.in_reply_to = LETTER
    await send(ada, ada.write("Create", note.create_uri, to=note.to, cc=note.cc, object=note.uri))
    await world.work()
    assert await world.signed() == [ada.handle]


async def test_each_signature_names_the_revision_it_was_given_to(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.reply(LETTER, "I sign")
    await world.work()
    await publish(world.house.context, LetterSource("en", MARKDOWN + b"\nA new demand.\n"))
    await world.work()
    bob = world.fediverse.actor("bob@near.example")
    await bob.boost(LETTER)
    await ada.boost(LETTER)
    await world.work()
    found = {entry["handle"]: entry["revision"] for entry in await world.roll()}
    assert found == {ada.handle: 1, bob.handle: 2}
