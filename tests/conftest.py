"""What every test may ask for."""

from pathlib import Path

import pytest

from fedi_letter.files import load_key

pytest_plugins = ["tests.databases"]


@pytest.fixture(scope="session")
def letter_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the letter's keys, made once per test process: making them is slow."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("letter", "instance"):
        load_key(folder, name, f"https://letter.example/{name}")
    return folder
