"""The Atom feed (RFC 4287): the letter, its revisions and the authors' updates; pure.

Entry ids are the ids the fediverse knows, so they never change; newest first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

from fedi_letter.web.days import instant

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml; charset=utf-8"

# What XML 1.0 §2.2 cannot carry even escaped; a stranger's control character must not break a feed.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Entry:
    """One entry; `html` is markup of ours, already sanitised."""

    id: str
    title: str
    url: str
    html: str
    language: str | None
    published_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Channel:
    """What the feed says of itself."""

    id: str
    title: str
    author: str
    author_url: str
    page: str
    updated_at: datetime


def feed(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """The document, UTF-8, with its XML declaration."""
    root = ElementTree.Element("feed", {"xmlns": ATOM})
    _text(root, "id", channel.id)
    _text(root, "title", channel.title)
    _text(root, "updated", instant(channel.updated_at))
    author = ElementTree.SubElement(root, "author")
    _text(author, "name", channel.author)
    _text(author, "uri", channel.author_url)
    ElementTree.SubElement(
        root, "link", {"rel": "self", "href": channel.id, "type": "application/atom+xml"}
    )
    ElementTree.SubElement(
        root, "link", {"rel": "alternate", "href": channel.page, "type": "text/html"}
    )
    for entry in sorted(entries, key=lambda one: one.published_at, reverse=True):
        _entry(root, entry)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _entry(root: ElementTree.Element, entry: Entry) -> None:
    element = ElementTree.SubElement(root, "entry")
    _text(element, "id", entry.id)
    _text(element, "title", entry.title)
    _text(element, "published", instant(entry.published_at))
    _text(element, "updated", instant(max(entry.published_at, entry.updated_at)))
    ElementTree.SubElement(
        element, "link", {"rel": "alternate", "href": entry.url, "type": "text/html"}
    )
    content = _text(element, "content", entry.html)
    content.set("type", "html")
    if entry.language:
        content.set("xml:lang", entry.language)


def _text(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name)
    element.text = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
    return element
