"""A command line with settings of its own, and a letter that some people have answered."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from fedi_letter.cli.main import app
from tests.clock import Clock
from tests.world import ORIGIN, World, open_world


@dataclass(frozen=True)
class Outcome:
    """What a command said and how it ended."""

    code: int
    out: str
    errors: str

    @property
    def json(self) -> Any:
        """What it said, as the one JSON document it must be."""
        assert self.code == 0, self.errors
        return json.loads(self.out)


@dataclass(frozen=True)
class Command:
    """`command("post", "list")` runs fedi-letter in this process, with the test's settings."""

    environment: dict[str, str]

    @property
    def settings(self) -> dict[str, str]:
        """The settings by the names they have inside the program."""
        prefix = "FEDI_LETTER_"
        given = self.environment.items()
        return {k.removeprefix(prefix).lower(): v for k, v in given if k.startswith(prefix)}

    def __call__(self, *arguments: str, text: str | None = None, **settings: str) -> Outcome:
        environment = self.environment | {
            f"FEDI_LETTER_{k.upper()}": v for k, v in settings.items()
        }
        ran = CliRunner().invoke(app, list(arguments), input=text, env=environment)
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return Outcome(ran.exit_code, ran.stdout, ran.stderr)


@pytest.fixture
def command(
    database_url: str, letter_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command line over a fresh database, in an empty folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Command(
        {
            "FEDI_LETTER_ORIGIN": ORIGIN,
            "FEDI_LETTER_DATABASE_URL": database_url,
            "FEDI_LETTER_KEYS": str(letter_keys),
            "FEDI_LETTER_LOG_LEVEL": "error",
            "COLUMNS": "200",
        }
    )


@pytest_asyncio.fixture
async def answered(command: Command, database_url: str, letter_keys: Path) -> AsyncIterator[World]:
    """A published letter; commands run beside it, on the same database, as they do in life.

    Commands know the real time only, so the world's clock is an hour ahead: what they make due is.
    """
    ahead = Clock(datetime.now(UTC) + timedelta(hours=1))
    async with open_world(database_url, letter_keys, clock=ahead) as world:
        yield world
