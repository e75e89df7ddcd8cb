"""The letter's Markdown becomes a title, plain HTML that every server shows, and plain text.

Servers strip or mangle most tags, so only p br a strong em b i u del code pre blockquote ul ol li
span h2-h4 come out (interop A10): tables become lists, images links, rules a sign. HTML written in
the Markdown is shown as typed, never passed on. Must not know the letter's language.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, takewhile
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from fedi_letter.markup.sanitise import plain_text

_TAGS: Final = {
    *("p", "br", "a", "strong", "em", "b", "i", "u", "del", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "span", "h2", "h3", "h4"),
}
_HIGHEST_HEADING: Final = 2
_LOWEST_HEADING: Final = 4
_RULE_SIGN: Final = "⁂"
_ABSOLUTE = re.compile(r"https?://[^\s/?#@]+(?:[/?#]|$)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?()\[\]'’”]", re.IGNORECASE)
_CODE = re.compile(r"<(pre|code)\b.*?</\1>", re.DOTALL)
_HASHTAG = re.compile(r"(?<![\w/&#])#(\w*[^\W\d_]\w*)")


class LetterMalformedReason(StrEnum):
    """Why a text cannot be the letter."""

    NOT_UTF8 = "not-utf8"
    EMPTY = "empty"
    NO_TITLE = "no-title"
    NO_BODY = "no-body"


class LetterMalformed(Exception):
    """A text that cannot be the letter; the message says what to do about it."""

    def __init__(self, reason: LetterMalformedReason, detail: str) -> None:
        """Keep the reason for programs and the sentence for people."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Rendered:
    """One text of the letter; `html` and `text` are without the title, hashtags without `#`."""

    title: str
    html: str
    text: str
    hashtags: tuple[str, ...]


def render(source: bytes) -> Rendered:
    """Answer the letter in a Markdown file, whose first heading is its title.

    Raises `LetterMalformed` for bytes that are not UTF-8, an empty file, a file without a heading,
    and one that has nothing but a heading.
    """
    markdown = _parser()
    title, body = _parted(markdown.parse(_decoded(source)))
    html = _rendered(markdown, body)
    text = plain_text(html)
    if not text:
        raise LetterMalformed(
            LetterMalformedReason.NO_BODY, "the letter has a title and nothing else; write its text"
        )
    return Rendered(title=title, html=html, text=text, hashtags=_hashtags(html))


def render_note(source: str) -> Rendered:
    """Answer a short text of ours in Markdown, such as an update: the same rules, but no title.

    Raises `LetterMalformed` when there is nothing to say.
    """
    markdown = _parser()
    html = _rendered(markdown, markdown.parse(source))
    text = plain_text(html)
    if not text:
        raise LetterMalformed(LetterMalformedReason.EMPTY, "there is no text; write some")
    return Rendered(title="", html=html, text=text, hashtags=_hashtags(html))


def _parser() -> MarkdownIt:
    """Answer a CommonMark parser with tables and strikethrough that escapes HTML."""
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _rendered(markdown: MarkdownIt, tokens: list[Token]) -> str:
    """Answer the HTML of a token stream, limited to the tags we promise."""
    html = markdown.renderer.render(_plainer(tokens), markdown.options, {})
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https"},
        link_rel=None,
    ).strip()


def _hashtags(html: str) -> tuple[str, ...]:
    """Answer the hashtags in a text, each once however it is written, in order; none in code.

    >>> _hashtags("<p>#Art and #art, not #1 <code>#include</code></p>")
    ('Art',)
    """
    found: dict[str, str] = {}
    for name in _HASHTAG.findall(plain_text(_CODE.sub(" ", html))):
        found.setdefault(name.casefold(), name)
    return tuple(found.values())


def _decoded(source: bytes) -> str:
    """Answer the text of the file."""
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise LetterMalformed(
            LetterMalformedReason.NOT_UTF8,
            f"the letter is not UTF-8 at byte {problem.start}; save the file as UTF-8",
        ) from None
    if not text.strip():
        raise LetterMalformed(
            LetterMalformedReason.EMPTY,
            "the letter is empty; begin with a heading, as in: # Title",
        )
    return text


def _parted(tokens: list[Token]) -> tuple[str, list[Token]]:
    """Answer the title and all tokens but the title's."""
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            title = _spoken(tokens[index + 1])
            if title:
                return title, tokens[:index] + tokens[index + 3 :]
    raise LetterMalformed(
        LetterMalformedReason.NO_TITLE,
        "the letter has no title; begin it with a heading, as in: # Title",
    )


def _spoken(inline: Token) -> str:
    """Answer what an inline token says without its markup, in one line."""
    words = []
    for child in inline.children or ():
        if child.type in ("softbreak", "hardbreak"):
            words.append(" ")
        else:
            words.append(child.content)
    return " ".join("".join(words).split())


def _plainer(tokens: list[Token]) -> list[Token]:
    """Rewrite what servers do not show into what they do."""
    result: list[Token] = []
    for token in _without_tables(tokens):
        if token.type == "hr":
            result += _paragraph(_RULE_SIGN)
            continue
        if token.type in ("heading_open", "heading_close"):
            level = min(max(int(token.tag[1:]), _HIGHEST_HEADING), _LOWEST_HEADING)
            token.tag = f"h{level}"
        elif token.type == "inline":
            token.children = _plainer_inline(token.children or [])
        result.append(token)
    return result


def _plainer_inline(children: list[Token]) -> list[Token]:
    """Turn images and bare addresses into links, drop links that lead nowhere, name strikes `del`.

    Other servers link nothing that we did not.
    """
    result: list[Token] = []
    dropped: list[bool] = []
    for child in children:
        if child.type == "image":
            result += _image(child, inside_link=any(not gone for gone in dropped))
            continue
        if child.type == "text" and not dropped:
            result += _linked(child.content)
            continue
        if child.type == "link_open":
            dropped.append(not _is_absolute(child.attrGet("href")))
        gone = child.type in ("link_open", "link_close") and dropped[-1]
        if child.type == "link_close":
            dropped.pop()
        if child.tag == "s":
            child.tag = "del"
        if not gone:
            result.append(child)
    return result


def _linked(text: str) -> list[Token]:
    """Answer a text with every address in it as a link to itself."""
    result: list[Token] = []
    position = 0
    for found in _ADDRESS.finditer(text):
        if not _is_absolute(found[0]):
            continue
        result.append(Token("text", "", 0, content=text[position : found.start()]))
        opening = Token("link_open", "a", 1, attrs={"href": found[0]})
        address = Token("text", "", 0, content=found[0])
        result += [opening, address, Token("link_close", "a", -1)]
        position = found.end()
    return [*result, Token("text", "", 0, content=text[position:])]


def _image(image: Token, *, inside_link: bool) -> list[Token]:
    """Answer an image as its description, linked to it where that is possible."""
    source = image.attrGet("src")
    described = Token("text", "", 0, content=image.content or "")
    if inside_link or not _is_absolute(source):
        return [described]
    described.content = described.content or str(source)
    opening = Token("link_open", "a", 1, attrs={"href": str(source)})
    return [opening, described, Token("link_close", "a", -1)]


def _is_absolute(href: str | int | float | None) -> bool:
    """Whether a link leads to a place on the web from wherever it is read."""
    return isinstance(href, str) and _ABSOLUTE.match(href) is not None


def _without_tables(tokens: list[Token]) -> list[Token]:
    """Turn each table into a list."""
    result: list[Token] = []
    rest = iter(tokens)
    for token in rest:
        if token.type == "table_open":
            result += _listed(list(takewhile(lambda inner: inner.type != "table_close", rest)))
        else:
            result.append(token)
    return result


def _listed(table: list[Token]) -> list[Token]:
    """Answer the inside of a table as a list: one item a row, cells after their headings."""
    headings: list[str] = []
    result = [Token("bullet_list_open", "ul", 1, block=True)]
    column = 0
    for before, token in pairwise(table):
        if before.type == "th_open":
            headings.append(_spoken(token))
        elif before.type == "td_open":
            result.append(_cell(token, headings, column))
            column += 1
        elif before.type == "tr_open" and token.type == "td_open":
            result.append(_item(opening=True))
            column = 0
        elif before.type == "td_close" and token.type == "tr_close":
            result.append(_item(opening=False))
    if len(result) == 1:  # headings only
        words = [Token("text", "", 0, content="; ".join(filter(None, headings)))]
        inline = Token("inline", "", 0, children=words, block=True)
        result += [_item(opening=True), inline, _item(opening=False)]
    return [*result, Token("bullet_list_close", "ul", -1, block=True)]


def _item(*, opening: bool) -> Token:
    """Answer the edge of a list item."""
    name = "list_item_open" if opening else "list_item_close"
    return Token(name, "li", 1 if opening else -1, block=True)


def _cell(inline: Token, headings: list[str], column: int) -> Token:
    """Answer a table cell as inline text: `; heading: cell`."""
    heading = headings[column] if column < len(headings) else ""
    if not inline.content:
        return Token("inline", "", 0, children=[], block=True)
    before = ("; " if column else "") + (f"{heading}: " if heading else "")
    lead = [Token("text", "", 0, content=before)] if before else []
    return Token("inline", "", 0, children=[*lead, *(inline.children or [])], block=True)


def _paragraph(text: str) -> list[Token]:
    """Answer a paragraph of plain text."""
    return [
        Token("paragraph_open", "p", 1, block=True),
        Token("inline", "", 0, children=[Token("text", "", 0, content=text)], block=True),
        Token("paragraph_close", "p", -1, block=True),
    ]
