"""People sign the letter by replying, mentioning and boosting, from whatever server they use."""

import pytest

from tests.world import HANDLE, LETTER, PAGE, World


async def test_a_reply_with_the_phrase_puts_a_person_on_the_roll(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "I sign. Art is work.")
    assert deed.status == 202
    await world.work()
    [entry] = await world.roll()
    assert entry["handle"] == ada.handle
    assert entry["via"] == ["reply"]
    assert entry["statement"] == "Art is work."
    assert entry["number"] == 1
    assert entry["revision"] == 1


async def test_a_boost_puts_a_person_on_the_roll(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.boost(LETTER)
    await world.work()
    [entry] = await world.roll()
    assert (entry["handle"], entry["via"]) == (ada.handle, ["boost"])
