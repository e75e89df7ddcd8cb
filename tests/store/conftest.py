"""A letter that is already published once."""

import pytest

from fedi_letter.store.database import Database
from tests.store import given


@pytest.fixture
def letter_id(database: Database) -> int:
    """A letter with its first revision; both are number one in a fresh database."""
    letter = database.write_now(given.the_letter)
    database.write_now(given.a_revision, letter.id)
    return letter.id
