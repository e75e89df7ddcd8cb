"""The real thing: servers in processes of their own, real sockets, signatures and crashes."""

from datetime import UTC, datetime
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from fedi_letter.activitypub import documents
from fedi_letter.activitypub.uris import Uris
from fedi_letter.app import open_house
from fedi_letter.demo.show import Show
from fedi_letter.demo.stage import Stage
from fedi_letter.demo.venue import Venue
from fedi_letter.letter.effects import Verdict
from fedi_letter.services.context import new_id
from fedi_letter.services.trace import document_of, trace
from fedi_letter.settings import load_settings
from fedi_letter.store import deliveries, letters, outbox, publications, receipts
from fedi_letter.store.database import Connection, Database
from fedi_letter.store.publications import Publication, PublicationKind
from tests.waiting import until

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"

pytestmark = pytest.mark.timeout(600)


async def test_the_demo_balances_though_the_server_is_killed_in_the_middle(tmp_path: Path) -> None:
    async with Venue(tmp_path) as venue, Stage(venue.places) as stage:
        show = Show(venue, stage, Console(file=StringIO()), crash=True)
        try:
            found = await show.perform()
            readers = await show.readers()
            unexplained = await _unexplained(venue)
        finally:
            await show.close()
    assert found.problems == []
    unexpected = [
        (line.performed.handle, line.performed.step.verb, line.outcome)
        for line in show.lines
        if not line.is_right
    ]
    assert unexpected == []
    assert found.unanswered > 0, "the server was killed while nobody spoke to it"
    assert found.waiting == 0
    assert set(readers.values()) == {3}, "an update, a revision and its announcement"
    assert unexplained == []


async def _unexplained(venue: Venue) -> list[tuple[str | None, str | None]]:
    """What was counted or refused, and is not told with its reason by `trace` of its own url."""
    settings = load_settings(_env_file=None, **venue.settings)
    left: list[tuple[str | None, str | None]] = []
    async with open_house(settings) as house:
        arrived = await house.context.database.read(receipts.recent, 10_000)
        ended = [one for one in arrived if one.verdict in (Verdict.COUNTED, Verdict.REFUSED)]
        assert {one.verdict for one in ended} == {Verdict.COUNTED, Verdict.REFUSED}
        for one in ended:
            about = one.activity_uri or one.actor_uri
            told = about and document_of(await trace(house.context, house.worker.processor, about))
            if not told or (one.id, one.reason) not in {
                (known["id"], known["reason"]) for known in told["receipts"]
            }:
                left.append((about, one.reason))
    return left


class Copy:
    """One running copy of the server, whose letter speaks to another copy's letter."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.uris = Uris(venue.origin, "letter")
        self._database = Database(venue.database_url)

    async def close(self) -> None:
        """Let go of the database; the server goes on."""
        await self._database.close()

    async def roll(self) -> list[str]:
        """Answer who is on this copy's roll."""
        page = await self.venue.get_json("/signatories.json")
        return [entry["actor"] for entry in page["signatories"]]

    async def followers(self) -> int:
        """Answer how many follow this copy's letter."""
        found = await self.venue.get_json(self.uris.followers, "application/activity+json")
        total: int = found["totalItems"]
        return total

    async def say(self, type_: str, about: object, *, to: "Copy") -> dict[str, object]:
        """Have this copy's worker deliver an activity of its letter to the other copy."""
        return await self._database.write(self._enqueue, type_, about, to)

    async def reply(self, text: str, *, to: "Copy") -> tuple[dict[str, object], str]:
        """Publish a Note of this letter that answers the other; answers its Create and its id."""
        uri = self.uris.update(new_id(await self._now()))
        note: dict[str, object] = {
            "id": uri,
            "type": "Note",
            "attributedTo": self.uris.actor,
            "inReplyTo": to.uris.letter,
            "content": f"<p>{text}</p>",
            "to": [PUBLIC],
            "cc": [to.uris.actor],
        }
        await self._database.write(self._publish, uri, note)
        return await self.say("Create", note, to=to), uri

    async def _now(self) -> datetime:
        return datetime.now(UTC)

    def _publish(self, connection: Connection, uri: str, note: dict[str, object]) -> None:
        letter = letters.the_letter(connection)
        assert letter is not None
        now = datetime.now(UTC)
        body = documents.encode({"@context": "https://www.w3.org/ns/activitystreams", **note})
        publications.put_publication(
            connection,
            Publication(uri, letter.id, PublicationKind.UPDATE, "Note", body, now, now, text="-"),
        )

    def _enqueue(
        self, connection: Connection, type_: str, about: object, to: "Copy"
    ) -> dict[str, object]:
        letter, now = letters.the_letter(connection), datetime.now(UTC)
        assert letter is not None
        activity: dict[str, object] = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": self.uris.activity(new_id(now)),
            "type": type_,
            "actor": self.uris.actor,
            "object": about,
            "to": [PUBLIC],
            "cc": [to.uris.actor],
        }
        outbox_id = outbox.append(
            connection,
            letter.id,
            str(activity["id"]),
            type_,
            str(activity["id"]),
            documents.encode(activity),
            True,
            now,
        )
        inbox = [(to.uris.shared_inbox, to.uris.host)]
        deliveries.enqueue(connection, outbox_id, str(activity["id"]), inbox, now, now)
        return activity


async def test_two_copies_federate_with_each_other(tmp_path: Path) -> None:
    """Each follows, boosts, answers and takes back, as peers that know nothing of each other."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder, title in zip(folders, ("For the bees", "For the bats"), strict=True):
        folder.mkdir()
        (folder / "ours.en.md").write_text(f"# {title}\n\nThey are few.\n")
    async with (
        Venue(folders[0], letter=str(folders[0] / "ours.en.md")) as first,
        Venue(folders[1], letter=str(folders[1] / "ours.en.md")) as second,
    ):
        bees, bats = Copy(first), Copy(second)
        try:
            await _each_signs_the_other(bees, bats)
            await _each_hears_of_updates(bees, bats)
        finally:
            await bees.close()
            await bats.close()


async def _each_signs_the_other(bees: Copy, bats: Copy) -> None:
    for one, other in ((bees, bats), (bats, bees)):
        await one.say("Follow", other.uris.actor, to=other)
        await until(other.followers, lambda count: count == 1)
        boost = await one.say("Announce", other.uris.letter, to=other)
        await until(other.roll, partial(list.__eq__, [one.uris.actor]))
        _, post = await one.reply("I sign.", to=other)
        undo = {**boost, "@context": None}
        await one.say("Undo", undo, to=other)
        traced = await other.venue.run("trace", str(boost["id"]))
        assert "boost" in traced
        assert await other.roll() == [one.uris.actor]
        await one.say("Delete", post, to=other)
        await until(other.roll, lambda roll: roll == [])


async def _each_hears_of_updates(bees: Copy, bats: Copy) -> None:
    for one, other in ((bees, bats), (bats, bees)):
        await one.venue.run("post", "They are fewer than last year.")
        listed = await one.venue.run("post", "list", "--json")
        assert "fewer" in listed
        told = await until(
            partial(one.venue.run, "deliveries", "--json"),
            lambda out: '"waiting"' not in out,
        )
        assert other.uris.shared_inbox in told
        assert "given-up" not in told
