"""A body that is too long is cut where a reader would pause."""

import re

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.markup.shorten import closing_link, cut

LINK = "https://letter.example/"
CLOSING = closing_link(LINK)


def test_what_fits_is_left_alone() -> None:
    """To the byte, in UTF-8."""
    html = "<p>ä</p>"
    assert cut(html, 9, LINK) == html


def test_whole_blocks_are_kept() -> None:
    """A list counts as one block, whatever is in it."""
    blocks = "<p>one<br>two</p><ul><li><p>three</p></li></ul><p>" + "x" * 500 + "</p>"
    assert cut(blocks, 200, LINK) == "<p>one<br>two</p><ul><li><p>three</p></li></ul>" + CLOSING
    assert cut(blocks, len(CLOSING) + 20, LINK) == "<p>one<br>two</p>" + CLOSING


def test_a_single_endless_block_is_cut_between_words() -> None:
    """And loses its markup rather than its sense."""
    html = "<p><strong>" + "wörd &amp; " * 1000 + "</strong></p>"
    short = cut(html, 300, LINK)
    assert short.startswith("<p>wörd &amp; wörd")
    assert short.endswith(" …</p>" + CLOSING)
    assert 200 < len(short.encode()) <= 300


def test_no_room_for_the_link_is_an_error() -> None:
    """A reader must be able to find the rest."""
    with pytest.raises(ValueError, match="do not hold the link"):
        cut("<p>" + "x" * 100 + "</p>", 50, LINK)


def test_a_link_is_escaped() -> None:
    """It stands in an attribute and between tags."""
    assert closing_link('https://a.example/?b=1&c="') == (
        '<p>[…] <a href="https://a.example/?b=1&amp;c=&quot;">a.example/?b=1&amp;c="</a></p>'
    )


BLOCK = st.recursive(
    st.text(max_size=40).map(lambda text: f"<p>{nh3.clean_text(text)}</p>"),
    lambda inner: st.lists(inner, max_size=3).map(
        lambda blocks: f"<blockquote>{''.join(blocks)}</blockquote>"
    ),
    max_leaves=6,
)


@given(st.lists(BLOCK, max_size=12), st.integers(100, 600))
def test_a_cut_is_always_valid_and_small_enough(blocks: list[str], most: int) -> None:
    """Every opened block is closed, and cutting again changes nothing."""
    html = nh3.clean("".join(blocks))
    short = cut(html, most, LINK)
    assert len(short.encode()) <= most
    for tag in ("p", "blockquote", "a"):
        assert len(re.findall(f"<{tag}[ >]", short)) == short.count(f"</{tag}>")
    assert cut(short, most, LINK) == short
