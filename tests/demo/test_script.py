"""The play can be performed, and its texts mean what the play says they mean."""

from collections.abc import AsyncIterator

import pytest

from fedi_letter.demo.commands import DEEDS, MISDEEDS
from fedi_letter.demo.process import PeerProcess
from fedi_letter.demo.script import SCRIPT, SERVERS, Deed, Fate, Place, Step, expected_roll
from fedi_letter.demo.stage import Stage
from fedi_letter.files import shipped_phrases
from fedi_letter.letter.phrases import ReadingKind


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """The play before a letter on an ordinary server, which judges signatures only."""
    async with PeerProcess() as house:
        origin = await house.serve("mastodon")
        host = origin.removeprefix("http://")
        letter = await house.do(f"letter@{host}", "post", "Dear all")
        who = await house.do(f"letter@{host}", "who")
        places = {
            Place.PAGE: letter["post"],
            Place.ACTOR: who["uri"],
            Place.INBOX: f"{origin}/inbox",
        }
        async with Stage(places) as stage:
            yield stage


async def test_every_step_is_answered_at_the_door_as_its_fate_says(stage: Stage) -> None:
    astray = [
        (performed.step.who, performed.step.verb, performed.statuses)
        for performed in [await stage.perform(step) for step in SCRIPT]
        # only the letter knows that strangers who vanish are nothing to it
        if not performed.at_the_door and performed.step.verb != "delete_storm"
    ]
    assert astray == []


def test_the_play_is_whole() -> None:
    assert {step.who.split("@")[1] for step in SCRIPT} == set(SERVERS)
    assert {step.verb for step in SCRIPT} <= DEEDS | MISDEEDS
    assert {step.fate for step in SCRIPT} == set(Fate)
    assert len({step.who for step in SCRIPT}) >= 25
    labels: set[str | None] = set()
    for step in SCRIPT:
        assert all(arg.label in labels for arg in step.args if isinstance(arg, Deed))
        labels.add(step.label)


REPLIES = [step for step in SCRIPT if step.verb == "reply"]


@pytest.mark.parametrize("step", REPLIES, ids=lambda step: step.who)
def test_a_reply_reads_as_its_fate_says(step: Step) -> None:
    reading = shipped_phrases().classify(step.args[1], step.named["language"])
    signs = step.fate is Fate.COUNTED or step.reason in ("not-public", "not-a-person")
    assert (reading.kind is ReadingKind.SIGN) == signs
    assert (reading.kind is ReadingKind.REFUSAL) == (step.reason == "negation")


def test_the_roll_is_who_signed_and_did_not_take_it_back() -> None:
    roll = expected_roll()
    assert {"amira@masto", "uma@pleroma", "gil@hollo", "ravi@masto", "hanna@ghost"} <= roll
    away = {"bo@gts", "chie@key", "lea@masto", "pia@takahe", "hana@ghost", "max@gts"}
    assert not roll & (away | {"sam@masto", "mallory@evil", "victim@evil", "mirror@masto"})
