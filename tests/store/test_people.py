"""The accounts we met and their keys."""

import itertools

import pytest

from fedi_letter.letter.model import Nature
from fedi_letter.store import actors, keys, letters
from fedi_letter.store.actors import ActorState
from fedi_letter.store.database import Database
from fedi_letter.store.keys import NewKey
from tests.store import given
from tests.store.given import ADA, BOB, DAY, MINUTE, NOW


def test_an_actor_is_remembered_and_refreshed(database: Database) -> None:
    assert database.read_now(actors.actor, ADA) is None
    database.write_now(given.meet, given.record(), NOW)
    database.write_now(given.meet, given.record(name="Ada L.", nature=Nature.BOT), NOW + DAY)
    ada = database.read_now(actors.actor, ADA)
    assert ada is not None
    assert (ada.name, ada.nature, ada.state) == ("Ada L.", Nature.BOT, ActorState.LIVE)
    assert (ada.first_seen_at, ada.fetched_at) == (NOW, NOW + DAY)


def test_an_actor_on_record_may_be_put_back(database: Database) -> None:
    database.write_now(given.a_person)
    ada = database.read_now(actors.actor, ADA)
    assert ada is not None
    database.write_now(given.meet, ada, NOW + DAY)
    again = database.read_now(actors.actor, ADA)
    assert again is not None
    assert again.first_seen_at == NOW


def test_several_actors_are_answered_by_id(database: Database) -> None:
    database.write_now(given.a_person)
    database.write_now(given.a_person, BOB)
    found = database.read_now(actors.actors, [ADA, BOB, "https://nowhere/x"])
    assert found.keys() == {ADA, BOB}
    assert found[BOB].host == "near.example:8443"
    assert database.read_now(actors.actors, []) == {}


def test_a_handle_finds_its_accounts_whatever_the_case(database: Database) -> None:
    database.write_now(given.a_person)
    database.write_now(given.a_person, "https://far.example/users/adam")
    found = database.read_now(actors.by_handle, "@ADA@far.example")
    assert [each.uri for each in found] == [ADA]
    assert database.read_now(actors.by_handle, "@%@far.example") == []


def test_a_forgotten_account_keeps_its_handle_and_nothing_it_showed(database: Database) -> None:
    database.write_now(given.a_person)
    assert database.write_now(actors.forget, ADA, NOW + DAY)
    assert not database.write_now(actors.forget, ADA, NOW + DAY)
    assert not database.write_now(actors.forget, BOB, NOW + DAY)
    ada = database.read_now(actors.actor, ADA)
    assert ada is not None
    assert (ada.state, ada.handle) == (ActorState.GONE, "@ada@far.example")
    assert (ada.name, ada.url, ada.document) == ("", None, b"")


def test_what_a_listed_person_shows_moves_the_roll_and_nothing_else_does(
    database: Database, letter_id: int
) -> None:
    def version() -> int:
        return database.read_now(letters.roll_version, letter_id)

    database.write_now(given.a_signatory, letter_id)
    database.write_now(given.a_person, BOB)
    before = version()
    database.write_now(given.meet, given.record(), NOW + DAY)
    database.write_now(given.meet, given.record(inbox="https://far.example/new"), NOW + DAY)
    database.write_now(given.meet, given.record(BOB, name="Robert"), NOW + DAY)
    assert version() == before
    database.write_now(given.meet, given.record(name="Ada L."), NOW + DAY)
    assert version() == before + 1


def test_a_person_is_found_where_they_moved_to(database: Database) -> None:
    homes = [f"https://home-{number}.example/users/ada" for number in range(4)]
    for home in homes:
        database.write_now(given.a_person, home)
    for old, new in itertools.pairwise(homes):
        assert database.write_now(actors.set_moved, old, new)
        assert not database.write_now(actors.set_moved, old, new)
    asked = [homes[0], homes[2], BOB]
    assert database.read_now(actors.person_of, asked) == {
        homes[0]: homes[3],
        homes[2]: homes[3],
        BOB: BOB,
    }
    assert not database.write_now(actors.set_moved, BOB, ADA)


def test_accounts_that_moved_in_a_circle_stay_themselves(database: Database) -> None:
    for uri, home in ((ADA, BOB), (BOB, ADA)):
        database.write_now(given.a_person, uri)
        database.write_now(actors.set_moved, uri, home)
    assert database.read_now(actors.person_of, [ADA, BOB]) == {ADA: ADA, BOB: BOB}


def test_the_same_document_is_kept_once(database: Database) -> None:
    def keep(bodies: dict[str, bytes]) -> dict[str, int]:
        return database.write_now(actors.keep_documents, bodies, NOW)

    first = keep({ADA: b'{"a": 1}', BOB: b'{"a": 1}'})
    assert first[ADA] != first[BOB]
    again = keep({BOB: b'{"a": 1}', ADA: b'{"a": 2}'})
    assert again[BOB] == first[BOB]
    assert again[ADA] not in first.values()
    assert keep({}) == {}


KEY = f"{ADA}#main-key"


def test_a_rotated_key_is_replaced_and_the_old_one_stays_evidence(database: Database) -> None:
    assert database.read_now(keys.key, KEY) is None
    database.write_now(keys.put_keys, [NewKey(KEY, ADA, "old pem", "a" * 64)], NOW)
    database.write_now(keys.put_keys, [NewKey(KEY, ADA, "new pem", "b" * 64)], NOW + DAY)
    database.write_now(keys.put_keys, [NewKey(KEY, ADA, "new pem", "b" * 64)], NOW + 2 * DAY)
    current = database.read_now(keys.key, KEY)
    assert current is not None
    assert (current.material, current.fetched_at) == ("new pem", NOW + 2 * DAY)
    old = database.read_now(keys.past_key, "a" * 64)
    assert old is not None
    assert (old.material, old.owner) == ("old pem", ADA)
    assert database.read_now(keys.past_key, "c" * 64) is None


def test_keys_are_found_by_id_and_by_owner(database: Database) -> None:
    database.write_now(keys.put_keys, [NewKey(KEY, ADA, "pem", "a" * 64)], NOW)
    database.write_now(keys.put_keys, [NewKey(f"{ADA}#second", ADA, "pem2", "b" * 64)], NOW)
    database.write_now(keys.put_keys, [NewKey(f"{BOB}#main-key", BOB, "pem3", "c" * 64)], NOW)
    assert database.read_now(keys.keys, [KEY, "https://nowhere/#k"]).keys() == {KEY}
    owned = database.read_now(keys.keys_of, ADA)
    assert [each.key_id for each in owned] == [KEY, f"{ADA}#second"]


def test_a_key_is_fetched_anew_once_in_a_while(database: Database) -> None:
    assert not database.write_now(keys.mark_refetched, KEY, NOW, NOW - 10 * MINUTE)
    database.write_now(keys.put_keys, [NewKey(KEY, ADA, "pem", "a" * 64)], NOW)
    for at, allowed in ((NOW, True), (NOW + 9 * MINUTE, False), (NOW + 10 * MINUTE, True)):
        taken = database.write_now(keys.mark_refetched, KEY, at, at - 10 * MINUTE)
        assert taken is allowed


def test_a_useless_key_id_is_left_alone_for_a_while(database: Database) -> None:
    database.write_now(keys.put_miss, KEY, "key-gone", NOW + MINUTE)
    miss = database.read_now(keys.misses, [KEY], NOW).get(KEY)
    assert miss is not None
    assert miss.reason == "key-gone"
    assert database.read_now(keys.misses, [KEY], NOW + MINUTE).get(KEY) is None
    assert (
        database.read_now(keys.misses, ["https://nowhere/#k"], NOW).get("https://nowhere/#k")
        is None
    )
    database.write_now(keys.put_miss, KEY, "key-unusable", NOW + DAY)
    again = database.read_now(keys.misses, [KEY], NOW + MINUTE).get(KEY)
    assert again is not None
    assert again.reason == "key-unusable"


def test_a_key_that_is_found_ends_the_miss(database: Database) -> None:
    database.write_now(keys.put_miss, KEY, "key-gone", NOW + DAY)
    database.write_now(keys.put_keys, [NewKey(KEY, ADA, "pem", "a" * 64)], NOW)
    assert database.read_now(keys.misses, [KEY], NOW).get(KEY) is None


def test_misses_that_are_over_are_purged(database: Database) -> None:
    database.write_now(keys.put_miss, KEY, "key-gone", NOW)
    database.write_now(keys.put_miss, f"{KEY}-2", "key-gone", NOW + DAY)
    assert database.write_now(keys.purge_misses, NOW) == 1
    assert database.write_now(keys.purge_misses, NOW) == 0


@pytest.mark.parametrize("text", ["Ada", "ＡＤＡ", "ada"])
def test_what_looks_alike_is_searched_alike(text: str) -> None:
    assert actors.searchable(text) == "ada"
