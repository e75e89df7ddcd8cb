"""Trip (b), first half: a text becomes a numbered revision, an object, an activity and deliveries.

1. All of it is one transaction: there is no revision without its bytes, its activity and its rows
   for everybody who must be told, or there is none of them.
2. `updated` strictly increases, however fast revisions follow each other (interop B10).
3. A typo fix keeps the version and the summary that readers see, so that nobody is notified for
   nothing; any other revision raises it and is announced by a short Note as well, because a changed
   body alone is invisible on Mastodon (interop B10, B11).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fedi_letter.activitypub import documents
from fedi_letter.activitypub.composition import Translation as Wording
from fedi_letter.markup.markdown import Rendered, render
from fedi_letter.services.audience import send_to_all
from fedi_letter.services.context import Context, new_id
from fedi_letter.services.refusals import PublicationRefused
from fedi_letter.services.updates import announce_revision
from fedi_letter.store import letters, publications
from fedi_letter.store.database import Connection
from fedi_letter.store.letters import Revision, RevisionKind, Translation
from fedi_letter.store.publications import Publication, PublicationKind


@dataclass(frozen=True)
class LetterSource:
    """One language of the letter, as the exact bytes of its file."""

    language: str
    source: bytes


@dataclass(frozen=True)
class Published:
    """What became of a publication; `deliveries` counts the inboxes that will be told."""

    number: int
    version: int
    page_url: str
    deliveries: int


async def publish_first(context: Context, sources: Sequence[LetterSource]) -> bool:
    """Publish revision 1 if there is none yet; answers whether that was done now."""
    return await context.database.write(_publish_first, context, sources)


async def publish(
    context: Context, source: LetterSource, *, typo: bool = False, note: str | None = None
) -> Published:
    """Publish the next revision: this language replaced or added, the others as they stand.

    Raises PublicationRefused when the text is the one already published, or the letter was taken
    down, and LetterMalformed when the text cannot be a letter.
    """
    done = await context.database.write(_publish_next, context, source, typo, note)
    context.deliveries_bell.ring()
    return done


async def retract(context: Context) -> int:
    """Delete the letter everywhere and freeze the roll; answers how many inboxes will be told.

    Raises PublicationRefused when it is not published, or was taken down before.
    """
    told = await context.database.write(_retract, context)
    context.deliveries_bell.ring()
    return told


def _publish_first(
    connection: Connection, context: Context, sources: Sequence[LetterSource]
) -> bool:
    if letters.current_revision(connection, context.letter_id) is not None:
        return False
    _publish(connection, context, sources, kind=RevisionKind.REVISION, note=None)
    return True


def _publish_next(
    connection: Connection, context: Context, source: LetterSource, typo: bool, note: str | None
) -> Published:
    letter = letters.letter(connection, context.letter_id)
    if letter is None or letter.retracted_at is not None:
        raise PublicationRefused("the letter was taken down; its id can never be used again")
    current = letters.current_revision(connection, context.letter_id)
    sources = _with(current, source)
    if current is not None and _sources_of(current) == sources:
        raise PublicationRefused(
            f"this is the text of revision {current.number} already; nothing was published"
        )
    kind = RevisionKind.TYPO if typo and current is not None else RevisionKind.REVISION
    return _publish(connection, context, sources, kind=kind, note=note)


def _with(current: Revision | None, source: LetterSource) -> list[LetterSource]:
    sources = _sources_of(current) if current is not None else []
    for position, one in enumerate(sources):
        if one.language == source.language:
            return [*sources[:position], source, *sources[position + 1 :]]
    return [*sources, source]


def _sources_of(revision: Revision) -> list[LetterSource]:
    return [LetterSource(one.language, one.source) for one in revision.translations]


def _publish(
    connection: Connection,
    context: Context,
    sources: Sequence[LetterSource],
    *,
    kind: RevisionKind,
    note: str | None,
) -> Published:
    uris = context.uris
    before = publications.publication(connection, uris.letter)
    now = _later_than(before.updated_at if before else None, context.clock())
    rendered = [render(source.source) for source in sources]
    revision = letters.add_revision(
        connection,
        context.letter_id,
        kind,
        note,
        _hash_of(sources),
        [_translation(position, *pair) for position, pair in _numbered(sources, rendered)],
        now,
    )
    kept = _summaries(before) if kind is RevisionKind.TYPO else {}
    document = documents.letter_object(
        uris,
        [_wording(context, revision, *pair, kept) for pair in zip(sources, rendered, strict=True)],
        published=before.published_at if before else now,
        updated=now,
        hashtags=rendered[0].hashtags,
        type=before.type if before else None,
    )
    publications.put_publication(
        connection,
        Publication(
            uri=uris.letter,
            letter_id=context.letter_id,
            kind=PublicationKind.LETTER,
            type=str(document["type"]),
            body=documents.encode(document),
            published_at=before.published_at if before else now,
            updated_at=now,
            html=rendered[0].html,
            revision_id=revision.id,
        ),
    )
    told = _send(connection, context, document, now, first=before is None)
    if before is not None and kind is RevisionKind.REVISION:
        told = max(told, announce_revision(connection, context, revision, now))
    return Published(revision.number, revision.version, uris.revision(revision.number), told)


def _send(
    connection: Connection,
    context: Context,
    document: documents.Document,
    now: datetime,
    *,
    first: bool,
) -> int:
    uris, id = context.uris, new_id(now)
    if first:
        activity = documents.create(uris, id, document)
        targets = {uris.letter: "object", uris.page: "page", uris.activity(id): "create"}
        letters.add_targets(connection, context.letter_id, targets)
    else:
        activity = documents.update(uris, id, document, at=now)
    return send_to_all(connection, context, activity, uris.letter, now)


def _retract(connection: Connection, context: Context) -> int:
    uris, now = context.uris, context.clock()
    if not letters.retract(connection, context.letter_id, now):
        raise PublicationRefused("the letter is not published, or was taken down before")
    publications.bury(connection, uris.letter, now)
    activity = documents.delete(uris, new_id(now), uris.letter)
    return send_to_all(connection, context, activity, uris.letter, now)


def _later_than(before: datetime | None, now: datetime) -> datetime:
    return now if before is None else max(now, before + timedelta(seconds=1))


def _hash_of(sources: Sequence[LetterSource]) -> str:
    """Answer the hash a signature is pinned to: of the file itself when there is one language.

    With several, of a list of their own hashes, a line each, as `sha256sum` would print it.
    """
    if len(sources) == 1:
        return _sha256(sources[0].source)
    lines = "".join(f"{_sha256(one.source)}  {one.language}\n" for one in sources)
    return _sha256(lines.encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _numbered(
    sources: Sequence[LetterSource], rendered: Sequence[Rendered]
) -> list[tuple[int, tuple[LetterSource, Rendered]]]:
    return list(enumerate(zip(sources, rendered, strict=True)))


def _translation(position: int, source: LetterSource, rendered: Rendered) -> Translation:
    return Translation(
        language=source.language,
        position=position,
        title=rendered.title,
        source=source.source,
        sha256=_sha256(source.source),
        html=rendered.html,
    )


def _summaries(before: Publication | None) -> Mapping[str, str]:
    """The summaries as last published, by language; a Note has none."""
    document = json.loads(before.body) if before is not None else {}
    found: Mapping[str, str] = document.get("summaryMap", {})
    return found


def _wording(
    context: Context,
    revision: Revision,
    source: LetterSource,
    rendered: Rendered,
    kept_summaries: Mapping[str, str],
) -> Wording:
    return Wording(
        language=source.language,
        title=rendered.title,
        html=rendered.html,
        text=rendered.text,
        instructions=context.phrasebook.signing_instructions(
            source.language, context.policy.sign_by, version=revision.version, compact=True
        ),
        summary=kept_summaries.get(source.language),
    )
