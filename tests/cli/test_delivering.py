"""What the command line tells of deliveries: listed, summed up, watched, retried."""

from datetime import datetime, timedelta

import pytest

from fedi_letter.cli import delivering
from fedi_letter.cli.output import Bars
from fedi_letter.demo.server import Trouble
from fedi_letter.store import headway
from fedi_letter.store.headway import Report
from tests.cli.conftest import Command
from tests.cli.test_commands import beside
from tests.trips.arrivals import follower, post
from tests.world import World

LINE = frozenset(("activity_id", "inbox", "host", "state", "attempts", "due_at", "last_outcome"))


async def test_deliveries_are_listed_and_retried(answered: World, command: Command) -> None:
    ada = answered.fediverse.actor("ada@far.example")
    await ada.follow(answered.house.context.uris.actor)
    await answered.work()
    await beside(command, "post", "Hello.")
    await answered.work()
    listed = (await beside(command, "deliveries", "--json")).json
    assert {frozenset(one) for one in listed} == {LINE}
    assert {(one["host"], one["state"]) for one in listed} == {("far.example", "delivered")}
    assert (await beside(command, "deliveries")).code == 0
    retried = await beside(command, "deliveries", "retry", "--host", "far.example")
    assert (retried.code, retried.out.strip()) == (0, "0 deliveries are due now")


async def sent_to_all_sorts(world: World) -> None:
    """An update that arrived at one server, was refused by one and waits for another."""
    for host, status in (("ok.example", None), ("gone.example", 410), ("ill.example", 503)):
        person = await follower(world, f"ada@{host}")
        person.server.inbox_trouble = Trouble(status) if status else None
    await post(world)
    await world.house.worker.run_until_idle()


async def test_the_summary_balances(answered: World, command: Command) -> None:
    await sent_to_all_sorts(answered)
    told = (await beside(command, "deliveries", "--json", "--summary")).json
    assert set(told) == {"open", "updates", "answers", "hosts"}
    [update] = [one for one in told["updates"] if one["announced"]]
    waiting = update["waiting"]
    assert (waiting["due"], waiting["retrying"], waiting["held"]) == (0, 1, 0)
    assert (update["delivered"], update["given_up"]) == (1, {"gone": 1})
    assert update["announced"] == 3
    assert (told["answers"]["announced"], told["answers"]["delivered"]) == (3, 3)
    assert told["open"]["retrying"] == 1
    hosts = {one["host"]: (one["delivered"], one["waiting"]) for one in told["hosts"]}
    assert hosts == {"ok.example": (1, 0), "gone.example": (0, 0), "ill.example": (0, 1)}


async def test_the_tables_tell_the_same_to_people(answered: World, command: Command) -> None:
    empty = await beside(command, "deliveries")
    assert "0 open" in empty.out
    await sent_to_all_sorts(answered)
    told = await beside(command, "deliveries")
    assert told.code == 0, told.errors
    assert "1 (1 gone)" in told.out
    assert "1 (1 to retry)" in told.out
    assert "1 open: 0 due now, 1 wait for a retry, 0 held while their host rests" in told.out
    assert "answers to single people" in told.out


async def test_watching_ends_at_once_where_nothing_is_due(
    answered: World, command: Command
) -> None:
    told = await beside(command, "deliveries", "--watch")
    assert (told.code, told.out.startswith("nothing is due; 0 open")) == (0, True)


async def test_watching_follows_what_is_under_way_to_its_end(answered: World) -> None:
    world, context = answered, answered.house.context
    for number in range(3):
        await follower(world, f"ada@s{number}.example")
    await post(world)
    world.clock.advance(timedelta(minutes=1))
    seen: list[tuple[int, int]] = []

    async def ask() -> tuple[Report, datetime]:
        now = world.clock()
        return await context.database.read(headway.report, context.letter_id, now), now

    def draw(report: Report, _: datetime) -> None:
        newest = report.updates[0].headway
        seen.append((newest.settled, newest.announced))

    async def pause() -> None:
        await world.house.worker.run_until_idle()

    last = await delivering.follow(ask, draw, pause)
    assert seen == [(0, 3), (3, 3)]
    assert last.open.total == 0


def test_bars_are_a_line_per_change_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Bars() as bars:
        assert not bars.has("a")
        bars.show("a", "Create [x]", 1, 3, "unknown")
        bars.show("a", "Create [x]", 1, 3, "unknown")
        bars.show("a", "Create [x]", 3, 3)
        assert bars.has("a")
    assert capsys.readouterr().out.splitlines() == [
        "Create [x]: 1 of 3, time left: unknown",
        "Create [x]: 3 of 3",
    ]
