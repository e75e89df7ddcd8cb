"""The letter's Markdown becomes a title and HTML that every server shows."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.markup.markdown import (
    LetterMalformed,
    LetterMalformedReason,
    render,
    render_note,
)

ALLOWED = {
    *("p", "br", "a", "strong", "em", "b", "i", "u", "del", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "span", "h2", "h3", "h4"),
}
SHIPPED = Path(__file__).parents[2] / "templates" / "letter" / "artists.en.md"
TAG = re.compile(r"</?([a-zA-Z0-9]+)")


def html_of(body: str) -> str:
    """The HTML of a letter's body."""
    return render(f"# Title\n\n{body}".encode()).html


def test_the_shipped_letter() -> None:
    """Title, five paragraphs, signs of every kind unchanged."""
    letter = render(SHIPPED.read_bytes())
    assert letter.title == "Artists are not your unpaid R&D"
    assert letter.html.count("<p>") == 5
    assert "☠️" in letter.html
    assert "▌║█║▌║█║▌║" in letter.text
    assert "UNPAID R&amp;D" in letter.html
    assert "UNPAID R&D" in letter.text
    assert letter.title not in letter.text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", LetterMalformedReason.EMPTY),
        (b"\xef\xbb\xbf \n", LetterMalformedReason.EMPTY),
        (b"# Caf\xe9\n\nx", LetterMalformedReason.NOT_UTF8),
        (b"just a paragraph", LetterMalformedReason.NO_TITLE),
        (b"> # quoted\n\ntext", LetterMalformedReason.NO_TITLE),
        (b"#\n\ntext", LetterMalformedReason.NO_TITLE),
        (b"# Title\n", LetterMalformedReason.NO_BODY),
    ],
)
def test_what_cannot_be_a_letter(source: bytes, reason: LetterMalformedReason) -> None:
    """Each refusal says what to do."""
    with pytest.raises(LetterMalformed, match=r"; ") as refused:
        render(source)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("# The *title* & `code`\n\nx", "The title & code"),
        ("Title\n=====\n\nx", "Title"),
        ("intro\n\n## Second\n\nx", "Second"),
        ("\ufeff# Title\r\n\r\nx", "Title"),
        ("# ☠️ [Link](https://a.example) ![image](i.png)\n\nx", "☠️ Link image"),
    ],
)
def test_the_first_heading_is_the_title(source: str, title: str) -> None:
    """As one plain line."""
    letter = render(source.encode())
    assert letter.title == title
    assert "<h1" not in letter.html


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("# a", "<h2>a</h2>"),
        ("## a", "<h2>a</h2>"),
        ("#### a", "<h4>a</h4>"),
        ("###### a", "<h4>a</h4>"),
        ("**a** *b* `c` ~~d~~", "<p><strong>a</strong> <em>b</em> <code>c</code> <del>d</del></p>"),
        ("a  \nb\\\nc", "<p>a<br>\nb<br>\nc</p>"),
        ("***", "<p>⁂</p>"),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>'),
        ("```py\na < b\n```", "<pre><code>a &lt; b\n</code></pre>"),
        (
            "[a](https://a.example/?b=1&c=2)",
            '<p><a href="https://a.example/?b=1&amp;c=2">a</a></p>',
        ),
        ("[a](/relative) [b](#note) [c](mailto:x@y.example)", "<p>a b c</p>"),
        (
            "(see https://a.example/x_y?b=1&c=2).",
            '<p>(see <a href="https://a.example/x_y?b=1&amp;c=2">'
            "https://a.example/x_y?b=1&amp;c=2</a>).</p>",
        ),
        ("`https://a.example` http://,", "<p><code>https://a.example</code> http://,</p>"),
        (
            "[https://a.example](https://b.example)",
            '<p><a href="https://b.example">https://a.example</a></p>',
        ),
        ("![alt](https://a.example/i.png)", '<p><a href="https://a.example/i.png">alt</a></p>'),
        (
            "![](https://a.example/i)",
            '<p><a href="https://a.example/i">https://a.example/i</a></p>',
        ),
        ("![alt](i.png)", "<p>alt</p>"),
        (
            "[![in](https://a.example/i)](https://b.example)",
            '<p><a href="https://b.example">in</a></p>',
        ),
        ("[**a** ![in](i.png)](/x)", "<p><strong>a</strong> in</p>"),
        ("☠️ ▌║█║▌", "<p>☠️ ▌║█║▌</p>"),
    ],
)
def test_markdown_and_what_becomes_of_it(body: str, html: str) -> None:
    """A10, one construct at a time."""
    assert html_of(body) == html


def test_a_table_becomes_a_list() -> None:
    """Servers flatten tables; a cell keeps its column's heading and its markup."""
    table = "| Name | Role | |\n|-|-|-|\n| **Ada** | poet | x |\n| Bob | | |"
    assert html_of(table) == (
        "<ul>\n<li>Name: <strong>Ada</strong>; Role: poet; x</li>\n<li>Name: Bob</li>\n</ul>"
    )
    assert html_of("x\n\n| only |\n|-|") == "<p>x</p>\n<ul>\n<li>only</li>\n</ul>"


def test_html_in_the_markdown_is_shown_as_typed() -> None:
    """Never passed on, in a line or as a block."""
    letter = render(b"# T\n\nhi <b onclick=x>you</b>\n\n<script>alert(1)</script>\n\n<!-- c -->")
    assert "<b" not in letter.html
    assert "<script" not in letter.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in letter.html
    assert "<script>alert(1)</script>" in letter.text


def test_a_script_is_no_link() -> None:
    """Nor is anything but http and https."""
    for link in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "vbscript:x"):
        assert "<a" not in html_of(f"[a]({link}) <{link}>")


def test_hashtags() -> None:
    """Each once, in order, none in code or links, none that is only a number."""
    letter = render("# T\n\n#Art & #art, #Künstler_innen #1 `#no` a#b https://a/#c".encode())
    assert letter.hashtags == ("Art", "Künstler_innen")


def test_the_text_keeps_lines_and_paragraphs() -> None:
    """For excerpts, the plain page, and the Note's length."""
    letter = render(b"# T\n\none\ntwo  \nthree\n\n- a\n- b\n\n```\nx\n  y\n```")
    assert letter.text == "one two\nthree\n\na\n\nb\n\nx\ny"


def test_a_note_has_no_title() -> None:
    """An update may begin with a heading, and may not be empty."""
    note = render_note("# Thanks\n\n#Art")
    assert (note.title, note.html) == ("", "<h2>Thanks</h2>\n<p>#Art</p>")
    assert note.hashtags == ("Art",)
    with pytest.raises(LetterMalformed):
        render_note(" \n")


@given(st.text(max_size=400))
def test_only_the_promised_tags_come_out(body: str) -> None:
    """Whatever is written."""
    letter = render(f"# T\n\nx {body}".encode("utf-8", "ignore"))
    assert set(TAG.findall(letter.html)) <= ALLOWED


MARKS = st.lists(
    st.sampled_from(
        (
            *("# ", "\n", "\n\n", "|", "|-|", "[", "](", ")", "![", "https://a.example", "*"),
            *("**", "`", "```", "~~", "> ", "- ", "1. ", "<b>", "&amp;", "x", "  \n", "***", "#t"),
        )
    ),
    max_size=60,
).map("".join)


@given(MARKS)
def test_any_mixture_of_marks_is_a_letter(body: str) -> None:
    """Nested and broken constructs neither raise nor leak."""
    letter = render(f"# T\n\nx\n\n{body}".encode())
    assert set(TAG.findall(letter.html)) <= ALLOWED
    assert letter.title == "T"
