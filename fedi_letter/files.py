"""Reads what lies on disk: the letter's Markdown files and the private keys.

Knows nothing of what is done with them. Every mistake in the files is named at once.
"""

import contextlib
import os
import re
import stat
from functools import cache
from pathlib import Path

from fedi_letter.httpsig.keys import PrivateKey, generate_rsa_pem, load_private_key
from fedi_letter.httpsig.refusal import SignatureRefused
from fedi_letter.letter.phrases import Phrasebook
from fedi_letter.markup.markdown import LetterMalformed, render
from fedi_letter.services.publish import LetterSource

DEFAULT_LANGUAGE = "en"
MAX_LETTER_BYTES = 1_000_000
_NAME = re.compile(r"^(?P<name>.+?)(?:\.(?P<language>[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*))?\.md$")


class FilesRefused(Exception):
    """One or more files are wrong; `problems` has a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def shipped_folder() -> Path:
    """Answer the folder of templates: inside the installed package, or beside it in a clone."""
    package = Path(__file__).resolve().parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


@cache
def shipped_phrases() -> Phrasebook:
    """Answer the signing phrases of every language, as shipped; read once, for it takes a while."""
    folder = Path(__file__).resolve().parent / "letter"
    return Phrasebook.parse((folder / "phrases.toml").read_text("utf-8"))


def read_letter(path: Path | None) -> list[LetterSource]:
    """Answer the languages of the letter at `path`, English first, then by language tag.

    `path` is a Markdown file, or a folder of `NAME.<lang>.md` files of one letter; None means the
    letter that comes with the program. Raises FilesRefused naming every mistake.
    """
    path = shipped_folder() / "letter" if path is None else path
    files = sorted(path.glob("*.md")) if path.is_dir() else [path]
    if not files:
        raise FilesRefused([f"{path} holds no Markdown file; name one NAME.<lang>.md"])
    problems: list[str] = []
    sources = [source for file in files if (source := _read_one(file, problems)) is not None]
    problems += _disagreements(path, files, sources)
    if problems:
        raise FilesRefused(problems)
    return sorted(sources, key=lambda one: (one.language != DEFAULT_LANGUAGE, one.language))


def read_source(file: Path, language: str | None = None) -> LetterSource:
    """Answer one Markdown file as a language of the letter; raises FilesRefused."""
    problems: list[str] = []
    source = _read_one(file, problems)
    if source is None:
        raise FilesRefused(problems)
    return LetterSource(language or source.language, source.source)


def _read_one(file: Path, problems: list[str]) -> LetterSource | None:
    matched = _NAME.match(file.name)
    language = (matched and matched["language"]) or DEFAULT_LANGUAGE
    try:
        source = file.read_bytes()
    except OSError as unreadable:
        problems.append(f"letter file {file}: {unreadable.strerror or unreadable}")
        return None
    if len(source) > MAX_LETTER_BYTES:
        problems.append(f"letter file {file}: larger than {MAX_LETTER_BYTES:,} bytes")
        return None
    try:
        render(source)
    except LetterMalformed as malformed:
        problems.append(f"letter file {file}: {malformed}")
        return None
    return LetterSource(language, source)


def _disagreements(path: Path, files: list[Path], sources: list[LetterSource]) -> list[str]:
    problems = []
    names = {matched["name"] for file in files if (matched := _NAME.match(file.name))}
    if len(names) > 1:
        listed = ", ".join(sorted(names))
        problems.append(f"{path} holds several letters ({listed}); keep one per folder")
    languages = [source.language for source in sources]
    for language in sorted({one for one in languages if languages.count(one) > 1}):
        problems.append(f"{path} holds two files for the language {language}")
    return problems


def load_key(folder: Path, name: str, key_id: str) -> PrivateKey:
    """Answer the private key `name`.pem in `folder`, made on the first start.

    Raises FilesRefused when the file cannot be read, is readable by others, or is no key.
    """
    file = folder / f"{name}.pem"
    try:
        if not file.exists():
            _write_private(file, generate_rsa_pem())
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise FilesRefused([f"key file {file} is readable by others; run chmod 600 {file}"])
        return load_private_key(key_id, file.read_bytes())
    except OSError as unreadable:
        raise FilesRefused([f"key file {file}: {unreadable.strerror or unreadable}"]) from None
    except SignatureRefused as unusable:
        raise FilesRefused([f"key file {file}: {unusable.detail}"]) from None


def _write_private(file: Path, pem: bytes) -> None:
    """Put the whole key in place at once: two processes may start together, one key must win."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(pem)
        opened.flush()
        os.fsync(opened.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
