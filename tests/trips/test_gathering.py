"""Many questions at the same moment are one, and no odd one spoils it for the others."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from fedi_letter.services.gathering import Gathering
from fedi_letter.store.database import DatabaseUnavailable
from fedi_letter.store.errors import Trouble


class Oracle:
    """Answers the length of each word; it does not like `odd`, nor `lost`."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def answer(self, words: Sequence[str]) -> Mapping[str, int]:
        """Answer for all but the empty word."""
        self.asked.append(list(words))
        await asyncio.sleep(0)
        if "odd" in words:
            raise ValueError("odd")
        if "lost" in words:
            raise DatabaseUnavailable(Trouble.LOST, "away")
        return {word: len(word) for word in words if word}


async def test_what_is_asked_at_once_is_asked_together_and_each_thing_once() -> None:
    oracle = Oracle()
    gathering = Gathering(oracle.answer)
    answers = await asyncio.gather(*(gathering.ask(word) for word in ("a", "bb", "a", "")))
    assert answers == [1, 2, 1, None]
    assert oracle.asked == [["a", "bb", ""]]


async def test_one_odd_question_fails_alone() -> None:
    gathering = Gathering(Oracle().answer)
    answers = await asyncio.gather(
        *(gathering.ask(word) for word in ("a", "odd", "bb")), return_exceptions=True
    )
    assert (answers[0], answers[2]) == (1, 2)
    assert isinstance(answers[1], ValueError)


async def test_a_database_that_is_away_is_not_asked_again_for_each() -> None:
    oracle = Oracle()
    gathering = Gathering(oracle.answer)
    asking = [asyncio.create_task(gathering.ask(word)) for word in ("a", "lost")]
    for one in asking:
        with pytest.raises(DatabaseUnavailable):
            await one
    assert len(oracle.asked) == 1
    assert await gathering.ask("a") == 1


async def test_whoever_goes_away_takes_nobody_with_him() -> None:
    gathering = Gathering(Oracle().answer)
    leaving, staying = (asyncio.create_task(gathering.ask(word)) for word in ("a", "bb"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 2
