"""Receipts: stored in batches, claimed by one worker at a time, settled once, kept as evidence."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from fedi_letter.letter.effects import Verdict
from fedi_letter.letter.model import Marker, MarkerKind
from fedi_letter.store import claims, endorsements, marks, receipts
from fedi_letter.store.database import Database
from fedi_letter.store.receipts import ReceiptState
from tests.store import given
from tests.store.given import ADA, BOB, DAY, LETTER, MINUTE, NOW

LATER = NOW + 10 * MINUTE


def _stored(database: Database, count: int) -> list[int]:
    rows = [given.receipt(number) for number in range(count)]
    return database.write_now(receipts.insert, rows)


def _settle(database: Database, identifier: int, state: ReceiptState = ReceiptState.DONE) -> bool:
    return database.write_now(
        receipts.settle,
        identifier,
        state=state,
        verdict=Verdict.COUNTED,
        reason="clear-phrase",
        detail=None,
        now=LATER,
        steps=[(LATER, "decided", "counted")],
    )


def test_a_batch_is_stored_in_the_order_given(database: Database) -> None:
    ids = _stored(database, 50)
    assert ids == sorted(set(ids))
    for position in (0, 49):
        found = database.read_now(receipts.receipt, ids[position])
        assert found is not None
        assert found.body == f"body {position}".encode()
        assert found.received_at == NOW + timedelta(seconds=position)
    assert database.write_now(receipts.insert, []) == []
    assert database.read_now(receipts.receipt, 10_000) is None


def test_bytes_and_headers_come_back_as_they_were(database: Database) -> None:
    odd = given.receipt(
        headers='[["Date", "\\u00fc"]]', body=bytes(range(256)), target="/inbox?a=b&c"
    )
    [identifier] = database.write_now(receipts.insert, [odd])
    found = database.read_now(receipts.receipt, identifier)
    assert found is not None
    assert (found.headers, found.body, found.target) == (odd.headers, odd.body, odd.target)
    assert found.trail == ()


def test_receipts_are_claimed_oldest_first_and_by_one_worker(database: Database) -> None:
    ids = _stored(database, 5)
    first = database.write_now(claims.claim, LATER, 3, MINUTE)
    second = database.write_now(claims.claim, LATER, 3, MINUTE)
    third = database.write_now(claims.claim, LATER, 3, MINUTE)
    assert [each.id for each in first] == ids[:3]
    assert [each.id for each in second] == ids[3:]
    assert third == []


def test_whoever_looked_at_the_clock_a_moment_earlier_takes_nothing_twice(
    database: Database,
) -> None:
    _stored(database, 5)
    assert len(database.write_now(claims.claim, LATER, 5, MINUTE)) == 5
    earlier = LATER - timedelta(milliseconds=20)
    assert database.write_now(claims.claim, earlier, 5, MINUTE) == []


def test_what_was_put_off_is_not_claimed_before_it_is_due(database: Database) -> None:
    put_off, other = _stored(database, 2)
    database.write_now(receipts.postpone, put_off, LATER + MINUTE, (LATER, "postponed", "no key"))
    claimed = database.write_now(claims.claim, LATER, 10, MINUTE)
    assert [each.id for each in claimed] == [other]


def test_a_clock_set_back_an_hour_strands_nothing(database: Database) -> None:
    """What came in by the old hour is due, and what was held by it is free."""
    ids = _stored(database, 2)
    held = database.write_now(claims.claim, LATER, 1, MINUTE)
    assert [each.id for each in held] == ids[:1]
    taken = database.write_now(claims.claim, NOW - timedelta(hours=1), 10, MINUTE)
    assert [each.id for each in taken] == ids


def test_a_flood_of_one_server_delays_nobody_else_by_more_than_a_batch(
    database: Database,
) -> None:
    flood = [given.receipt(number, key_host="flood.example") for number in range(300)]
    others = [given.receipt(300 + n, key_host=f"h{n % 3}.example") for n in range(15)]
    database.write_now(receipts.insert, [*flood, *others])
    batch = database.write_now(claims.claim, LATER, 40, MINUTE)
    hosts = [each.key_host for each in batch]
    assert len(batch) == 40
    assert len({each.id for each in batch}) == 40
    assert hosts.count("flood.example") == 25
    assert [each.id for each in batch] == sorted(each.id for each in batch)


def test_a_flood_alone_fills_its_batches(database: Database) -> None:
    flood = [given.receipt(number, key_host="flood.example") for number in range(90)]
    database.write_now(receipts.insert, flood)
    sizes = [len(database.write_now(claims.claim, LATER, 40, MINUTE)) for _ in range(4)]
    assert sizes == [40, 40, 10, 0]


@pytest.mark.parametrize("flooding", [90, 20])
def test_of_a_crowd_no_more_is_taken_than_asked_for(database: Database, flooding: int) -> None:
    flood = [given.receipt(number, key_host="flood.example") for number in range(flooding)]
    others = [given.receipt(90 + n, key_host=f"h{n}.example") for n in range(5)]
    database.write_now(receipts.insert, [*flood, *others])
    batch = database.write_now(claims.claim, LATER, 40, MINUTE, (), 12)
    hosts = [each.key_host for each in batch]
    assert hosts == ["flood.example"] * 12 + [f"h{n}.example" for n in range(5)]
    left = database.write_now(claims.claim, LATER, 40, MINUTE, (), 12)
    assert [each.key_host for each in left] == ["flood.example"] * min(12, flooding - 12)


def test_who_is_no_crowd_is_taken_whole(database: Database) -> None:
    rows = [given.receipt(number, key_host=f"h{number % 4}.example") for number in range(40)]
    database.write_now(receipts.insert, rows)
    assert len(database.write_now(claims.claim, LATER, 40, MINUTE, (), 5)) == 40


def test_of_a_server_that_is_worked_off_already_none_is_taken(database: Database) -> None:
    flood = [given.receipt(number, key_host="flood.example") for number in range(90)]
    others = [given.receipt(90 + n, key_host=f"h{n}.example") for n in range(3)]
    homeless = given.receipt(93, key_host=None)
    database.write_now(receipts.insert, [*flood, *others, homeless])
    batch = database.write_now(claims.claim, LATER, 40, MINUTE, {"flood.example"})
    assert [each.key_host for each in batch] == ["h0.example", "h1.example", "h2.example", None]
    assert database.write_now(claims.claim, LATER, 40, MINUTE, {"flood.example"}) == []
    assert len(database.write_now(claims.claim, LATER, 40, MINUTE)) == 40


@pytest.mark.parametrize("busy", [set(), {"flood.example"}])
def test_many_servers_that_are_put_off_hide_nobody(database: Database, busy: set[str]) -> None:
    dead = [given.receipt(n, key_host=f"a{n:02}.example") for n in range(60)]
    flood = [given.receipt(60 + n, key_host="flood.example") for n in range(200)]
    others = [given.receipt(260 + n, key_host=f"z{n}.example") for n in range(20)]
    ids = database.write_now(receipts.insert, [*dead, *flood, *others])
    for identifier in ids[: len(dead)]:
        step = (NOW, "postponed", "unreachable")
        assert database.write_now(receipts.postpone, identifier, LATER + DAY, step)
    batch = database.write_now(claims.claim, LATER, 64, MINUTE, busy, 16)
    hosts = [each.key_host for each in batch if each.key_host != "flood.example"]
    assert len(hosts) >= 16, hosts
    assert all(host and host.startswith("z") for host in hosts)


def test_workers_at_once_never_claim_the_same(database_url: str) -> None:
    with Database(database_url) as one, Database(database_url) as other:
        ids = _stored(one, 200)

        def take(worker: Database) -> list[int]:
            claimed = worker.write_now(claims.claim, LATER, 30, MINUTE)
            return [each.id for each in claimed]

        with ThreadPoolExecutor(4) as threads:
            taken = [each for batch in threads.map(take, [one, other] * 4) for each in batch]
        taken += take(one)
    assert len(taken) == len(set(taken))
    assert set(taken) <= set(ids)
    assert len(taken) >= 30


def test_what_a_dead_worker_held_comes_back(database: Database) -> None:
    [identifier] = _stored(database, 1)
    database.write_now(claims.claim, LATER, 1, MINUTE)
    assert database.read_now(receipts.next_due) == LATER + MINUTE
    assert database.write_now(claims.claim, LATER, 1, MINUTE) == []
    [again] = database.write_now(claims.claim, LATER + MINUTE, 1, MINUTE)
    assert (again.id, again.attempts) == (identifier, 2)


def test_a_receipt_is_settled_once(database: Database) -> None:
    [identifier] = _stored(database, 1)
    assert _settle(database, identifier)
    assert not _settle(database, identifier, ReceiptState.REFUSED)
    found = database.read_now(receipts.receipt, identifier)
    assert found is not None
    assert (found.state, found.verdict) == (ReceiptState.DONE, Verdict.COUNTED)
    assert found.trail == ((LATER, "decided", "counted"),)
    assert database.write_now(claims.claim, LATER + DAY, 1, MINUTE) == []
    assert not database.write_now(receipts.release, identifier)
    assert not database.write_now(receipts.verified, identifier, "a" * 64)
    assert not database.write_now(receipts.postpone, identifier, LATER, (LATER, "again", "no"))
    assert database.read_now(receipts.next_due) is None


def test_a_postponed_receipt_waits_and_remembers_why(database: Database) -> None:
    [identifier] = _stored(database, 1)
    database.write_now(claims.claim, LATER, 1, DAY)
    step = (LATER, "asked for the key", "timed out\non two lines")
    assert database.write_now(receipts.postpone, identifier, LATER + DAY, step)
    assert database.write_now(claims.claim, LATER + MINUTE, 1, MINUTE) == []
    assert database.read_now(receipts.next_due) == LATER + DAY
    [again] = database.write_now(claims.claim, LATER + DAY, 1, MINUTE)
    assert again.state is ReceiptState.WAITING
    assert again.trail == (step,)


def test_a_released_receipt_is_free_at_once(database: Database) -> None:
    [identifier] = _stored(database, 1)
    database.write_now(claims.claim, LATER, 1, DAY)
    assert database.write_now(receipts.release, identifier)
    assert len(database.write_now(claims.claim, LATER, 1, DAY)) == 1


def test_what_was_proved_is_noted_without_losing_what_was_known(database: Database) -> None:
    [identifier] = _stored(database, 1)
    database.write_now(claims.claim, LATER, 1, DAY)
    assert database.write_now(receipts.verified, identifier, "a" * 64, object_uri=BOB)
    [found] = database.write_now(claims.claim, LATER, 1, DAY)
    assert (found.verified_by, found.object_uri, found.actor_uri) == ("a" * 64, BOB, ADA)


def test_a_receipt_born_settled_is_never_claimed(database: Database) -> None:
    refused = given.receipt(state=ReceiptState.REFUSED, verdict=Verdict.REFUSED, reason="stale")
    [identifier] = database.write_now(receipts.insert, [refused])
    assert database.write_now(claims.claim, LATER, 9, MINUTE) == []
    assert database.read_now(receipts.oldest_pending) is None
    assert database.write_now(receipts.reopen, identifier, LATER, (LATER, "reopened", "admin:ada"))
    assert not database.write_now(
        receipts.reopen, identifier, LATER, (LATER, "reopened", "admin:ada")
    )
    assert len(database.write_now(claims.claim, LATER, 9, MINUTE)) == 1


def test_a_receipt_under_a_lease_from_birth_waits_for_its_end(database: Database) -> None:
    database.write_now(receipts.insert, [given.receipt(lease_until=LATER)])
    assert database.write_now(claims.claim, LATER - MINUTE, 9, MINUTE) == []
    assert len(database.write_now(claims.claim, LATER, 9, MINUTE)) == 1


@pytest.mark.parametrize("uri", [f"{ADA}/activities/1", ADA, LETTER])
def test_a_trace_finds_receipts_by_activity_actor_and_object(database: Database, uri: str) -> None:
    ids = _stored(database, 2)
    found = database.read_now(receipts.by_uri, uri, 1)
    assert [each.id for each in found] == [ids[1]]
    assert database.read_now(receipts.by_uri, "https://nowhere", 9) == []


def test_the_newest_receipts_are_paged(database: Database) -> None:
    ids = _stored(database, 3)
    _settle(database, ids[2])
    assert [each.id for each in database.read_now(receipts.recent, 2)] == [ids[2], ids[1]]
    assert [each.id for each in database.read_now(receipts.recent, 2, ids[1])] == [ids[0]]
    done = database.read_now(receipts.recent, 9, None, ReceiptState.DONE)
    assert [each.id for each in done] == [ids[2]]


def test_the_reckoning_counts_every_end(database: Database) -> None:
    ids = _stored(database, 3)
    _settle(database, ids[0])
    counted = {
        (each.state, each.verdict, each.reason): each.count
        for each in database.read_now(receipts.counts)
    }
    assert counted == {
        (ReceiptState.PENDING, None, None): 2,
        (ReceiptState.DONE, Verdict.COUNTED, "clear-phrase"): 1,
    }
    assert database.read_now(receipts.oldest_pending) == NOW + timedelta(seconds=1)


def test_old_receipts_are_purged_in_bites_but_evidence_stays(
    database: Database, letter_id: int
) -> None:
    ids = _stored(database, 6)
    for identifier in ids[:4]:
        _settle(database, identifier)
    _settle(database, ids[4], ReceiptState.REFUSED)
    database.write_now(endorsements.record, [given.act(letter_id, receipt_id=ids[0])])

    def purge(days: int, limit: int = 100) -> int:
        return database.write_now(receipts.purge, LATER + days * DAY + MINUTE, limit)

    assert purge(6) == 0
    assert purge(7) == 1
    assert database.read_now(receipts.receipt, ids[4]) is None
    assert purge(89) == 0
    assert purge(90, limit=2) == 2
    assert purge(90) == 1
    assert purge(9_000) == 0
    kept = [each.id for each in database.read_now(receipts.recent, 9)]
    assert kept == [ids[5], ids[0]], "the open one and the evidence"


def test_what_was_seen_is_known_again_until_it_is_purged(database: Database) -> None:
    a, b = "d" * 64, "e" * 64
    assert database.write_now(marks.remember_seen, {a: 1}, NOW) == {a}
    assert database.write_now(marks.remember_seen, {b: 2, a: 2}, NOW + DAY) == {b}
    assert database.write_now(marks.remember_seen, {}, NOW) == set()
    assert database.write_now(marks.purge_seen, NOW) == 0
    assert database.write_now(marks.purge_seen, NOW + MINUTE) == 1
    assert database.write_now(marks.remember_seen, {a: 3}, NOW + DAY) == {a}


def test_a_marker_is_kept_once_and_until_it_expires(database: Database) -> None:
    marker = Marker(f"{ADA}/posts/1", MarkerKind.DELETED, NOW)
    database.write_now(marks.add_marker, ADA, marker, NOW + DAY)
    database.write_now(marks.add_marker, ADA, marker, NOW + 2 * DAY)
    database.write_now(marks.add_marker, BOB, marker, NOW + 2 * DAY)
    assert database.write_now(marks.purge_markers, NOW) == 0
    assert database.write_now(marks.purge_markers, NOW + DAY) == 1
    assert database.write_now(marks.purge_markers, NOW + 2 * DAY) == 1


def test_who_is_still_open_is_said_of_a_batch(database: Database) -> None:
    ids = _stored(database, 3)
    assert _settle(database, ids[1])
    assert database.write_now(receipts.still_open, [ids[2], ids[1], ids[0]]) == {ids[0], ids[2]}
    assert database.write_now(receipts.still_open, []) == set()
