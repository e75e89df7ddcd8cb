"""The wording of the letter as an object: what goes into title, summary and body, and what fits.

Knows the limits of other servers (interop A8, A9) and nothing of activities or addressing.
"""

import html as html_entities
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fedi_letter.activitypub.uris import Uris

LONGEST_NAME: Final = 150
LONGEST_SUMMARY: Final = 500
SHORTEST_ARTICLE: Final = 1_500
"""From this many characters of plain text on, the letter is an Article."""


@dataclass(frozen=True)
class Translation:
    """The letter in one language, rendered.

    `instructions` say in that language how to sign, and end in the version: being all of the body
    that Mastodon shows of an Article, they must change with every version and with nothing else
    (interop A9, B10). `summary` is the one to keep, instead of a fresh excerpt.
    """

    language: str
    title: str
    html: str
    text: str
    instructions: str
    summary: str | None = None


@dataclass(frozen=True)
class Counts:
    """How many replies, likes and shares an object has, as we count them."""

    replies: int = 0
    likes: int = 0
    shares: int = 0


UNCOUNTED: Final = Counts()
"""What is true of an object nobody has seen yet."""


def name(translation: Translation) -> str:
    """Answer the title as a plain line of at most 150 characters."""
    return _shortened(_plain_line(translation.title), LONGEST_NAME)


def summary(translation: Translation) -> str:
    """Answer an excerpt and the instructions: plain, at most 500 characters, without `<`.

    Mastodon shows of an Article nothing but title and summary, and others show the summary as a
    content warning, so tags would be seen raw and the instructions must be here.
    """
    if translation.summary is not None:
        return translation.summary
    last = _shortened(_plain_line(translation.instructions), LONGEST_SUMMARY - 100)
    excerpt = _shortened(_plain_line(translation.text), LONGEST_SUMMARY - len(last) - 1)
    return f"{excerpt} {last}".strip()


def note_html(uris: Uris, translation: Translation) -> str:
    """Answer the body of a short letter: title, text, and how to sign; a Note shows nothing else.

    The title is left out when the text begins with it anyway.
    """
    begins = _plain_line(translation.text).casefold()
    titled = not begins.startswith(_plain_line(translation.title).casefold())
    heading = f"<p><strong>{escaped(translation.title)}</strong></p>" if titled else ""
    return heading + translation.html + closing_html(uris, translation)


def closing_html(uris: Uris, translation: Translation) -> str:
    """Answer the instructions as the last paragraph, with a link to the page."""
    page = f'<a href="{html_entities.escape(uris.page)}">{escaped(uris.host)}</a>'
    return f"<p>{escaped(translation.instructions.strip())} {page}</p>"


def preview(uris: Uris, translation: Translation, published: str) -> dict[str, Any]:
    """Answer the Note that stands for the Article where only Notes are shown (FEP-b2b8)."""
    return {
        "type": "Note",
        "attributedTo": uris.actor,
        "published": published,
        "content": f"<p><strong>{escaped(name(translation))}</strong></p>"
        f"<p>{escaped(summary(translation))}</p>",
    }


def hashtag_objects(uris: Uris, hashtags: Iterable[str]) -> list[dict[str, Any]]:
    """Answer the `tag` entries of hashtags given without `#`."""
    return [
        {"type": "Hashtag", "name": f"#{tag}", "href": _hashtag_href(uris, tag)} for tag in hashtags
    ]


def hashtag_html(uris: Uris, hashtags: Sequence[str]) -> str:
    """Answer a last paragraph with the hashtags as servers know them, or nothing (interop A12)."""
    anchors = " ".join(
        f'<a href="{html_entities.escape(_hashtag_href(uris, tag))}" class="mention hashtag"'
        f' rel="tag">#<span>{escaped(tag)}</span></a>'
        for tag in hashtags
    )
    return f"<p>{anchors}</p>" if anchors else ""


def escaped(text: str) -> str:
    """Answer text for use between tags."""
    return html_entities.escape(text, quote=False)


def _hashtag_href(uris: Uris, tag: str) -> str:
    """Answer where a hashtag leads: our page, since we keep no collection of posts by tag."""
    return f"{uris.page}#{tag.casefold()}"


def _plain_line(text: str) -> str:
    """Answer one line in which nothing can be taken for a tag."""
    return " ".join(text.replace("<", "‹").replace(">", "›").split())


def _shortened(line: str, longest: int) -> str:
    """Cut between words, marking the cut; a single endless word is cut within.

    >>> _shortened("one two three", 9)
    'one two…'
    """
    if len(line) <= longest:
        return line
    head, _, _ = line[:longest].rpartition(" ")
    return (head or line[: longest - 1]).rstrip(" ,;:–—-") + "…"
