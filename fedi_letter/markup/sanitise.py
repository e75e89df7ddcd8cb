"""What a stranger wrote, made harmless: little HTML, plain text, or one line; never an exception.

Laws:

1. The input is cut before it is parsed, and hostile nesting is flattened to text, so the time spent
   is bounded whatever arrives (interop F11, F14).
2. Characters that reorder or hide text are removed: nobody's post may turn ours around.
"""

import html as html_entities
import re
import unicodedata
from typing import Final

import nh3

_LONGEST_INPUT: Final = 200_000
_LONGEST_SHOWN: Final = 5_000
_LONGEST_LINK: Final = 2_048
_MOST_TAGS: Final = 2_000
_DEEPEST: Final = 50
_PASSES: Final = 3

_ALLOWED: Final = {"p", "br", "a", "strong", "em", "ul", "ol", "li", "blockquote", "code"}
_BLOCKS: Final = {"p", "br", "ul", "ol", "li", "blockquote", "pre", "div", "tr"} | {
    f"h{level}" for level in range(1, 7)
}
_DROPPED_WHOLE: Final = {"script", "style", "template", "svg", "math", "title", "noscript"}
_REL: Final = "nofollow noopener noreferrer ugc"

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*>")
_ANYTHING_LIKE_A_TAG = re.compile(r"<[^<>]*>?")
_BREAK = re.compile(r"<br[^>]*>")
_BLOCK_EDGE = re.compile(r"</?(?:p|blockquote|ul|ol|pre|div|h[1-6])(?: [^>]*)?>")
_LINE_EDGE = re.compile(r"</?(?:li|tr)(?: [^>]*)?>")
_PREFORMATTED_OR_BREAK = re.compile(r"<pre\b.*?</pre>|\n", re.DOTALL)
_ENTITIES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&quot;", '"'), ("&amp;", "&"))
_BLANK_LINES = re.compile(r"\n{3,}")
_ABSOLUTE = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#]|$)", re.IGNORECASE)

# Marks that reorder (bidi), hide (zero width, soft hyphen, fillers) or annotate. Joiners stay:
# emoji and several scripts need them.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb]"
)


def stranger_html(html: str) -> str:
    """Answer paragraphs, breaks, links, emphasis, lists, quotes and code; nothing else survives.

    Links are http(s) only and carry `rel="nofollow noopener noreferrer ugc"`. At most 5,000
    characters of text: what is longer, or nested beyond 50, becomes plain paragraphs.
    """
    cleaned = _cleaned(_bounded(html))
    # Taking a tag out can leave what the next parser reads as another tree; wait until it settles.
    settled = False
    for _ in range(_PASSES):
        before, cleaned = cleaned, _cleaned(cleaned)
        if settled := cleaned == before:
            break
    plain = _plain(cleaned)
    if settled and len(plain) <= _LONGEST_SHOWN and _depth(cleaned) <= _DEEPEST:
        return cleaned
    return _paragraphs(_cut(plain, _LONGEST_SHOWN))


def stranger_text(html: str) -> str:
    """Answer the text of a stranger's HTML: line breaks kept, at most 5,000 characters.

    >>> stranger_text("<p>I <b>sign</b></p><script>x</script><p>for art &amp; bread</p>")
    'I sign\\n\\nfor art & bread'
    """
    cleaned = nh3.clean(
        _bounded(html), tags=_BLOCKS, clean_content_tags=_DROPPED_WHOLE, attributes={}
    )
    return _cut(_plain(cleaned), _LONGEST_SHOWN)


def display_name(text: str) -> str:
    """Answer a name fit to stand in a line of ours: one line, at most 100 characters.

    >>> display_name("Ada\\u202e evil\\n Lovelace")
    'Ada evil Lovelace'
    """
    return tidy(text, 100)


def tidy(text: str, longest: int, *, keep_lines: bool = False) -> str:
    """Answer plain text without control, reordering or hidden characters, cut to `longest`.

    White space is folded; with `keep_lines`, line breaks stay.
    """
    lines = _visible(text[: longest * 8]).split("\n")
    folded = (" ".join(line.split()) for line in lines)
    joined = "\n".join(folded) if keep_lines else " ".join(filter(None, folded))
    return _cut(_BLANK_LINES.sub("\n\n", joined).strip(), longest)


def plain_text(html: str) -> str:
    """Answer the text of HTML that nh3 has already made well-formed, uncut.

    >>> plain_text("<p>one<br>two</p><ul><li>three</li></ul>")
    'one\\ntwo\\n\\nthree'
    """
    folded = _PREFORMATTED_OR_BREAK.sub(lambda found: found[0] if found[0][0] == "<" else " ", html)
    spaced = _LINE_EDGE.sub("\n", _BLOCK_EDGE.sub("\n\n", _BREAK.sub("\n", folded)))
    text = _TAG.sub("", spaced)
    for entity, sign in _ENTITIES:
        text = text.replace(entity, sign)
    trimmed = "\n".join(line.strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", trimmed).strip()


def _cleaned(html: str) -> str:
    """Answer one pass of the parser, without the hidden characters that entities can spell."""
    return _visible(
        nh3.clean(
            html,
            tags=_ALLOWED,
            clean_content_tags=_DROPPED_WHOLE,
            attributes={"a": {"href"}},
            attribute_filter=_kept_attribute,
            url_schemes={"http", "https"},
            link_rel=_REL,
        )
    ).strip()


def _plain(cleaned: str) -> str:
    """Answer the visible text of cleaned HTML."""
    return _visible(plain_text(cleaned))


def _bounded(html: str) -> str:
    """Cut the input, and flatten it when it has more tags than any honest post."""
    # A lone surrogate cannot be handed to the parser, which wants UTF-8.
    known = html[:_LONGEST_INPUT].encode("utf-8", "replace").decode("utf-8")
    visible = _visible(known)
    if visible.count("&") > _MOST_TAGS:  # the parser takes 2 µs for each
        visible = visible[: _LONGEST_SHOWN * 4]
    if visible.count("<") <= _MOST_TAGS:
        return visible
    return _ANYTHING_LIKE_A_TAG.sub(" ", visible)


def _visible(text: str) -> str:
    """Remove control and hidden characters; line and paragraph separators become line breaks."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    unified = unified.replace("\u2028", "\n").replace("\u2029", "\n")
    without = _INVISIBLE.sub("", unified)
    if without.isprintable():
        return without
    return "".join(
        sign
        for sign in without
        if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs", "Cn", "Co")
    )


def _kept_attribute(tag: str, name: str, value: str) -> str | None:
    """Keep only absolute links: a relative one would point into our own pages."""
    if name == "rel":  # passes through here too after the parser has set it
        return _REL
    if (tag, name) != ("a", "href") or len(value) > _LONGEST_LINK:
        return None
    return value if _ABSOLUTE.match(value.strip()) else None


def _depth(cleaned: str) -> int:
    """Answer how deep the tags of well-formed HTML nest."""
    depth = deepest = 0
    for closing, name in _TAG.findall(cleaned):
        if name != "br":
            depth += -1 if closing else 1
            deepest = max(deepest, depth)
    return deepest


def _paragraphs(text: str) -> str:
    """Answer plain text as HTML paragraphs."""
    return "".join(
        f"<p>{html_entities.escape(block, quote=False).replace(chr(10), '<br>')}</p>"
        for block in text.split("\n\n")
        if block
    )


def _cut(text: str, longest: int) -> str:
    """Answer at most `longest` characters, the last an ellipsis when something was cut."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
