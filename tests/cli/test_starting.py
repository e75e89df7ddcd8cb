"""A start that cannot be right is refused: every mistake named at once, nothing half-started."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from fedi_letter.app import ensure_published, open_house
from fedi_letter.settings import load_settings
from tests.cli.conftest import Command


def test_every_wrong_setting_is_named_at_once(command: Command) -> None:
    refused = command(
        "keys",
        "show",
        origin="ftp://nowhere/path",
        username="Not A Name",
        sign_by="reply,like",
        plain_replies="maybe",
        admission="perhaps",
        database_url="mysql://user:secret@db/letter",
        log_level="loud",
    )
    assert refused.code == 1
    for name in ("ORIGIN", "USERNAME", "SIGN_BY", "PLAIN_REPLIES", "ADMISSION", "DATABASE_URL"):
        assert f"FEDI_LETTER_{name}" in refused.errors
    assert "secret" not in refused.errors


def test_a_token_that_can_be_guessed_is_refused_and_never_shown(command: Command) -> None:
    for short in ("", "letter-letter-1"):
        refused = command("keys", "show", metrics_token=short)
        assert refused.code == 1
        assert "FEDI_LETTER_METRICS_TOKEN" in refused.errors
        assert "letter-letter-1" not in refused.errors
    token = "letter-letter-16"
    assert command("keys", "show", metrics_token=token).code == 0
    assert token not in repr(load_settings(_env_file=None, metrics_token=token))


def test_a_laboratory_is_refused_on_a_public_origin(command: Command) -> None:
    refused = command("keys", "show", allow_private_addresses="true")
    assert refused.code == 1
    assert "ALLOW_PRIVATE_ADDRESSES" in refused.errors
    laboratory = {"allow_private_addresses": "true", "origin": "https://letter.test"}
    assert command("keys", "show", **laboratory).code == 0


@pytest.mark.parametrize(
    ("setting", "value"), [("origin", "https://other.example"), ("username", "another")]
)
def test_a_second_start_under_another_name_is_refused(
    command: Command, setting: str, value: str
) -> None:
    assert command("keys", "show").code == 0
    refused = command("keys", "show", **{setting: value})
    assert refused.code == 1
    assert value in refused.errors
    assert command("keys", "show").code == 0


def test_a_key_that_others_can_read_is_refused(command: Command, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert command("keys", "show", keys=str(keys)).code == 0
    assert sorted(file.name for file in keys.iterdir()) == ["instance.pem", "letter.pem"]
    assert {file.stat().st_mode & 0o777 for file in keys.iterdir()} == {0o600}
    (keys / "letter.pem").chmod(0o644)
    refused = command("keys", "show", keys=str(keys))
    assert refused.code == 1
    assert "chmod 600" in refused.errors


def test_a_file_that_is_no_key_is_refused_without_being_shown(
    command: Command, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "letter.pem").write_text("hunter2")
    (keys / "letter.pem").chmod(0o600)
    refused = command("keys", "show", keys=str(keys))
    assert refused.code == 1
    assert "letter.pem" in refused.errors
    assert "hunter2" not in refused.errors


def test_a_published_letter_no_longer_needs_its_file(command: Command, tmp_path: Path) -> None:
    settings = load_settings(_env_file=None, **command.settings)
    missing = settings.model_copy(update={"letter": tmp_path / "gone.md"})

    async def start_twice() -> tuple[bool, bool]:
        async with open_house(settings) as house:
            first = await ensure_published(house, settings)
        async with open_house(missing) as house:
            return first, await ensure_published(house, missing)

    assert asyncio.run(start_twice()) == (True, False)


def test_every_mistake_in_the_letters_files_is_named_at_once(
    command: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "ours.en.md").write_text("no heading")
    (folder / "ours.de.md").write_bytes(b"# Titel\n\n\xff\xfe")
    (folder / "other.fr.md").write_text("# Titre\n\nTexte.")
    refused = command("serve", "--port", "0", letter=str(folder))
    assert refused.code == 1
    for name in ("ours.en.md", "ours.de.md", "other"):
        assert name in refused.errors


def test_a_database_that_cannot_be_opened_is_said(command: Command) -> None:
    refused = command("keys", "show", database_url="sqlite:////no/such/folder/letter.db")
    assert refused.code == 1
    assert "database" in refused.errors


def test_a_letter_is_moved_to_postgresql_by_one_command(
    command: Command, sqlite_url: str, empty_postgres_url: str
) -> None:
    way = ("--from", sqlite_url, "--to", empty_postgres_url)
    shown = command("keys", "show", "--json", database_url=sqlite_url).json
    moved = command("migrate", *way)
    assert moved.code == 0, moved.errors
    assert "letters" in moved.out
    assert command("keys", "show", "--json", database_url=empty_postgres_url).json == shown
    refused = command("migrate", *way)
    assert refused.code == 1
    assert "empty database" in refused.errors
    assert command("migrate", "--from", sqlite_url).code == 2


def test_a_command_calls_the_workers_to_what_it_leaves_to_do(
    command: Command, postgres_url: str
) -> None:
    here = {"database_url": postgres_url}
    assert command("publish", str(written()), **here).code == 0
    assert command("post", "Thank you.", **here).code == 0
    with psycopg.connect(postgres_url) as connection:
        waiting = connection.execute("SELECT task_name FROM procrastinate_jobs").fetchall()
    assert waiting == [("deliver",)]


def written() -> Path:
    """Answer a letter in a file of its own."""
    path = Path("letter.en.md")
    path.write_text("# Dear all\n\nWe are not your free bug testers.\n", encoding="utf-8")
    return path
