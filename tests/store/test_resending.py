"""Deliveries sent again by hand: in order, nothing twice, nothing that is deleted by now."""

from collections.abc import Sequence

from sqlalchemy import Connection

from fedi_letter.store import deliveries, dispatch, origins, outbox, resending
from fedi_letter.store.database import Database
from fedi_letter.store.deliveries import Delivery, DeliveryState, Settlement
from fedi_letter.store.origins import Origin
from tests.store.given import DAY, LETTER, MINUTE, NOW

FAR = ("https://far.example/inbox", "far.example")
NEAR = ("https://near.example/inbox", "near.example")
UPDATE = "https://letter.example/updates/1"
LATER = NOW + DAY
WAITING, DELIVERED, GIVEN_UP = DeliveryState


def _uri(number: int) -> str:
    return f"https://letter.example/activities/{number}"


def _send(
    database: Database,
    number: int,
    inboxes: Sequence[tuple[str, str]] = (FAR,),
    object_uri: str = LETTER,
    type: str = "Update",
) -> None:
    def send(connection: Connection) -> None:
        row = outbox.append(connection, 1, _uri(number), type, object_uri, b"{}", True, NOW)
        deliveries.enqueue(connection, row, object_uri, inboxes, NOW, NOW)

    database.write_now(send)


def _claim(database: Database) -> list[Delivery]:
    return database.write_now(dispatch.claim, LATER, 99, MINUTE)


def _settle(database: Database, *claimed: Delivery, state: DeliveryState = GIVEN_UP) -> None:
    results = [Settlement(one.id, state, f"{state}!", None, LATER + DAY) for one in claimed]
    database.write_now(deliveries.settle_batch, results, NOW)


def _names(claimed: list[Delivery]) -> list[tuple[str, str, int]]:
    return sorted((one.activity_uri, one.host, one.attempts) for one in claimed)


def test_what_was_given_up_or_waits_goes_out_again_with_all_its_tries(database: Database) -> None:
    _send(database, 1, [FAR, NEAR])
    _send(database, 2, [FAR], UPDATE)
    far, near, waiting = sorted(_claim(database), key=lambda one: (one.activity_uri, one.host))
    _settle(database, far)
    _settle(database, near, state=DELIVERED)
    _settle(database, waiting, state=WAITING)
    assert database.write_now(resending.retry, LATER, host="near.example") == 0
    assert database.write_now(resending.retry, LATER, activity_uri=_uri(1)) == 1
    assert _names(_claim(database)) == [(_uri(1), "far.example", 0)]
    assert database.write_now(resending.retry, LATER + 2 * MINUTE) == 2
    again = database.write_now(dispatch.claim, LATER + 2 * MINUTE, 99, MINUTE)
    assert _names(again) == [(_uri(1), "far.example", 0), (_uri(2), "far.example", 0)]


def test_what_is_in_hand_is_left_there(database: Database) -> None:
    _send(database, 1)
    [held] = _claim(database)
    assert database.write_now(resending.retry, LATER) == 0
    assert _claim(database) == []
    _settle(database, held)
    assert database.write_now(resending.retry, LATER) == 1


def test_what_something_newer_has_overtaken_stays_given_up(database: Database) -> None:
    _send(database, 1, [FAR, NEAR])
    _settle(database, *_claim(database))
    _send(database, 2, [FAR, NEAR])
    far, near = sorted(_claim(database), key=lambda one: one.host)
    _settle(database, far, state=DELIVERED)
    _settle(database, near)
    assert database.write_now(resending.retry, LATER) == 2
    [first] = _claim(database)
    assert (first.activity_uri, first.host) == (_uri(1), "near.example"), "and in order"
    _settle(database, first, state=DELIVERED)
    assert _names(_claim(database)) == [(_uri(2), "near.example", 0)]


def test_what_was_deleted_is_not_sent_again_but_its_delete_is(database: Database) -> None:
    _send(database, 1, object_uri=UPDATE, type="Create")
    _settle(database, *_claim(database))
    _send(database, 2, object_uri=UPDATE, type="Delete")
    _settle(database, *_claim(database))
    assert database.write_now(resending.retry, LATER) == 1
    assert _names(_claim(database)) == [(_uri(2), "far.example", 0)]


def test_servers_that_rest_or_were_given_up_are_asked_at_once(database: Database) -> None:
    _send(database, 1, [FAR, NEAR])
    _settle(database, *_claim(database), state=WAITING)
    resting = Origin("far.example", failures=5, held_until=LATER + DAY)
    dead = Origin("near.example", failing_days=7, dead_since=NOW)
    database.write_now(origins.put_origins, [resting, dead], NOW)
    assert database.write_now(resending.retry, LATER, host="far.example") == 1
    assert _names(_claim(database)) == [(_uri(1), "far.example", 0)]
    assert database.read_now(origins.origin, "near.example") == dead
