"""Deliveries: each inbox once, in order, not while a server is held back, and never lost."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, insert

from fedi_letter.activitypub.delivery import BREAKER_FAILURES
from fedi_letter.store import deliveries, dispatch, followers, origins, outbox, progress, tables
from fedi_letter.store.database import Database
from fedi_letter.store.deliveries import Delivery, DeliveryState, Settlement
from fedi_letter.store.origins import Origin
from tests.store import given
from tests.store.given import ADA, BOB, DAY, LETTER, MINUTE, NOW

FAR = ("https://far.example/inbox", "far.example")
NEAR = ("https://near.example/inbox", "near.example")
WAITING, DELIVERED, GIVEN_UP = DeliveryState


def _send(
    database: Database,
    number: int,
    inboxes: Sequence[tuple[str, str]] = (FAR,),
    object_uri: str = LETTER,
    due_at: datetime = NOW,
    *,
    is_answer: bool = False,
) -> int:
    """Append an activity and enqueue it; answers its number in the outbox."""

    def send(connection: Connection) -> int:
        uri = f"https://letter.example/activities/{number}"
        body = f"activity {number}".encode()
        type_, public = ("Accept", False) if is_answer else ("Update", True)
        row = outbox.append(connection, 1, uri, type_, object_uri, body, public, NOW)
        deliveries.enqueue(connection, row, object_uri, inboxes, due_at, NOW)
        return row

    return database.write_now(send)


def _claim(database: Database, at: datetime = NOW, limit: int = 99) -> list[Delivery]:
    return database.write_now(dispatch.claim, at, limit, MINUTE)


def _settle(
    database: Database,
    delivery: Delivery,
    state: DeliveryState = DELIVERED,
    due_at: datetime | None = None,
) -> int:
    result = Settlement(delivery.id, state, f"{state}!", 202, due_at)
    return database.write_now(deliveries.settle_batch, [result], NOW)


def _follow(database: Database, letter_id: int, uri: str, *, shared: str | None, host: str) -> bool:
    return database.write_now(
        followers.add,
        letter_id,
        actor_uri=uri,
        follow_uri=f"{uri}#follow",
        inbox=f"{uri}/inbox",
        shared_inbox=shared,
        host=host,
        now=NOW,
    )


def test_a_claimed_delivery_brings_all_it_takes_to_send_it(database: Database) -> None:
    met = Origin("far.example", signature_scheme="rfc9421", scheme_learnt_at=NOW)
    database.write_now(origins.put_origins, [met], NOW)
    _send(database, 1, [FAR, NEAR])
    far, near = _claim(database)
    assert (far.body, far.type, far.inbox, far.host) == (b"activity 1", "Update", *FAR)
    assert far.activity_uri == "https://letter.example/activities/1"
    assert far.attempts == 0
    assert far.origin.signature_scheme == "rfc9421"
    assert near.origin == Origin("near.example")
    assert _claim(database) == [], "both are under a lease"


def test_an_inbox_gets_an_activity_once_however_often_it_is_enqueued(database: Database) -> None:
    row = _send(database, 1, [FAR])
    again = database.write_now(deliveries.enqueue, row, LETTER, [FAR, NEAR], NOW, NOW)
    assert again == 1
    assert database.write_now(deliveries.enqueue, row, LETTER, [], NOW, NOW) == 0
    assert [each.inbox for each in _claim(database)] == [FAR[0], NEAR[0]]


def test_a_delivery_waits_for_its_time(database: Database) -> None:
    _send(database, 1, due_at=NOW + MINUTE)
    assert _claim(database) == []
    assert database.read_now(dispatch.next_due) == NOW + MINUTE
    assert len(_claim(database, NOW + MINUTE)) == 1


def test_a_later_activity_never_overtakes_an_earlier_one_about_the_same(
    database: Database,
) -> None:
    create, delete = (_send(database, number, [FAR, NEAR]) for number in (1, 2))
    other = _send(database, 3, [FAR], "https://letter.example/updates/1")
    first = _claim(database)
    assert [(each.outbox_id, each.host) for each in first] == [
        (create, "far.example"),
        (create, "near.example"),
        (other, "far.example"),
    ]
    far, near, third = first
    _settle(database, third)
    _settle(database, near, GIVEN_UP)
    _settle(database, far, WAITING, NOW + DAY)
    assert [(each.outbox_id, each.host) for each in _claim(database)] == [(delete, "near.example")]
    assert [each.outbox_id for each in _claim(database, NOW + DAY)] == [create, delete]
    assert database.read_now(dispatch.next_due) == NOW + DAY + MINUTE


def _claim_answers(database: Database, at: datetime = NOW, limit: int = 99) -> list[int]:
    return [one.outbox_id for one in database.write_now(dispatch.claim_answers, at, limit, MINUTE)]


def test_where_much_is_due_a_tenth_is_answers(database: Database) -> None:
    crowd = [(f"https://s{n}.example/inbox", f"s{n}.example") for n in range(40)]
    told = [_send(database, 1, crowd)]
    asked = [_send(database, n, [FAR], f"https://far.example/{n}", is_answer=True) for n in (2, 3)]
    news = _send(database, 4, [NEAR], "https://letter.example/updates/1", NOW + MINUTE)
    claimed = [one.outbox_id for one in _claim(database, NOW + MINUTE, limit=10)]
    assert claimed == told * 9 + asked[:1]
    claimed = [one.outbox_id for one in _claim(database, NOW + MINUTE, limit=20)]
    assert claimed == told * 19 + asked[1:]
    assert [one.outbox_id for one in _claim(database, NOW + MINUTE)] == [*told * 12, news]


def test_answers_are_claimed_by_themselves(database: Database) -> None:
    crowd = [
        (f"https://s{n}.example/inbox", f"s{n}.example") for n in range(dispatch.ANSWERS_AMONG)
    ]
    first = _send(database, 1, [FAR], "https://far.example/1", is_answer=True)
    assert _claim_answers(database) == [first]
    assert _claim_answers(database) == [], "it is under a lease"
    # not among what became due last: the next wave finds it by its age
    assert _claim_answers(database, NOW + MINUTE) == [first]
    _send(database, 2, crowd, due_at=NOW + MINUTE)
    assert _claim_answers(database, NOW + 2 * MINUTE) == []
    assert first in [one.outbox_id for one in _claim(database, NOW + 2 * MINUTE)]
    second = _send(database, 3, [FAR, NEAR], "https://far.example/2", NOW + DAY, is_answer=True)
    assert _claim_answers(database, NOW + DAY, limit=1) == [second]
    assert _claim_answers(database, NOW + DAY) == [second]


def test_an_answer_overtakes_nothing_and_wakes_nobody(database: Database) -> None:
    """Law 1, and a server that rests: both hold for answers too."""
    stamp = "https://letter.example/stamps/1"
    earlier = _send(database, 1, [FAR], stamp, is_answer=True)
    _send(database, 2, [FAR], stamp, is_answer=True)
    assert _claim_answers(database) == [earlier]
    held = replace(Origin("near.example"), failures=5, held_until=NOW + MINUTE)
    database.write_now(origins.put_origins, [held], NOW)
    third = _send(database, 3, [NEAR], "https://near.example/1", is_answer=True)
    assert _claim_answers(database) == []
    assert third in _claim_answers(database, NOW + MINUTE)


def test_answers_that_may_not_go_hide_no_others(database: Database) -> None:
    held = Origin("far.example", failures=1, held_until=NOW + MINUTE)
    database.write_now(origins.put_origins, [held], NOW)
    for number in range(2 * dispatch.ANSWERS_AMONG):
        _send(database, number, [FAR], f"https://far.example/{number}", is_answer=True)
    near = _send(
        database, 9_999, [NEAR], "https://near.example/1", due_at=NOW - MINUTE, is_answer=True
    )
    assert _claim_answers(database, limit=5) == [near]
    assert len(_claim_answers(database, NOW + MINUTE, limit=5)) == 5


def test_a_server_that_is_held_back_is_left_alone(database: Database) -> None:
    _send(database, 1, [FAR, NEAR])
    held = Origin("far.example", failures=5, held_until=NOW + 30 * MINUTE)
    database.write_now(origins.put_origins, [held], NOW)
    assert [each.host for each in _claim(database)] == ["near.example"]
    assert database.read_now(dispatch.next_due) == NOW + MINUTE
    assert next(each.host for each in _claim(database, NOW + 30 * MINUTE)) == "far.example"


def test_when_all_are_held_the_next_is_due_when_the_hold_ends(database: Database) -> None:
    _send(database, 1)
    held = Origin("far.example", held_until=NOW + 30 * MINUTE)
    database.write_now(origins.put_origins, [held], NOW)
    assert database.read_now(dispatch.next_due) == NOW + 30 * MINUTE
    database.write_now(origins.revive_all, ["far.example"])
    assert database.read_now(dispatch.next_due) == NOW


def test_who_asked_for_a_rest_is_not_woken_by_speaking_to_us(database: Database) -> None:
    names = ("asked.example", "failed.example")
    held = [
        Origin(name, failures=failures, held_until=NOW + MINUTE)
        for name, failures in zip(names, (1, BREAKER_FAILURES), strict=True)
    ]
    database.write_now(origins.put_origins, held, NOW)
    assert database.write_now(origins.hear, names, NOW) == ["failed.example"]
    assert database.read_now(origins.origin, "asked.example") == held[0]
    # nor by the success of somebody who did not know
    success = replace(held[0], failures=0, held_until=None)
    database.write_now(origins.put_origins, [success], NOW)
    assert database.read_now(origins.origin, "asked.example") == held[0]
    # when its rest is over it is a server in trouble like others
    assert database.write_now(origins.hear, names, NOW + MINUTE) == ["asked.example"]
    database.write_now(origins.put_origins, [replace(held[0], dead_since=NOW)], NOW)
    assert database.write_now(origins.hear, names, NOW) == ["asked.example"], "B9: it is alive"
    assert database.read_now(origins.origin, "asked.example") == Origin("asked.example")


def test_what_a_dead_worker_held_is_sent_by_another(database: Database) -> None:
    _send(database, 1)
    [first] = _claim(database)
    assert _claim(database, NOW + MINUTE / 2) == []
    [again] = _claim(database, NOW + MINUTE)
    assert (again.id, again.attempts) == (first.id, 1)


def test_a_delivery_is_settled_once(database: Database) -> None:
    _send(database, 1)
    [delivery] = _claim(database)
    assert _settle(database, delivery) == 1
    assert _settle(database, delivery, GIVEN_UP) == 0
    assert database.write_now(deliveries.settle_batch, [], NOW) == 0
    [line] = database.read_now(progress.listing, 9)
    assert (line.state, line.last_outcome, line.last_status) == (DELIVERED, "delivered!", 202)
    assert (line.attempts, line.settled_at) == (1, NOW)
    assert database.read_now(dispatch.next_due) is None


def test_workers_at_once_never_send_the_same_delivery(database_url: str) -> None:
    inboxes = [(f"https://s{number}.example/inbox", f"s{number}.example") for number in range(200)]
    with Database(database_url) as one, Database(database_url) as other:
        _send(one, 1, inboxes)

        def take(worker: Database) -> list[int]:
            return [each.id for each in _claim(worker, limit=25)]

        with ThreadPoolExecutor(4) as threads:
            taken = [each for batch in threads.map(take, [one, other] * 6) for each in batch]
    assert len(taken) == len(set(taken)) >= 25


def test_the_audience_is_everybody_once_at_the_shared_inbox(
    database: Database, letter_id: int
) -> None:
    far = "https://far.example/inbox"
    for uri in (ADA, "https://far.example/users/eve"):
        _follow(database, letter_id, uri, shared=far, host="far.example")
    _follow(database, letter_id, BOB, shared=None, host="near.example:8443")
    gone = "https://gone.example/users/x"
    _follow(database, letter_id, gone, shared=None, host="gone.example")
    database.write_now(followers.drop, letter_id, gone, "unfollowed")
    database.write_now(given.a_signatory, letter_id, ADA)
    database.write_now(given.a_signatory, letter_id, "https://third.example/users/zoe")
    database.write_now(
        given.a_signatory, letter_id, "https://mute.example/users/m", inbox=None, shared_inbox=None
    )
    dead = "https://dead.example/users/d"
    _follow(database, letter_id, dead, shared=None, host="dead.example")
    database.write_now(origins.put_origins, [Origin("dead.example", dead_since=NOW)], NOW)
    row = _send(database, 1, [])

    def enqueue() -> int:
        return database.write_now(deliveries.enqueue_audience, letter_id, row, LETTER, NOW, NOW)

    assert enqueue() == 3
    assert enqueue() == 0
    assert sorted((each.inbox, each.host) for each in _claim(database)) == [
        (far, "far.example"),
        (f"{BOB}/inbox", "near.example:8443"),
        ("https://third.example/inbox", "third.example"),
    ]


def test_fifty_thousand_followers_are_enqueued_in_one_statement(
    database: Database, letter_id: int
) -> None:
    def crowd(connection: Connection) -> None:
        rows = [
            {
                "letter_id": letter_id,
                "actor_uri": f"https://s{number % 3_000}.example/users/{number}",
                "inbox": f"https://s{number % 3_000}.example/users/{number}/inbox",
                "shared_inbox": f"https://s{number % 3_000}.example/inbox" if number % 5 else None,
                "host": f"s{number % 3_000}.example",
                "state": "live",
                "since": NOW,
            }
            for number in range(50_000)
        ]
        connection.execute(insert(tables.followers), rows)

    database.write_now(crowd)
    row = _send(database, 1, [])
    count = database.write_now(deliveries.enqueue_audience, letter_id, row, LETTER, NOW, NOW)
    assert count == 10_000 + 3_000 - 600
    assert len(_claim(database, limit=500)) == 500


def test_what_waits_for_an_inbox_or_a_host_can_be_abandoned(database: Database) -> None:
    _send(database, 1, [FAR, NEAR])
    assert database.write_now(deliveries.abandon, NOW, "gone") == 0
    assert database.write_now(deliveries.abandon, NOW, "gone", inbox=FAR[0]) == 1
    assert database.write_now(deliveries.abandon, NOW, "gone", host="far.example") == 0
    assert database.write_now(deliveries.abandon, NOW, "blocked", host="near.example") == 1
    assert _claim(database) == []
    assert database.read_now(progress.counts)[GIVEN_UP] == 2


def test_deliveries_are_listed_one_by_one_newest_first(database: Database) -> None:
    _send(database, 1, [FAR, NEAR])
    _send(database, 2, [FAR], "https://letter.example/updates/1")
    by_host = {each.host: each for each in _claim(database) if each.object_uri == LETTER}
    _settle(database, by_host["near.example"])
    _settle(database, by_host["far.example"], GIVEN_UP)
    assert database.read_now(progress.counts) == {WAITING: 1, DELIVERED: 1, GIVEN_UP: 1}
    lines = database.read_now(progress.listing, 9, [WAITING, GIVEN_UP])
    assert [(line.host, line.state) for line in lines] == [
        ("far.example", WAITING),
        ("far.example", GIVEN_UP),
    ]
    assert len(database.read_now(progress.listing, 9, None, lines[0].id)) == 2


def test_what_is_learnt_of_a_server_outlasts_its_faults(database: Database) -> None:
    assert database.read_now(origins.origin, "far.example") == Origin("far.example")
    faulty = Origin("far.example", "cavage", NOW, failures=3, first_failure_at=NOW, failing_days=1)
    database.write_now(origins.put_origins, [faulty, Origin("near.example", failures=1)], NOW)
    database.write_now(origins.put_origins, [], NOW)
    found = database.read_now(origins.origins, ["far.example", "new.example"])
    assert found == {"far.example": faulty, "new.example": Origin("new.example")}
    assert database.write_now(origins.revive_all, ["far.example"]) == ["far.example"]
    assert database.write_now(origins.revive_all, ["far.example"]) == []
    assert database.write_now(origins.revive_all, ["never.example"]) == []
    assert database.read_now(origins.origin, "far.example") == Origin("far.example", "cavage", NOW)


def test_a_rest_is_not_ended_by_one_more_failure_that_another_process_saw(
    database: Database,
) -> None:
    resting = Origin("far.example", failures=5, first_failure_at=NOW, held_until=NOW + DAY)
    database.write_now(origins.put_origins, [resting], NOW)
    elsewhere = Origin("far.example", failures=2, first_failure_at=NOW + MINUTE, failing_days=1)
    database.write_now(origins.put_origins, [elsewhere], NOW + MINUTE)
    kept = database.read_now(origins.origin, "far.example")
    assert kept == replace(resting, failing_days=1)
    longer = replace(resting, failures=6, held_until=NOW + 2 * DAY)
    database.write_now(origins.put_origins, [longer], NOW + MINUTE)
    assert database.read_now(origins.origin, "far.example") == longer
    database.write_now(origins.put_origins, [elsewhere], NOW + 3 * DAY)
    assert database.read_now(origins.origin, "far.example") == elsewhere, "that rest was over"
    database.write_now(origins.put_origins, [resting], NOW)
    well = Origin("far.example", "cavage", NOW)
    database.write_now(origins.put_origins, [well], NOW)
    assert database.read_now(origins.origin, "far.example") == well, "it answered"


def test_servers_in_trouble_are_listed_while_they_are(database: Database) -> None:
    database.write_now(origins.put_origins, [Origin("dead.example", dead_since=NOW)], NOW)
    database.write_now(origins.put_origins, [Origin("held.example", held_until=NOW + MINUTE)], NOW)
    database.write_now(origins.put_origins, [Origin("past.example", held_until=NOW)], NOW)
    found = database.read_now(origins.troubled, NOW)
    assert [each.host for each in found] == ["dead.example", "held.example"]
