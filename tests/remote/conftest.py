"""The client under test, on the in-memory internet, and what it needs."""

from collections.abc import AsyncIterator

import pytest

from fedi_letter.httpsig.keys import PrivateKey, generate_rsa_pem, load_private_key
from fedi_letter.remote.client import Client
from tests.clock import Clock
from tests.internet import Internet

INSTANCE_KEY_ID = "https://letter.example/actors/instance.actor#main-key"


@pytest.fixture(scope="session")
def instance_key() -> PrivateKey:
    """The key that signs every GET."""
    return load_private_key(INSTANCE_KEY_ID, generate_rsa_pem())


@pytest.fixture
def clock() -> Clock:
    """A clock that the test moves."""
    return Clock()


@pytest.fixture
def internet(clock: Clock) -> Internet:
    """A network on which nobody lives yet."""
    return Internet(clock)


@pytest.fixture
async def client(
    internet: Internet, clock: Clock, instance_key: PrivateKey
) -> AsyncIterator[Client]:
    """The client as in production, but for the network and the clock."""
    made = Client(
        internet,
        key=instance_key,
        user_agent="fedi-letter/test (+https://letter.example/)",
        clock=clock,
        allow_private=False,
    )
    yield made
    await made.close()
