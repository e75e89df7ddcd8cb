"""Whatever a client says it can read, it gets something it can read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.web.codings import Coding, choose_coding, encode

NAMES = st.sampled_from(["gzip", "br", "x-gzip", "identity", "*", "deflate", "zstd"])
WEIGHTS = st.sampled_from(["", ";q=1", "; q=0.5", ";q=0", ";q=0.000", " ; Q=0.001"])


@given(st.text(max_size=200))
def test_any_header_is_read(header: str) -> None:
    assert choose_coding(header) in (None, *Coding)


@given(st.lists(st.tuples(NAMES, WEIGHTS), max_size=6))
def test_nobody_gets_what_they_did_not_name_or_refused(parts: list[tuple[str, str]]) -> None:
    chosen = choose_coding(", ".join(name + weight for name, weight in parts))
    if chosen is not None:
        said = {name.removeprefix("x-"): weight for name, weight in parts}
        weight = said.get(chosen.value, said.get("*"))
        assert weight is not None
        assert "q=0" not in weight.lower().replace("0.5", "1").replace("0.001", "1")


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("gzip, deflate, br, zstd", Coding.BROTLI),  # browsers
        ("gzip", Coding.GZIP),  # Mastodon, and most that are written in Go
        ("gzip;q=1.0,deflate;q=0.6,identity;q=0.3", Coding.GZIP),
        ("br;q=0, *", Coding.GZIP),
        ("identity", None),
        ("", None),
    ],
)
def test_what_is_seen_in_the_wild(header: str, coding: Coding | None) -> None:
    assert choose_coding(header) is coding


@pytest.mark.parametrize("coding", list(Coding))
def test_the_same_bytes_are_packed_alike_in_every_process(coding: Coding) -> None:
    body = b"We are not your free bug testers. " * 100
    assert encode(body, coding) == encode(body, coding)
    assert len(encode(body, coding)) < len(body) / 5
