"""The phrase book as shipped, read once for all tests."""

from functools import cache
from pathlib import Path

from fedi_letter.letter import phrases


@cache
def shipped() -> phrases.Phrasebook:
    """Answer the phrase book as shipped."""
    return phrases.Phrasebook.parse(Path(phrases.__file__).with_suffix(".toml").read_text("utf-8"))
