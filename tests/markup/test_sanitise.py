"""What a stranger wrote cannot run, reach out, reorder our page, or hold us up."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.markup.sanitise import (
    display_name,
    plain_text,
    stranger_html,
    stranger_text,
    tidy,
)

ALLOWED = set(["p", "br", "a", "strong", "em", "ul", "ol", "li", "blockquote", "code"])
REL = 'rel="nofollow noopener noreferrer ugc"'
BIDI = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ("<p>I <strong>sign</strong><br>this</p>", "<p>I <strong>sign</strong><br>this</p>"),
        ("<form action=x><input name=y>hi</form>", "hi"),
        ("<script>alert(1)</script>hi<style>*{}</style>", "hi"),
        ('<p onclick="x" style="x" class="x" id="x">hi</p>', "<p>hi</p>"),
        ('<img src=x onerror="alert(1)">hi', "hi"),
        ("<svg><script>x</script></svg><math>y</math>hi", "hi"),
        ("<iframe src=x></iframe><object></object>hi<!-- c -->", "hi"),
        ("<h1>big</h1><table><tr><td>t</td></tr></table>", "bigt"),
        ('<a href="https://a.example/">a</a>', f'<a href="https://a.example/" {REL}>a</a>'),
        ('<a href="javascript:alert(1)">a</a>', f"<a {REL}>a</a>"),
        ('<a href="JaVaScRiPt&colon;alert(1)">a</a>', f"<a {REL}>a</a>"),
        ('<a href="/admin">a</a>', f"<a {REL}>a</a>"),
        ('<a href="//a.example">a</a>', f"<a {REL}>a</a>"),
        ('<a href="https://a@b.example/">a</a>', f"<a {REL}>a</a>"),
        ('<a href="data:text/html,x" target="_top" ping="x">a</a>', f"<a {REL}>a</a>"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("<p>open <strong>never closed", "<p>open <strong>never closed</strong></p>"),
        ("", ""),
    ],
)
def test_t59_little_survives(html: str, kept: str) -> None:
    """C13: structure and emphasis, absolute links, nothing that acts."""
    assert stranger_html(html) == kept


def test_a_long_post_is_cut_and_loses_its_markup() -> None:
    """At 5,000 characters, in HTML and in text."""
    html = "<p>" + "word <strong>bold</strong> &amp; " * 1000 + "</p>"
    shown = stranger_html(html)
    assert "<strong>" not in shown
    assert shown.endswith("…</p>")
    assert len(plain_text(shown)) <= 5_000
    assert len(stranger_text(html)) <= 5_000


def test_deep_lists_become_text() -> None:
    """Nesting beyond 50 is nobody's honest post."""
    assert stranger_html("<blockquote>" * 60 + "<p>hi</p>") == "<p>hi</p>"
    assert stranger_html("<blockquote>" * 40 + "<p>hi</p>").count("<blockquote>") == 40


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two<br/>three</p>", "one\n\ntwo\nthree"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ("<p>a\nb</p>", "a b"),
        ("<div>a</div><div>b</div>", "a\n\nb"),
        ("a &lt;b&gt; &amp;amp; &nbsp;c&#x1f600;", "a <b> &amp;  c😀"),
        ("<script>x</script><title>y</title>z", "z"),
        ("plain", "plain"),
        ('<a href="x"><span class="invisible">https://</span>a.example</a>', "https://a.example"),
    ],
)
def test_the_words_of_a_post(html: str, text: str) -> None:
    """Line breaks kept, entities resolved, nothing of the markup."""
    assert stranger_text(html) == text


@pytest.mark.parametrize("function", [stranger_html, stranger_text, display_name])
def test_nothing_turns_our_text_around(function: Callable[[str], str]) -> None:
    """Bidi marks, zero widths and controls are gone, even when spelt as entities."""
    entities = "".join(f"&#{ord(mark)};" for mark in BIDI)
    for hidden in (BIDI, "\u200b\u00ad\u2060\ufeff", "\x00\x1b\x07\x7f\x85"):
        assert function(f"a{hidden}b") == "ab"
    if function is not display_name:
        assert function(f"a{entities}b") == "ab"


def test_what_scripts_and_emoji_need_stays() -> None:
    """Joiners and variation selectors."""
    for text in ("👩\u200d🎨", "می\u200cخواهم", "☠\ufe0f", "é"):
        assert display_name(text) == stranger_text(text) == text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("  Ada \n\t Lovelace ", "Ada Lovelace"),
        ("<b>Ada</b>", "<b>Ada</b>"),
        ("a\u2028b\u2029c", "a b c"),
        ("x" * 200, "x" * 99 + "…"),
        ("\u202e", ""),
    ],
)
def test_a_display_name_is_one_line(name: str, shown: str) -> None:
    """It is text, to be escaped by whoever shows it."""
    assert display_name(name) == shown


def test_tidy_keeps_lines_when_asked() -> None:
    """For the comment of a report."""
    assert tidy(" a \r\n b\n\n\n\nc ", 100, keep_lines=True) == "a\nb\n\nc"
    assert tidy("abc", 2) == "a…"


HOSTILE = {
    "nested": "<b>" * 10_000 + "x",
    "nested blocks": "<div>" * 10_000 + "x",
    "nested quotes": "<blockquote>" * 1_900 + "x",
    "nested links": "<a href=x>" * 100_000,
    "tables": "<table><tr><td>" * 60_000,
    "formatting": "<a><b><i><nobr>" * 490,
    "misnested": "<b><p>" * 990,
    "angles": "<" * 1_000_000,
    "ampersands": "&" * 1_000_000,
    "entities": "&#x202e;" * 120_000,
    "attributes": "<p " + "a=b " * 250_000 + ">x",
    "long attribute": '<a href="https://a.example/' + "a" * 1_000_000,
    "comments": "<!--" * 250_000,
    "scripts": "<script>" * 100_000,
    "svg": "<svg><p><style>" * 600,
    "text": "word " * 200_000,
    "controls": "\x00\u202e" * 500_000,
    "brackets": "</" * 500_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("function", [stranger_html, stranger_text, display_name])
def test_a_megabyte_of_malice_is_survived(function: Callable[[str], str], kind: str) -> None:
    """T56, T59: no exception, bounded answer; what it costs is measured by hand, not here."""
    assert len(function(HOSTILE[kind])) < 300_000


@given(st.text())
def test_nothing_raises_and_only_allowed_tags_come_out(text: str) -> None:
    """Lone surrogates included."""
    for hostile in (text, f"<p>{text}", f'<a href="{text}">x', f"{text}\ud800"):
        html = stranger_html(hostile)
        assert set(re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)", html)) <= ALLOWED
        stranger_text(hostile).encode()
        display_name(hostile).encode()


PIECES = st.lists(
    st.sampled_from(
        (
            *("<p>", "</p>", "<a href='https://a.example'>", "</a>", "<script>", "</script>"),
            *("<svg>", "<style>", "<!--", "-->", "<li>", "<code>", "</", "<", ">", '"', "'"),
            *("&lt;", "&#x3c;", "onerror=x", "<img ", "x", "\n", "<pre>", "<![CDATA[", "]]>"),
        )
    ),
    max_size=40,
).map("".join)


@given(PIECES)
def test_cleaning_twice_changes_nothing(html: str) -> None:
    """What comes out is stable, so no second parser sees something else in it."""
    once = stranger_html(html)
    assert stranger_html(once) == once
    assert set(re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)", once)) <= ALLOWED
    for link in re.findall(r'href="([^"]*)"', once):
        assert link.startswith("https://")
