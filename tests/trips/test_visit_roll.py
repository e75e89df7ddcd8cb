"""A program reads the roll: JSON by pages, CSV whole; the shape is a promise."""

import csv
import io
import json
from typing import Any
from urllib.parse import urlsplit

from fedi_letter.letter.model import Visibility, Way
from tests.trips.seeds import Seed, crowd, planted
from tests.world import ORIGIN, World


async def read(world: World, url: str) -> dict[str, Any]:
    """One page of the roll as JSON."""
    answer = await world.request("GET", url)
    assert answer.status == 200, answer.body
    assert dict(answer.headers)["content-type"] == "application/json"
    assert dict(answer.headers)["access-control-allow-origin"] == "*"
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def test_the_json_has_exactly_the_promised_shape(world: World) -> None:
    await planted(world, Seed("ada", "Ada Lovelace", "for the engine"))
    assert await read(world, "/signatories.json") == {
        "total": 1,
        "signatories": [
            {
                "number": 1,
                "handle": "@ada@far.example",
                "actor": "https://far.example/users/ada",
                "name": "Ada Lovelace",
                "via": ["reply"],
                "statement": "for the engine",
                "signed_at": "2026-11-22T12:00:00Z",
                "revision": 1,
                "url": "https://far.example/posts/ada",
            }
        ],
        "next": None,
    }


async def test_an_empty_roll_is_a_roll(world: World) -> None:
    assert await read(world, "/signatories.json") == {"total": 0, "signatories": [], "next": None}


async def test_following_next_gives_everybody_once_oldest_first(world: World) -> None:
    await planted(world, *crowd(123))
    url: str | None = "/signatories.json"
    numbers: list[int] = []
    sizes: list[int] = []
    while url is not None:
        page = await read(world, url)
        assert page["total"] == 123
        sizes.append(len(page["signatories"]))
        numbers += [entry["number"] for entry in page["signatories"]]
        url = page["next"]
        assert url is None or url.startswith(f"{ORIGIN}/signatories.json?page=")
    assert numbers == list(range(1, 124))
    assert sizes == [50, 50, 23]


async def test_the_size_of_a_page_can_be_asked_for_and_is_kept(world: World) -> None:
    await planted(world, *crowd(5))
    page = await read(world, "/signatories.json?limit=2")
    assert len(page["signatories"]) == 2
    second = await read(world, page["next"])
    assert [entry["number"] for entry in second["signatories"]] == [3, 4]
    assert urlsplit(second["next"]).query == "page=4&limit=2"


async def test_a_bad_page_is_the_caller_s_mistake(world: World) -> None:
    endless = "9" * 400
    for query in ("page=x", "page=-1", "page=", "page=1e3", f"page={endless}", "limit=0"):
        answer = await world.request("GET", f"/signatories.json?{query}")
        assert answer.status == 400, query
        assert dict(answer.headers)["content-type"] == "application/problem+json"
        assert json.loads(answer.body)["status"] == 400


async def test_an_unlisted_post_signs_without_being_quoted(world: World) -> None:
    await planted(world, Seed("eve", "Eve", "not for all", visibility=Visibility.UNLISTED))
    entry = (await read(world, "/signatories.json"))["signatories"][0]
    assert entry["handle"] == "@eve@far.example"
    assert entry["statement"] == ""
    assert entry["url"] == "https://far.example/@eve"


async def test_the_csv_is_the_json_whole(world: World) -> None:
    await planted(world, *crowd(505), Seed("bob", "Bob", way=Way.BOOST))
    answer = await world.request("GET", "/signatories.csv")
    assert dict(answer.headers)["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    page = await read(world, "/signatories.json?limit=500")
    entries = page["signatories"] + (await read(world, page["next"]))["signatories"]
    assert len(rows) == 506
    assert rows[-1]["via"] == "boost"
    assert rows == [
        {key: " ".join(value) if key == "via" else str(value) for key, value in entry.items()}
        for entry in entries
    ]


async def test_no_cell_of_the_csv_is_a_formula(world: World) -> None:
    hostile = ("=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(1,1)", "\t=1", "＝1+1", '"=1"\n=2')
    await planted(world, *(Seed(f"m{n}", text, text) for n, text in enumerate(hostile)))
    answer = await world.request("GET", "/signatories.csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    for row, text in zip(rows, hostile, strict=True):
        for cell in (row["name"], row["statement"]):
            assert cell.lstrip("'") == text
            assert cell.startswith("'") or text.startswith('"')
        assert row["handle"].startswith("@m")


async def test_a_crowd_at_the_door_sees_the_roll_of_now(world: World) -> None:
    await planted(world, *crowd(2))
    assert len(await world.roll()) == 2
    await planted(world, Seed("late", "Late"))
    assert [entry["name"] for entry in await world.roll()][-1] == "Late"
