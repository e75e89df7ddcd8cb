"""The doctor looks at the whole: what is well is said to be, and what is not has its fix named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from fedi_letter.demo.server import Trouble
from fedi_letter.services import checkup, updates
from fedi_letter.services.checkup import Finding, Grade
from fedi_letter.services.doctor import examine
from fedi_letter.store import chores, vitals
from fedi_letter.store.headway import Waiting
from fedi_letter.store.vitals import Housing, Spool
from tests.clock import Clock
from tests.trips.arrivals import follower, recovered
from tests.world import HOST, LETTER, World, open_world

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GOOD, WARNING, BAD = Grade
CHECKS = {
    *("origin", "letter", "webfinger", "actor", "object"),
    *("clock of the web server", "clock of the database", "disk", "journal"),
    *("worker", "inbox", "keys", "deliveries", "servers", "queue"),
}
OF_THIS_MACHINE = {"clock of the database", "disk"}
"""What a story has no say in: it stops the clock, and the disk is whoever's it runs on."""


async def findings(world: World) -> dict[str, Finding]:
    """What the doctor found, by what was looked at."""
    return {finding.check: finding for finding in await examine(world.house.context)}


async def ill(world: World) -> set[str]:
    """What is not well."""
    found = await findings(world)
    return {check for check, one in found.items() if one.grade is not GOOD} - OF_THIS_MACHINE


def worked(connection: Connection, now: datetime) -> None:
    """A worker has begun its minute."""
    chores.begin(connection, "sweep", timedelta(0), now)


async def test_the_doctor_finds_nothing_wrong_with_a_healthy_letter(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys, clock=Clock(datetime.now(UTC))) as world:
        await world.house.context.database.write(worked, world.clock())
        found = await findings(world)
        assert set(found) == CHECKS
        assert {check for check, one in found.items() if one.grade is not GOOD} <= {"disk"}
        assert all(one.fix for one in found.values() if one.grade is not GOOD)


async def test_the_doctor_names_what_is_wrong_and_what_to_do(world: World) -> None:
    assert await ill(world) == {"worker"}
    database = world.house.context.database
    await database.write(worked, world.clock())
    await world.fediverse.actor("bob@far.example").reply(LETTER, "Splendid.")
    ada = await follower(world, "ada@ill.example", "gotosocial")
    others = [await follower(world, f"p{n}@ill.example", "gotosocial") for n in range(5)]
    assert len(others) == 5
    world.internet.time_out("ill.example")
    await updates.post(world.house.context, "Hello.")
    await world.house.worker.run_until_idle()
    recovered(world, ada.server)
    await updates.post(world.house.context, "Nobody works on this.")
    world.clock.advance(11 * MINUTE)
    found = await findings(world)
    assert await ill(world) == {"queue", "servers", "worker"}
    assert "1 wait" in found["queue"].found
    assert "ill.example" in found["servers"].found
    assert "held while their server rests" in found["deliveries"].found
    assert found["worker"].grade is BAD
    world.clock.advance(40 * MINUTE)
    late = await findings(world)
    assert late["deliveries"].grade is BAD
    assert "worker" in late["deliveries"].fix
    world.internet.refuse(HOST)
    unreachable = await findings(world)
    for check in ("webfinger", "actor", "object", "clock of the web server"):
        assert unreachable[check].grade is BAD
        assert unreachable[check].fix


async def test_the_doctor_sees_what_nobody_judged_and_what_waits_for_a_key(world: World) -> None:
    await world.house.context.database.write(worked, world.clock())
    ada = world.fediverse.actor("ada@far.example")
    ada.server.trouble = Trouble(503)
    assert (await ada.reply(LETTER, "I sign.")).status == 202
    await world.house.worker.run_until_idle()
    found = await findings(world)
    assert found["keys"].grade is WARNING
    assert found["keys"].found.startswith("1 wait")
    bob = world.fediverse.actor("bob@near.example")
    await bob.reply(LETTER, "I sign.")
    assert (await findings(world))["inbox"].grade is GOOD
    world.clock.advance(11 * MINUTE)
    late = (await findings(world))["inbox"]
    assert (late.grade, "11 minutes" in late.found) == (BAD, True)
    assert "worker" in late.fix


async def test_the_doctor_sees_a_clock_that_differs_in_our_own_answers(world: World) -> None:
    inner = world.app
    late = world.clock() - timedelta(minutes=5)

    async def behind(scope: object, receive: object, send: object) -> None:
        async def dated(event: dict[str, object]) -> None:
            if event["type"] == "http.response.start":
                date = late.strftime("%a, %d %b %Y %H:%M:%S GMT").encode()
                event["headers"] = [*event["headers"], (b"date", date)]  # type: ignore[misc]  # ASGI
            await send(event)  # type: ignore[operator]  # ASGI

        await inner(scope, receive, dated)

    world.internet.serve(HOST, behind)
    found = (await findings(world))["clock of the web server"]
    assert found.grade is BAD
    assert "300 s" in found.found
    assert "NTP" in found.fix


async def test_where_the_rows_live_is_told(world: World) -> None:
    housing = await world.house.context.database.read(vitals.housing)
    if world.house.context.database.is_sqlite:
        assert housing.now is None
        assert housing.journal_mode == "wal"
        assert housing.file
        free = checkup.free_bytes(housing)
        assert free is not None
        assert free > 0
    else:
        assert housing.now is not None
        assert housing.now.tzinfo is not None
        assert (housing.journal_mode, checkup.free_bytes(housing)) == (None, None)


@pytest.mark.parametrize(
    ("finding", "grade"),
    [
        (checkup.disk(None), GOOD),
        (checkup.disk(2 * 2**30), GOOD),
        (checkup.disk(2 * 2**30 - 1), WARNING),
        (checkup.disk(200 * 2**20), WARNING),
        (checkup.disk(200 * 2**20 - 1), BAD),
        (checkup.disk(0), BAD),
        (checkup.journal(Housing(journal_mode="wal")), GOOD),
        (checkup.journal(Housing(now=NOW)), GOOD),
        (checkup.journal(Housing(journal_mode="delete")), BAD),
        (checkup.clock("database", None, NOW), GOOD),
        (checkup.clock("database", NOW + timedelta(seconds=30), NOW), GOOD),
        (checkup.clock("database", NOW + timedelta(seconds=31), NOW), BAD),
        (checkup.clock("database", NOW - timedelta(hours=1), NOW), BAD),
        (checkup.worker(NOW - 4 * MINUTE, NOW), GOOD),
        (checkup.worker(NOW - 5 * MINUTE, NOW), BAD),
        (checkup.worker(None, NOW), BAD),
        (checkup.inbox(Spool(), NOW), GOOD),
        (checkup.inbox(Spool(3, 0, NOW - 9 * MINUTE), NOW), GOOD),
        (checkup.inbox(Spool(3, 0, NOW - 10 * MINUTE), NOW), BAD),
        (checkup.inbox(Spool(0, 3, None, NOW - 600 * MINUTE), NOW), GOOD),
        (checkup.keys(Spool(), NOW), GOOD),
        (checkup.keys(Spool(0, 3, None, NOW - 600 * MINUTE), NOW), WARNING),
        (checkup.outgoing(None, Waiting(), NOW), GOOD),
        (checkup.outgoing(NOW - 9 * MINUTE, Waiting(due=1), NOW), GOOD),
        (checkup.outgoing(NOW - 10 * MINUTE, Waiting(due=1), NOW), BAD),
        (checkup.outgoing(NOW + MINUTE, Waiting(held=5), NOW), GOOD),
    ],
)
def test_what_is_not_well_has_its_fix_named(finding: Finding, grade: Grade) -> None:
    assert finding.grade is grade
    assert bool(finding.fix) is (grade is not GOOD)
