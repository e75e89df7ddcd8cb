"""A fediverse with an author in it: a letter without our own server."""

import pytest

from fedi_letter.demo.people import Person
from fedi_letter.demo.shapes import Note
from tests.clock import Clock
from tests.fediverse import Fediverse
from tests.internet import Internet


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def fediverse(clock: Clock) -> Fediverse:
    """An empty fediverse."""
    return Fediverse(Internet(clock), clock)


@pytest.fixture
def ada(fediverse: Fediverse) -> Person:
    """The author of what others answer, on a server that takes every scheme and judges."""
    return fediverse.actor("ada@letter.example", "mastodon")


@pytest.fixture
async def letter(ada: Person) -> Note:
    """What ada published."""
    deed = await ada.post("Dear all")
    assert deed.note is not None
    return deed.note
