"""The demo: the play on the stage, a live table of what happens, and a reckoning at the end."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fedi_letter.demo.process import PeerFailed
from fedi_letter.demo.reckoning import Reckoning, reckon
from fedi_letter.demo.script import FOLLOWING, SCRIPT, Fate, Place, Step, expected_roll
from fedi_letter.demo.stage import Performed, Stage
from fedi_letter.demo.venue import Venue
from fedi_letter.store import receipts
from fedi_letter.store.database import Database

LINES_SHOWN = 18
PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.1
_SHORT_POLL_SECONDS = 0.005
_LOOKS = 10
"""Pages may be a part of a second behind what was decided."""
UPDATE = "Thank you all. The letter goes to print on Friday."
FLOOD = 40
REVISION_NOTE = "A closing line was added."


@dataclass(frozen=True)
class Line:
    """One act in the table: what was done, answered, expected and what became of it."""

    performed: Performed
    outcome: str
    is_right: bool


class Show:
    """One performance before one letter."""

    def __init__(self, venue: Venue, stage: Stage, console: Console, *, crash: bool) -> None:
        """With `crash` the letter's server is killed (SIGKILL) half-way and started again."""
        self._venue = venue
        self._stage = stage
        self._console = console
        self._crash = crash
        self._database = Database(venue.database_url)
        self.lines: list[Line] = []

    async def perform(self, script: Sequence[Step] = SCRIPT) -> Reckoning:
        """Perform every step and answer whether it all adds up."""
        half = len(script) // 2
        with Live(console=self._console, refresh_per_second=8, transient=True) as live:
            for number, step in enumerate(script):
                if self._crash and number == half:
                    await self._crash_under_load()
                self.lines.append(await self._act(step))
                live.update(self._table())
                self._tell_a_log(self.lines[-1])
            await self._authors_speak()
            await self._until_settled()
        if self._console.is_terminal:
            self._console.print(self._table(everything=True))
        return await self._reckon(script)

    async def close(self) -> None:
        """Let go of the database."""
        await self._database.close()

    async def _act(self, step: Step) -> Line:
        try:
            performed = await self._stage.perform(step)
        except PeerFailed as failed:
            nobody = Performed(step, step.who, None, ())
            return Line(nobody, f"could not be done: {failed}", False)
        outcome = await self._outcome(performed)
        fits = await self._comes_to_fit(performed, outcome)
        return Line(performed, outcome, performed.at_the_door and fits)

    async def _comes_to_fit(self, performed: Performed, outcome: str) -> bool:
        """Whether the roll shows what the play says by the time readers must see it."""
        for _ in range(_LOOKS):
            if _fits(performed.step, outcome, performed.handle in await self._roll()):
                return True
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def _crash_under_load(self) -> None:
        """Kill the server while requests pour in, and start it again.

        Some get no answer; whatever was answered 202 must be there afterwards.
        """
        flood = Step("mallory@evil", "flood", (Place.PAGE, FLOOD, "More!"), Fate.HELD, "")
        pouring = asyncio.create_task(self._stage.perform(flood))
        before = (await self._stage.answers())[202]
        for _ in range(int(PATIENCE_SECONDS / _SHORT_POLL_SECONDS)):
            if (await self._stage.answers())[202] > before:
                break
            await asyncio.sleep(_SHORT_POLL_SECONDS)
        await self._venue.kill()
        with contextlib.suppress(PeerFailed):  # nobody answers those who come too late
            await pouring
        await self._venue.start()

    def _tell_a_log(self, line: Line) -> None:
        """A line at once where no table can be redrawn, so that a log shows how far it got."""
        if not self._console.is_terminal:
            said = "ok " if line.is_right else "?! "
            step = line.performed.step
            told = f"{said}{line.performed.handle} {step.verb}: {step.why} -> {line.outcome}"
            self._console.print(told, markup=False, highlight=False, soft_wrap=True)

    async def _outcome(self, performed: Performed) -> str:
        """What the letter made of it, once it has made up its mind."""
        if performed.step.fate in (Fate.TURNED_AWAY, Fate.UNHEARD):
            return "turned away" if performed.statuses else "never sent to the letter"
        if performed.activity_id is None:
            return "answered"
        for _ in range(int(PATIENCE_SECONDS / _POLL_SECONDS)):
            found = await self._database.read(receipts.by_uri, performed.activity_id, 1)
            if found and not found[0].state.is_open:
                return f"{found[0].verdict}: {found[0].reason}"
            await asyncio.sleep(_POLL_SECONDS)
        return "not judged in time"

    async def _roll(self) -> list[str]:
        handles: list[str] = []
        url: str | None = "/signatories.json"
        while url:
            page = await self._venue.get_json(url)
            handles += [entry["handle"].lstrip("@") for entry in page["signatories"]]
            url = page["next"]
        return handles

    async def _authors_speak(self) -> None:
        """The authors post an update and publish a revision, on the command line."""
        await self._venue.run("post", UPDATE)
        current = await self._venue.get_json("/letters/letter/revisions/1")
        source = self._venue.folder / "letter.en.md"
        source.write_text(_source_in(current) + "\nWe mean it.\n", encoding="utf-8")
        await self._venue.run("publish", str(source), "--note", REVISION_NOTE)

    async def _until_settled(self) -> None:
        """Wait until nothing is open and everything that can be delivered has been."""
        for _ in range(int(PATIENCE_SECONDS / _POLL_SECONDS)):
            waiting = json.loads(await self._venue.run("deliveries", "--json"))
            late = [one for one in waiting if one["state"] == "waiting" and one["attempts"] == 0]
            if not late and await self._database.read(receipts.oldest_pending) is None:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _reckon(self, script: Sequence[Step]) -> Reckoning:
        answers = await self._stage.answers()
        expected = [self._stage.home_of(who)[1] for who in expected_roll(script)]
        roll = await self._roll()
        return await self._database.read(reckon, answers, roll=roll, expected=expected)

    async def readers(self) -> dict[str, int]:
        """How many of our posts each follower sees at home, by handle."""
        return {
            self._stage.home_of(step.who)[1]: len(await self._stage.timeline(step.who))
            for step in FOLLOWING
        }

    def _table(self, *, everything: bool = False) -> Table:
        table = Table("who", "does", "server says", "letter says", "", title_justify="left")
        for line in self.lines if everything else self.lines[-LINES_SHOWN:]:
            step = line.performed.step
            mark = Text("as expected", "green") if line.is_right else Text("UNEXPECTED", "red")
            said = ", ".join(sorted({str(status) for status in line.performed.statuses})) or "-"
            what = Text(f"{step.verb}: {step.why}")
            table.add_row(Text(line.performed.handle), what, said, Text(line.outcome), mark)
        return table


def _source_in(revision: dict[str, object]) -> str:
    """The Markdown of the first language of a revision, as the letter's server gives it."""
    translations = revision["translations"]
    assert isinstance(translations, list)  # noqa: S101 - our own document
    return str(translations[0]["source"])


_VERDICTS = {
    Fate.REFUSED: ("refused", "answered"),
    Fate.NOTED: ("noted", "counted", "answered"),
    Fate.MOVED: ("noted",),
    Fate.HELD: ("held", "withdrawn", "answered"),
}
"""What the letter may say of each fate; of the others the roll alone speaks."""


def _fits(step: Step, outcome: str, listed: bool) -> bool:
    """Whether what became of an act is what the play says."""
    verdict, _, reason = outcome.partition(": ")
    if step.reason is not None and reason != step.reason:
        return False
    if step.fate in _VERDICTS and verdict not in _VERDICTS[step.fate]:
        return False
    if step.fate is Fate.COUNTED:
        return listed
    may_be_listed = (Fate.NOTED, Fate.UNHEARD, Fate.TURNED_AWAY)
    return step.fate in may_be_listed or not listed


def links(venue: Venue, folder: Path) -> Group:
    """What to open in a browser while the play goes on."""
    return Group(
        Text(f"the letter       {venue.origin}/"),
        Text(f"the roll         {venue.origin}/signatories"),
        Text(f"as data          {venue.origin}/signatories.json"),
        Text(f"the feed         {venue.origin}/feed.atom"),
        Text(f"its own folder   {folder}  (database, keys, server.log)"),
    )


def balance(found: Reckoning, readers: dict[str, int]) -> Table:
    """The reckoning as a table."""
    table = Table("reckoning", "", title_justify="left", show_header=True)
    table.add_row("requests sent to the letter", str(found.sent))
    table.add_row("  answered 202", str(found.accepted))
    table.add_row("  turned away at the door", str(found.turned_away))
    table.add_row("  not answered", str(found.unanswered))
    for verdict, count in sorted(found.judged.items()):
        table.add_row(f"of the 202: {verdict}", str(count))
    for reason, count in sorted(found.refused_later.items()):
        table.add_row(f"  refused because {reason}", str(count))
    for reason, count in sorted(found.refused_at_the_door.items()):
        table.add_row(f"turned away because {reason}", str(count))
    table.add_row("not judged", str(found.still_open))
    table.add_row("delivered to other servers", str(found.delivered))
    table.add_row("  waiting", str(found.waiting))
    table.add_row("  given up", str(found.given_up))
    for handle, posts in readers.items():
        table.add_row(f"posts in the timeline of {handle}", str(posts))
    return table
