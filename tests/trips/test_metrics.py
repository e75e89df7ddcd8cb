"""What a scraper sees, who may, and that everybody else finds nothing there."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from fedi_letter.demo.server import Trouble
from fedi_letter.remote.transport import WireRequest, WireResponse
from fedi_letter.services.tally import LABELS_AT_MOST, OTHER, Counted, Tally
from fedi_letter.web.metrics import metrics_alone
from tests.internet import ask
from tests.trips.arrivals import follower, post
from tests.world import HOST, INBOX, LETTER, ORIGIN, World, open_world

TOKEN = "a-token-long-enough"
Headers = tuple[tuple[str, str], ...]


def at(app: Any, peer: str | None) -> Any:
    """The application as it is reached from this address."""

    async def reached(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "client": peer and (peer, 50_000)}, receive, send)

    return reached


async def scrape(
    world: World,
    *headers: tuple[str, str],
    peer: str | None = "127.0.0.1",
    host: str = "127.0.0.1:8000",
    method: str = "GET",
    path: str = "/metrics",
) -> WireResponse:
    """One request for the metrics."""
    said = (("Host", host), *headers)
    return await ask(at(world.app, peer), WireRequest(method, f"{ORIGIN}{path}", said, None, 10**6))


async def readings(world: World) -> dict[str, dict[tuple[str, ...], float]]:
    """Every sample by its name and the values of its labels, in the order of the labels' names."""
    answer = await scrape(world)
    assert answer.status == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


async def test_a_scraper_sees_what_came_in_what_became_of_it_and_what_goes_out(
    world: World,
) -> None:
    ada = await follower(world, "ada@far.example")
    deed = await ada.reply(LETTER, "I sign.")
    assert deed.status == 202
    await world.request("POST", INBOX, headers=(("Content-Type", "text/plain"),), body=b"{}")
    unsigned = (("Content-Type", "application/activity+json"),)
    body = json.dumps({"type": "Like", "actor": "https://x.example/a"}).encode()
    await world.request("POST", INBOX, headers=unsigned, body=body)
    await post(world)
    await world.work()
    seen = await readings(world)
    arrivals = seen["fedi_letter_arrivals_total"]
    assert arrivals["accepted", "202"] == 2
    assert arrivals["unsigned", "401"] == 1
    assert arrivals["unsupported_type", "415"] == 1
    refusals = {("door", "unsigned"): 1.0, ("door", "unsupported_type"): 1.0}
    assert seen["fedi_letter_refusals_total"] == refusals
    assert seen["fedi_letter_verdicts_total"]["clear-phrase", "counted"] == 1
    delivered = seen["fedi_letter_delivery_attempts_total"]["delivered", "delivered"]
    assert delivered >= 2  # the Accept and the update
    assert seen["fedi_letter_signatories"][()] == 1
    assert seen["fedi_letter_followers"][()] == 1
    assert seen["fedi_letter_spool_age_seconds"][()] == 0
    assert seen["fedi_letter_database_up"][()] == 1
    assert seen["process_resident_memory_bytes"][()] > 1_000_000


async def test_what_waits_is_seen_with_its_age(world: World) -> None:
    ada = await follower(world, "ada@far.example")
    await ada.reply(LETTER, "I sign.")
    ada.server.inbox_trouble = Trouble(503)
    await post(world)
    world.clock.advance(timedelta(seconds=90))
    seen = await readings(world)
    assert seen["fedi_letter_spool_receipts"]["pending",] == 1
    assert seen["fedi_letter_spool_age_seconds"][()] == 90
    assert seen["fedi_letter_deliveries_open"]["due",] == 1
    assert seen["fedi_letter_fanout_lag_seconds"][()] > 0
    await world.house.worker.run_until_idle()
    world.clock.advance(timedelta(seconds=2))
    seen = await readings(world)
    assert seen["fedi_letter_spool_receipts"]["pending",] == 0
    assert seen["fedi_letter_deliveries_open"]["retrying",] == 1
    assert seen["fedi_letter_fanout_lag_seconds"][()] == 0


async def test_the_database_is_asked_once_a_second_at_most(world: World) -> None:
    before, at_first = await readings(world), world.clock()
    await follower(world, "ada@far.example")
    world.clock.now = at_first + timedelta(seconds=0.9)
    assert (await readings(world))["fedi_letter_followers"] == before["fedi_letter_followers"]
    world.clock.now -= timedelta(hours=1)  # a clock set back must not freeze the numbers
    assert (await readings(world))["fedi_letter_followers"][()] == 1


async def test_without_its_database_the_process_still_tells_of_itself(
    sqlite_url: str, letter_keys: Path
) -> None:
    async with open_world(sqlite_url, letter_keys) as world:
        await world.house.context.database.write(
            lambda connection: connection.execute(text("ALTER TABLE origins RENAME TO elsewhere"))
        )
        world.house.context.tally.count(Counted.HOSTS, "rests")
        seen = await readings(world)
        assert seen["fedi_letter_database_up"][()] == 0
        assert seen["fedi_letter_host_changes_total"]["rests",] == 1
        assert "fedi_letter_followers" not in seen


NO_ENTRY: list[tuple[dict[str, Any], Headers]] = [
    ({"peer": "198.51.100.7"}, ()),
    ({"peer": None}, ()),
    ({"peer": "not-an-address"}, ()),
    ({"host": HOST}, ()),  # a proxy on this machine that adds no header still passes on our name
    ({"host": ""}, ()),
    ({}, (("X-Forwarded-For", "203.0.113.9"),)),
    ({}, (("X-Forwarded-For", "127.0.0.1"),)),
    ({}, (("Forwarded", "for=127.0.0.1"),)),
    ({}, (("X-Real-IP", "127.0.0.1"),)),
    ({}, (("Via", "1.1 proxy"),)),
]


@pytest.mark.parametrize(("how", "headers"), NO_ENTRY)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
async def test_who_may_not_see_it_finds_nothing_as_at_any_missing_page(
    quiet: World, how: dict[str, Any], headers: Headers, method: str
) -> None:
    for accept in ("text/html", "application/json"):
        said = (*headers, ("Accept", accept))
        there = await scrape(quiet, *said, **how, method=method)
        nowhere = await scrape(quiet, *said, **how, method=method, path="/no-such-page")
        assert there.status == 404
        assert there == nowhere


@pytest.mark.parametrize(
    ("peer", "host"),
    [("127.0.0.1", "localhost:8000"), ("127.0.0.9", "127.0.0.1"), ("::1", "[::1]:8000")],
)
async def test_this_machine_may_see_it(quiet: World, peer: str, host: str) -> None:
    assert (await scrape(quiet, peer=peer, host=host)).status == 200
    assert (await scrape(quiet, peer=peer, host=host, method="HEAD")).status == 200
    assert (await scrape(quiet, peer=peer, host=host, method="DELETE")).status == 405


async def test_where_a_token_is_set_it_alone_opens(sqlite_url: str, letter_keys: Path) -> None:
    async with open_world(sqlite_url, letter_keys, metrics_token=TOKEN) as world:
        shown = ("Authorization", f"Bearer {TOKEN}")
        far = {"peer": "198.51.100.7", "host": HOST}
        assert (await scrape(world, shown, **far)).status == 200
        assert (await scrape(world, shown, ("X-Forwarded-For", "203.0.113.9"), **far)).status == 200
        for wrong in (TOKEN, "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer é", ""):
            refused = await scrape(world, ("Authorization", wrong), **far)
            assert refused == await scrape(world, **far, path="/no-such-page")
        assert (await scrape(world)).status == 404  # this machine has to show it too


async def test_no_label_grows_without_bound() -> None:
    tally = Tally()
    for number in range(LABELS_AT_MOST * 3):
        tally.count(Counted.VERDICTS, "refused", f"reason-{number}")
    counts = tally.counts(Counted.VERDICTS)
    assert len(counts) == LABELS_AT_MOST + 1
    assert counts[OTHER, OTHER] == LABELS_AT_MOST * 2
    assert sum(counts.values()) == LABELS_AT_MOST * 3


async def test_a_worker_shows_its_counts_by_themselves(quiet: World) -> None:
    context = quiet.house.context
    context.tally.count(Counted.VERDICTS, "counted", "clear-phrase")
    alone = replace(quiet, app=metrics_alone(context, None))
    assert "fedi_letter_verdicts_total" in (await scrape(alone)).body.decode()
    nowhere = await scrape(alone, path="/")
    assert nowhere.status == 404
    assert await scrape(alone, peer="198.51.100.7") == nowhere
