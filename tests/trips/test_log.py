"""The log has one line per decision, and nothing that is nobody's business."""

import json
import logging
import re
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from fedi_letter.demo.server import Trouble
from fedi_letter.services import blocking
from fedi_letter.services.tally import Tally, line
from fedi_letter.store.database import Database
from tests.trips.arrivals import follower, next_attempt, post, recovered
from tests.world import INBOX, LETTER, World

PAIR = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"]+)')
ACTIVITY = (("Content-Type", "application/activity+json"),)


def lines(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, str]]:
    """The lines about an event; each is nothing but pairs, and on one line."""
    found = []
    for record in caplog.records:
        if not record.name.startswith("fedi_letter"):
            continue
        said = record.getMessage()
        assert "\n" not in said
        assert PAIR.sub("", said).strip() == "", said
        pairs = dict(PAIR.findall(said))
        if pairs["event"] == event:
            found.append(pairs)
    return found


async def test_every_decision_about_what_arrives_has_one_line(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "I sign, with a Platypus.")
    await ada.reply(LETTER, "Only for you: Wombat.", visibility="direct")
    slow = world.fediverse.actor("bob@slow.example")
    slow.server.trouble = Trouble(503)
    await slow.reply(LETTER, "I sign.")
    await blocking.add(world.house.context, "bad.example", reason=None, by="admin:mara")
    world.clock.advance(timedelta(seconds=3))
    assert (await world.fediverse.actor("eve@bad.example").reply(LETTER, "I sign.")).status == 403
    body = json.dumps({"type": "Like", "actor": "https://x.example/a"}).encode()
    await world.request("POST", INBOX, headers=ACTIVITY, body=body)
    await world.request("POST", INBOX, headers=ACTIVITY, body=b"{")
    await world.house.worker.run_until_idle()
    refused = [(one["status"], one["reason"], one["host"]) for one in lines(caplog, "refused")]
    assert refused == [
        ("403", "blocked", "bad.example"),
        ("401", "unsigned", "-"),
        ("400", "not-json", "-"),
    ]
    judged = lines(caplog, "receipt")
    assert len({one["id"] for one in judged}) == len(judged) == 3
    counted = next(one for one in judged if one["verdict"] == "counted")
    assert (counted["activity"], counted["reason"]) == (deed.id, "clear-phrase")
    assert [one["activity"] for one in judged if one["verdict"] != "counted"] == ["-", "-"]
    assert [one for one in judged if one["verdict"] == "postponed"]
    for secret in ("Platypus", "Wombat", "signature=", "PRIVATE", "127.0.0.1", "198.51.100.7"):
        assert secret not in caplog.text


async def test_deliveries_that_arrive_share_a_line(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(3):
        await follower(world, f"p{n}@far.example", "gotosocial")
    await follower(world, "ada@near.example")
    caplog.clear()
    caplog.set_level(logging.INFO)
    await post(world)
    await world.house.worker.run_until_idle()
    arrived = lines(caplog, "delivered")
    assert sum(int(one["deliveries"]) for one in arrived) == 4
    assert not lines(caplog, "delivery")


async def test_every_end_of_a_delivery_and_every_change_of_a_host_has_one_line(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    people = [await follower(world, f"p{n}@ill.example", "gotosocial") for n in range(5)]
    near = await follower(world, "ada@near.example")
    caplog.set_level(logging.DEBUG, "fedi_letter")
    world.internet.time_out("ill.example")
    await post(world)
    await world.house.worker.run_until_idle()
    ends = lines(caplog, "delivery")
    assert len(ends) == 6
    assert {(one["host"], one["state"], one["outcome"]) for one in ends} == {
        ("ill.example", "waiting", "unreachable"),
        ("near.example", "delivered", "delivered"),
    }
    assert all(one["activity"].startswith("https://letter.example/activities/") for one in ends)
    [rests] = lines(caplog, "host")
    assert (rests["change"], rests["host"], rests["failures"]) == ("rests", "ill.example", "5")
    recovered(world, people[0].server)
    await next_attempt(world)
    assert [one["change"] for one in lines(caplog, "host")] == ["rests", "answers"]
    world.internet.time_out("ill.example")
    for _ in range(7):  # days
        await post(world)
        await world.later(timedelta(days=1))
    assert "dead" in [one["change"] for one in lines(caplog, "host")]
    recovered(world, people[0].server)
    await people[0].reply(LETTER, "I sign.")
    await world.work()
    revived = {"event": "host", "change": "revived", "host": "ill.example"}
    assert lines(caplog, "host")[-1] == revived
    caplog.clear()
    near.server.inbox_trouble = Trouble(410)
    await post(world)
    await world.work()
    gone = [one for one in lines(caplog, "delivery") if one["host"] == "near.example"]
    assert [(one["state"], one["outcome"], one["status"]) for one in gone] == [
        ("given-up", "gone", "410")
    ]


async def test_an_answer_to_one_person_leaves_no_id_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "fedi_letter")
    await follower(world, "ada@far.example")
    [accept] = lines(caplog, "delivery")
    assert (accept["type"], accept["activity"]) == ("Accept", "-")


def test_a_flood_of_overload_is_told_twice_and_counted_once_each(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "fedi_letter")
    tally = Tally()
    for _ in range(1_000):
        tally.answered(503, "overloaded")
    tally.answered(202, None)
    tally.answered(202, None)
    began, ended = lines(caplog, "overload")
    assert (began["state"], ended["state"], ended["turned_away"]) == ("began", "ended", "1000")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain-1/2:3", "plain-1/2:3"),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "no"', r'"say \"no\""'),
        ("a\nevent=forged", r'"a\nevent=forged"'),
        ("a\u2028b", r'"a\u2028b"'),
        ("\udcff", r'"\udcff"'),
        ("back\\slash", r'"back\\slash"'),
        ("", '""'),
        (None, "-"),
        (7, "7"),
    ],
)
def test_no_value_can_pose_as_another_line(value: object, written: str) -> None:
    assert line("x", it=value) == f"event=x it={written}"


def test_an_error_of_the_database_quotes_no_values(database: Database) -> None:
    statement = text("INSERT INTO chores (name, begun_at) VALUES (:name, NULL)")
    with pytest.raises(SQLAlchemyError) as failed:
        database.write_now(
            lambda connection: connection.execute(statement, {"name": "words of a stranger"})
        )
    assert "words of a stranger" not in str(failed.value).split("DETAIL")[0]
