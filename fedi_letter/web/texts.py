"""The letter's text as a page shows it and as a program reads it; pure."""

import json
from collections.abc import Sequence
from typing import Any

from fedi_letter.letter.model import Way
from fedi_letter.markup.sanitise import plain_text
from fedi_letter.store.letters import Revision, RevisionKind, Translation
from fedi_letter.web.days import instant
from fedi_letter.web.views import (
    LanguageLink,
    RevisionLink,
    TextView,
    direction_of,
    language_name,
)


def translation_in(revision: Revision, language: str) -> Translation:
    """The revision in this language, else in its first."""
    for translation in revision.translations:
        if translation.language == language:
            return translation
    return revision.translations[0]


def text_view(revision: Revision, language: str, *, page: str, is_latest: bool) -> TextView:
    """The revision in one language; `page` is where its languages are switched."""
    shown = translation_in(revision, language)
    return TextView(
        title=shown.title,
        html=shown.html,
        language=shown.language,
        direction=direction_of(shown.language),
        languages=tuple(
            LanguageLink(one.language, language_name(one.language), f"{page}?lang={one.language}")
            for one in revision.translations
        ),
        version=revision.version,
        is_typo=revision.kind is RevisionKind.TYPO,
        note=revision.note or "",
        published_at=revision.published_at,
        sha256=revision.sha256,
        text_sha256=shown.sha256,
        is_latest=is_latest,
    )


def revision_link(revision: Revision, url: str) -> RevisionLink:
    """The revision as one line of the list of versions."""
    return RevisionLink(
        number=revision.number,
        version=revision.version,
        is_typo=revision.kind is RevisionKind.TYPO,
        note=revision.note or "",
        published_at=revision.published_at,
        url=url,
    )


def revision_document(revision: Revision, url: str) -> bytes:
    """The revision for programs: the exact source of every language and its hash."""
    document: dict[str, Any] = {
        "url": url,
        "number": revision.number,
        "version": revision.version,
        "kind": revision.kind.value,
        "note": revision.note,
        "published_at": instant(revision.published_at),
        "sha256": revision.sha256,
        "translations": [
            {
                "language": one.language,
                "title": one.title,
                "source": one.source.decode(),
                "sha256": one.sha256,
            }
            for one in revision.translations
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def how_signed(via: Sequence[Way]) -> str:
    """In which ways somebody signed, as the roll says it.

    >>> how_signed([Way.REPLY, Way.BOOST]), how_signed([Way.MENTION]), how_signed([])
    ('by reply and boost', 'by mention', 'signed')
    """
    return f"by {' and '.join(way.value for way in via)}" if via else "signed"


def excerpt(html: str, longest: int) -> str:
    """The beginning of a text of ours in one line, cut between words.

    >>> excerpt("<p>One two</p><p>three four</p>", 15)
    'One two three …'
    """
    words = plain_text(html).split()
    line = " ".join(words)
    if len(line) <= longest:
        return line
    return line[: longest - 1].rpartition(" ")[0] + " …"
