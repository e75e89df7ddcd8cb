"""The report balances, says only what it knows, and costs no more when more was sent before."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, event, text

from fedi_letter.store import deliveries, dispatch, engines, headway, origins, outbox
from fedi_letter.store.database import Database
from fedi_letter.store.deliveries import DeliveryState, Settlement
from fedi_letter.store.headway import ActivityProgress, Headway, Report, Waiting
from fedi_letter.store.origins import Origin
from tests.store.given import LETTER, MINUTE, NOW

WAITING, DELIVERED, GIVEN_UP = DeliveryState
SECOND = timedelta(seconds=1)


def _send(connection: Connection, number: int, hosts: Sequence[str], *, public: bool = True) -> int:
    uri, about = f"https://letter.example/activities/{number}", f"{LETTER}#{number}"
    row = outbox.append(connection, 1, uri, "Create", about, b"{}", public, NOW)
    inboxes = [(f"https://{host}/inbox", host) for host in hosts]
    deliveries.enqueue(connection, row, about, inboxes, NOW, NOW)
    return row


def _settle(
    database: Database,
    ends: dict[str, tuple[DeliveryState, str, datetime | None]],
    at: datetime = NOW,
) -> None:
    """Claim all that is due, and let each host named end as told; the others stay claimed."""
    claimed = database.write_now(dispatch.claim, at, 1_000, MINUTE)
    database.write_now(
        deliveries.settle_batch,
        [
            Settlement(each.id, state, outcome, due_at=due_at)
            for each in claimed
            if each.host in ends
            for state, outcome, due_at in [ends[each.host]]
        ],
        at,
    )


def _report(database: Database, at: datetime = NOW) -> Report:
    return database.read_now(headway.report, 1, at)


def test_announced_is_delivered_and_waiting_and_given_up_with_its_reason(
    database: Database,
) -> None:
    hosts = ["ok.example", "gone.example", "no.example", "slow.example", "new.example"]
    database.write_now(_send, 1, [*hosts, "rests.example"])
    later, held = NOW + 5 * MINUTE, NOW + 30 * MINUTE
    ends = {
        "ok.example": (DELIVERED, "delivered", None),
        "gone.example": (GIVEN_UP, "gone", None),
        "no.example": (GIVEN_UP, "forbidden", None),
        "slow.example": (WAITING, "server-trouble", later),
    }
    _settle(database, ends)
    database.write_now(
        origins.put_origins, [Origin("rests.example", failures=5, held_until=held)], NOW
    )
    found = _report(database)
    [update] = found.updates
    got = update.headway
    assert got.announced == 6
    assert (got.delivered, got.reasons) == (1, {"gone": 1, "forbidden": 1})
    assert got.waiting == Waiting(1, 1, 1, oldest_due_at=NOW, next_due_at=later)
    assert got.announced == got.delivered + got.waiting.total + got.given_up
    assert found.open == got.waiting
    after = _report(database, held)
    assert after.open == Waiting(3, 0, 0, oldest_due_at=NOW)  # nobody rests any more


def test_hosts_with_most_trouble_come_first(database: Database) -> None:
    database.write_now(_send, 1, ["ok.example", "no.example", "rests.example"])
    _settle(
        database, {"ok.example": (DELIVERED, "ok", None), "no.example": (GIVEN_UP, "gone", None)}
    )
    held = NOW + MINUTE
    database.write_now(
        origins.put_origins, [Origin("rests.example", failures=5, held_until=held)], NOW
    )
    hosts = _report(database).hosts
    assert [(one.host, one.delivered, one.waiting, one.given_up) for one in hosts] == [
        ("no.example", 0, 0, 1),
        ("rests.example", 0, 1, 0),
        ("ok.example", 1, 0, 0),
    ]
    assert [one.rests_until for one in hosts] == [None, held, None]


def test_answers_to_single_people_are_told_together(database: Database) -> None:
    for number, host in enumerate(("ok.example", "gone.example", "new.example")):
        database.write_now(_send, number, [host], public=False)
    _settle(
        database, {"ok.example": (DELIVERED, "ok", None), "gone.example": (GIVEN_UP, "gone", None)}
    )
    found = _report(database)
    assert found.updates == ()
    assert found.answers.announced == 3
    assert (found.answers.delivered, found.answers.reasons) == (1, {"gone": 1})
    assert found.answers.waiting == found.open == Waiting(due=1, oldest_due_at=NOW)


def test_what_was_given_up_without_a_word_is_not_lost_from_the_sum(database: Database) -> None:
    database.write_now(_send, 1, ["odd.example"])
    database.write_now(
        lambda connection: connection.execute(
            text("UPDATE deliveries SET state = 'given-up', settled_at = created_at")
        )
    )
    [update] = _report(database).updates
    assert update.headway.reasons == {"unknown": 1}
    assert update.headway.announced == 1


def test_nothing_sent_is_nothing_to_tell(database: Database) -> None:
    assert _report(database) == Report((), Headway(), (), Waiting())


@pytest.mark.parametrize(
    ("due", "lately", "age", "left"),
    [
        (0, 0, MINUTE, timedelta(0)),
        (100, 0, MINUTE, None),  # nothing was settled: nobody knows
        (100, 50, 10 * MINUTE, 2 * MINUTE),
        (100, 50, 10 * SECOND, 20 * SECOND),  # it began ten seconds ago: so much faster
        (100, 50, -MINUTE, 2 * SECOND),  # another machine's clock is ahead
    ],
)
def test_the_time_left_follows_from_the_rate_that_was_seen(
    due: int, lately: int, age: timedelta, left: timedelta | None
) -> None:
    seen = Headway(waiting=Waiting(due=due, retrying=7, held=9), settled_lately=lately)
    update = ActivityProgress("https://a", "Create", LETTER, NOW - age, seen)
    assert update.time_left(NOW) == left


def test_the_rate_is_that_of_the_last_minute(database: Database) -> None:
    database.write_now(_send, 1, ["one.example", "two.example", "three.example"])
    _settle(database, {"one.example": (DELIVERED, "ok", None)})
    _settle(database, {"two.example": (GIVEN_UP, "gone", None)}, NOW + 90 * SECOND)
    [update] = _report(database, NOW + 91 * SECOND).updates
    assert update.headway.settled_lately == 1
    assert update.time_left(NOW + 91 * SECOND) == MINUTE
    [stalled] = _report(database, NOW + 9 * MINUTE).updates
    assert stalled.time_left(NOW + 9 * MINUTE) is None


UPDATES, AUDIENCE = 3, 1_000


def _history(connection: Connection, activities: int, audience: int) -> None:
    """Activities all of whose deliveries arrived, but for every hundredth."""
    first = connection.execute(text("SELECT coalesce(max(id), 0) FROM outbox")).scalar_one()
    for number in range(first + 1, first + 1 + activities):
        _send(connection, number, [])
    connection.execute(
        text(
            "INSERT INTO deliveries (outbox_id, inbox, host, object_uri, state, attempts, due_at,"
            " created_at, last_outcome, settled_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
            " SELECT i + 1 FROM n WHERE i < :count) SELECT o.id,"
            " 'https://h' || (i % 300) || '.example/' || i, 'h' || (i % 300) || '.example',"
            " o.object_uri, CASE WHEN i % 100 = 0 THEN 'given-up' ELSE 'delivered' END, 1,"
            " o.created_at, o.created_at, CASE WHEN i % 100 = 0 THEN 'gone' ELSE 'delivered' END,"
            " o.created_at FROM n, outbox o WHERE o.id > :first"
        ),
        {"count": audience, "first": first},
    )


def _plans(engine: Engine) -> list[str]:
    """How the database answers each question of a report of the newest updates."""
    asked: list[tuple[str, object]] = []

    def listen(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listen)
    with engine.begin() as connection:
        headway.report(connection, 1, NOW, limit=UPDATES)
    event.remove(engine, "before_cursor_execute", listen)
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    plans = []
    with engine.begin() as connection:
        for statement, parameters in asked:
            if statement.lstrip().startswith(("SELECT", "WITH")):
                found = connection.exec_driver_sql(f"{explain} {statement}", parameters)  # type: ignore[arg-type]  # as the driver was given them
                plans.append("\n".join(str(tuple(row)) for row in found))
    return plans


def test_a_report_asks_the_same_few_questions_by_index_however_much_was_sent(
    database: Database, database_url: str
) -> None:
    engine = engines.reader(engines.parse(database_url), 1)
    counts, plans = [], list[str]()
    for activities in (UPDATES, 100):
        database.write_now(_history, activities, AUDIENCE)
        database.write_now(lambda connection: connection.execute(text("ANALYZE")))
        plans = _plans(engine)
        counts.append(len(plans))
    engine.dispose()
    assert counts == [7, 7]
    for plan in plans:  # as they are with a hundred thousand deliveries of earlier updates
        assert "Seq Scan on deliveries" not in plan
        assert not re.search(r"SCAN deliveries(?! USING INDEX ix_deliveries_open)", plan)
    [newest, *_] = database.read_now(headway.report, 1, NOW, limit=UPDATES).updates
    assert newest.headway.announced == AUDIENCE
    assert newest.headway.reasons == {"gone": AUDIENCE // 100}
