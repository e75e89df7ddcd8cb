"""HTML cut at a block's edge so that it fits, with a link to where the whole can be read.

Works on HTML that nh3 has already made well-formed; knows nothing of where it will be sent.
"""

import html as html_entities
import re

from fedi_letter.markup.sanitise import plain_text

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*>")


def cut(html: str, max_bytes: int, link: str) -> str:
    """Answer well-formed HTML of at most `max_bytes` (UTF-8), ending in a link when cut.

    Whole top-level blocks are kept while they fit; a first block that is too long by itself is cut
    between words and loses its markup. Raises `ValueError` when not even the link fits.

    >>> cut("<p>one</p><p>two</p>", 100, "https://letter.example/")
    '<p>one</p><p>two</p>'
    """
    if _size(html) <= max_bytes:
        return html
    closing = closing_link(link)
    room = max_bytes - _size(closing)
    if room < 0:
        raise ValueError(f"{max_bytes} bytes do not hold the link to {link}")
    kept = _blocks_within(html, room)
    return (kept or _first_words(html, room)) + closing


def closing_link(link: str) -> str:
    """Answer a last paragraph that points to the whole text, in no language.

    >>> closing_link("https://letter.example/")
    '<p>[…] <a href="https://letter.example/">letter.example/</a></p>'
    """
    shown = html_entities.escape(link.partition("://")[2] or link, quote=False)
    return f'<p>[…] <a href="{html_entities.escape(link)}">{shown}</a></p>'


def _blocks_within(html: str, room: int) -> str:
    """Answer the longest run of whole top-level blocks from the start that fits."""
    depth, last_end = 0, 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() == "br":
            continue
        depth += -1 if tag[1] else 1
        if depth == 0:
            if _size(html[: tag.end()]) > room:
                break
            last_end = tag.end()
    return html[:last_end]


def _first_words(html: str, room: int) -> str:
    """Answer a paragraph with as many words from the start as fit."""
    words = plain_text(html).split()
    fitting, used = [], _size("<p> …</p>")
    for word in words:
        escaped = html_entities.escape(word, quote=False)
        used += _size(escaped) + 1
        if used > room:
            break
        fitting.append(escaped)
    return f"<p>{' '.join(fitting)} …</p>" if fitting else ""


def _size(text: str) -> int:
    """Answer the length in bytes as it travels."""
    return len(text.encode("utf-8"))
